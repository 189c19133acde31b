"""Suppression lists and retention on a real control plane: what may not be stored is not, and goes when it was."""

import json

import msgspec
import pytest

from cluster.world import SECONDS, CollectionObject, World
from hunter_simulator import truth
from novahunt_api import names, paths
from novahunt_contract import document
from novahunt_contract.outcomes import Outcome, Reason

pytestmark = pytest.mark.cluster

SIZES = {"people.example": 120, "partner.example": 8, "blocked.example": 5, "other.example": 3}
SECRET = {"secretKeyRef": {"name": "do-not-contact", "key": "list.txt"}}
CONFIG_MAP = {"configMapKeyRef": {"name": "partners", "key": "domains"}}
VOLUME = {"persistentVolumeClaim": {"claimName": "collections"}}


def people(domain: str) -> list[str]:
    return [person.value for person in truth(domain, SIZES[domain])]


def fill(world: World) -> None:
    for domain, size in SIZES.items():
        world.simulator.set_domain(domain, size)
    world.make_claim("collections")


def make(world: World, kind: str, name: str, key: str, *lines: str) -> None:
    """Make or change a list."""
    metadata = {"name": name, "namespace": world.namespace}
    field = "stringData" if kind == "Secret" else "data"
    manifest = {"apiVersion": "v1", "kind": kind, "metadata": metadata, field: {key: "\n".join(lines)}}
    world.plane.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))


def set_secret(world: World, *lines: str) -> None:
    make(world, "Secret", "do-not-contact", "list.txt", *lines)


def set_config_map(world: World, *lines: str) -> None:
    make(world, "ConfigMap", "partners", "domains", *lines)


def ask_for_a_sweep(world: World, name: str, wish: str) -> None:
    kubectl = world.plane.kubectl
    kubectl("annotate", "dcol", name, "-n", world.namespace, "--overwrite", f"{names.SWEEP_ANNOTATION}={wish}")


def files(world: World, name: str) -> dict[str, bytes]:
    """The documents of a collection on the volume, by domain."""
    folder = world.kubelet.folder / name
    return {path.name.removesuffix(".json"): path.read_bytes() for path in folder.glob("*.json")}


async def stored(world: World, name: str) -> dict[str, set[str]]:
    """The addresses that are stored of each domain, in both storages; each record must agree with what it tells of."""
    found = await world.documents(name)
    results = await world.results(name)
    on_volume = {domain: data for domain, data in files(world, name).items() if results[domain].storage is not None}
    for domain, data in on_volume.items():
        assert results[domain].sha256 == document.digest(data)
        assert results[domain].bytes == len(data)
        found[domain] = document.decode(data)
    for domain, whole in found.items():
        assert results[domain].emails == whole.total
        assert results[domain].sha256 == document.digest(document.encode(whole))
    listed = [name_ for result in results.values() for name_ in names_of(result.storage)]
    assert sorted(listed) == sorted(await world.document_config_maps(name)), "addresses that no record tells of"
    return {domain: {item.email for item in whole.items} for domain, whole in found.items()}


def names_of(place: object) -> tuple[str, ...]:
    maps = getattr(place, "config_map", None)
    return maps.names if maps is not None else ()


def swept(found: CollectionObject) -> bool:
    return found.status.sweep is not None and found.status.sweep.documents > 0


@pytest.mark.parametrize("storage", [{}, {"storage": VOLUME}], ids=["ConfigMaps", "a volume"])
async def test_what_lists_name_is_never_stored(world: World, storage: dict[str, object]) -> None:
    fill(world)
    first, second, *_ = people("people.example")
    set_secret(world, "# asked by mail", first, second.upper(), "blocked.example")
    set_config_map(world, "@partner.example")
    world.apply("careful", SIZES, concurrency=4, suppressionFrom=[SECRET, CONFIG_MAP], **storage)
    ready = await world.ready("careful")
    expected = {
        "people.example": set(people("people.example")) - {first, second},
        "partner.example": set(),
        "other.example": set(people("other.example")),
    }
    assert {
        domain: found for domain, found in (await stored(world, "careful")).items() if found or domain in expected
    } == (expected)
    results = await world.results("careful")
    assert (results["people.example"].suppressed, results["partner.example"].suppressed) == (2, 8)
    assert (results["blocked.example"].outcome, results["blocked.example"].reason) == (
        Outcome.EMPTY,
        Reason.SUPPRESSED,
    )
    assert world.simulator.report().of_domain("blocked.example").requests == 0
    assert ready.status.emails == 118 + 3
    assert first not in world.operator.log


