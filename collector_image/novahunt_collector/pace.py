"""When a request to Hunter may be sent: the interface, and the pace of a collector that is on its own."""

import abc
import asyncio
from collections.abc import Callable
from typing import NamedTuple

from novahunt_collector.errors import BudgetUsedUpError
from novahunt_collector.windows import Windows
from novahunt_contract.intake import Progress


class Cost(NamedTuple):
    """What a request can cost, and what its domain has cost so far in this process; in credits."""

    most: int
    """0: the request is free of charge."""
    spent: int


class Pace(abc.ABC):
    """Lets requests to Hunter go, one at a time: `take`, send, `over`."""

    @abc.abstractmethod
    async def take(self, progress: Progress, cost: Cost) -> None:
        """Wait until one request may be sent now, however long that takes.

        Raises:
            IntakeRefusedError: there will never be a permit for this process.
            BudgetUsedUpError: the request could cost more than the budget has left.
            DomainBudgetUsedUpError: the same for the domain's share of it.
        """

    @abc.abstractmethod
    def over(self) -> None:
        """Note that the request taken for is over, answered or not."""

    @abc.abstractmethod
    async def failed(self, *, throttled: bool, retry_after: float | None) -> None:
        """Note that it is over and that the next one follows after a wait; whoever else uses the key hears of it now.

        Args:
            throttled: Hunter asked to slow down.
            retry_after: For so many seconds, if it said so.
        """

    @abc.abstractmethod
    async def finish(self, progress: Progress, *, spent: int, stopping: bool) -> None:
        """Give back what was taken and not used, and tell the domain's end. Raises nothing of its own.

        Args:
            progress: The last one.
            spent: What the domain has cost in this process, in credits.
            stopping: The process leaves its domain unfinished.
        """


class SelfPace(Pace):
    """Keeps to the windows, and to a budget for all domains of the process, by itself."""

    def __init__(self, windows: Windows, clock: Callable[[], float], max_credits: int | None = None) -> None:
        """Take the windows, the clock of their times, and the credits that may be spent; None: any number."""
        self._windows = windows
        self._clock = clock
        self._max_credits = max_credits
        self._spent_before = 0
        """By the domains that are finished."""

    async def take(self, progress: Progress, cost: Cost) -> None:  # noqa: ARG002 - nobody to tell
        """Wait for both windows."""
        if self._max_credits is not None and cost.most:
            left = max(0, self._max_credits - self._spent_before - cost.spent)
            if cost.most > left:
                raise BudgetUsedUpError(
                    f"{left} of {self._max_credits} credits are left: raise --max-credits to go on", left=left
                )
        while (seconds := self._windows.wait(self._clock())) > 0:  # noqa: ASYNC110 - time itself is waited for
            await asyncio.sleep(seconds)
        self._windows.sent(self._clock())

    def over(self) -> None:
        """Count the windows from now on."""
        self._windows.answered(self._clock())

    async def failed(self, *, throttled: bool, retry_after: float | None) -> None:  # noqa: ARG002 - nobody else to slow
        """Count the windows from now on; the wait before the next try slows down enough."""
        self.over()

    async def finish(self, progress: Progress, *, spent: int, stopping: bool) -> None:  # noqa: ARG002 - nobody to tell
        """Count what the domain has cost; what was taken was sent."""
        self._spent_before += spent
