"""Answers sweeps: which documents lie in ConfigMaps, what they hold, and what is left of them or of files."""

import msgspec

from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Result, StoredResult
from novahunt_contract import document as documents
from novahunt_contract.intake import Stored, Swept
from novahunt_operator.documents import Documents
from novahunt_operator.pods import volume_path
from novahunt_operator.recorder import Recorder
from novahunt_operator.store import Store
from novahunt_operator.stored import expire, has_document, in_config_maps, suppress


class BusyError(Exception):
    """The document must be left alone: a run of its domain is under way, or has stored another one since."""


class Sweeping:
    """What sweeps may see and change of their own collection."""

    def __init__(self, store: Store, recorder: Recorder, documents_: Documents) -> None:
        self._store = store
        self._recorder = recorder
        self._documents = documents_

    def domains(self, collection: Collection) -> tuple[str, ...]:
        """Return the domains whose documents lie in ConfigMaps."""
        found = self._store.results_of(collection.key).items()
        return tuple(sorted(domain for domain, result in found if in_config_maps(result.data)))

    async def get(self, collection: Collection, domain: str) -> bytes | None:
        """Return a domain's document out of ConfigMaps, or None.

        Raises:
            DamagedDocumentError: it can't be read.
        """
        result = self._result(collection, domain)
        return await self._documents.read(collection.key.namespace, result.data) if result is not None else None

    async def put(self, collection: Collection, domain: str, data: bytes) -> Stored:
        """Store what is left of a domain's document in its place, under the run that it is of.

        Raises:
            InvalidDocumentError: it is no part of what is stored.
            BusyError: leave it alone.
            NotStoredError: the cluster refuses it.
        """
        left = documents.decode(data)
        if left.domain != domain:
            raise documents.InvalidDocumentError("it is of another domain than the call")
        self._leave_alone_if_busy(collection, domain)
        result = self._result(collection, domain)
        if result is None or not in_config_maps(result.data) or result.data.collected_at != left.collected_at:
            raise BusyError(f"another document of {domain} is stored, or none")
        if left.total > result.data.emails:
            raise documents.InvalidDocumentError("it holds more addresses than the one that is stored")
        return await self._documents.replace(collection, result, left, data)

    async def swept(self, collection: Collection, swept: Swept) -> None:
        """Record what is left of a document; one in ConfigMaps that nothing is left of is removed with that.

        Raises:
            BusyError: leave it alone.
        """
        self._leave_alone_if_busy(collection, swept.domain)
        known = self._result(collection, swept.domain)
        # A file that no record tells of is the sweep's alone; the next run of its domain records what it finds.
        if known is not None and has_document(known.data):
            after = self._after(collection, known.data, swept)
            if after != known.data:
                await self._recorder.write(collection, after, before=known.data)

    def _after(self, collection: Collection, result: Result, swept: Swept) -> Result:
        if in_config_maps(result):
            # The sweep may speak of a file that an earlier storage has left on the volume. What has grown too old in
            # ConfigMaps goes by itself.
            if not swept.removed or swept.expired:
                return result
        elif not _lies_where_it_is_swept(collection, result):
            return result
        if swept.removed:
            return expire(result, collection.spec.retention or "") if swept.expired else suppress(result)
        return msgspec.structs.replace(
            result,
            emails=swept.emails,
            suppression="",
            sha256=swept.sha256,
            bytes=swept.bytes,
            stored_at=swept.stored_at,
        )

    def _result(self, collection: Collection, domain: str) -> StoredResult | None:
        return self._store.results_of(collection.key).get(domain)

    def _leave_alone_if_busy(self, collection: Collection, domain: str) -> None:
        """Refuse while a run may answer from the document, or store another one: its receipt tells of what it saw."""
        result = self._result(collection, domain)
        recorded = result.data.run if result is not None else 0
        jobs = self._store.jobs_of(collection.key).values()
        pods = self._store.pods_of(collection.key).values()
        if any(
            job.domain == domain and job.owner_uid == collection.uid and (job.run > recorded or job.end is None)
            for job in jobs
        ) or any(pod.domain == domain and not pod.finished for pod in pods):
            raise BusyError(f"a run of {domain} is under way")


def _lies_where_it_is_swept(collection: Collection, result: Result) -> bool:
    volume = collection.spec.volume
    place = result.volume_place
    if volume is None or place is None:
        return False
    return (place.claim_name, place.path) == (volume.claim_name, volume_path(collection))
