"""How a process ends when a signal asks it to: what is paid for and under way gets a grace, all else ends at once."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

_T = TypeVar("_T")

INTERRUPTED = "stopped by a signal before the domain was finished"
"""What the receipt says."""

STORING_SECONDS = 6.0
"""For a document or a page that is being stored."""

ANSWER_SECONDS = 4.0
"""For an answer of Hunter that is on its way, where it can be saved. Saving it and the last report follow."""


class Stop:
    """Whether a signal has asked the process to end; one a process."""

    def __init__(self) -> None:
        self.asked = False


async def let_finish(work: Coroutine[object, object, _T], stop: Stop, grace: float) -> _T:
    """Await work that a stop of the process may only cut short after a grace.

    When it ends in time, its end is what the caller gets, and the cancellation that the stop brought is over: the
    caller looks at `stop.asked` before it begins anything else.

    Args:
        work: What is being done.
        stop: Set before the task is cancelled. A cancellation without it, such as a time-out, gets no grace.
        grace: Seconds.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if stop.asked and not task.cancelled():
            await asyncio.wait({task}, timeout=grace)
            if task.done() and not task.cancelled():
                # Good or bad, the work's own end says more than the signal.
                current = asyncio.current_task()
                if current is not None:
                    current.uncancel()
                return task.result()
        raise
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                # Nobody asks for it any more.
                task.exception()
