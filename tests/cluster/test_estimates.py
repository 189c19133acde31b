"""Estimates on a real control plane: Hunter's counts of many domains by a few Jobs, for nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cluster.control_plane import ControlPlane
from cluster.world import CollectionObject, World, running_world
from hunter_simulator import Config, Settings, price
from novahunt_api import paths

pytestmark = pytest.mark.cluster

MANY = 1200
CAP = 250


@pytest.fixture
async def fast(kinds: ControlPlane, namespace: str, tmp_path: Path) -> AsyncIterator[World]:
    """A world in which Hunter allows enough for many domains: at its real pace they would take minutes."""
    pace = {"HUNTER_REQUESTS_PER_SECOND": "1000", "HUNTER_REQUESTS_PER_MINUTE": "60000"}
    simulated = Config(Settings(per_second=1000, per_minute=60_000))
    async with running_world(kinds, namespace, tmp_path, pace, simulated) as found:
        yield found


def names(sizes: range) -> list[str]:
    """Domains whose names tell the simulator how many addresses they have."""
    return [f"n{size}.example" for size in sizes]


def cost(size: int) -> int:
    wanted = min(size, CAP)
    return sum(price(min(100, wanted - at)) for at in range(0, wanted, 100))


def estimated(found: CollectionObject) -> bool:
    new = found.status.observed_generation == found.metadata.generation
    return new and found.condition("Ready") == ("True", "Estimated")


async def test_many_domains_are_counted_by_a_few_jobs_exactly_and_for_nothing(fast: World) -> None:
    fast.apply("offer", names(range(1, MANY + 1)), mode="Estimate", maxResults=CAP)
    ready = await fast.until("offer", estimated, "estimated", 100)
    found = ready.status.estimate
    assert found is not None
    sizes = range(1, MANY + 1)
    assert found.domains == MANY
    assert found.emails == sum(min(size, CAP) for size in sizes)
    assert found.credits == sum(map(cost, sizes))
    assert len([started for started in fast.kubelet.started if started == "estimate"]) == 3
    report = fast.simulator.report()
    assert (report.credits, report.throttled) == (0, 0)
    assert report.requests == MANY
    assert ready.status.done == f"{MANY}/{MANY}"
    assert ready.status.credits is not None
    assert (ready.status.credits.used, ready.status.emails) == (0, 0)
    assert await fast.results("offer") == {}
    assert await fast.document_config_maps("offer") == []


async def test_an_edit_is_estimated_anew_and_collecting_keeps_the_estimate(world: World) -> None:
    world.apply("edited", names(range(3, 6)), mode="Estimate")
    first = (await world.until("edited", estimated, "estimated")).status.estimate
    assert first is not None
    assert (first.emails, first.credits, first.domains) == (12, 3, 3)
    world.apply("edited", names(range(3, 7)), mode="Estimate")
    second = (await world.until("edited", estimated, "estimated anew")).status.estimate
    assert second is not None
    assert (second.emails, second.domains) == (18, 4)
    world.apply("edited", names(range(3, 7)), mode="Collect", concurrency=4)
    ready = await world.ready("edited")
    assert ready.condition("Ready") == ("True", "Completed")
    assert (ready.status.emails, ready.status.estimate) == (18, second)
    assert world.simulator.report().credits == 4


async def test_a_refused_key_stalls_an_estimate_and_it_goes_on_once_that_is_mended(world: World) -> None:
    world.set_key("no-such-key")
    world.apply("refused", names(range(3, 6)), mode="Estimate")
    await world.until("refused", lambda found: found.condition("Stalled") == ("True", "KeyRefused"), "stalled")
    world.set_key()
    ready = await world.until("refused", estimated, "estimated")
    assert ready.condition("Stalled") == ("", "")


async def test_a_killed_operator_counts_no_part_twice_and_a_deleted_job_again(world: World) -> None:
    world.apply("killed", names(range(3, 9)), mode="Estimate")
    await world.until_true(lambda: bool(world.kubelet.started), "started")
    world.operator.kill()
    world.operator.start()
    # After a start of the operator the key's minute counts as used.
    ready = await world.until("killed", estimated, "estimated", seconds=120)
    assert ready.status.estimate is not None
    assert ready.status.estimate.emails == 33
    assert world.kubelet.started == ["estimate"]
    (job,) = await world.jobs("killed")
    await world.admin.delete(paths.jobs(world.namespace, job.metadata.name), uid=job.metadata.uid)
    world.apply("killed", names(range(3, 9)), mode="Estimate", concurrency=1)
    still = await world.until("killed", estimated, "estimated still")
    assert still.status.estimate == ready.status.estimate
    assert world.kubelet.started == ["estimate"], "what the status holds is not counted again"
