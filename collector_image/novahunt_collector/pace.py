"""When a request to Hunter may be sent: the interface, and the pace of a collector that is on its own."""

import abc
import asyncio
from collections.abc import Callable

from novahunt_collector.windows import Windows
from novahunt_contract.intake import Progress


class Pace(abc.ABC):
    """Lets requests to Hunter go, one at a time: `take`, send, `over`."""

    @abc.abstractmethod
    async def take(self, progress: Progress) -> None:
        """Wait until one request may be sent now, however long that takes.

        Raises:
            IntakeRefusedError: there will never be a permit for this process.
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
    async def finish(self, progress: Progress) -> None:
        """Give back what was taken and not used, and tell the last progress. Raises nothing of its own."""


class SelfPace(Pace):
    """Keeps to the windows by itself."""

    def __init__(self, windows: Windows, clock: Callable[[], float]) -> None:
        self._windows = windows
        self._clock = clock

    async def take(self, progress: Progress) -> None:  # noqa: ARG002 - nobody to tell
        """Wait for both windows."""
        while (seconds := self._windows.wait(self._clock())) > 0:  # noqa: ASYNC110 - time itself is waited for
            await asyncio.sleep(seconds)
        self._windows.sent(self._clock())

    def over(self) -> None:
        """Count the windows from now on."""
        self._windows.answered(self._clock())

    async def failed(self, *, throttled: bool, retry_after: float | None) -> None:  # noqa: ARG002 - nobody else to slow
        """Count the windows from now on; the wait before the next try slows down enough."""
        self.over()

    async def finish(self, progress: Progress) -> None:
        """Do nothing: what was taken was sent."""
