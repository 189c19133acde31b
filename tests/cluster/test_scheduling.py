"""Slots and starts are shared between collections, and their limits hold whatever comes and whoever is killed."""

import asyncio
from pathlib import Path

import pytest

from cluster.control_plane import ControlPlane
from cluster.world import World, running_world
from hunter_simulator import Fault, Proceed

pytestmark = pytest.mark.cluster

SLOTS = 4
"""WORKER_CONCURRENCY of the operator in these tests."""


class Peak:
    """Watches how many collectors run at once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.most = 0

    async def watch(self) -> None:
        while True:
            self.most = max(self.most, len(self._world.kubelet.running))
            await asyncio.sleep(0.02)


@pytest.mark.timeout(330, func_only=True)
async def test_thirty_collections_in_one_moment_never_take_more_than_all_slots_not_even_over_a_kill(
    world: World,
) -> None:
    names = [f"many-{number}" for number in range(30)]
    peak = Peak(world)
    watching = asyncio.create_task(peak.watch())
    for name in names:
        world.apply(name, [f"{name}.example"])
    await world.until_true(lambda: len(world.kubelet.started) >= 12, "some started")
    world.operator.kill()
    world.operator.start()
    for name in names:
        await world.ready(name, 240)
    watching.cancel()
    assert peak.most == SLOTS
    # Nothing was lost by the kill, so nothing ran twice.
    assert len(world.kubelet.started) == len(names)


@pytest.mark.timeout(240, func_only=True)
async def test_the_start_limit_holds_over_all_collections_and_over_a_restart(
    kinds: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    starts, interval = 4, 8
    settings = {
        "WORKER_MAX_JOBS_PER_INTERVAL": str(starts),
        "WORKER_RATE_LIMIT_DURATION_MS": str(interval * 1000),
        "WORKER_CONCURRENCY": "20",
    }
    async with running_world(kinds, namespace, tmp_path, settings) as world:
        names = ("one", "two", "three")
        for number, name in enumerate(names):
            world.apply(name, [f"n{number * 4 + offset}.example" for offset in range(1, 5)], concurrency=10)
        await world.until_true(lambda: len(world.kubelet.started) >= starts, "a first burst")
        world.operator.kill()
        world.operator.start()
        for name in names:
            await world.ready(name, 150)
        # The operator's own clock, to the millisecond, stands in each run's name.
        results = [result for name in names for result in (await world.results(name)).values()]
        made = sorted(int(result.job_id.rpartition("-")[2]) / 1000 for result in results)
    assert len(made) == 12
    assert all(later - earlier >= interval - 1 for earlier, later in zip(made, made[starts:], strict=False)), made


async def test_a_small_collection_beside_a_large_one_gets_the_next_free_slot_and_priority_comes_first(
    world: World,
) -> None:
    world.simulator.add_fault(Fault(action=Proceed(), times=None, delay=0.5))
    large = [f"n{number}.example" for number in range(1, 31)]
    world.apply("large", large, concurrency=SLOTS)
    await world.until_true(lambda: len(world.kubelet.started) >= SLOTS, "all slots taken")
    world.apply("small", ["n40.example", "n41.example"], concurrency=2)
    await world.until_true(
        lambda: {"n40.example", "n41.example"} <= set(world.kubelet.started), "the small one's start"
    )
    ahead = len(world.kubelet.started)
    # By slots the small one's turn comes within the rounds that run when it is seen.
    assert ahead <= 4 * SLOTS + 2, world.kubelet.started
    world.apply("urgent", [f"n{number}.example" for number in range(50, 54)], concurrency=SLOTS, priority=10)
    await world.until_true(lambda: "n53.example" in world.kubelet.started, "the urgent one's start")
    assert len(world.kubelet.started) - ahead <= 4 * SLOTS + 4, world.kubelet.started
    for name in ("large", "small", "urgent"):
        await world.ready(name, 100)
