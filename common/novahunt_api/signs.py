"""Signs of life: when the API server last said anything on each watch, bookmarks included."""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

DEAF_SECONDS = 300.0
"""A watch without any sign for so long is deaf: bookmarks come about once a minute."""


class Watched(NamedTuple):
    """One watch: of a kind, named as in paths, in one namespace (None: in all)."""

    resource: str
    namespace: str | None

    def __str__(self) -> str:
        """Return words for people."""
        return f"{self.resource} in {self.namespace or 'all namespaces'}"


class Signs:
    """The last sign of each watch that there must be."""

    def __init__(self, restarted: Callable[[str], None] | None = None) -> None:
        """Take what is told the resource of each watch that is begun anew; None: nobody is."""
        self._restarted = restarted
        self._last: dict[Watched, float] = {}
        self._begun: set[Watched] = set()

    def expect(self, watched: Watched) -> None:
        """Take that there must be this watch from now on."""
        self._last[watched] = time.monotonic()

    def begin(self, watched: Watched) -> None:
        """Take that a connection for a watch is about to be made."""
        if watched in self._begun and self._restarted is not None:
            self._restarted(watched.resource)
        self._begun.add(watched)

    def heard(self, watched: Watched) -> None:
        """Take a sign of life; one of a watch that is not expected means nothing."""
        if watched in self._last:
            self._last[watched] = time.monotonic()

    def deaf(self) -> Iterator[str]:
        """Yield in words which watches are deaf, and for how long."""
        for watched, age in self.ages().items():
            if age > DEAF_SECONDS:
                yield f"the watch of {watched} has been silent for {age:.0f} s"

    def ages(self) -> dict[Watched, float]:
        """Return for how many seconds each expected watch has been silent."""
        now = time.monotonic()
        return {watched: now - at for watched, at in self._last.items()}
