"""Writes DomainResults, whole and only over what they were derived from: the durable record of how runs ended."""

from typing import Any

import msgspec

from novahunt_api import domainresults, names, paths
from novahunt_api.cluster import ApiError, Cluster, ConflictError
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Result, ResultObject, StoredResult
from novahunt_api.objects import Key
from novahunt_api.spec import DeletionPolicy
from novahunt_operator.jobs import owner_reference
from novahunt_operator.metrics import Metrics
from novahunt_operator.store import Store


class Recorder:
    """The only writer of DomainResults and of the list of ConfigMaps that hold a document."""

    def __init__(self, cluster: Cluster, store: Store, metrics: Metrics | None = None) -> None:
        """Take where to write and what to know; and what counts, without which nobody is told."""
        self._metrics = metrics or Metrics()
        self._cluster = cluster
        self._store = store
        self.untidy: set[Key] = set()
        """Collections of which ConfigMaps may be left over that no result lists."""

    async def write(self, collection: Collection, result: Result, *, before: Result | None) -> StoredResult:
        """Record a result. The new one is known to the store when this returns.

        A result of a later run is never replaced by that of an earlier one, nor any by one that does not know of it:
        the ConfigMaps that only the replaced result lists are deleted.

        Args:
            collection: Whose result it is.
            result: What to record.
            before: What it was derived from, as it was read when that was decided; None: there was no record.

        Raises:
            ConflictError: what is recorded is not `before`, or its object has changed since it was last seen: nothing
                is written. Derived anew from what is recorded then, it can be.
        """
        known = self._store.results_of(collection.key).get(result.domain)
        if known is not None and known.owner_uid not in (None, collection.uid):
            message = f"the record of {result.domain} is about to go with a collection that is gone"
            raise ConflictError(409, "Going", message)
        if known is not None and known.data.run > result.run:
            raise ConflictError(409, "LaterRun", f"run {known.data.run} of {result.domain} is recorded already")
        # What was decided holds for equal data, whichever event has brought it: the version is the API server's matter.
        if (known.data if known is not None else None) != before:
            message = f"the record of {result.domain} has changed since it was decided what to record next"
            raise ConflictError(409, "Changed", message)
        if known is not None and result.storage is None:
            # A crash may leave a record that tells of ConfigMaps that are gone, never addresses that nothing tells of.
            await self._remove_unlisted(collection.key, known.data, result)
        owner = collection.uid if collection.spec.deletion_policy is DeletionPolicy.DELETE else None
        body = _body(collection.key, owner, result)
        namespace = collection.key.namespace
        if known is None:
            written = await self._cluster.create(paths.results(namespace), body, ResultObject)
        else:
            body["metadata"] |= {"resourceVersion": str(known.resource_version), "uid": known.uid}
            path = paths.results(namespace, known.key.name)
            try:
                written = await self._cluster.replace(path, body, ResultObject)
            except ApiError:
                # Only the answer may be lost, and a record that is there already is not written again.
                if _unlisted(known.data, result):
                    self.untidy.add(collection.key)
                raise
        self._metrics.results_recorded.labels(result.outcome).inc()
        stored = domainresults.read(written)
        self._store.put_result(stored)
        if known is not None and result.storage is not None:
            await self._remove_unlisted(collection.key, known.data, result)
        return stored

    async def give_away(self, known: StoredResult, owner_uid: str) -> None:
        """Let a record go with a collection of its name that is gone: Kubernetes removes it.

        Raises:
            ConflictError: the object has changed since it was last seen; its change will be seen soon.
        """
        body = _body(Key(known.key.namespace, known.data.collection), owner_uid, known.data)
        # A person may have restored it under another name.
        body["metadata"] |= {"name": known.key.name, "resourceVersion": str(known.resource_version), "uid": known.uid}
        path = paths.results(known.key.namespace, known.key.name)
        self._store.put_result(domainresults.read(await self._cluster.replace(path, body, ResultObject)))

    async def _remove_unlisted(self, collection: Key, before: Result, after: Result) -> None:
        """Delete the ConfigMaps that the result does not list any more; the write above was the switch."""
        try:
            for name in _unlisted(before, after):
                await self._cluster.delete(paths.config_maps(collection.namespace, name))
        except ApiError:
            self.untidy.add(collection)
            raise


def document_names(result: Result) -> tuple[str, ...]:
    """Return the names of the ConfigMaps that a result lists."""
    place = result.config_map_place
    return place.names if place is not None else ()


def _unlisted(before: Result, after: Result) -> tuple[str, ...]:
    """Return the names of the ConfigMaps that only the replaced result lists."""
    kept = set(document_names(after))
    return tuple(name for name in document_names(before) if name not in kept)


def _body(collection: Key, owner_uid: str | None, result: Result) -> dict[str, Any]:
    labels = {
        names.MANAGED_BY_LABEL: names.MANAGED_BY,
        names.COLLECTION_LABEL: collection.name,
        names.DOMAIN_HASH_LABEL: names.domain_hash(result.domain),
    }
    if len(result.domain) <= names.MAX_LABEL:
        labels[names.DOMAIN_LABEL] = result.domain
    metadata: dict[str, Any] = {
        "name": names.result_name(collection.name, result.domain),
        "namespace": collection.namespace,
        "labels": labels,
        "annotations": {"argocd.argoproj.io/ignore-resource-updates": "true"},
    }
    if owner_uid is not None:
        metadata["ownerReferences"] = [owner_reference(collection.name, owner_uid)]
    return {
        "apiVersion": names.API_VERSION,
        "kind": "DomainResult",
        "metadata": metadata,
        **msgspec.to_builtins(result),
    }
