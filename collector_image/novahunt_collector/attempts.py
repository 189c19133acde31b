"""Does pieces of work on a storage one after the other: one that fails does not keep the others from being done."""

import asyncio
from collections.abc import Coroutine

from novahunt_collector.display import counted
from novahunt_collector.errors import IntakeAwayError, StorageFailedError

STOP_SECONDS = 6.0
"""For the document in hand when a signal comes."""

MOST_FAILURES_IN_A_ROW = 3
"""So many documents one after the other that can't be used mean that the storage is gone: each may take minutes."""


class Attempts:
    """What failed until now."""

    def __init__(self) -> None:
        self._failures: list[StorageFailedError] = []
        self._in_a_row = 0

    async def attempt(self, work: Coroutine[object, object, None]) -> None:
        """Do one piece of work; a signal may cut it short only after a grace.

        Raises:
            StorageFailedError: the intake is away, or too many failed one after the other.
        """
        try:
            await _whole(work)
        except IntakeAwayError:
            raise
        except StorageFailedError as error:
            self._failures.append(error)
            self._in_a_row += 1
            if self._in_a_row >= MOST_FAILURES_IN_A_ROW:
                raise
        else:
            self._in_a_row = 0

    def raise_failures(self, done: str) -> None:
        """End what went through all of it.

        Args:
            done: What should have been done with each document, as a participle.

        Raises:
            StorageFailedError: some of it failed.
        """
        if self._failures:
            raise StorageFailedError(
                f"{counted(len(self._failures), 'document')} could not be {done}; the first: {self._failures[0]}"
            )


async def _whole(work: Coroutine[object, object, None]) -> None:
    """Await work that a signal may only cut short after a grace, and end with the signal all the same."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=STOP_SECONDS)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
