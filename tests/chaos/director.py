"""Strikes at a moment: whatever sees a moment tells it here, and waits until what must happen then has happened."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chaos.moments import Fate, Moment, Side, Step

Strike = Callable[[Moment], Awaitable[Fate]]
"""Kills or cuts something, and says what becomes of the call by which the moment was seen."""

_REMEMBERED = 200


@dataclass
class Aim:
    """The moment that is waited for."""

    step: Step
    side: Side
    names: frozenset[str]
    """Domains and collections of which it may be."""
    strike: Strike
    skip: int = 0
    """So many moments of this kind pass before it."""

    def meets(self, moment: Moment) -> bool:
        """Tell whether this is such a moment."""
        return (moment.step, moment.side) == (self.step, self.side) and (
            moment.domain in self.names or moment.collection in self.names
        )


class Director:
    """One strike at a time."""

    def __init__(self) -> None:
        self._aim: Aim | None = None
        self._blow: asyncio.Task[Fate] | None = None
        self.struck = asyncio.Event()
        """Set when the aim was met."""
        self.struck_at = 0.0
        """Of the monotonic clock."""
        self.moment: Moment | None = None
        self.trail: deque[str] = deque(maxlen=_REMEMBERED)
        """The latest moments, for whoever looks into a failed trial."""

    def aim(self, aim: Aim) -> None:
        """Wait for a moment; what was waited for before is forgotten."""
        self.struck.clear()
        self._aim, self._blow, self.moment = aim, None, None

    def rest(self) -> None:
        """Wait for nothing."""
        self._aim = None

    async def at(self, moment: Moment) -> Fate:
        """Take that a moment is there; return when what must happen at it has happened."""
        self.trail.append(f"{time.monotonic():.3f} {moment}")
        aim = self._aim
        if aim is None or not aim.meets(moment):
            return Fate.PASS
        if aim.skip > 0:
            aim.skip -= 1
            return Fate.PASS
        return await self.strike(aim.strike, moment)

    async def strike(self, strike: Strike, moment: Moment) -> Fate:
        """Strike now."""
        self._aim = None
        self.trail.append(f"{time.monotonic():.3f} struck {moment}")
        self.moment, self.struck_at = moment, time.monotonic()
        self.struck.set()
        # A kill may end the very task that saw the moment.
        self._blow = asyncio.ensure_future(strike(moment))
        return await asyncio.shield(self._blow)

    async def done(self) -> None:
        """Wait until the last strike is carried out; its errors are raised here."""
        if self._blow is not None:
            await self._blow
