"""Runs blocking work on files beside the loop, and gives it up when it takes too long."""

import asyncio
import contextlib
import contextvars
import functools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from novahunt_collector.errors import StorageFailedError

_T = TypeVar("_T")


async def within(seconds: float, place: Path, work: Callable[[], _T]) -> _T:
    """Return what the work returns, or raise what it raises.

    Each work has a thread of its own, and the end of the process does not wait for it: a file server that is gone
    holds a call for ever, and the threads of the loop's own executor would be waited for.

    Args:
        seconds: After so many the work is given up, though its thread may go on.
        place: What is worked on, for people.
        work: Blocking.

    Raises:
        StorageFailedError: it took too long.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[_T] = loop.create_future()

    def run() -> None:
        try:
            news = functools.partial(ended.set_result, work())
        except Exception as error:  # noqa: BLE001 - it is the waiting side's to judge
            news = functools.partial(ended.set_exception, error)
        # The loop is closed when the work outlived the run.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_unless_given_up, ended, news)

    # What is logged there names the same domain.
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(run,), name=f"files in {place}", daemon=True).start()
    try:
        async with asyncio.timeout(seconds):
            return await ended
    except TimeoutError:
        failed = StorageFailedError(
            f"{place} can't be used: it did not answer within {seconds:g} s: check the volume and its file server"
        )
        failed.hangs = True
        raise failed from None


def _unless_given_up(ended: asyncio.Future[_T], news: Callable[[], None]) -> None:
    if not ended.done():
        news()
