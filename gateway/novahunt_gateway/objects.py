"""What the gateway knows of collections and results: a cache in memory, fed by watches and by its own writes."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from novahunt_api import domaincollections, domainresults, wire
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import ResultObject, StoredResult
from novahunt_api.objects import Key
from novahunt_api.watches import missed
from novahunt_gateway.departed import Departed
from novahunt_gateway.standing import Standing
from novahunt_gateway.wants import Wants


class Objects:
    """Collections by name, their results by domain.

    A late event never hides what a call of our own has answered, and a late answer never brings back what is deleted.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Take the clock, in seconds."""
        self._now = now
        self._departed = Departed()
        self._collections: dict[Key, Collection] = {}
        self._results: dict[Key, StoredResult] = {}
        self._results_of: dict[Key, dict[str, StoredResult]] = {}
        self._with: dict[Key, set[str]] = {}
        """By namespace and domain: the names of collections that have a result of it."""
        self._wants = Wants()

    def collection(self, key: Key) -> Collection | None:
        """Return a collection, as last seen."""
        return self._collections.get(key)

    def collections(self, namespace: str) -> list[Collection]:
        """Return all collections of a namespace, by name."""
        found = (one for one in self._collections.values() if one.key.namespace == namespace)
        return sorted(found, key=lambda one: one.key)

    def results_of(self, key: Key) -> Mapping[str, StoredResult]:
        """Return the results of a collection, by domain."""
        return self._results_of.get(key, {})

    def standing(self, key: Key, domain: str) -> Standing:
        """Return how a domain, in its one form, stands in a collection."""
        known = self.results_of(key).get(domain)
        return Standing(
            key=key,
            domain=domain,
            collection=self._collections.get(key),
            result=known.data if known is not None else None,
            is_listed=key.name in self._wants.of(key.namespace, domain),
        )

    def standings(self, namespace: str, domain: str) -> list[Standing]:
        """Return how a domain stands in each collection that lists it, in whatever form, or has or had a result of it.

        A collection that is deleted and has left its result is among them.
        """
        names = {*self._wants.of(namespace, domain), *self._with.get(Key(namespace, domain), ())}
        return [self.standing(Key(namespace, name), domain) for name in sorted(names)]

    def put_collection(self, new: Collection) -> None:
        """Keep a collection, unless it was deleted lately: then this is what a call of our own was answered before."""
        if self._departed.holds(new.uid, self._now()):
            return
        old = self._collections.get(new.key)
        if old is not None and old.resource_version > new.resource_version:
            return
        self._collections[new.key] = new
        if old is None or not _lists_alike(old, new):
            self._wants.put(new.key, new.spec.domains)

    def drop_collection(self, key: Key, uid: str) -> None:
        """Forget a collection that is deleted; another one of the same name stays."""
        self._departed.add(uid, self._now())
        old = self._collections.get(key)
        if old is not None and old.uid == uid:
            del self._collections[key]
            self._wants.drop(key)

    def put_result(self, new: StoredResult) -> None:
        """Keep a result."""
        old = self._results.get(new.key)
        if old is not None and old.resource_version > new.resource_version:
            return
        if old is not None:
            self.drop_result(old.key, old.uid)
        self._results[new.key] = new
        namespace, data = new.key.namespace, new.data
        self._results_of.setdefault(Key(namespace, data.collection), {})[data.domain] = new
        self._with.setdefault(Key(namespace, data.domain), set()).add(data.collection)

    def drop_result(self, key: Key, uid: str) -> None:
        """Forget a result that is deleted."""
        old = self._results.get(key)
        if old is None or old.uid != uid:
            return
        del self._results[key]
        of = self._results_of.get(Key(key.namespace, old.data.collection), {})
        # A person may have restored a second one of the same domain under another name.
        if of.get(old.data.domain) is old:
            del of[old.data.domain]
            self._forget_domain(key.namespace, old)
        if not of:
            self._results_of.pop(Key(key.namespace, old.data.collection), None)

    def _forget_domain(self, namespace: str, old: StoredResult) -> None:
        domain = Key(namespace, old.data.domain)
        names = self._with.get(domain, set())
        names.discard(old.data.collection)
        if not names:
            self._with.pop(domain, None)

    def all_collections(self) -> Iterable[Collection]:
        """Return all collections of all namespaces."""
        return self._collections.values()

    def all_results(self) -> Iterable[StoredResult]:
        """Return all results of all namespaces."""
        return self._results.values()


def _lists_alike(old: Collection, new: Collection) -> bool:
    """Tell whether two states of a collection list the same domains; most differ in their status alone."""
    if (old.uid, old.generation) == (new.uid, new.generation):
        return True
    # Comparing thousands of entries takes a moment, bringing them to one form takes a hundred.
    return old.spec.domains == new.spec.domains


Raw = dict[str, Any]


class CollectionFeed:
    """Keeps what a watch of collections sees."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def seen(self, item: Raw) -> str:
        """Keep a collection and return its UID."""
        found = domaincollections.read(item)
        self._objects.put_collection(found)
        return found.uid

    def gone(self, item: Raw) -> None:
        """Forget a collection."""
        found = domaincollections.read(item)
        self._objects.drop_collection(found.key, found.uid)

    def only(self, namespace: str | None, uids: set[str], version: int) -> None:
        """Forget the collections that are not among these."""
        for one in missed(self._objects.all_collections(), namespace, uids, version):
            self._objects.drop_collection(one.key, one.uid)


class ResultFeed:
    """Keeps what a watch of results sees."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def seen(self, item: ResultObject) -> str:
        """Keep a result and return its UID."""
        found = domainresults.read(item)
        self._objects.put_result(found)
        return found.uid

    def gone(self, item: ResultObject) -> None:
        """Forget a result."""
        self._objects.drop_result(wire.key(item.metadata), item.metadata.uid)

    def only(self, namespace: str | None, uids: set[str], version: int) -> None:
        """Forget the results that are not among these."""
        for one in missed(self._objects.all_results(), namespace, uids, version):
            self._objects.drop_result(one.key, one.uid)
