"""The operator's own watches and calls against a small API server: what is heard, begun anew and counted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from kubernetes.aio import client

from novahunt_api import names, paths, signs
from novahunt_api.cluster import ApiError, Cluster
from novahunt_api.objects import Key
from novahunt_api.signs import Signs
from novahunt_operator.metrics import Metrics
from novahunt_operator.store import Store
from novahunt_operator.watches import PodFeed, pod_watch
from unit.operator.api_objects import POD
from unit.operator.small_api_server import SmallApiServer, serving, until

CALLS = "novahunt_kubernetes_requests_total"


class Watching:
    """The watch of pods in one namespace, and what it counts."""

    def __init__(self, server: SmallApiServer) -> None:
        configuration = client.Configuration()
        configuration.host = server.url
        self.server = server
        self.metrics = Metrics()
        self.cluster = Cluster(client.ApiClient(configuration), self.metrics)
        self.signs = Signs(self.metrics.watch_restarted)
        self.store = Store()
        self.changed: list[Key] = []
        self.watch = pod_watch(self.cluster, "sales", PodFeed(self.store, self.changed.append), self.signs)

    @property
    def silence(self) -> float:
        return self.signs.ages()[self.watch.watched]

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.ensure_future(self.watch.run())
        try:
            await until(lambda: self.server.watchers["pods"], "watching")
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])


@pytest.fixture
async def watching() -> AsyncIterator[Watching]:
    async with serving() as server:
        found = Watching(server)
        yield found
        await found.cluster.close()


async def test_events_and_bookmarks_are_signs_and_silence_is_none(
    watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(signs, "time", SimpleNamespace(monotonic=lambda: now[0]))
    async with watching.running():
        assert str(watching.watch.watched) == "pods in sales"
        now[0] += 400
        assert watching.silence == 400
        watching.server.bookmark("pods")
        await until(lambda: watching.silence == 0, "hearing a bookmark")
        now[0] += 400
        watching.server.tell("pods", "ADDED", POD)
        await until(lambda: watching.silence == 0, "hearing an event")
        assert list(watching.store.pods())


async def test_a_watch_that_ends_is_begun_anew_and_counted(watching: Watching) -> None:
    async with watching.running():
        assert watching.value("novahunt_watch_restarts_total", resource="pods") is None
        watching.server.end_watches("pods")
        await until(lambda: watching.value(CALLS, verb="watch", resource="pods", code="200") == 2, "watching again")
        assert watching.value("novahunt_watch_restarts_total", resource="pods") == 1
    assert watching.value(CALLS, verb="list", resource="pods", code="200") == 1


async def test_a_call_is_counted_by_its_answer_and_each_try_by_itself(watching: Watching) -> None:
    watching.server.refuses = True
    with pytest.raises(ApiError, match="401"):
        await watching.cluster.call("GET", paths.jobs("sales", "secret-name"))
    assert watching.value(CALLS, verb="get", resource="jobs", code="401") == 1
    seconds = "novahunt_kubernetes_request_duration_seconds_count"
    assert watching.value(seconds, verb="get", resource="jobs") == 1


async def test_a_call_without_an_answer_is_counted_as_such() -> None:
    configuration = client.Configuration()
    async with serving() as server:
        configuration.host = server.url
    # Nobody listens there any more.
    metrics = Metrics()
    cluster = Cluster(client.ApiClient(configuration), metrics)
    with pytest.raises(ApiError):
        await cluster.call_once("POST", paths.results("sales"), body={}, seconds=5)
    await cluster.close()
    value = metrics.registry.get_sample_value
    assert value(CALLS, {"verb": "create", "resource": names.RESULTS, "code": "none"}) == 1
