"""Documents in ConfigMaps on a real API server: all sizes, repeated and broken-off calls, limits."""

import io
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from cluster.control_plane import ControlPlane
from cluster.world import CollectionObject, World, running_world
from hunter_simulator import Fault, Proceed, truth
from novahunt_api import names, paths, wire
from novahunt_api.domainresults import Result
from novahunt_api.parts import PACK_ABOVE, PART_BYTES
from novahunt_contract import document as documents
from novahunt_contract import intake, times
from novahunt_contract.document import Document, Item
from novahunt_contract.outcomes import Outcome

pytestmark = pytest.mark.cluster

VOLUME = {"persistentVolumeClaim": {"claimName": "collections"}}
KIB, MIB = 1024, 1024 * 1024


@dataclass
class Collector:
    """A collector's pod that is at work, and the intake as it sees it."""

    world: World
    job: wire.JobObject
    token: str

    @property
    def domain(self) -> str:
        return self.job.metadata.annotations[names.DOMAIN_ANNOTATION]

    def document(self, size: int) -> Document:
        """Return a document of its run with so many bytes of what can't be packed well."""
        chance = random.Random(size)
        letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        titles = ["".join(chance.choices(letters, k=3000)) for _ in range(size // 3000)]
        items = tuple(
            Item(email=f"p{number}@{self.domain}", name=None, title=title, confidence=0.5, source=None)
            for number, title in enumerate(titles)
        )
        now = times.to_text(times.from_text("2026-11-24T12:00:00.000Z"))
        job_id = self.job.metadata.annotations[names.JOB_ID_ANNOTATION]
        return Document(self.domain, items, len(items), now, now, job_id, run=1)

    async def call(self, method: str, data: bytes | None = None) -> tuple[int, bytes]:
        """Call the intake for the document."""
        url = f"https://127.0.0.1:{self.world.operator.port}{intake.DOCUMENT}"
        body = io.BytesIO(data) if data is not None else None
        headers = {"Authorization": f"Bearer {self.token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, url, data=body, ssl=self.world.intake_tls()) as answer,
        ):
            return answer.status, await answer.read()

    async def put(self, document: Document) -> int:
        """Store a document; return the status."""
        return (await self.call("PUT", documents.encode(document)))[0]


@asynccontextmanager
async def at_work(world: World, name: str, domain: str) -> AsyncIterator[Collector]:
    """Hold a collector while it waits for Hunter, and take its place at the intake."""
    world.simulator.add_fault(Fault(action=Proceed(), domain=domain, delay=90))
    world.apply(name, [domain], retry={"maxAttempts": 1})
    await world.until_true(lambda: world.simulator.report(with_log=False).requests > 0, "asking Hunter")
    (pod_name,) = world.kubelet.running
    (job,) = await world.jobs(name)
    options = (f"--audience={intake.AUDIENCE}", "--bound-object-kind=Pod", f"--bound-object-name={pod_name}")
    token = world.plane.kubectl("create", "token", "default", "-n", world.namespace, *options).strip()
    yield Collector(world, job, token)


async def result_of(world: World, name: str) -> Result:
    (result,) = (await world.results(name)).values()
    return result


def stalled_for_room(found: CollectionObject) -> bool:
    return found.condition("Stalled") == ("True", "Storage") and found.condition("Ready") == ("False", "Storage")


def message(found: CollectionObject, kind: str) -> str:
    return next((one.message for one in found.status.conditions if one.type == kind), "")


@pytest.fixture
async def narrow(kinds: ControlPlane, namespace: str, tmp_path: Path) -> AsyncIterator[World]:
    """A world whose collections may take 20 KiB in ConfigMaps."""
    async with running_world(kinds, namespace, tmp_path, {"NOVAHUNT_MAX_CONFIGMAP_BYTES": str(20 * KIB)}) as found:
        yield found


# ---------------------------------------------------------------------- sizes


async def test_documents_just_below_and_above_16_kib_are_stored_and_read_back_by_the_next_run(world: World) -> None:
    sizes = {"below.example": 34, "above.example": 38}
    for domain, size in sizes.items():
        world.simulator.set_domain(domain, size)
    world.apply("sizes", sizes)
    await world.ready("sizes")
    results = await world.results("sizes")
    assert 14 * KIB < results["below.example"].bytes <= PACK_ABOVE < results["above.example"].bytes < 18 * KIB
    assert results["below.example"].stored_bytes == results["below.example"].bytes
    assert 0 < results["above.example"].stored_bytes < 6 * KIB
    keys = {domain: result.storage.config_map.key for domain, result in results.items()}  # type: ignore[union-attr]
    assert keys == {"below.example": "below.example.json", "above.example": "above.example.json.gz"}
    world.apply("sizes", sizes, recollect="1")
    await world.until("sizes", lambda c: c.condition("Ready")[0] == "False", "recollecting")
    await world.ready("sizes")
    for domain, result in (await world.results("sizes")).items():
        # Compared with what was read back, item by item.
        assert (result.run, result.changed is not None and result.changed.added) == (2, 0)
        stored = (await world.documents("sizes"))[domain]
        assert {item.email for item in stored.items} == {person.value for person in truth(domain, sizes[domain])}
    assert len(await world.document_config_maps("sizes")) == 2


async def test_a_document_of_2_mib_packed_lies_in_three_parts_and_is_read_back_byte_by_byte(world: World) -> None:
    async with at_work(world, "huge", "huge.example") as collector:
        document = collector.document(2_850_000)
        data = documents.encode(document)
        assert (await collector.call("GET"))[0] == 404
        assert (await collector.call("PUT", data))[0] == 200
        assert await collector.call("GET") == (200, data)
        result = await result_of(world, "huge")
        assert result.storage is not None
        assert result.storage.config_map is not None
        assert 2 * MIB < result.stored_bytes < 3 * PART_BYTES
        assert (len(result.storage.config_map.names), result.bytes) == (3, len(data))
        assert await world.documents("huge") == {"huge.example": document}


# ---------------------------------------------------------------------- repeated, overtaken, broken off


async def test_a_call_that_is_repeated_because_its_answer_was_lost_stores_the_document_once(world: World) -> None:
    async with at_work(world, "again", "again.example") as collector:
        document = collector.document(40_000)
        answers = [await collector.call("PUT", documents.encode(document)) for _ in range(3)]
        assert {status for status, _ in answers} == {200}
        assert len({body for _, body in answers}) == 1
        assert len(await world.document_config_maps("again")) == 1
        other = collector.document(50_000)
        assert await collector.put(other) == 200
        assert await world.documents("again") == {"again.example": other}
        assert len(await world.document_config_maps("again")) == 1


async def test_a_quota_is_named_in_its_own_words_and_what_it_let_through_is_no_document(world: World) -> None:
    async with at_work(world, "quota", "quota.example") as collector:
        old = collector.document(3_000)
        assert await collector.put(old) == 200
        used = len(json.loads(world.plane.kubectl("get", "configmaps", "-n", world.namespace, "-o", "json"))["items"])
        await limit_config_maps(world, used + 1)
        status, body = await collector.call("PUT", documents.encode(collector.document(2_850_000)))
        assert status == 507
        assert b"exceeded quota: few" in body
        assert await collector.call("GET") == (200, documents.encode(old))
        assert len(await world.document_config_maps("quota")) == 2, "the first part was made"
        # The collector still lives, and might come again: its part stays.
        world.operator.kill()
        world.operator.start()
        await world.until_true(lambda: leftovers_looked_for(world) == 1, "looked for what is left over")
        assert len(await world.document_config_maps("quota")) == 2
        world.plane.kubectl("delete", "dcol", "quota", "-n", world.namespace)
        await world.gone("jobs,pods", "quota")
        world.operator.kill()
        world.operator.start()
        await until_maps(world, "quota", 1)
        assert await world.documents("quota") == {"quota.example": old}


async def limit_config_maps(world: World, count: int) -> None:
    """Set a quota, and wait until the API server counts."""
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "few", "namespace": world.namespace},
        "spec": {"hard": {"count/configmaps": str(count)}},
    }
    world.plane.kubectl("apply", "-f", "-", stdin=json.dumps(quota))
    read = ("get", "resourcequota", "few", "-n", world.namespace, "-o", "jsonpath={.status.used}")
    await world.until_true(lambda: "count/configmaps" in world.plane.kubectl(*read), "counted by the quota")


