"""Sliding windows over the arrivals of requests: they refuse what is above the rate and remember the peak."""

from collections import deque

import msgspec

SECOND = 1.0
MINUTE = 60.0


class SlidingWindow:
    """Counts the arrivals of the last `seconds`; an arrival exactly that long ago no longer counts."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._arrivals: deque[float] = deque()
        self.peak = 0
        """The largest count that any position of the window has held."""

    def count(self, now: float) -> int:
        """Return the number of arrivals in the window that ends at `now` (seconds of a clock that never steps)."""
        while self._arrivals and now - self._arrivals[0] >= self._seconds:
            self._arrivals.popleft()
        return len(self._arrivals)

    def add(self, now: float) -> None:
        """Record one arrival."""
        self._arrivals.append(now)
        self.peak = max(self.peak, self.count(now))


class Rates(msgspec.Struct, frozen=True):
    """How many requests a key may send, by both measures at once (Hunter's API documentation, read 2026-11)."""

    per_second: int = 15
    per_minute: int = 500


class RateLimiter:
    """Admits the requests of one key, or refuses them, when they arrive."""

    def __init__(self) -> None:
        self._second = SlidingWindow(SECOND)
        self._minute = SlidingWindow(MINUTE)

    def admit(self, now: float, rates: Rates, *, refused_count: bool) -> bool:
        """Tell whether a request may pass; a refused one takes a place in the windows only if `refused_count`."""
        admitted = self._second.count(now) < rates.per_second and self._minute.count(now) < rates.per_minute
        if admitted or refused_count:
            self._second.add(now)
            self._minute.add(now)
        return admitted
