"""Lets a display see what the pace sees: how far the domain in hand is, and when a request waits."""

from novahunt_collector.display import Display
from novahunt_collector.pace import Cost, Pace
from novahunt_contract.intake import Progress


class WatchedPace(Pace):
    """A pace that shows its calls."""

    def __init__(self, pace: Pace, display: Display) -> None:
        self._pace = pace
        self._display = display

    async def take(self, progress: Progress, cost: Cost) -> None:
        """Show the progress, and wait as the pace says."""
        self._display.asks(progress, cost.spent)
        await self._pace.take(progress, cost)
        self._display.sends()

    def over(self) -> None:
        """Pass it on."""
        self._pace.over()

    async def failed(self, *, throttled: bool, retry_after: float | None) -> None:
        """Pass it on; the wait is shown by whoever waits."""
        await self._pace.failed(throttled=throttled, retry_after=retry_after)

    async def finish(self, progress: Progress, *, spent: int, stopping: bool) -> None:
        """Pass it on; the end is shown by whoever knows it."""
        await self._pace.finish(progress, spent=spent, stopping=stopping)
