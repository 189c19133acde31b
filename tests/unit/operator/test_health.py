"""What the kubelet and Prometheus are answered: which watch is deaf, which work hangs, what is not ready."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import aiohttp
import pytest
from aiohttp import web

from novahunt_api import signs
from novahunt_api.objects import Key
from novahunt_api.signs import DEAF_SECONDS, Signs, Watched
from novahunt_operator import workqueue
from novahunt_operator.health import STUCK_SECONDS, Health
from novahunt_operator.metrics import Metrics
from novahunt_operator.workqueue import WorkQueue

PODS, JOBS = Watched("pods", None), Watched("jobs", "sales")
Q4, OTHER = Key("sales", "q4"), Key("sales", "other")


class Probed:
    """A health port, what it looks at, and a clock that the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        for module in (signs, workqueue):
            monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: self.now))
        self.lack = ""
        self.metrics = Metrics()
        self.signs = Signs(self.metrics.watch_restarted)
        self.queue = WorkQueue[Key](self.metrics)
        self.health = Health(
            signs=self.signs, queue=self.queue, not_ready=lambda: self.lack, metrics=self.metrics.handler()
        )
        self.url = ""

    async def get(self, path: str, accept: str = "*/*") -> tuple[int, str, str]:
        """Return code, text and content type."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(self.url + path, headers={"Accept": accept}) as answer,
        ):
            return answer.status, await answer.text(), answer.headers["Content-Type"]

    async def probe(self, path: str = "/healthz") -> tuple[int, str]:
        code, text, _ = await self.get(path)
        return code, text

    @asynccontextmanager
    async def working(self, hangs: asyncio.Event | None = None) -> AsyncIterator[None]:
        """Run two workers, whose work lasts until the event is set."""

        async def work(_: Key) -> None:
            if hangs is not None:
                await hangs.wait()

        task = asyncio.ensure_future(self.queue.run(2, work))
        await asyncio.sleep(0)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def taken(self, depth: int) -> None:
        """Wait until the workers have left no more than so many keys."""
        async with asyncio.timeout(20):
            while self.queue.backlog().depth > depth:  # noqa: ASYNC110 - the condition lies in the workers' tasks
                await asyncio.sleep(0)


@pytest.fixture
async def probed(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Probed]:
    found = Probed(monkeypatch)
    runner = web.AppRunner(found.health.application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


async def test_a_replica_that_stands_by_is_alive(probed: Probed) -> None:
    probed.queue.add(Q4)
    probed.now += 10_000
    assert await probed.probe() == (200, "ok")


async def test_a_deaf_watch_is_named_with_the_time_of_its_silence(probed: Probed) -> None:
    probed.signs.expect(PODS)
    probed.signs.expect(JOBS)
    probed.now += DEAF_SECONDS
    assert await probed.probe() == (200, "ok")
    probed.signs.heard(PODS)
    probed.now += 12
    assert await probed.probe() == (503, "the watch of jobs in sales has been silent for 312 s")
    probed.now += DEAF_SECONDS
    code, text = await probed.probe()
    assert code == 503
    assert text.splitlines() == [
        "the watch of pods in all namespaces has been silent for 312 s",
        "the watch of jobs in sales has been silent for 612 s",
    ]
    probed.signs.heard(PODS)
    probed.signs.heard(JOBS)
    assert await probed.probe() == (200, "ok")


async def test_work_that_hangs_is_named_with_its_time(probed: Probed) -> None:
    end = asyncio.Event()
    async with probed.working(end):
        probed.queue.add(Q4)
        await probed.taken(0)
        probed.now += STUCK_SECONDS
        assert await probed.probe() == (200, "ok")
        probed.now += 5
        assert await probed.probe() == (503, "the work on sales/q4 has not got any further for 305 s")
        end.set()
        await probed.taken(0)
        async with asyncio.timeout(20):
            while (await probed.probe())[0] != 200:
                pass


async def test_long_work_that_gets_further_is_no_fault(probed: Probed) -> None:
    async with probed.working(asyncio.Event()):
        probed.queue.add(Q4)
        await probed.taken(0)
        for _ in range(10):
            probed.now += STUCK_SECONDS - 1
            probed.queue.progressed(Q4)
            assert await probed.probe() == (200, "ok")
        assert probed.queue.backlog().longest_seconds == 10 * (STUCK_SECONDS - 1)


async def test_a_key_that_no_worker_takes_is_named_with_its_time(probed: Probed) -> None:
    async with probed.working():
        pass
    # The workers are gone now, as if all of them had ended by a fault.
    probed.queue.add(OTHER, 60)
    probed.now += 60 + STUCK_SECONDS
    assert await probed.probe() == (200, "ok")
    probed.now += 7
    assert await probed.probe() == (
        503,
        "sales/other has been due for 307 s, and no worker has done anything meanwhile",
    )


async def test_a_key_that_has_to_wait_for_work_that_gets_further_is_no_fault(probed: Probed) -> None:
    async with probed.working(asyncio.Event()):
        busy = [Key("sales", name) for name in ("a", "b")]
        for key in busy:
            probed.queue.add(key)
        await probed.taken(0)
        probed.queue.add(Q4)
        for _ in range(3):
            probed.now += STUCK_SECONDS - 1
            for key in busy:
                probed.queue.progressed(key)
        assert await probed.probe() == (200, "ok")
        assert probed.queue.backlog().oldest_seconds == 3 * (STUCK_SECONDS - 1)


async def test_what_is_due_later_is_no_fault(probed: Probed) -> None:
    async with probed.working():
        probed.queue.add(Q4, 86_400)
        probed.now += 80_000
        assert await probed.probe() == (200, "ok")
        assert probed.queue.backlog().depth == 0


async def test_ready_says_what_is_missing_and_stays_once_it_was(probed: Probed) -> None:
    probed.lack = "started 12 s ago, and the first list is not complete: pods in sales"
    assert await probed.probe("/readyz") == (503, probed.lack)
    probed.lack = ""
    assert await probed.probe("/readyz") == (200, "ok")
    probed.lack = "it has just taken over"
    assert await probed.probe("/readyz") == (200, "ok")


async def test_a_scrape_is_answered_in_the_form_that_is_asked_for(probed: Probed) -> None:
    code, text, kind = await probed.get("/metrics")
    assert (code, kind.split(";")[0]) == (200, "text/plain")
    assert "# TYPE novahunt_status_writes_total counter" in text
    code, text, kind = await probed.get("/metrics", "application/openmetrics-text; version=1.0.0")
    assert (code, kind.split(";")[0]) == (200, "application/openmetrics-text")
    assert text.endswith("# EOF\n")
