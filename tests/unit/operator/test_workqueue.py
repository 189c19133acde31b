"""The work queue: never two workers on one key, nothing forgotten, and growing pauses after errors."""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from log_lines import written
from novahunt_operator import workqueue
from novahunt_operator.metrics import Metrics
from novahunt_operator.workqueue import Backlog, WorkQueue
from virtual_time import run

Clock = Callable[[], float]


@contextlib.contextmanager
def timed_by(clock: Clock) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workqueue, "time", SimpleNamespace(monotonic=clock))
        yield


def play(
    scene: Callable[[WorkQueue[str], Clock], Coroutine[Any, Any, None]],
    work: Callable[[WorkQueue[str], Clock], Callable[[str], Awaitable[None]]],
    workers: int = 3,
) -> None:
    """Run workers beside a scene until it ends."""

    async def whole(clock: Clock) -> None:
        with timed_by(clock):
            queue = WorkQueue[str]()
            running = asyncio.ensure_future(queue.run(workers, work(queue, clock)))
            await scene(queue, clock)
            running.cancel()
            await asyncio.wait([running])

    run(whole)


class Diary:
    """Notes when work on a key began and ended; work takes as long as it is told, and may fail."""

    def __init__(self, seconds: float = 0.0, failures: int = 0) -> None:
        self.notes: list[tuple[float, str]] = []
        self.busy: set[str] = set()
        self.most = 0
        self._seconds, self._failures = seconds, failures

    def work(self, queue: WorkQueue[str], clock: Clock) -> Callable[[str], Awaitable[None]]:
        del queue

        async def one(key: str) -> None:
            assert key not in self.busy, "two workers on one key"
            self.busy.add(key)
            self.most = max(self.most, len(self.busy))
            self.notes.append((round(clock() - 1000, 3), key))
            await asyncio.sleep(self._seconds)
            self.busy.discard(key)
            if self._failures:
                self._failures -= 1
                raise OSError("broken")

        return one


def test_a_key_is_worked_on_once_however_often_it_is_added() -> None:
    diary = Diary()

    async def scene(queue: WorkQueue[str], _: Clock) -> None:
        for __ in range(5):
            queue.add("a")
        assert len(queue) == 1
        await asyncio.sleep(10)
        assert (diary.notes, len(queue)) == ([(0, "a")], 0)

    play(scene, diary.work)


def test_a_key_added_while_it_is_worked_on_is_worked_on_again_and_never_by_two() -> None:
    diary = Diary(seconds=5)

    async def scene(queue: WorkQueue[str], _: Clock) -> None:
        queue.add("a")
        await asyncio.sleep(1)
        queue.add("a")
        queue.add("a")
        assert len(queue) == 2
        await asyncio.sleep(20)
        assert diary.notes == [(0, "a"), (5, "a")]

    play(scene, diary.work)


def test_a_delayed_key_added_while_it_is_worked_on_keeps_its_delay() -> None:
    diary = Diary(seconds=5)

    async def scene(queue: WorkQueue[str], _: Clock) -> None:
        queue.add("a")
        await asyncio.sleep(1)
        queue.add("a", 30)
        await asyncio.sleep(60)
        assert diary.notes == [(0, "a"), (31, "a")]

    play(scene, diary.work)


def test_an_old_entry_of_the_same_moment_does_not_bring_a_second_worker() -> None:
    diary = Diary(seconds=10)

    async def scene(queue: WorkQueue[str], _: Clock) -> None:
        queue.add("b", 2)
        queue.add("a", 4)
        queue.add("a")
        await asyncio.sleep(1)
        queue.add("a", 3)
        await asyncio.sleep(60)
        assert diary.notes == [(0, "a"), (2, "b"), (10, "a")]

    play(scene, diary.work)


def test_keys_come_in_the_order_in_which_they_are_due() -> None:
    diary = Diary()

    async def scene(queue: WorkQueue[str], _: Clock) -> None:
        queue.add("late", 9)
        queue.add("soon", 2)
        queue.add("now")
        await asyncio.sleep(20)
        assert diary.notes == [(0, "now"), (2, "soon"), (9, "late")]

    play(scene, diary.work, workers=1)