def leftovers_looked_for(world: World) -> int:
    """How many collections the operator has found ConfigMaps of that it must leave alone for the time being."""
    return world.operator.log.count("is listed by no DomainResult yet")


async def until_maps(world: World, name: str, count: int) -> None:
    """Wait until a collection has so many ConfigMaps."""
    end = time.monotonic() + 60
    while len(await world.document_config_maps(name)) != count:
        assert time.monotonic() < end, world.operator.log[-4000:]


@pytest.mark.timeout(240, func_only=True)
async def test_a_quota_that_stays_is_named_fails_no_domain_and_is_over_when_it_is_raised(world: World) -> None:
    used = len(json.loads(world.plane.kubectl("get", "configmaps", "-n", world.namespace, "-o", "json"))["items"])
    await limit_config_maps(world, used)
    world.apply("full", ["n5.example"], retry={"maxAttempts": 1})
    found = await world.until("full", lambda found: found.condition("Stalled") == ("True", "Storage"), "stalled")
    message = next(one.message for one in found.status.conditions if one.type == "Stalled")
    assert message.startswith("the Kubernetes API refuses to store the document: configmaps")
    assert "exceeded quota: few" in message
    assert found.status.failures == ()
    world.plane.kubectl("delete", "resourcequota", "few", "-n", world.namespace)
    assert (await world.ready("full", 120)).status.emails == 5