@pytest.mark.parametrize("storage", [{}, {"storage": VOLUME}], ids=["ConfigMaps", "a volume"])
async def test_a_changed_list_is_applied_to_what_is_stored(world: World, storage: dict[str, object]) -> None:
    fill(world)
    set_config_map(world, "# nobody yet")
    world.apply("changed", SIZES, concurrency=4, suppressionFrom=[CONFIG_MAP], **storage)
    await world.ready("changed")
    before = await stored(world, "changed")
    assert before["people.example"] == set(people("people.example"))
    requests = world.simulator.report().requests
    first, *_ = people("people.example")
    set_config_map(world, first, "blocked.example", "@other.example")
    found = await world.until("changed", swept, "swept")
    after = await stored(world, "changed")
    assert after == {
        "people.example": set(people("people.example")) - {first},
        "partner.example": set(people("partner.example")),
        "other.example": set(),
    }
    blocked = (await world.results("changed"))["blocked.example"]
    assert (blocked.outcome, blocked.reason, blocked.emails) == (Outcome.COLLECTED, Reason.SUPPRESSED, 0)
    assert found.status.sweep is not None
    assert (found.status.sweep.documents, found.status.sweep.emails) == (3, 1 + 5 + 3)
    assert world.simulator.report().requests == requests, "Hunter is not asked"
    fewer = await world.until("changed", lambda c: c.status.emails == 119 + 8, "counted anew")
    assert fewer.condition("Ready") == ("True", "Completed")
    kubectl = world.plane.kubectl
    events = json.loads(kubectl("get", "events.events.k8s.io", "-n", world.namespace, "-o", "json"))["items"]
    told = [one["note"] for one in events if one["reason"] == "Swept"]
    # The sweep that followed the first runs applied their lists, and found nothing.
    assert [note for note in told if not note.startswith("0 addresses")] == [
        "9 addresses were removed; 3 documents were changed or removed."
    ]


async def test_a_changed_secret_is_swept_for_when_somebody_asks_and_while_suspended(world: World) -> None:
    fill(world)
    set_secret(world, "nobody@elsewhere.example")
    world.apply("secret", ["other.example"], suppressionFrom=[SECRET])
    await world.ready("secret")
    world.apply("secret", ["other.example"], suppressionFrom=[SECRET], suspend=True)
    first, *rest = people("other.example")
    set_secret(world, first)
    ask_for_a_sweep(world, "secret", "now")
    await world.until("secret", swept, "swept")
    assert await stored(world, "secret") == {"other.example": set(rest)}
    assert await world.jobs("secret") != []


async def test_a_missing_secret_stalls_and_mends_by_itself(world: World) -> None:
    fill(world)
    world.apply("missing", ["other.example", "partner.example"], suppressionFrom=[SECRET])
    stalled = await world.until(
        "missing", lambda c: c.condition("Stalled") == ("True", "SuppressionList"), "stalled for its list"
    )
    assert stalled.condition("Ready") == ("False", "SuppressionList")
    message = next(one.message for one in stalled.status.conditions if one.type == "Stalled")
    assert "Secret do-not-contact, list.txt" in message
    assert await stored(world, "missing") == {}
    assert world.simulator.report().requests == 0
    first, *rest = people("other.example")
    set_secret(world, first)
    ready = await world.ready("missing")
    assert ready.condition("Stalled") == ("", "")
    assert (await stored(world, "missing"))["other.example"] == set(rest)


async def test_a_missing_config_map_starts_nothing_and_mends_by_itself(world: World) -> None:
    fill(world)
    world.apply("absent", ["other.example"], suppressionFrom=[CONFIG_MAP])
    await world.until("absent", lambda c: c.condition("Stalled") == ("True", "SuppressionList"), "stalled")
    assert await world.jobs("absent") == []
    set_config_map(world, "# nobody yet")
    await world.ready("absent")


async def test_documents_in_config_maps_are_removed_when_they_are_too_old(world: World) -> None:
    fill(world)
    world.apply("aging", ["other.example", "partner.example"], retention="1h")
    await world.ready("aging")
    requests = world.simulator.report().requests
    await make_old(world, "aging", "other.example")
    kept = await world.until("aging", lambda c: c.status.emails == 8, "without the old one")
    assert kept.condition("Ready") == ("True", "Completed")
    assert (await stored(world, "aging")).keys() == {"partner.example"}
    expired = (await world.results("aging"))["other.example"]
    assert (expired.outcome, expired.reason, expired.storage) == (Outcome.COLLECTED, "Expired", None)
    assert world.simulator.report().requests == requests, "it makes nothing due by itself"


async def make_old(world: World, name: str, domain: str) -> None:
    """Let a record say that its document was collected long ago."""
    found = (await world.result_objects(name))[domain]
    path = paths.results(world.namespace, found.metadata.name)
    change = {"collectedAt": "2020-01-01T00:00:00.000Z"}
    await world.admin.call("PATCH", path, body=change, content_type="application/merge-patch+json")


async def test_files_that_are_too_old_are_removed_by_the_next_sweep(world: World) -> None:
    fill(world)
    world.apply("files", ["other.example", "partner.example"], retention="1h", storage=VOLUME)
    await world.ready("files")
    path = world.kubelet.folder / "files" / "other.example.json"
    old = msgspec.structs.replace(document.decode(path.read_bytes()), collected_at="2020-01-01T00:00:00.000Z")
    path.write_bytes(document.encode(old))
    ask_for_a_sweep(world, "files", "now")
    await world.until("files", swept, "swept")
    assert files(world, "files").keys() == {"partner.example"}
    expired = (await world.results("files"))["other.example"]
    assert (expired.outcome, expired.reason, expired.storage) == (Outcome.COLLECTED, "Expired", None)


async def test_a_killed_operator_ends_the_sweep_that_it_began(world: World) -> None:
    fill(world)
    set_config_map(world, "# nobody yet")
    world.apply("killed", SIZES, concurrency=4, suppressionFrom=[CONFIG_MAP])
    await world.ready("killed")
    sweeps = world.kubelet.started.count("sweep")
    first, *_ = people("people.example")
    set_config_map(world, first)
    await world.until_true(lambda: world.kubelet.started.count("sweep") > sweeps, "sweeping", SECONDS)
    world.operator.kill()
    world.operator.start()
    await world.until("killed", swept, "swept")
    assert first not in (await stored(world, "killed"))["people.example"]
