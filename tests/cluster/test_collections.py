"""A collection's whole life on a real control plane: real operator, real collectors, the chart's rights."""

import asyncio
import json

import pytest

from cluster.world import SECONDS, World
from hunter_simulator import Domain, Filters, found, price, truth
from novahunt_contract import document

pytestmark = pytest.mark.cluster

SIZES = {
    "small.example": 7,
    "pages.example": 230,
    "empty.example": 0,
    "xn--bcher-kva.example": 33,
    "large.example": 1040,
}


def fill(world: World) -> None:
    for domain, size in SIZES.items():
        world.simulator.set_domain(domain, size)


def cost() -> int:
    return sum(price(min(100, size - at)) for size in SIZES.values() for at in range(0, size, 100))


async def test_every_domain_is_collected_whole_and_paid_once(world: World) -> None:
    fill(world)
    world.apply("demo", [*SIZES, "unknown.example"], concurrency=4)
    ready = await world.ready("demo")
    documents = await world.documents("demo")
    for domain, size in SIZES.items():
        assert {item.email for item in documents[domain].items} == {person.value for person in truth(domain, size)}
    report = world.simulator.report()
    results = await world.results("demo")
    assert report.credits == cost()
    assert sum(result.credits_total for result in results.values()) == report.credits
    assert ready.status.credits is not None
    assert ready.status.credits.used == report.credits
    assert ready.status.emails == sum(SIZES.values())
    assert ready.status.done == "6/6"
    assert ready.condition("Ready") == ("True", "Completed")
    assert report.throttled == report.keys_in_query == report.refused_clients == 0


async def test_documents_lie_on_the_volume_when_one_is_named(world: World) -> None:
    fill(world)
    world.make_claim("collections")
    world.apply("onvolume", SIZES, concurrency=4, storage={"persistentVolumeClaim": {"claimName": "collections"}})
    ready = await world.ready("onvolume")
    for domain, size in SIZES.items():
        stored = document.decode((world.kubelet.folder / "onvolume" / document.file_name(domain)).read_bytes())
        assert {item.email for item in stored.items} == {person.value for person in truth(domain, size)}
    place = ready.status.results
    assert place is not None
    assert place.persistent_volume_claim is not None
    assert (place.persistent_volume_claim.claim_name, place.persistent_volume_claim.path) == ("collections", "onvolume")
    results = await world.results("onvolume")
    assert all(result.storage and result.storage.persistent_volume_claim for result in results.values())


async def test_entries_that_are_no_domain_or_come_twice_are_counted_and_named(world: World) -> None:
    fill(world)
    entries = ["https://www.small.example/x", "SMALL.example.", "no domain", "jane@small.example"]
    world.apply("mixed", entries)
    status = (await world.ready("mixed")).status
    assert status.domains is not None
    assert (status.domains.total, status.domains.invalid, status.domains.duplicate) == (1, 2, 1)
    messages = [failure.message for failure in status.failures]
    assert any("spec.domains[2] (no domain)" in message for message in messages)
    assert not any("jane" in message for message in messages)
    assert any("spec.domains[3]" in message for message in messages)


async def test_lists_in_config_maps_are_added_and_their_changes_are_seen(world: World) -> None:
    fill(world)
    world.apply("listed", ["small.example"], domainsFrom=[{"configMapKeyRef": {"name": "leads", "key": "domains.txt"}}])
    stalled = await world.until("listed", lambda c: c.condition("Stalled")[0] == "True", "stalled for its list")
    assert stalled.condition("Stalled")[1] == "DomainsMissing"
    kubectl = world.plane.kubectl
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "leads", "namespace": world.namespace}}
    kubectl("apply", "-f", "-", stdin=json.dumps(manifest | {"data": {"domains.txt": "# ours\npages.example\n"}}))
    await world.until("listed", lambda c: c.status.done == "2/2", "done with both lists")
    kubectl(
        "apply", "-f", "-", stdin=json.dumps(manifest | {"data": {"domains.txt": "pages.example\nempty.example\n"}})
    )
    await world.until("listed", lambda c: c.status.done == "3/3", "done with the longer list")


async def test_deleting_keeps_the_results_and_applying_again_costs_nothing(world: World) -> None:
    fill(world)
    world.apply("kept", SIZES, concurrency=4)
    await world.ready("kept")
    before = world.simulator.report()
    world.delete("kept")
    await world.gone("jobs,pods", "kept")
    assert len(await world.results("kept")) == len(SIZES)
    world.apply("kept", SIZES, concurrency=4)
    ready = await world.ready("kept")
    after = world.simulator.report()
    assert (after.credits, after.requests) == (before.credits, before.requests)
    assert ready.status.done == f"{len(SIZES)}/{len(SIZES)}"
    assert await world.jobs("kept") == []


async def test_deletion_policy_delete_takes_the_results_along(world: World) -> None:
    fill(world)
    world.apply("gone", ["small.example", "pages.example"], deletionPolicy="Delete")
    await world.ready("gone")
    world.delete("gone")
    await world.gone("jobs,pods,domainresults,configmaps", "gone")


async def test_a_filter_reaches_hunter_and_the_document(world: World) -> None:
    fill(world)
    world.apply("managers", ["pages.example"], search={"type": "personal", "seniority": ["senior", "executive"]})
    await world.ready("managers")
    wanted = found(truth("pages.example", 230), Filters(type="personal", seniority=frozenset({"senior", "executive"})))
    stored = (await world.documents("managers"))["pages.example"]
    assert {item.email for item in stored.items} == {person.value for person in wanted}


async def test_a_failed_domain_runs_again_when_the_wish_changes(world: World) -> None:
    world.simulator.set_domain("stopped.example", Domain(size=12, refused=True))
    world.apply("again", ["stopped.example"])
    failed = await world.ready("again")
    assert failed.condition("Ready") == ("True", "CompletedWithFailures")
    assert failed.status.failures[0].reason == "DomainRefused"
    world.simulator.set_domain("stopped.example", Domain(size=12))
    world.apply("again", ["stopped.example"], retryFailed="1")
    await world.until("again", lambda c: c.condition("Ready") == ("True", "Completed"), "completed")
    assert (await world.results("again"))["stopped.example"].run == 2


async def test_recollecting_asks_hunter_again_and_says_what_changed(world: World) -> None:
    world.simulator.set_domain("grows.example", 20)
    world.apply("twice", ["grows.example"])
    await world.ready("twice")
    world.simulator.set_domain("grows.example", 25)
    world.apply("twice", ["grows.example"], recollect="a")
    await world.until("twice", lambda c: c.status.emails == 25, "collected again")
    # The document is stored before its run is recorded.
    await world.ready("twice")
    result = (await world.results("twice"))["grows.example"]
    assert result.changed is not None
    assert (result.run, result.changed.added, result.changed.removed) == (2, 5, 0)
    assert len((await world.documents("twice"))["grows.example"].items) == 25
    assert len(await world.document_config_maps("twice")) == 1


async def test_a_suspended_collection_starts_nothing_and_says_so(world: World) -> None:
    fill(world)
    world.apply("pause", SIZES, suspend=True)
    found_ = await world.until("pause", lambda c: c.condition("Suspended")[0] == "True", "suspended")
    assert found_.condition("Ready") == ("False", "Suspended")
    assert found_.condition("Reconciling") == ("", "")
    assert await world.jobs("pause") == []
    world.apply("pause", SIZES, suspend=False, concurrency=4)
    await world.ready("pause")


async def test_a_finished_collection_goes_after_its_time_and_leaves_its_results(world: World) -> None:
    world.simulator.set_domain("small.example", 7)
    world.apply("brief", ["small.example"], ttlSecondsAfterFinished=1)
    gone = ("get", "dcol", "brief", "-n", world.namespace, "--ignore-not-found", "-o", "name")
    await world.until_true(lambda: not world.plane.kubectl(*gone), "gone")
    assert (await world.documents("brief"))["small.example"].total == 7


async def test_deleting_a_result_removes_its_document_and_has_its_domain_collected_again(world: World) -> None:
    world.simulator.set_domain("again.example", 12)
    world.apply("redo", ["again.example", "n3.example"])
    await world.ready("redo")
    before = world.simulator.report().of_domain("again.example").requests
    world.plane.kubectl("delete", "dres", "-n", world.namespace, "-l", "novahunt.io/domain=again.example")
    await world.until_true(lambda: world.simulator.report().of_domain("again.example").requests > before, "asked again")
    async with asyncio.timeout(SECONDS):
        # The status may still tell of the old record.
        while not await is_collected(world, "redo", "again.example"):  # noqa: ASYNC110 - the operator records the run
            await asyncio.sleep(0.1)
    assert len((await world.documents("redo"))["again.example"].items) == 12
    async with asyncio.timeout(SECONDS):
        while len(await world.document_config_maps("redo")) != 2:  # noqa: ASYNC110 - Kubernetes collects the old one
            await asyncio.sleep(0.2)


async def is_collected(world: World, name: str, domain: str) -> bool:
    found = (await world.results(name)).get(domain)
    return found is not None and found.run > 0


async def test_results_follow_a_changed_deletion_policy(world: World) -> None:
    world.apply("policy", ["n3.example", "n4.example"], deletionPolicy="Delete")
    await world.ready("policy")
    assert await owners(world, "policy") == {True}
    world.apply("policy", ["n3.example", "n4.example"], deletionPolicy="Retain")
    async with asyncio.timeout(SECONDS):
        while await owners(world, "policy") != {False}:  # noqa: ASYNC110 - the operator writes them anew
            await asyncio.sleep(0.1)
    world.delete("policy")
    await world.gone("jobs,pods", "policy")
    assert len(await world.results("policy")) == 2


async def owners(world: World, name: str) -> set[bool]:
    """Whether the results of a collection have an owner that takes them along."""
    found = (await world.result_objects(name)).values()
    return {result.metadata.controller is not None for result in found}


async def test_a_new_search_is_collected_onto_a_volume_whose_records_are_gone(world: World) -> None:
    world.simulator.set_domain("files.example", 30)
    world.make_claim("collections")
    storage = {"persistentVolumeClaim": {"claimName": "collections"}}
    world.apply("files", ["files.example"], storage=storage, recollect="1")
    await world.ready("files")
    world.apply("files", ["files.example"], storage=storage, recollect="2")
    await world.until(
        "files", lambda c: c.status.recollect_handled is not None and c.status.recollect_handled.value == "2", "seen"
    )
    await world.ready("files")
    world.delete("files")
    world.plane.kubectl("delete", "dres", "--all", "-n", world.namespace)
    world.apply("files", ["files.example"], storage=storage, search={"type": "personal"})
    await world.ready("files")
    stored = document.decode((world.kubelet.folder / "files" / "files.example.json").read_bytes())
    people = found(truth("files.example", 30), Filters(type="personal"))
    assert {item.email for item in stored.items} == {person.value for person in people}
