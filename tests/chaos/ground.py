"""Where trials are played: what the player needs of a place, be it a control plane's namespace or a whole node."""

import abc
import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chaos.observing import Observer
from cluster.reading import Reader
from hunter_simulator.report import Report


@dataclass(kw_only=True)
class Ground(abc.ABC):
    """One namespace."""

    reader: Reader
    observer: Observer
    volume: Path
    """What the claim `collections` stands for."""
    killed: list[str] = field(default_factory=list)
    """Domains whose collector was killed; once for each kill."""
    receipts_lost: int = 0
    """How often pods went whose end may not have been read."""
    _recoveries: set[asyncio.Task[None]] = field(default_factory=set)

    @abc.abstractmethod
    async def report(self, *, with_log: bool = True) -> Report:
        """Return what Hunter's stand-in was asked."""

    @abc.abstractmethod
    async def hold(self, domain: str, size: int) -> None:
        """Tell Hunter's stand-in how many addresses a domain has."""

    @abc.abstractmethod
    def said(self) -> list[str]:
        """Return what the operator has said last, for whoever looks into a failed trial."""

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Bring back what was killed, at its time."""
        self._recoveries.add(asyncio.create_task(work))

    async def recovered(self) -> None:
        """Wait until all that was killed is back; errors on the way are raised here."""
        while self._recoveries:
            await self._recoveries.pop()