def test_the_sooner_of_two_times_counts() -> None:
    diary = Diary()

    async def scene(queue: WorkQueue[str], _: Clock) -> None:
        queue.add("a", 9)
        queue.add("a", 3)
        queue.add("a", 5)
        await asyncio.sleep(20)
        assert diary.notes == [(3, "a")]

    play(scene, diary.work)


def test_workers_share_the_keys() -> None:
    diary = Diary(seconds=10)

    async def scene(queue: WorkQueue[str], _: Clock) -> None:
        for key in "abcde":
            queue.add(key)
        await asyncio.sleep(35)
        assert [at for at, _ in diary.notes] == [0, 0, 0, 10, 10]
        assert diary.most == 3

    play(scene, diary.work)


def test_after_an_error_a_key_comes_again_after_growing_pauses_and_is_forgiven_by_a_success(
    caplog: pytest.LogCaptureFixture,
) -> None:
    diary = Diary(failures=9)

    async def scene(queue: WorkQueue[str], _: Clock) -> None:
        queue.add("a")
        await asyncio.sleep(1000)
        times = [at for at, _ in diary.notes]
        pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
        ceilings = [1, 2, 4, 8, 16, 32, 60, 60, 60]
        assert len(pauses) == len(ceilings)
        assert all(top / 2 - 0.01 <= pause <= top + 0.01 for pause, top in zip(pauses, ceilings, strict=True))
        assert len(queue) == 0

    with caplog.at_level(logging.CRITICAL, "novahunt_operator.workqueue"):
        play(scene, diary.work)


def test_news_of_a_key_do_not_wait_for_the_pause_after_an_error() -> None:
    diary = Diary(failures=1)

    async def scene(queue: WorkQueue[str], _: Clock) -> None:
        queue.add("a")
        await asyncio.sleep(0.1)
        queue.add("a")
        await asyncio.sleep(100)
        assert diary.notes == [(0, "a"), (0.1, "a")]

    play(scene, diary.work)


def test_one_key_that_fails_does_not_hold_up_the_others() -> None:
    diary = Diary(failures=1)

    async def scene(queue: WorkQueue[str], _: Clock) -> None:
        queue.add("bad")
        queue.add("good")
        await asyncio.sleep(0.1)
        assert [key for _, key in diary.notes] == ["bad", "good"]

    play(scene, diary.work, workers=1)


def test_what_waits_and_how_long_is_told() -> None:
    diary = Diary(seconds=10)

    async def scene(queue: WorkQueue[str], _: Clock) -> None:
        assert queue.backlog() == Backlog(0, 0, 0)
        for key in "abc":
            queue.add(key)
        queue.add("later", 100)
        await asyncio.sleep(4)
        queue.add("a")
        # One is worked on, and due again afterwards; the one of later does not wait yet.
        assert queue.backlog() == Backlog(depth=2, oldest_seconds=4, longest_seconds=4)
        await asyncio.sleep(200)
        assert queue.backlog() == Backlog(0, 0, 0)

    play(scene, diary.work, workers=1)


def test_adds_retries_rounds_and_their_errors_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    diary, metrics = Diary(failures=2), Metrics()

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(f"novahunt_{name}", labels)

    async def scene(clock: Clock) -> None:
        with timed_by(clock):
            queue = WorkQueue[str](metrics)
            running = asyncio.ensure_future(queue.run(1, diary.work(queue, clock)))
            queue.add("a", 1)
            queue.add("a", 5)
            await asyncio.sleep(100)
            running.cancel()
            await asyncio.wait([running])

    with caplog.at_level(logging.CRITICAL, "novahunt_operator.workqueue"):
        run(scene)
    assert value("workqueue_adds_total") == 3
    assert value("workqueue_retries_total") == 2
    assert value("reconcile_errors_total", error="OSError") == 2
    assert value("reconcile_duration_seconds_count") == 3


def test_lines_of_the_work_and_of_its_failure_name_the_key() -> None:
    def worker(_queue: WorkQueue[str], _clock: Clock) -> Callable[[str], Awaitable[None]]:
        async def work(key: str) -> None:
            logging.getLogger("novahunt_test").info("at work")
            raise ValueError(key)

        return work

    async def scene(queue: WorkQueue[str], _: Clock) -> None:
        queue.add("sales/q4")
        await asyncio.sleep(0.1)

    with written() as lines:
        play(scene, worker)
    for words in ("at work", "again in"):
        assert lines.subjects(words) == [("sales/q4", None, None)]
