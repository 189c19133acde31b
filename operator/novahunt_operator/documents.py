"""Stores documents in ConfigMaps, within a collection's limit, and reads them back."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from novahunt_api import names, parts, paths, wire
from novahunt_api.cluster import ApiError, Cluster, ConflictError, NoRightError, NotFoundError, UnavailableError
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Place, Result, StoredResult
from novahunt_api.objects import Key
from novahunt_api.parts import DamagedDocumentError, Parts
from novahunt_contract import document as documents
from novahunt_contract.document import Document
from novahunt_contract.intake import Stored
from novahunt_contract.outcomes import Outcome
from novahunt_contract.receipt import ConfigMapPlace
from novahunt_operator import room
from novahunt_operator.recorder import Recorder
from novahunt_operator.records import Job
from novahunt_operator.refusals import GRACE_SECONDS
from novahunt_operator.store import Store
from novahunt_operator.stored import config_map_bytes

_REFUSALS = (400, 403, 413, 422)
"""Quota, admission and size: what the API server answers again, however often it is asked."""


class LaterRunError(Exception):
    """A later run has stored its document."""


class NotStoredError(Exception):
    """There is no room for the document: the collection's limit is reached, or the cluster refuses it for good."""


class Documents:
    """Documents of collections that store in ConfigMaps."""

    def __init__(self, cluster: Cluster, store: Store, recorder: Recorder, max_bytes: int) -> None:
        """Take the bytes that one collection's documents may take."""
        self._cluster = cluster
        self._store = store
        self._recorder = recorder
        self._max_bytes = max_bytes
        self._added: dict[Key, dict[str, int]] = {}
        """What documents that are being stored will add, by collection and domain."""
        self._without_right_since: float | None = None
        """Monotonic time."""

    async def put(self, collection: Collection, job: Job, data: bytes) -> Stored:
        """Store a document; it is durable, and the one that is read back, when this returns.

        Raises:
            InvalidDocumentError: the bytes are no document of the Job's domain and run.
            LaterRunError: a later run has stored its document.
            NotStoredError: there is no room for it; what was stored before is still there.
            ConflictError: something else was recorded for the domain meanwhile; it is still there.
            ApiError: the cluster was away; what was stored before is still there.
        """
        document = documents.decode(data)
        if document.domain != job.domain or document.run != job.run:
            raise documents.InvalidDocumentError("it is of another domain or run than the caller's Job")
        packed = await asyncio.to_thread(parts.split, document.domain, data)
        with self._breaking_off(collection.key):
            known = self._known(collection.key, job)
            before = known.data if known is not None else _nothing_yet(collection, job)
            growth = packed.size - config_map_bytes(before)
            used = self._store.in_config_maps(collection.key) + self._added_beside(collection.key, job.domain)
            if used + growth > self._max_bytes:
                await self._note_refusal(collection, known, before, packed.size)
                raise NotStoredError(room.refusal(packed.size, used, self._max_bytes))
            owner = known.key.name if known is not None else names.result_name(collection.key.name, job.domain)
            place = _place(owner, documents.digest(data), packed)
            stored = msgspec.structs.replace(
                before,
                storage=Place(config_map=place),
                emails=document.total,
                reported=document.reported,
                search_hash=document.search_hash,
                collected_at=document.collected_at,
                stored_at=document.stored_at,
                sha256=documents.digest(data),
                bytes=len(data),
                stored_bytes=packed.size,
                refused_bytes=0,
            )
            if known is None:
                await self._store_first(collection, before, stored, place, packed)
            else:
                with self._adding(collection.key, job.domain, growth):
                    await self._create(known, place, packed)
                    if known.data != stored:
                        await self._recorder.write(collection, stored, before=known.data)
        return Stored(place, documents.digest(data), len(data), document.stored_at)

    async def get(self, collection: Collection, job: Job) -> bytes | None:
        """Return the stored document of a Job's domain, or None.

        Raises:
            DamagedDocumentError: a part is missing, or the whole does not have the recorded digest.
            NotStoredError: this run's document was refused for want of room, and would be again: it must not be
                paid for once more.
        """
        result = self._store.results_of(collection.key).get(job.domain)
        used = self._store.in_config_maps(collection.key)
        if result is not None and room.refused_now(result.data, used, self._max_bytes):
            raise NotStoredError(room.refusal(result.data.refused_bytes, used, self._max_bytes))
        return await self.read(collection.key.namespace, result.data) if result is not None else None

    async def read(self, namespace: str, result: Result) -> bytes | None:
        """Return the document that a result tells of, or None.

        Raises:
            DamagedDocumentError: a part is missing, or the whole does not have the recorded digest.
        """
        place = result.config_map_place
        if place is None:
            return None
        found: list[wire.ConfigMapObject] = []
        for name in place.names:
            try:
                found.append(await self._cluster.get(paths.config_maps(namespace, name), wire.ConfigMapObject))
            except NotFoundError:
                raise DamagedDocumentError(f"ConfigMap {name} is gone") from None
        data = await asyncio.to_thread(parts.join, place.key, found)
        if result.sha256 is not None and documents.digest(data) != result.sha256:
            raise DamagedDocumentError("the document does not have the recorded digest")
        return data

    async def replace(self, collection: Collection, result: StoredResult, left: Document, data: bytes) -> Stored:
        """Put what a sweep left of a document in its place; the old one is gone when this returns.

        Raises:
            NotStoredError: the cluster refuses it; the old one is still there.
            ConflictError: another one was stored, or its run recorded, meanwhile: that one stays.
            ApiError: the cluster was away; the old one may be there, listed or left over.
        """
        packed = await asyncio.to_thread(parts.split, left.domain, data)
        digest = documents.digest(data)
        with self._breaking_off(collection.key):
            place = _place(result.key.name, digest, packed)
            await self._create(result, place, packed)
            stored = msgspec.structs.replace(
                result.data,
                storage=Place(config_map=place),
                emails=left.total,
                # Its own receipt tells which lists the sweep applied, when it has ended.
                suppression="",
                suppressed=left.suppressed,
                stored_at=left.stored_at,
                sha256=digest,
                bytes=len(data),
                stored_bytes=packed.size,
            )
            await self._recorder.write(collection, stored, before=result.data)
        return Stored(place, digest, len(data), left.stored_at)

    def _known(self, collection: Key, job: Job) -> StoredResult | None:
        """Return the record of a Job's domain that is there already, or None."""
        result = self._store.results_of(collection).get(job.domain)
        if result is not None and job.is_recorded(result.data):
            raise LaterRunError(f"run {result.data.run} of {job.domain} has ended already")
        return result

    async def _store_first(
        self, collection: Collection, nothing: Result, stored: Result, place: ConfigMapPlace, packed: Parts
    ) -> None:
        """Store a domain's first document: its record owns the ConfigMaps, and so is made before them.

        There is no old document that anybody could read, so it lists them at once, which spares a write. After a
        crash it may list some that are not there: the collector calls again, or `Leftovers` takes that back.
        """
        with self._adding(collection.key, stored.domain, packed.size):
            owner = await self._recorder.write(collection, stored, before=None)
        try:
            await self._create(owner, place, packed)
        except ApiError as error:
            if self._is_final(error):
                await self._recorder.write(collection, nothing, before=owner.data)
            raise

    async def _note_refusal(
        self, collection: Collection, known: StoredResult | None, result: Result, size: int
    ) -> None:
        """Record what a document would have needed: no other run is to be paid for before there is room for it."""
        if result.refused_bytes != size:
            noted = msgspec.structs.replace(result, refused_bytes=size)
            await self._recorder.write(collection, noted, before=known.data if known is not None else None)

    def _added_beside(self, collection: Key, domain: str) -> int:
        """Return what documents of other domains will add that are being stored at this moment."""
        return sum(added for other, added in self._added.get(collection, {}).items() if other != domain)

    @contextlib.contextmanager
    def _breaking_off(self, collection: Key) -> Iterator[None]:
        """Tell what the cluster refuses for good apart from what may pass, and note that parts may be left over."""
        try:
            yield
        except ApiError as error:
            self._recorder.untidy.add(collection)
            if self._is_final(error):
                raise NotStoredError(f"the Kubernetes API refuses to store the document: {error.message}") from None
            raise
        self._without_right_since = None

    def _is_final(self, error: ApiError) -> bool:
        """Tell whether the API server would answer the same again, however often it is asked."""
        if not isinstance(error, NoRightError):
            return error.code in _REFUSALS
        now = time.monotonic()
        if self._without_right_since is None:
            self._without_right_since = now
        return now - self._without_right_since >= GRACE_SECONDS

    @contextlib.contextmanager
    def _adding(self, collection: Key, domain: str, growth: int) -> Iterator[None]:
        self._added.setdefault(collection, {})[domain] = max(0, growth)
        try:
            yield
        finally:
            # Two calls for one domain may overlap, when the collector had no answer to the first in time.
            self._added[collection].pop(domain, None)

    async def _create(self, owner: StoredResult, place: ConfigMapPlace, packed: Parts) -> None:
        for number, name in enumerate(place.names):
            await self._create_part(owner, name, packed.fields(number))

    async def _create_part(self, result: StoredResult, name: str, content: dict[str, Any]) -> None:
        namespace = result.key.namespace
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "immutable": True,
            "metadata": {
                "name": name,
                "namespace": namespace,
                "labels": {
                    names.MANAGED_BY_LABEL: names.MANAGED_BY,
                    names.COMPONENT_LABEL: names.DOCUMENT,
                    names.COLLECTION_LABEL: result.data.collection,
                    names.DOMAIN_HASH_LABEL: names.domain_hash(result.data.domain),
                },
                "annotations": {
                    names.DOMAIN_ANNOTATION: result.data.domain,
                    "argocd.argoproj.io/ignore-resource-updates": "true",
                },
                "ownerReferences": [_owner(result)],
            },
            **content,
        }
        try:
            await self._cluster.create(paths.config_maps(namespace), body, wire.ConfigMapObject)
        except ConflictError:
            # Its name is made of its content: it is this very part, unless it belongs to a record that is gone.
            found = await self._cluster.get(paths.config_maps(namespace, name), wire.ConfigMapObject)
            if all(owner.uid != result.uid for owner in found.metadata.owner_references):
                message = f"ConfigMap {name} of a deleted record is still there"
                raise UnavailableError(0, "StillThere", message) from None


def _nothing_yet(collection: Collection, job: Job) -> Result:
    """Return the record of a domain of which no run has ended."""
    return Result(domain=job.domain, collection=collection.key.name, run=job.run - 1, outcome=Outcome.PENDING)


def _place(owner: str, digest: str, packed: Parts) -> ConfigMapPlace:
    """Return where the parts of a document lie that the DomainResult of this name owns."""
    made = (names.document_name(owner, digest, number) for number in range(len(packed.contents)))
    return ConfigMapPlace(tuple(made), packed.key)


def _owner(result: StoredResult) -> dict[str, Any]:
    return {
        "apiVersion": names.API_VERSION,
        "kind": "DomainResult",
        "name": result.key.name,
        "uid": result.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }
