"""Events: one that the API server does not take is dropped at once, for the collection waits meanwhile."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from builders import collection
from novahunt_api.cluster import UnavailableError
from novahunt_operator.events import Events, Note
from unit.operator.memory_cluster import MemoryCluster
from virtual_time import run

NOTE = Note("KeyRefused", "Hunter does not accept the key.", warning=True)


class Busy(MemoryCluster):
    """A cluster that takes no Event, at once or never."""

    def __init__(self, *, silent: bool = False) -> None:
        super().__init__()
        self.asked = 0
        self.silent = silent

    async def call_once(self, method: str, path: str, **_rest: Any) -> bytes:
        assert (method, path) == ("POST", "/apis/events.k8s.io/v1/namespaces/sales/events")
        self.asked += 1
        assert self.asked == 1, "it is asked again"
        if self.silent:
            await asyncio.sleep(3600)
        raise UnavailableError(429, "TooManyRequests", "limit of EventRateLimit", 1.0)


@pytest.mark.parametrize("silent", [False, True], ids=["refused", "no answer"])
def test_an_event_that_is_not_taken_is_dropped_in_seconds(caplog: pytest.LogCaptureFixture, *, silent: bool) -> None:
    caplog.set_level(logging.INFO)

    async def scene(clock: Callable[[], float]) -> tuple[int, float]:
        cluster = Busy(silent=silent)
        began = clock()
        await Events(cluster, "one").post(collection(), NOTE)
        took = clock() - began
        await cluster.close()
        return cluster.asked, took

    asked, took = run(scene)
    assert asked == 1
    assert took <= 5
    assert "was not posted" in caplog.text


async def test_a_replica_that_is_not_the_active_one_posts_none() -> None:
    cluster = Busy()
    cluster.may_write = lambda: False
    await Events(cluster, "one").post(collection(), NOTE)
    assert cluster.asked == 0
    await cluster.close()
