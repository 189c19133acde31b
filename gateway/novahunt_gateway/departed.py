"""Which objects are deleted, for as long as a late answer could still bring them back. Pure: the time is passed in."""

from typing import Final

SECONDS: Final = 60.0
"""A call's answer comes within thirty seconds or never. It can't be for ever: a restored etcd has old UIDs again."""


class Departed:
    """UIDs of objects that were deleted lately."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        """In the order of deletion, in seconds of any clock that never goes back."""

    def add(self, uid: str, now: float) -> None:
        """Take that an object is deleted."""
        self._forget(now)
        self._since.pop(uid, None)
        self._since[uid] = now

    def holds(self, uid: str, now: float) -> bool:
        """Tell whether an object was deleted lately."""
        since = self._since.get(uid)
        return since is not None and now - since < SECONDS

    def __len__(self) -> int:
        return len(self._since)

    def _forget(self, now: float) -> None:
        while self._since:
            oldest = next(iter(self._since))
            if now - self._since[oldest] < SECONDS:
                return
            del self._since[oldest]