async def test_after_a_start_config_maps_that_no_result_lists_are_deleted_and_others_are_not(world: World) -> None:
    world.apply("tidy", ["n5.example", "n6.example"])
    await world.ready("tidy")
    listed = set(await world.document_config_maps("tidy"))
    result = (await world.result_objects("tidy"))["n5.example"]
    for name, component in (("stray", names.DOCUMENT), ("foreign", "something-else")):
        labels = {
            names.MANAGED_BY_LABEL: names.MANAGED_BY,
            names.COMPONENT_LABEL: component,
            names.COLLECTION_LABEL: "tidy",
        }
        owner = {
            "apiVersion": names.API_VERSION,
            "kind": "DomainResult",
            "name": result.metadata.name,
            "uid": result.metadata.uid,
        }
        metadata: dict[str, Any] = {
            "name": name,
            "labels": labels,
            "annotations": {names.DOMAIN_ANNOTATION: "n5.example"},
            "ownerReferences": [owner],
        }
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
        await world.admin.create(paths.config_maps(world.namespace), body, wire.ConfigMapObject)
    assert len(await world.document_config_maps("tidy")) == 3
    world.operator.kill()
    world.operator.start()
    await until_maps(world, "tidy", 2)
    assert set(await world.document_config_maps("tidy")) == listed
    assert world.plane.try_kubectl("get", "configmap", "foreign", "-n", world.namespace).code == 0


async def test_a_start_in_a_namespace_without_documents_finds_nothing_left_over(world: World) -> None:
    world.make_claim("collections")
    world.apply("first", ["n5.example"], storage=VOLUME)
    await world.ready("first")
    # A list without items once ended the operator.
    started = world.operator.log.count("were left over")
    world.operator.kill()
    world.operator.start()
    await world.until_true(lambda: world.operator.log.count("were left over") > started, "looked")
    world.apply("second", ["n6.example"], storage=VOLUME)
    await world.ready("second")


# ---------------------------------------------------------------------- the limit, and a switch of storage


