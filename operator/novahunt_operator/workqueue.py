"""A queue of keys: each at most once in it, never two workers on one, again after a while on error."""

import asyncio
import heapq
import logging
import random
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from novahunt_api.subject import about
from novahunt_operator.metrics import Metrics

K = TypeVar("K", bound=Hashable)

_FIRST_PAUSE_SECONDS = 0.5
_MAX_PAUSE_SECONDS = 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What lies before the workers, in keys and seconds; 0 s where there is none."""

    depth: int
    """Keys that are due and not worked on yet; not those whose time is still to come."""
    oldest_seconds: float
    """How long the first of them has been due."""
    longest_seconds: float
    """How long the longest work under way has taken."""


@dataclass(frozen=True, slots=True)
class Standstill(Generic[K]):
    """A key with which nothing goes on."""

    key: K
    seconds: float
    worked_on: bool
    """Else it is due, and meanwhile no worker has taken or furthered any key."""


class WorkQueue(Generic[K]):
    """Keys by the time at which they are due. Adding a key that is worked on makes it due again afterwards."""

    def __init__(self, metrics: Metrics | None = None) -> None:
        """Take what counts and times the work; without any it is counted for nobody."""
        self._metrics = metrics or Metrics()
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        """Entries that `_due` does not confirm are void."""
        self._order = 0
        self._working: dict[K, float] = {}
        """When the work on each key began."""
        self._moved: dict[K, float] = {}
        """When it last got any further."""
        self._taken = float("inf")
        """When a worker last took a key; not before there are workers."""
        self._failures: dict[K, int] = {}
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        """Count the keys that wait or are worked on."""
        return len(self._due) + len(self._working)

    def add(self, key: K, after: float = 0.0) -> None:
        """Make a key due after so many seconds, or sooner if it is due sooner already."""
        at = time.monotonic() + after
        if self._due.get(key, at + 1) <= at:
            return
        self._due[key] = at
        self._metrics.queue_adds.inc()
        if key not in self._working:
            self._push(key)

    async def run(self, workers: int, work: Callable[[K], Awaitable[None]]) -> None:
        """Work until cancelled."""
        self._taken = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._worker(work))

    def progressed(self, key: K) -> None:
        """Take that the work on a key has got further: it may take long, but it does not hang."""
        if key in self._working:
            self._moved[key] = time.monotonic()

    def backlog(self) -> Backlog:
        """Return what lies before the workers."""
        now = time.monotonic()
        ages = [now - at for key, at in self._due.items() if at <= now and key not in self._working]
        works = [now - began for began in self._working.values()]
        return Backlog(len(ages), max(ages, default=0.0), max(works, default=0.0))

    def standstill(self, seconds: float) -> Standstill[K] | None:
        """Return the key with which nothing has gone on for longest, if that is more than so many seconds."""
        now = time.monotonic()
        found = [Standstill(key, now - at, worked_on=True) for key, at in self._moved.items()]
        due = [(at, key) for key, at in self._due.items() if key not in self._working]
        if due:
            at, key = min(due, key=lambda one: one[0])
            found.append(Standstill(key, now - max(at, self._taken, *self._moved.values()), worked_on=False))
        longest = max(found, key=lambda one: one.seconds, default=None)
        return longest if longest is not None and longest.seconds > seconds else None

    async def _worker(self, work: Callable[[K], Awaitable[None]]) -> None:
        while True:
            key = await self._take()
            with about(key):
                await self._work_on(key, work)

    async def _work_on(self, key: K, work: Callable[[K], Awaitable[None]]) -> None:
        try:
            with self._metrics.reconcile_seconds.time():
                await work(key)
            self._failures.pop(key, None)
        except Exception as error:  # noqa: BLE001 - whatever failed, it is tried again, and said
            self._try_again(key, error)
        finally:
            del self._working[key], self._moved[key]
            if key in self._due:
                self._push(key)

    def _try_again(self, key: K, error: Exception) -> None:
        failures = self._failures.get(key, 0) + 1
        self._failures[key] = failures
        self._metrics.queue_retries.inc()
        self._metrics.reconcile_errors.labels(type(error).__name__).inc()
        ceiling = min(_MAX_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** min(failures, 10))
        pause = random.uniform(ceiling / 2, ceiling)  # noqa: S311 - jitter
        _log.warning("%s: %s: %s; again in %.1f s", key, type(error).__name__, error, pause, exc_info=error)
        self.add(key, pause)

    def _push(self, key: K) -> None:
        self._order += 1
        heapq.heappush(self._heap, (self._due[key], self._order, key))
        self._wake.set()

    def _is_void(self, at: float, _: int, key: K) -> bool:
        """Whether an entry was replaced; one of a key that is worked on may even name its next time by chance."""
        return key in self._working or self._due.get(key) != at

    async def _take(self) -> K:
        while True:
            self._wake.clear()
            while self._heap and self._is_void(*self._heap[0]):
                heapq.heappop(self._heap)
            wait = self._heap[0][0] - time.monotonic() if self._heap else None
            if wait is not None and wait <= 0:
                key = heapq.heappop(self._heap)[2]
                del self._due[key]
                self._taken = self._working[key] = self._moved[key] = time.monotonic()
                return key
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            except TimeoutError:
                continue
