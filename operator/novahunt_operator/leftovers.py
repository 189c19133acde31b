"""Clears up after documents whose storing broke off: ConfigMaps that no DomainResult lists, and lists of none."""

import logging
from collections import defaultdict
from collections.abc import Mapping

import msgspec

from novahunt_api import names, paths, wire
from novahunt_api.cluster import ApiError, Cluster
from novahunt_api.domainresults import StoredResult
from novahunt_api.objects import Key
from novahunt_operator.recorder import Recorder, document_names
from novahunt_operator.store import Store
from novahunt_operator.stored import SUCCESS, forget
from novahunt_operator.territory import Territory

_PAGE = 500
_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""What is in the documents is not wanted here."""

_ALL = f"{names.MANAGED_BY_LABEL}={names.MANAGED_BY},{names.COMPONENT_LABEL}={names.DOCUMENT}"

_log = logging.getLogger(__name__)


class _Labelled(msgspec.Struct, frozen=True):
    """A ConfigMap without what it holds."""

    metadata: wire.Meta


class _Page(msgspec.Struct, frozen=True):
    """A page of them; the API server writes null where it has none to tell of."""

    metadata: wire.ListMeta
    items: tuple[_Labelled, ...] | None = None


class Leftovers:
    """Looks through all ConfigMaps once after a start, which may have followed a crash; then only where it is told to.

    They are deleted with their DomainResult in any case; this keeps them from taking room until then.
    """

    def __init__(self, cluster: Cluster, store: Store, recorder: Recorder, territory: Territory) -> None:
        """Take what it looks through and with."""
        self._cluster = cluster
        self._store = store
        self._recorder = recorder
        self._territory = territory
        self._looked_everywhere = False

    async def clear(self) -> None:
        """Delete what is left over; what a collector may still be working on is left for the next time.

        Raises:
            ApiError: the cluster was away; the next call does what this one did not.
        """
        if not self._looked_everywhere:
            deleted = sum([await self._clear(namespace) for namespace in self._territory.namespaces])
            _log.info("looked for ConfigMaps that no DomainResult lists: %d were left over", deleted)
            self._looked_everywhere = True
            return
        for collection in tuple(self._recorder.untidy):
            self._recorder.untidy.discard(collection)
            try:
                await self._clear(collection.namespace, collection.name)
            except ApiError:
                self._recorder.untidy.add(collection)
                raise

    async def _clear(self, namespace: str | None, name: str | None = None) -> int:
        """Delete those of a namespace (None: of all), of the collections of a name (None: of all); return how many."""
        deleted = 0
        before = [
            result
            for result in self._store.results()
            if namespace in (None, result.key.namespace) and name in (None, result.data.collection)
        ]
        found = await self._list(namespace, _ALL if name is None else f"{_ALL},{names.COLLECTION_LABEL}={name}")
        # After the list: what was stored meanwhile is in its result.
        results = self._store.results()
        listed = {Key(result.key.namespace, name) for result in results for name in document_names(result.data)}
        for collection, maps in found.items():
            for meta in maps:
                if Key(collection.namespace, meta.name) in listed:
                    continue
                domain = meta.annotations.get(names.DOMAIN_ANNOTATION, "")
                extra = {"collection": str(collection), "domain": domain}
                if self._may_be_stored(collection, domain):
                    _log.info("ConfigMap %s of %s is listed by no DomainResult yet", meta.name, collection, extra=extra)
                    self._recorder.untidy.add(collection)
                    continue
                text = "ConfigMap %s of %s is listed by no DomainResult: it is deleted"
                _log.info(text, meta.name, collection, extra=extra)
                await self._cluster.delete(paths.config_maps(collection.namespace, meta.name), uid=meta.uid)
                deleted += 1
        there = {Key(collection.namespace, meta.name) for collection, maps in found.items() for meta in maps}
        for result in before:
            if not all(Key(result.key.namespace, name) in there for name in document_names(result.data)):
                await self._take_back(result)
        return deleted

    async def _take_back(self, result: StoredResult) -> None:
        """Let a record tell no more of a first document that a crash kept from being stored; it lists it before it is.

        One that was stored, and whose ConfigMaps a person has deleted, is left as it is.
        """
        key = Key(result.key.namespace, result.data.collection)
        collection, known = self._store.collection(key), self._store.results_of(key).get(result.data.domain)
        if collection is None or known != result or result.data.outcome in SUCCESS:
            return
        if self._may_be_stored(key, result.data.domain):
            self._recorder.untidy.add(key)
            return
        extra = {"collection": str(key), "domain": result.data.domain, "run": result.data.run}
        _log.info("DomainResult %s lists ConfigMaps that are not there: it is corrected", result.key, extra=extra)
        await self._recorder.write(collection, forget(result.data), before=result.data)

    def _may_be_stored(self, collection: Key, domain: str) -> bool:
        """Whether a collector may be storing a document of this domain."""
        jobs, pods = self._store.jobs_of(collection).values(), self._store.pods_of(collection).values()
        return (
            any(job.domain == domain and job.end is None for job in jobs)
            or any(pod.domain == domain and not pod.finished for pod in pods)
            or any(errand.end is None for errand in self._store.errands_of(collection).values())
        )

    async def _list(self, namespace: str | None, selector: str) -> Mapping[Key, list[wire.Meta]]:
        """Return the ConfigMaps' metadata by collection."""
        found: defaultdict[Key, list[wire.Meta]] = defaultdict(list)
        query = {"labelSelector": selector, "limit": str(_PAGE)}
        while True:
            data = await self._cluster.call("GET", paths.config_maps(namespace), query=query, accept=_METADATA_ONLY)
            page = msgspec.json.decode(data, type=_Page)
            for item in page.items or ():
                meta = item.metadata
                found[Key(meta.namespace, meta.labels.get(names.COLLECTION_LABEL, ""))].append(meta)
            if not page.metadata.continue_:
                return found
            query["continue"] = page.metadata.continue_
