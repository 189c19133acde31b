"""A collection from apply to Ready on a real control plane: real operator, real collectors, the chart's rights."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cluster.control_plane import ControlPlane
from cluster.world import World, running_world
from hunter_simulator import price, truth

pytestmark = pytest.mark.cluster

SIZES = {"small.example": 7, "pages.example": 230, "empty.example": 0, "xn--bcher-kva.example": 33, "large.example": 1040}


@pytest.fixture
async def world(kinds: ControlPlane, namespace: str, tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(kinds, namespace, tmp_path) as found:
        for domain, size in SIZES.items():
            found.simulator.set_domain(domain, size)
        yield found


async def test_every_domain_is_collected_whole_and_paid_once(world: World) -> None:
    world.apply("demo", [*SIZES, "unknown.example"], concurrency=4)
    ready = await world.ready("demo")
    documents = await world.documents("demo")
    for domain, size in SIZES.items():
        assert {item.email for item in documents[domain].items} == {person.value for person in truth(domain, size)}
    report = world.simulator.report()
    results = await world.results("demo")
    assert report.credits == sum(price(min(100, size - at)) for size in SIZES.values() for at in range(0, size, 100))
    assert sum(result.credits_total for result in results.values()) == report.credits
    assert ready.status.credits is not None
    assert ready.status.credits.used == report.credits
    assert ready.status.done == "6/6"
    assert ready.condition("Ready") == ("True", "Completed")
    assert report.throttled == report.keys_in_query == report.refused_clients == 0
