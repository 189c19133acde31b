"""kopf against a small API server: events reach the store on the loop's own thread, and a quiet watch is not deaf."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import kopf
import pytest
import yaml

from novahunt_api import names, signs
from novahunt_api.objects import Key
from novahunt_api.signs import Signs, Watched
from novahunt_operator import handlers
from novahunt_operator.kopfsession import KopfSessions
from novahunt_operator.metrics import Metrics
from novahunt_operator.store import Store
from unit.operator.api_objects import COLLECTION, JOB
from unit.operator.small_api_server import SmallApiServer, serving, until

COLLECTIONS, JOBS = Watched(names.COLLECTIONS, "sales"), Watched("jobs", "sales")


class Watching:
    """kopf at work, and all that it tells."""

    def __init__(self, server: SmallApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server = server
        self.store = Store()
        self.changed: list[Key] = []
        self.threads: set[int] = set()
        self.now = 1000.0
        monkeypatch.setattr(signs, "time", SimpleNamespace(monotonic=lambda: self.now))
        self.metrics = Metrics()
        self.signs = Signs(self.metrics.watch_restarted)
        self.ended: asyncio.Task[None] | None = None

    def notify(self, key: Key) -> None:
        self.changed.append(key)
        self.threads.add(threading.get_ident())

    def silence(self, watched: Watched) -> float:
        return self.signs.ages()[watched]

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        for watched in (COLLECTIONS, JOBS):
            self.signs.expect(watched)
        operator: Any = kopf.operator(
            registry=handlers.registry(self.store, self.notify, KopfSessions(self.signs, self.metrics)),
            settings=handlers.settings(),
            namespaces=["sales"],
            standalone=True,
            identity="test",  # type: ignore[arg-type]
        )
        self.ended = asyncio.ensure_future(operator)
        try:
            yield
        finally:
            self.ended.cancel()
            await asyncio.wait([self.ended])


@pytest.fixture
async def watching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watching]:
    async with serving() as server:
        kubeconfig = {
            "current-context": "small",
            "contexts": [{"name": "small", "context": {"cluster": "small", "user": "small"}}],
            "clusters": [{"name": "small", "cluster": {"server": server.url}}],
            "users": [{"name": "small", "user": {"token": "t0ken"}}],
        }
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig))
        monkeypatch.setenv("KUBECONFIG", str(path))
        yield Watching(server, monkeypatch)


async def test_events_change_the_store_on_the_thread_of_the_loop(watching: Watching) -> None:
    watching.server.objects[names.COLLECTIONS] = [COLLECTION]
    async with watching.running():
        await until(lambda: watching.changed, "told of the listed collection")
        await until(lambda: watching.server.watchers["jobs"], "watching Jobs")
        watching.server.tell("jobs", "ADDED", JOB)
        await until(lambda: list(watching.store.jobs()), "told of the Job")
        key = Key("sales", "q4")
        assert watching.store.collection(key) is not None
        watching.server.tell(names.COLLECTIONS, "DELETED", COLLECTION)
        await until(lambda: watching.store.collection(key) is None, "told of the deletion")
    assert watching.threads == {threading.get_ident()}


async def test_a_bookmark_is_a_sign_of_life_and_silence_is_none(watching: Watching) -> None:
    async with watching.running():
        await until(lambda: len(watching.server.watchers) == 2, "watching both kinds")
        watching.now += 400
        assert (watching.silence(COLLECTIONS), watching.silence(JOBS)) == (400, 400)
        watching.server.bookmark("jobs")
        await until(lambda: watching.silence(JOBS) == 0, "hearing a bookmark")
        assert watching.silence(COLLECTIONS) == 400


async def test_its_calls_are_counted_and_a_watch_begun_anew_too(watching: Watching) -> None:
    async with watching.running():
        await until(lambda: watching.server.watchers["jobs"], "watching Jobs")
        assert watching.value("novahunt_watch_restarts_total", resource="jobs") is None
        watching.server.end_watches("jobs")
        await until(lambda: watching.value("novahunt_watch_restarts_total", resource="jobs") == 1, "watching again")
    calls = "novahunt_kubernetes_requests_total"
    assert watching.value(calls, verb="list", resource="jobs", code="200") == 1
    assert watching.value(calls, verb="watch", resource="jobs", code="200") == 2
    assert watching.value(calls, verb="list", resource=names.COLLECTIONS, code="200") == 1


async def test_credentials_that_are_refused_are_not_tried_for_ever(watching: Watching) -> None:
    watching.server.refuses = True
    async with watching.running():
        ended = watching.ended
        assert ended is not None
        await until(ended.done, "giving up")
        assert ended.exception() is not None
    assert len(watching.server.asked) < 20
