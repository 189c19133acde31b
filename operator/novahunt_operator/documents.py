"""Stores a document in ConfigMaps and reads it back: small ones plain, larger ones packed, huge ones in parts."""

import base64
import gzip
from typing import Any

import msgspec

from novahunt_contract import document as documents
from novahunt_contract.intake import Stored
from novahunt_contract.outcomes import Outcome
from novahunt_contract.receipt import ConfigMapPlace
from novahunt_operator import names, paths, wire
from novahunt_operator.cluster import Cluster, ConflictError, NotFoundError, UnavailableError
from novahunt_operator.recorder import Recorder
from novahunt_operator.records import Collection, Job, Place, Result, StoredResult
from novahunt_operator.store import Store

PACK_ABOVE = 16 * 1024
"""Bytes above which a document is packed with gzip."""

PART_BYTES = 900 * 1024
"""Packed bytes in one ConfigMap; with base64 and metadata it stays below etcd's 1.5 MiB."""


_PACKED = ".gz"
_MAX_KEY = 253
"""Characters of a ConfigMap's key."""


class LaterRunError(Exception):
    """A later run has stored its document."""


class DamagedDocumentError(Exception):
    """ConfigMaps that should hold a document do not."""


class Documents:
    """Documents of collections that store in ConfigMaps."""

    def __init__(self, cluster: Cluster, store: Store, recorder: Recorder) -> None:
        self._cluster = cluster
        self._store = store
        self._recorder = recorder

    async def put(self, collection: Collection, job: Job, data: bytes) -> Stored:
        """Store a document; it is durable, and the one that is read back, when this returns.

        Raises:
            InvalidDocumentError: the bytes are no document of the Job's domain and run.
            LaterRunError: a later run has stored its document.
            ApiError: the cluster refused, or was away; nothing that was stored before is lost.
        """
        document = documents.decode(data)
        if document.domain != job.domain or document.run != job.run:
            raise documents.InvalidDocumentError("it is of another domain or run than the caller's Job")
        result = self._store.results_of(collection.key).get(job.domain)
        if result is not None and result.data.run >= job.run:
            raise LaterRunError(f"run {result.data.run} of {job.domain} has ended already")
        if result is None:
            # Something must own the ConfigMaps from the start, or a crash here would leave them for ever.
            empty = Result(domain=job.domain, collection=collection.key.name, run=job.run - 1, outcome=Outcome.PENDING)
            result = await self._recorder.write(collection, empty)
        place = await self._create(result, document.domain, data)
        sha256 = documents.digest(data)
        stored = msgspec.structs.replace(
            result.data,
            storage=Place(config_map=place),
            emails=document.total,
            reported=document.reported,
            search_hash=document.search_hash,
            collected_at=document.collected_at,
            stored_at=document.stored_at,
            sha256=sha256,
            bytes=len(data),
        )
        await self._recorder.write(collection, stored)
        return Stored(place, sha256, len(data), document.stored_at)

    async def get(self, collection: Collection, job: Job) -> bytes | None:
        """Return the stored document of a Job's domain, or None.

        Raises:
            DamagedDocumentError: a part is missing, or the whole does not have the recorded digest.
        """
        result = self._store.results_of(collection.key).get(job.domain)
        place = result.data.storage.config_map if result is not None and result.data.storage is not None else None
        if result is None or place is None:
            return None
        parts: list[bytes] = []
        packed = False
        for name in place.names:
            try:
                part = await self._cluster.get(paths.config_maps(collection.key.namespace, name), wire.ConfigMapObject)
            except NotFoundError:
                raise DamagedDocumentError(f"ConfigMap {name} is gone") from None
            packed = packed or place.key in part.binary_data
            held = part.binary_data.get(place.key)
            parts.append(base64.b64decode(held) if held is not None else part.data.get(place.key, "").encode())
        try:
            data = gzip.decompress(b"".join(parts)) if packed else b"".join(parts)
        except (OSError, EOFError) as error:
            raise DamagedDocumentError(f"the packed document can't be read: {error}") from None
        if result.data.sha256 is not None and documents.digest(data) != result.data.sha256:
            raise DamagedDocumentError("the document does not have the recorded digest")
        return data

    async def _create(self, result: StoredResult, domain: str, data: bytes) -> ConfigMapPlace:
        key = _key(domain)
        parts = [data]
        if len(data) > PACK_ABOVE:
            # No time in the packed form: the same document has the same bytes and names.
            packed = gzip.compress(data, mtime=0)
            parts = [packed[start : start + PART_BYTES] for start in range(0, len(packed), PART_BYTES)]
            key += _PACKED
        digest = documents.digest(data)
        made = []
        for number, part in enumerate(parts):
            name = names.document_name(result.key.name, digest, number)
            await self._create_part(result, name, _part(key, part))
            made.append(name)
        return ConfigMapPlace(tuple(made), key)

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


def _key(domain: str) -> str:
    """Return the key in ConfigMaps: `<domain>.json`, or a hash where Kubernetes' 253 characters don't hold that."""
    name = documents.file_name(domain)
    longest = _MAX_KEY - len(_PACKED)
    return name if len(name) <= longest else documents.file_name(names.domain_hash(domain))


def _part(key: str, part: bytes) -> dict[str, Any]:
    if key.endswith(_PACKED):
        return {"binaryData": {key: base64.b64encode(part).decode()}}
    return {"data": {key: part.decode()}}


def _owner(result: StoredResult) -> dict[str, Any]:
    return {
        "apiVersion": names.API_VERSION,
        "kind": "DomainResult",
        "name": result.key.name,
        "uid": result.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }
