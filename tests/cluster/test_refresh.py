"""Refreshing on a real control plane: what has grown old is collected again in both storages, and nothing is lost."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from cluster.world import World
from hunter_simulator import Domain, Fault, Proceed
from novahunt_api import names
from novahunt_api.domainresults import Result
from novahunt_contract import document, times
from novahunt_contract.document import Document
from novahunt_contract.outcomes import Outcome

# The shortest refreshAfter is a minute, and up to a tenth of it is added.
pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240, func_only=True)]

STORAGES: dict[str, dict[str, Any]] = {
    "maps": {"configMap": {}},
    "files": {"persistentVolumeClaim": {"claimName": "collections"}},
}
FATES = ("grows", "stays", "fails", "refused", "loses")


def domain(fate: str, name: str) -> str:
    return f"{fate}-{name}.example"


def apply(world: World, name: str, **wishes: Any) -> None:
    domains = [domain(fate, name) for fate in FATES]
    world.apply(name, domains, concurrency=5, retry={"maxAttempts": 2}, storage=STORAGES[name], **wishes)


async def stored(world: World, name: str) -> dict[str, Document]:
    if name == "maps":
        return await world.documents(name)
    files = (world.kubelet.folder / name).glob("*.json")
    return {file.stem: document.decode(file.read_bytes()) for file in files}


async def until_recorded(world: World, name: str, check: Callable[[Mapping[str, Result]], bool]) -> dict[str, Result]:
    """Wait until a collection's records are as wanted."""
    results: dict[str, Result] = {}
    try:
        async with asyncio.timeout(120):
            while not check(results):
                await asyncio.sleep(0.2)
                results = await world.results(name)
    except TimeoutError:
        raise AssertionError(f"never recorded; last seen: {results}\n{world.operator.log[-4000:]}") from None
    return results


def has_ended(results: Mapping[str, Result], fate: str, run: int) -> bool:
    """Whether a domain of this fate has come to this run."""
    return any(result.run >= run for name, result in results.items() if name.startswith(f"{fate}-"))


@asynccontextmanager
async def always_ready(world: World, name: str) -> AsyncIterator[set[int]]:
    """Look at a collection all the time: it must be Ready and whole. Yields how many were seen being refreshed."""
    seen: set[int] = set()

    async def look() -> None:
        while True:
            found = await world.collection(name)
            assert found.condition("Ready")[0] == "True", found.status
            assert (found.status.done, found.status.progress) == (f"{len(FATES)}/{len(FATES)}", 100), found.status
            assert found.status.domains is not None
            seen.add(found.status.domains.refreshing)
            await asyncio.sleep(0.2)

    async with asyncio.TaskGroup() as group:
        looking = group.create_task(look())
        yield seen
        looking.cancel()


async def test_what_has_grown_old_is_collected_again_over_a_collection_that_stays_ready(world: World) -> None:
    world.make_claim("collections")
    for name in STORAGES:
        for fate in FATES:
            world.simulator.set_domain(domain(fate, name), 20)
        apply(world, name)
    for name in STORAGES:
        await world.ready(name)
    before = {name: await world.results(name) for name in STORAGES}
    maps_before = set(await world.document_config_maps("maps"))
    lost: list[str] = []
    world.kubelet.before_end = lambda ended, code: not _loses(ended, code, lost)
    for name in STORAGES:
        world.simulator.set_domain(domain("grows", name), 25)
        world.simulator.set_domain(domain("refused", name), Domain(size=20, refused=True))
        world.simulator.add_fault(Fault(action=Proceed(), domain=domain("fails", name), delay=90, times=None))

    async with always_ready(world, "maps") as seen_of_maps, always_ready(world, "files") as seen_of_files:
        for name in STORAGES:
            apply(world, name, refreshAfter="1m")
        await world.until_true(lambda: len(lost) == len(STORAGES), "lost", 100)
        for name in STORAGES:
            selector = f"novahunt.io/collection={name},novahunt.io/domain={domain('loses', name)}"
            world.plane.kubectl("delete", "pods", "-n", world.namespace, "-l", selector, "--wait=false")
        await kill_both_attempts(world)
        for name in STORAGES:
            await until_recorded(world, name, lambda now: all(has_ended(now, fate, 2) for fate in FATES))
            # A minute is soon over; for this test one refresh is enough.
            apply(world, name, refreshAfter="2h")
            ready = await world.ready(name)
            assert ready.condition("Ready") == ("True", "CompletedWithFailures")
            assert ready.status.next_refresh_at is not None
    assert max(seen_of_maps) > 1
    assert max(seen_of_files) > 1

    for name in STORAGES:
        await check_fates(world, name, before[name])
    listed = set(await world.document_config_maps("maps"))
    assert len(listed) == len(FATES) - 1
    assert len(listed & maps_before) == 1, "of the one that failed"


def _loses(ended: str, code: int, lost: list[str]) -> bool:
    """Lose the pod of the first attempt, when it has stored its document."""
    if not ended.startswith("loses-") or code != 0 or ended in lost:
        return False
    lost.append(ended)
    return True


async def kill_both_attempts(world: World) -> None:
    """Kill the collectors of the domains that are to fail, as soon as Hunter is asked for the refresh."""
    doomed = {domain("fails", name) for name in STORAGES}
    for asked in (2, 3):
        await world.until_true(
            lambda asked=asked: all(requests_of(world, one) == asked for one in doomed),  # type: ignore[misc]
            "at it",
            60,
        )
        for job in [job for name in STORAGES for job in await world.jobs(name)]:
            if job.metadata.annotations[names.DOMAIN_ANNOTATION] in doomed:
                for pod, process in world.kubelet.running.items():
                    if pod.startswith(job.metadata.name):
                        process.send_signal(signal.SIGKILL)


def requests_of(world: World, one: str) -> int:
    return world.simulator.report(with_log=False).of_domain(one).requests


async def check_fates(world: World, name: str, before: Mapping[str, Result]) -> None:
    results, documents = await world.results(name), await stored(world, name)
    assert set(documents) == {domain(fate, name) for fate in FATES if fate != "refused"}

    grown = results[domain("grows", name)]
    assert (grown.run, grown.changed and (grown.changed.added, grown.changed.removed)) == (2, (5, 0))
    assert documents[grown.domain].total == grown.emails == 25
    assert 60 <= age(grown, before) < 90
    same = results[domain("stays", name)]
    assert (same.run, same.changed and (same.changed.added, same.changed.removed, same.changed.changed)) == (
        2,
        (0, 0, 0),
    )
    assert documents[same.domain].run == 2

    failed = results[domain("fails", name)]
    first = before[failed.domain]
    assert (failed.run, failed.outcome) == (2, Outcome.FAILED)
    assert (failed.storage, failed.sha256, failed.collected_at) == (first.storage, first.sha256, first.collected_at)
    assert documents[failed.domain].run == 1

    refused = results[domain("refused", name)]
    assert (refused.outcome, refused.reason, refused.storage) == (Outcome.FAILED, "DomainRefused", None)

    # The attempt whose receipt was lost had stored its document: Hunter was not asked for it again.
    loser = results[domain("loses", name)]
    assert (loser.run, loser.outcome, documents[loser.domain].total) == (2, Outcome.COLLECTED, 20)
    assert (loser.attempts, requests_of(world, loser.domain)) == (2, 2)


def age(result: Result, before: Mapping[str, Result]) -> float:
    """Seconds between two collections of a domain."""
    first, second = before[result.domain].collected_at, result.collected_at
    assert first is not None
    assert second is not None
    return (times.from_text(second) - times.from_text(first)).total_seconds()


async def test_a_document_that_is_young_enough_answers_a_refresh_without_a_request(world: World) -> None:
    world.simulator.set_domain("young.example", 12)
    world.apply("young", ["young.example"], refreshAfter="2h")
    ready = await world.ready("young")
    assert ready.status.next_refresh_at is not None
    (result,) = (await world.result_objects("young")).values()
    # As if the document had been renewed by somebody else since the record was written.
    old = json.dumps({"collectedAt": "2026-01-01T00:00:00.000Z"})
    world.plane.kubectl("patch", "dres", result.metadata.name, "-n", world.namespace, "--type=merge", "-p", old)
    renewed = await until_recorded(world, "young", lambda now: bool(now) and now["young.example"].run == 2)
    assert (renewed["young.example"].collected_at, renewed["young.example"].credits) == (result.collected_at, 0)
    assert world.simulator.report().of_domain("young.example").requests == 1
    await world.until("young", lambda c: c.status.next_refresh_at == ready.status.next_refresh_at, "young again")
