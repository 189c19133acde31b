"""Runs a process's work in an event loop that no signal disturbs in the moment in which it closes."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run until the work is done, and return what it returns."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(work)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        super().__init__()
        self._heard: set[int] = set()

    def add_signal_handler(self, sig: int, callback: Callable[[*Ts], object], *args: *Ts) -> None:
        super().add_signal_handler(sig, callback, *args)
        self._heard.add(sig)

    def close(self) -> None:
        # asyncio closes the pipe that signals are told through before it takes the handlers away: one that comes
        # between is lost, and leaves a traceback in the log.
        for number in self._heard:
            signal.signal(number, signal.SIG_IGN)
        self._heard.clear()
        super().close()
