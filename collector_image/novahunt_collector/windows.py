"""The pace of a collector that has no intake: sliding windows over its own requests."""

import math
from collections import deque

from novahunt_collector.settings import Pace


class Windows:
    """Says how long the next request must wait, for one request at a time; times in seconds of any one clock.

    A request counts from the moment it may be sent until its answer plus the window: Hunter counts it
    when it arrives, which is some time between the two.
    """

    def __init__(self, pace: Pace) -> None:
        self._windows = (_window(pace.per_second, 1.0), _window(pace.per_minute, 60.0))
        self._ends: deque[float] = deque(maxlen=max(allowed for allowed, _ in self._windows))

    def wait(self, now: float) -> float:
        """Return the seconds until the next request may be sent; 0 if it may be sent now."""
        free_at = now
        for allowed, length in self._windows:
            if len(self._ends) >= allowed:
                free_at = max(free_at, self._ends[-allowed] + length)
        return free_at - now

    def sent(self, now: float) -> None:
        """Note that a request is sent."""
        self._ends.append(now)

    def answered(self, now: float) -> None:
        """Note that the last request sent is over, however it ended."""
        if self._ends:
            self._ends[-1] = max(self._ends[-1], now)


def _window(limit: float, length: float) -> tuple[int, float]:
    """Return (requests, seconds): a limit below one, as a share of many collectors can be, stretches the window."""
    return (math.floor(limit), length) if limit >= 1 else (1, length / limit)
