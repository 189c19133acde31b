"""Writes collections' status: only when it changed, never too often for the object's size, Events on transitions."""

import time

import msgspec

from novahunt_api import domaincollections, paths
from novahunt_api.cluster import JSON_PATCH, Cluster, NotFoundError
from novahunt_api.domaincollections import Collection
from novahunt_api.objects import Key
from novahunt_api.statusobject import CollectionStatus
from novahunt_operator.events import Events, transitions
from novahunt_operator.metrics import Metrics
from novahunt_operator.store import Store

_MIN_SECONDS = 2.0
_BYTES_PER_SECOND = 30_000
"""Each write stores the whole object again, domains included."""


class Reporter:
    """The only writer of `DomainCollection.status`."""

    def __init__(self, cluster: Cluster, store: Store, events: Events, metrics: Metrics) -> None:
        self._metrics = metrics
        self._cluster = cluster
        self._store = store
        self._events = events
        self._next_write: dict[Key, float] = {}

    def too_early(self, key: Key) -> float:
        """Return the seconds until a collection's status may be written again; 0 or less: it may be now."""
        return self._next_write.get(key, 0.0) - time.monotonic()

    async def report(self, collection: Collection, status: CollectionStatus) -> float | None:
        """Write a status that has changed. Returns the seconds after which to come again when it is too early."""
        if status == collection.status:
            return None
        wait = self.too_early(collection.key)
        if wait > 0:
            return wait
        path = paths.collection_status(collection.key.namespace, collection.key.name)
        # The test keeps a status of this object from a later one of the same name.
        patch = [
            {"op": "test", "path": "/metadata/uid", "value": collection.uid},
            {"op": "add", "path": "/status", "value": msgspec.to_builtins(status)},
        ]
        try:
            data = await self._cluster.call("PATCH", path, body=patch, content_type=JSON_PATCH)
        except NotFoundError:
            self._store.drop_collection(collection.key, collection.uid)
            return None
        self._metrics.status_writes.inc()
        self._next_write[collection.key] = time.monotonic() + max(_MIN_SECONDS, len(data) / _BYTES_PER_SECOND)
        self._store.put_collection(domaincollections.read(msgspec.json.decode(data)))
        for note in transitions(collection.status, status):
            await self._events.post(collection, note)
        return None

    def forget(self, key: Key) -> None:
        """Drop what is remembered of a collection that is gone."""
        self._next_write.pop(key, None)
