"""A queue of keys: each at most once in it, never two workers on one, again after a while on error."""

import asyncio
import heapq
import logging
import random
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

_FIRST_PAUSE_SECONDS = 0.5
_MAX_PAUSE_SECONDS = 60.0

_log = logging.getLogger(__name__)


class WorkQueue(Generic[K]):
    """Keys by the time at which they are due. Adding a key that is worked on makes it due again afterwards."""

    def __init__(self) -> None:
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        """Entries that `_due` does not confirm are void."""
        self._order = 0
        self._working: set[K] = set()
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
        if key not in self._working:
            self._push(key)

    async def run(self, workers: int, work: Callable[[K], Awaitable[None]]) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._worker(work))

    async def _worker(self, work: Callable[[K], Awaitable[None]]) -> None:
        while True:
            key = await self._take()
            try:
                await work(key)
                self._failures.pop(key, None)
            except Exception as error:  # noqa: BLE001 - whatever failed, it is tried again, and said
                self._try_again(key, error)
            finally:
                self._working.discard(key)
                if key in self._due:
                    self._push(key)

    def _try_again(self, key: K, error: Exception) -> None:
        failures = self._failures.get(key, 0) + 1
        self._failures[key] = failures
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
                self._working.add(key)
                return key
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            except TimeoutError:
                continue
