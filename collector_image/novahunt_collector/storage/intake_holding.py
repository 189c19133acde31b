"""A sweep's way to the operator: documents in ConfigMaps, and the word that must come before a file is touched."""

from collections.abc import Sequence

from novahunt_collector.errors import StorageFailedError
from novahunt_collector.storage.holding import Holding
from novahunt_collector.storage.intake_calls import CONFLICT, OK, PLACE, IntakeCalls, document_of, read
from novahunt_collector.storage.interface import Kept
from novahunt_contract import document as documents
from novahunt_contract import intake as contract
from novahunt_contract.document import Document


class IntakeHolding(Holding):
    """The documents of the pod's own collection that lie in ConfigMaps."""

    def __init__(self, calls: IntakeCalls) -> None:
        self._calls = calls

    async def domains(self) -> Sequence[str]:
        """Ask the intake for them."""
        reply = await self._calls.get(contract.DOCUMENTS)
        if reply.status != OK:
            raise StorageFailedError(f"{PLACE} does not say what is stored: {reply.sentence()}")
        return read(reply, contract.Listing, "does not say what is stored").domains

    async def load(self, domain: str) -> Kept | None:
        """Ask the intake for it."""
        reply = await self._calls.get(_path(domain))
        try:
            document = document_of(reply)
        except documents.InvalidDocumentError:
            return None
        if document is None or document.domain != domain:
            return None
        return Kept(document=document, sha256=documents.digest(reply.body), size=len(reply.body), place=PLACE)

    async def replace(self, before: Kept, left: Document) -> bool:
        """Hand it over; the operator makes new ConfigMaps and removes the old ones."""
        return await self._calls.put(_path(before.document.domain), left) is not None

    async def remove(self, before: Kept, *, expired: bool) -> bool:
        """Tell the operator, who removes it."""
        return await tell(self._calls, contract.Swept(before.document.domain, removed=True, expired=expired))


async def tell(calls: IntakeCalls, swept: contract.Swept) -> bool:
    """Tell the operator what is left of a document; False: it must be left alone."""
    reply = await calls.tell(contract.SWEPT, swept)
    if reply.status == CONFLICT:
        return False
    if reply.status not in range(OK, 300):
        raise StorageFailedError(f"{PLACE} does not record what a sweep leaves: {reply.sentence()}")
    return True


def _path(domain: str) -> str:
    return f"{contract.DOCUMENTS}/{domain}"
