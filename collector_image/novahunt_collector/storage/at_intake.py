"""Documents in ConfigMaps, which the operator's intake writes: a collector has no rights in Kubernetes."""

import logging

import msgspec

from novahunt_collector.errors import StorageFailedError
from novahunt_collector.storage.intake_calls import PLACE, IntakeCalls, document_of
from novahunt_collector.storage.interface import Kept, Storage
from novahunt_contract import document as documents
from novahunt_contract import intake as contract
from novahunt_contract.document import Document

_log = logging.getLogger(__name__)


class IntakeStorage(Storage):
    """Hands documents to the intake and reads them back."""

    def __init__(self, calls: IntakeCalls) -> None:
        self._calls = calls

    async def prepare(self, domain: str) -> None:
        """Do nothing: the load that follows shows whether the intake is there."""

    async def load(self, domain: str) -> Kept | None:
        """Ask the intake for the document of this pod's domain."""
        reply = await self._calls.get(contract.DOCUMENT)
        try:
            document = document_of(reply)
        except documents.InvalidDocumentError as error:
            _log.warning("the stored document is set aside: %s", error)
            return None
        if document is None:
            return None
        if document.domain != domain:
            raise StorageFailedError(f"{PLACE} gave the document of another domain than {domain}")
        return Kept(document=document, sha256=documents.digest(reply.body), size=len(reply.body), place=PLACE)

    async def store(self, document: Document) -> Kept | None:
        """Hand the document over; it is durable when the intake answers."""
        stored = await self._calls.put(contract.DOCUMENT, document)
        if stored is None:
            return None
        return Kept(
            document=msgspec.structs.replace(document, stored_at=stored.stored_at),
            sha256=stored.sha256,
            size=stored.bytes,
            place=PLACE,
            config_map=stored.config_map,
        )

    async def confirm(self, kept: Kept, left: Document, run: int) -> Kept | None:  # noqa: ARG002 - the interface's
        """Hand the document over again as this run's: only so the receipt can name its ConfigMaps.

        They are named by their content, so nothing is written where this run did so before.
        """
        return await self.store(msgspec.structs.replace(left, run=run))

    async def remove(self, domain: str) -> bool:  # noqa: ARG002 - the interface's
        """Leave it to the operator: the receipt's reason tells it to remove the document of this domain."""
        return False
