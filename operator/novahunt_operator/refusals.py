"""Tells what the API server refuses for good from what may pass, for each collection by itself."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from novahunt_api.cluster import ApiError, ConflictError, GoneError, NoRightError, NotFoundError, UnavailableError
from novahunt_api.objects import Key

GRACE_SECONDS = 60.0
"""For so long a missing right may be that of an API server that has just started and not read its roles yet."""

RETELL_SECONDS = 60.0
"""For so long a refusal is told in its first words, though it comes in others, with a time or a number of the call.

Other words are another status, whose own event would have the refused calls made again at once, for ever.
"""

_PASSING = (NotFoundError, ConflictError, GoneError, UnavailableError)
"""The same call may succeed once the world is looked at anew, or the server is back."""

_UNAUTHENTICATED = 401
"""So says, as of a missing right, an API server that can't check tokens yet."""


_TOO_BUSY = 429


def is_the_servers_fault(error: ApiError) -> bool:
    """Tell whether the API server answers, but with an error of its own, after all the client's patience.

    It may lack the key that an object was encrypted with, and hand out all others.
    """
    return isinstance(error, UnavailableError) and error.code not in (0, _TOO_BUSY)


class Grace:
    """Knows since when each collection's calls have failed for want of a right."""

    def __init__(self) -> None:
        self._since: dict[Key, float] = {}

    def is_final(self, key: Key, error: ApiError) -> bool:
        """Tell whether the API server will answer a collection's call the same, however often it is asked."""
        if isinstance(error, _PASSING) or not 400 <= error.code < 500:  # noqa: PLR2004 - the caller's errors
            return False
        if not isinstance(error, NoRightError) and error.code != _UNAUTHENTICATED:
            return True
        now = time.monotonic()
        return now - self._since.setdefault(key, now) >= GRACE_SECONDS

    def end(self, key: Key) -> None:
        """Take that its calls are answered, or that it is gone."""
        self._since.pop(key, None)


class Faults:
    """The calls that failed in one look at a collection, while the others went on."""

    def __init__(self, progressed: Callable[[], None]) -> None:
        """Take what is told after each part of the look that it does not hang: a part may have waited for retries."""
        self._progressed = progressed
        self.all: list[ApiError] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Leave the block where a call in it fails, and go on after it."""
        try:
            yield
        except ApiError as error:
            self.all.append(error)
        finally:
            self._progressed()

    def raise_first(self) -> None:
        """Raise the first one, if there is any."""
        if self.all:
            raise self.all[0]


@dataclass(frozen=True, slots=True)
class _Told:
    """The refusal that is told, and since when (monotonic clock)."""

    error: ApiError
    since: float

    def goes_on(self, final: list[ApiError], now: float) -> bool:
        """Whether it is among those of the newest look, if not in its own words, then lately in others."""
        if any(error.message == self.error.message for error in final):
            return True
        kind = (self.error.code, self.error.reason)
        return now - self.since < RETELL_SECONDS and any((error.code, error.reason) == kind for error in final)


class Refusals:
    """What the API server refuses each collection for good, in words for people."""

    def __init__(self) -> None:
        self._grace = Grace()
        self._told: dict[Key, _Told] = {}

    def take(self, key: Key, faults: Faults) -> None:
        """Take how the calls of the newest look went; where all did well, nothing is refused any more."""
        final = [error for error in faults.all if self._grace.is_final(key, error)]
        if final:
            told, now = self._told.get(key), time.monotonic()
            if told is None or not told.goes_on(final, now):
                self._told[key] = _Told(final[0], now)
        elif not faults.all:
            self.forget(key)

    def of(self, key: Key) -> str:
        """Return what is refused; empty for nothing."""
        told = self._told.get(key)
        return f"The API server refuses what NovaHunt has to do: {told.error.message}" if told is not None else ""

    def forget(self, key: Key) -> None:
        """Drop what is remembered of a collection."""
        self._grace.end(key)
        self._told.pop(key, None)
