"""The rate windows of one Hunter key: pure, in seconds of a clock that the caller passes in."""

from collections import deque
from dataclasses import dataclass

USE_SECONDS = 1.0
"""A permit may be used for this long after its grant."""

ANSWER_SECONDS = 60.0
"""A request is answered, or has failed, within this; a collector that says nothing for longer is dead."""

LONGEST_CLOSED = 900.0
"""Seconds that one collector's word can close a key for, whatever Hunter's Retry-After said."""

SLOWEST = 1 / 16
"""Part of the pace that is never gone below, however often Hunter throttles."""

RECOVERY = 1.1
"""What each answer that was not throttled multiplies a slowed pace by."""


@dataclass(frozen=True, slots=True)
class Window:
    """At most `limit` requests in any `seconds`."""

    limit: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of each window is used, in requests, and the part of the pace that is left (0 to 1)."""

    used: tuple[int, ...]
    slowed: float


class KeyWindows:
    """All windows of one key hold at once.

    Hunter counts a request when it arrives, which is some time between a permit's grant and its
    answer: so a permit counts from its grant until its answer plus the window.
    """

    def __init__(self, windows: tuple[Window, ...], *, last_permit: int = 0) -> None:
        """Take the windows, and the number after which permits are counted."""
        self._windows = windows
        self._granted: dict[int, float] = {}
        self._answered: deque[float] = deque()
        self._last = last_permit
        self._pace = 1.0
        self._closed_until = float("-inf")

    def close_until(self, moment: float) -> None:
        """Grant nothing before this moment: Hunter asked so, or the past is unknown after a restart."""
        self._closed_until = max(self._closed_until, moment)

    def next_at(self, now: float) -> float:
        """Return when the next permit is free: now, or later. An answer may make it sooner."""
        self._forget(now)
        moments = [self._closed_until, now]
        for window in self._windows:
            limit = max(1, int(window.limit * self._pace))
            taken = self._taken(window, now)
            if len(taken) >= limit:
                moments.append(taken[len(taken) - limit])
        return max(moments)

    def grant(self, now: float) -> int:
        """Count a permit and return its number; the caller has seen that `next_at` is not later than now."""
        self._last += 1
        self._granted[self._last] = now
        return self._last

    def answer(self, permit: int, now: float, *, throttled: bool, retry_after: float | None) -> None:
        """Take the end of a permit that was used. One that is not known any more counts as a new answer."""
        self._granted.pop(permit, None)
        self._answered.append(now)
        if throttled:
            self._pace = max(SLOWEST, self._pace / 2)
            self.close_until(now + min(retry_after or 0.0, LONGEST_CLOSED))
        else:
            self._pace = min(1.0, self._pace * RECOVERY)

    def count(self, requests: int, now: float) -> None:
        """Count requests that were sent without a permit, in the last minute; they may have come this very moment."""
        most = max(window.limit for window in self._windows)
        self._answered.extend([now] * min(requests, most))

    def give_back(self, permit: int) -> None:
        """Take back a permit that was not used."""
        self._granted.pop(permit, None)

    def usage(self, now: float) -> Usage:
        """Return how much of each window is used."""
        self._forget(now)
        return Usage(tuple(len(self._taken(window, now)) for window in self._windows), self._pace)

    def _taken(self, window: Window, now: float) -> list[float]:
        """Return when each counted permit leaves the window, sorted; those under way leave last."""
        left = [at + window.seconds for at in self._answered if at + window.seconds > now]
        under_way = [at + USE_SECONDS + ANSWER_SECONDS + window.seconds for at in self._granted.values()]
        return left + sorted(under_way)

    def _forget(self, now: float) -> None:
        longest = max(window.seconds for window in self._windows)
        while self._answered and self._answered[0] + longest <= now:
            self._answered.popleft()
        for permit, at in list(self._granted.items()):
            if at + USE_SECONDS + ANSWER_SECONDS <= now:
                del self._granted[permit]
                self._answered.append(now)
