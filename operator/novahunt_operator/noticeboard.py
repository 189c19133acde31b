"""Where collections tell each other how Hunter and their keys fare, so that one probe tells all of them."""

import msgspec

from novahunt_api.objects import Key
from novahunt_operator.ends import NO_ENDS, Elsewhere, Ends, merge


class KeyReference(msgspec.Struct, frozen=True):
    """The Secret that holds a Hunter key."""

    namespace: str
    name: str
    key: str


class _Board:
    """What is known within one scope. It only grows newer: what a deleted collection told stays true."""

    def __init__(self) -> None:
        self.ends = NO_ENDS
        self.live: dict[Key, int] = {}
        self.total = 0

    def tell(self, collection: Key, ends: Ends, live: int) -> bool:
        merged = merge(self.ends, ends)
        changed = merged != self.ends
        self.ends = merged
        self.count(collection, live)
        return changed

    def count(self, collection: Key, live: int) -> None:
        self.total += live - self.live.get(collection, 0)
        if live:
            self.live[collection] = live
        else:
            self.live.pop(collection, None)


class NoticeBoard:
    """The ends of runs over all collections, by key and in all. A memory: after a start each collection tells anew."""

    def __init__(self) -> None:
        self._everybody = _Board()
        self._by_key: dict[str, _Board] = {}
        self._references: dict[KeyReference, tuple[str, str]] = {}
        """When the newest run with the Secret ended, and its key's fingerprint."""
        self._told: dict[Key, tuple[str, Ends, int]] = {}
        self._waiting: set[Key] = set()

    def tell(self, collection: Key, reference: KeyReference, template_hash: str, ends: Ends, live: int) -> bool:
        """Take what a collection knows; tell whether those that wait should look again.

        Args:
            collection: Who tells.
            reference: The Secret that it names now.
            template_hash: Of the Job that would be built now: another one may have used another key.
            ends: How its runs ended.
            live: Its Jobs at work, and those whose end is not understood yet.
        """
        if ends.key and ends.key_template == template_hash:
            newest = self._references.get(reference, ("", ""))
            self._references[reference] = max(newest, (ends.keyed_at, ends.key))
        key = self._key_of(reference)
        if self._told.get(collection) == (key, ends, live):
            return False
        before = self._told.get(collection)
        self._told[collection] = (key, ends, live)
        changed = self._everybody.tell(collection, ends, live)
        if before is not None and before[0] and before[0] != key:
            self._by_key[before[0]].count(collection, 0)
        if key:
            of_the_key = ends if ends.key == key else NO_ENDS
            changed = self._by_key.setdefault(key, _Board()).tell(collection, of_the_key, live) or changed
        return changed

    def promise(self, collection: Key, starts: int) -> None:
        """Count Jobs that will be started now; what is told next counts anew."""
        key, ends, live = self._told.get(collection, ("", NO_ENDS, 0))
        if not starts:
            return
        self._told[collection] = (key, ends, live + starts)
        self._everybody.count(collection, live + starts)
        if key:
            self._by_key[key].count(collection, live + starts)

    def elsewhere(self, collection: Key, reference: KeyReference) -> Elsewhere:
        """Return what the others know and do."""
        board = self._by_key.get(self._key_of(reference), _Board())
        return Elsewhere(
            same_key=board.ends,
            everybody=self._everybody.ends,
            same_key_live=board.total - board.live.get(collection, 0),
            live=self._everybody.total - self._everybody.live.get(collection, 0),
        )

    def wait(self, collection: Key, *, waits: bool) -> None:
        """Note whether a collection waits for what another may find out."""
        if waits:
            self._waiting.add(collection)
        else:
            self._waiting.discard(collection)

    def waiting(self, *, but: Key) -> tuple[Key, ...]:
        """Return those who wait for what another may find out."""
        return tuple(sorted(self._waiting - {but}))

    def forget(self, collection: Key) -> None:
        """Drop a collection that is gone; what it found out stays."""
        told = self._told.pop(collection, None)
        self._waiting.discard(collection)
        self._everybody.count(collection, 0)
        if told is not None and told[0]:
            self._by_key[told[0]].count(collection, 0)

    def _key_of(self, reference: KeyReference) -> str:
        """Return the fingerprint of the key in a Secret, as the last run with it told; empty: none did."""
        return self._references.get(reference, ("", ""))[1]
