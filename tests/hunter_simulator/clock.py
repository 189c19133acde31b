"""The two clocks of the simulator: one that never steps, for windows, and the wall clock, for billing."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time; passed in, so that tests of windows need no sleep."""

    def monotonic(self) -> float:
        """Return seconds of a clock that never steps."""
        ...

    def now(self) -> datetime:
        """Return the wall clock, with its zone."""
        ...


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds."""
        return time.monotonic()

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)


class ShiftedClock:
    """A clock whose wall time can be moved, so that a billing period ends when a test wants it to."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._shift = timedelta()

    def monotonic(self) -> float:
        """Return the seconds of the clock below; moving the wall clock leaves the rate windows alone."""
        return self._clock.monotonic()

    def now(self) -> datetime:
        """Return the moved wall clock."""
        return self._clock.now() + self._shift

    def move_to(self, moment: datetime) -> None:
        """Let the wall clock show `moment` now, and run on from there."""
        self._shift = moment - self._clock.now()

    def advance(self, by: timedelta) -> None:
        """Move the wall clock on, or back."""
        self._shift += by