async def test_a_full_collection_fails_nothing_pays_once_and_goes_on_with_a_volume_and_back(narrow: World) -> None:
    world = narrow
    sizes = {"first.example": 20, "second.example": 25, "third.example": 22}
    for domain, size in sizes.items():
        world.simulator.set_domain(domain, size)
    wishes: dict[str, Any] = {"concurrency": 1, "retry": {"maxAttempts": 2}}
    world.apply("full", sizes, **wishes)
    await world.until("full", stalled_for_room, "stalled for want of room", 90)
    full = await world.until("full", lambda c: "2 domains wait" in message(c, "Stalled"), "at rest", 90)
    assert "of the 20 KiB that this collection may use in ConfigMaps" in message(full, "Stalled")
    assert "spec.storage.persistentVolumeClaim" in message(full, "Stalled")
    results = await world.results("full")
    second = results["second.example"]
    assert (second.outcome, second.reason, second.storage) == (Outcome.PENDING, "Storage", None)
    assert second.message.startswith("the document takes 12.6 KiB in ConfigMaps, where")
    assert second.refused_bytes > 20 * KIB - results["first.example"].stored_bytes
    # The second attempt was told before it asked Hunter.
    assert world.simulator.report().of_domain("second.example").requests == 1
    started = list(world.kubelet.started)
    assert "third.example" not in started

    world.make_claim("collections")
    world.apply("full", sizes, **wishes, storage=VOLUME)
    ready = await world.ready("full", 90)
    assert (ready.condition("Ready"), ready.status.emails) == (("True", "Completed"), sum(sizes.values()))
    assert set(await world.documents("full")) == {"first.example"}
    assert {path.stem for path in (world.kubelet.folder / "full").glob("*.json")} == {"second.example", "third.example"}
    results = await world.results("full")
    assert results["second.example"].storage is not None
    assert results["second.example"].storage.persistent_volume_claim is not None
    assert results["second.example"].refused_bytes == 0

    sizes["n3.example"] = 3
    world.apply("full", sizes, **wishes, storage={"configMap": {}})
    ready = await world.until("full", lambda c: c.status.done == "4/4" and c.condition("Ready")[0] == "True", "whole")
    assert set(await world.documents("full")) == {"first.example", "n3.example"}
    assert ready.status.results is not None
    assert ready.status.results.config_map is not None
    stored = [one.stored_bytes for one in (await world.results("full")).values() if one.stored_bytes]
    assert (ready.status.results.config_map.bytes, len(stored)) == (sum(stored), 2)
    assert world.simulator.report().of_domain("first.example").requests == 1


async def test_deleting_what_is_stored_makes_room_again(narrow: World) -> None:
    world = narrow
    for domain in ("first.example", "second.example"):
        world.simulator.set_domain(domain, 25)
    world.apply("room", ["first.example"], retry={"maxAttempts": 1})
    await world.ready("room")
    world.apply("room", ["second.example"], retry={"maxAttempts": 1})
    await world.until("room", stalled_for_room, "stalled for want of room")
    world.plane.kubectl("delete", "dres", "-n", world.namespace, "-l", "novahunt.io/domain=first.example")
    assert (await world.ready("room", 90)).status.emails == 25


async def test_too_little_room_is_warned_of_in_the_status_and_in_one_event(narrow: World) -> None:
    world = narrow
    domains = [f"n{number}.example" for number in range(4, 12)]
    world.apply("scarce", domains, concurrency=1)
    await world.until("scarce", stalled_for_room, "stalled for want of room", 90)
    events = world.plane.kubectl("get", "events.events.k8s.io", "-n", world.namespace, "-o", "json")
    found = [one for one in json.loads(events)["items"] if one["reason"] == "StorageScarce"]
    assert [(one["type"], one["regarding"]["name"]) for one in found] == [("Warning", "scarce")]
    assert "expected to take" in found[0]["note"]
    results = await world.results("scarce")
    assert {result.outcome for result in results.values()} <= {Outcome.COLLECTED, Outcome.PENDING}
