"""Replicas of the operator: each behind a gate of its own, and started again whenever it ends, as by a kubelet."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chaos.gate import Gate
from chaos.waiting import until
from cluster.operator_process import OperatorProcess

_LOOK_SECONDS = 0.05


@dataclass
class Seat:
    """One replica."""

    process: OperatorProcess
    gate: Gate
    paused: bool = False
    ends: int = 0
    """How often it has ended by itself: a replica that has lost its lease does."""
    _wanted: bool = False
    _guard: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """As the Lease names it."""
        return self.process.name

    @property
    def answers(self) -> bool:
        """Whether a call to its intake would be heard."""
        return self._wanted and not self.paused

    def start(self) -> None:
        """Start it, and again whenever it ends by itself."""
        self._wanted = True
        if self.process.pid is None:
            self.process.start()
        if self._guard is None:
            self._guard = asyncio.create_task(self._watch_over())

    def kill(self) -> None:
        """End it at once, until it is started."""
        self._wanted = self.paused = False
        self.process.kill()

    def pause(self) -> None:
        """Let it do nothing at all, as on a machine that is suspended."""
        if self.process.pid is not None:
            os.kill(self.process.pid, signal.SIGSTOP)
            self.paused = True

    def wake(self) -> None:
        """Let it go on as if no time had passed."""
        if self.process.pid is not None:
            os.kill(self.process.pid, signal.SIGCONT)
        self.paused = False

    async def close(self) -> None:
        """End it for good."""
        if self._guard is not None:
            self._guard.cancel()
        self.kill()
        await self.gate.stop()

    async def _watch_over(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if self._wanted and self.process.pid is None:
                self.ends += 1
                self.process.start()


@dataclass
class Seats:
    """All replicas of one operator."""

    all: list[Seat]
    holder: Callable[[], Awaitable[str]]
    """Reads who holds the Lease."""

    def addresses(self) -> list[str]:
        """Return where a collector's call may be answered."""
        return [f"http://127.0.0.1:{seat.process.port}" for seat in self.all if seat.answers]

    async def leader(self) -> Seat:
        """Return the active one."""
        if len(self.all) == 1:
            return self.all[0]
        holder = await self.holder()
        return next(seat for seat in self.all if seat.name == holder)

    async def until_taken_over(self, old: Seat, seconds: float = 60.0) -> None:
        """Wait until another one is active."""

        async def by_another() -> bool:
            return (await self.holder()) not in ("", old.name)

        async with asyncio.timeout(seconds):
            await until(by_another)
