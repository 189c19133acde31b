"""Hands out permits for requests to Hunter, in the order in which collectors ask, one line per key."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from novahunt_api.objects import Key
from novahunt_contract.intake import Answered
from novahunt_operator.metrics import Metrics, key_label
from novahunt_operator.waits import KeyPace
from novahunt_operator.windows import KeyWindows, Window

_SECOND, _MINUTE = 1.0, 60.0

_REMEMBERED = 10_000
"""Pods of one key whose last report is kept; there are never so many at work."""


@dataclass(slots=True)
class _Line:
    """One key: its windows, and who waits. The lock lets waiters pass in the order of their coming."""

    windows: KeyWindows
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: list[tuple[str, Key]] = field(default_factory=list)
    """Pod UIDs and collections of the waiting collectors; a pod that calls again may be in it twice."""
    reported: dict[str, str] = field(default_factory=dict)
    """By pod UID, those that reported last at the end: the permit whose end each told then."""

    def take_report(self, pod_uid: str, permit: str) -> bool:
        """Keep which permit's end a pod tells; tell whether that is news."""
        last = self.reported.pop(pod_uid, None)
        self.reported[pod_uid] = permit
        if len(self.reported) > _REMEMBERED:
            del self.reported[next(iter(self.reported))]
        return last != permit


@dataclass(frozen=True, slots=True)
class KeyState:
    """How it stands with a key: collectors that wait for a permit, and the part of the pace that is left (0 to 1)."""

    fingerprint: str
    waiting: int
    pace: float


class Permits:
    """The pace of all keys, whoever uses them."""

    def __init__(
        self,
        per_second: int,
        per_minute: int,
        *,
        metrics: Metrics | None = None,
        clock: Callable[[], float] = time.monotonic,
        last_permit: Callable[[], int] = lambda: 0,
    ) -> None:
        """Take both windows' limits, in requests per key; and what counts, without which nobody is told.

        A key's permits are counted after what `last_permit` returns when the key is first used. It must be above what
        the process before has reached: ends of its permits may still be told, and a same number would count as told.
        """
        self._limits = (Window(per_second, _SECOND), Window(per_minute, _MINUTE))
        self._used_until = float("-inf")
        self._clock = clock
        self._last_permit = last_permit
        self._metrics = metrics or Metrics()
        self._lines: dict[str, _Line] = {}

    def assume_used(self, until: float) -> None:
        """Count every key's allowance as used until then (of the clock): what was asked before is not known."""
        self._used_until = until
        for line in self._lines.values():
            line.windows.close_until(until)

    async def acquire(self, fingerprint: str, collection: Key, pod_uid: str, *, seconds: float) -> str | None:
        """Wait for a permit for so long; None: none came free."""
        line = self._line(fingerprint)
        asked, result = self._clock(), "none"
        line.waiting.append((pod_uid, collection))
        try:
            async with asyncio.timeout(seconds), line.turn:
                while (pause := line.windows.next_at(self._clock()) - self._clock()) > 0:
                    line.changed.clear()
                    await _sleep_or(line.changed, pause)
                result = "granted"
                self._metrics.permits_granted.labels(key_label(fingerprint)).inc()
                return str(line.windows.grant(self._clock()))
        except TimeoutError:
            return None
        finally:
            line.waiting.remove((pod_uid, collection))
            self._metrics.permit_seconds.labels(result).observe(self._clock() - asked)

    def report(self, fingerprint: str, pod_uid: str, answered: Answered) -> None:
        """Take what became of a pod's permit, once: a call that was not answered is made again as it was.

        A number that is none counts as a request that was not asked for.
        """
        line = self._line(fingerprint)
        if not line.take_report(pod_uid, answered.permit):
            return
        number = int(answered.permit) if answered.permit.isdecimal() else 0
        if answered.unused:
            line.windows.give_back(number)
        else:
            self._metrics.hunter_requests.labels(key_label(fingerprint)).inc()
            self._metrics.hunter_throttles.labels(key_label(fingerprint)).inc(answered.throttled)
            line.windows.answer(
                number, self._clock(), throttled=answered.throttled, retry_after=answered.retry_after_seconds
            )
        line.changed.set()

    def report_alone(self, fingerprint: str, requests: int) -> None:
        """Take that a collector, which could not reach the intake, has sent so many requests in the last minute."""
        self._metrics.hunter_requests.labels(key_label(fingerprint)).inc(requests)
        self._line(fingerprint).windows.count(requests, self._clock())

    def pace_of(self, collection: Key) -> KeyPace | None:
        """Return the pace of the key that a collection's collectors wait for; None when none waits."""
        for fingerprint, line in self._lines.items():
            waiting = len({pod for pod, key in line.waiting if key == collection})
            if waiting:
                usage = line.windows.usage(self._clock())
                second, minute = self._limits
                return KeyPace(
                    fingerprint=fingerprint,
                    per_second=second.limit,
                    per_minute=minute.limit,
                    used_second=usage.used[0],
                    used_minute=usage.used[1],
                    waiting=waiting,
                    slowed=usage.slowed,
                )
        return None

    def states(self) -> list[KeyState]:
        """Return how it stands with every key that was used."""
        return [
            KeyState(fingerprint, len({pod for pod, _ in line.waiting}), line.windows.usage(self._clock()).slowed)
            for fingerprint, line in self._lines.items()
        ]

    def _line(self, fingerprint: str) -> _Line:
        line = self._lines.get(fingerprint)
        if line is None:
            line = _Line(KeyWindows(self._limits, last_permit=self._last_permit()))
            line.windows.close_until(self._used_until)
            self._lines[fingerprint] = line
        return line


async def _sleep_or(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
