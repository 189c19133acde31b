"""Documents in ConfigMaps, which the operator's intake writes: a collector has no rights in Kubernetes."""

import asyncio
import gzip
import logging
from collections.abc import Callable

import backoff
import msgspec

from novahunt_collector.errors import RetryableError, StorageBusyError, StorageFailedError
from novahunt_collector.intake_link import NO_ROOM, Busy, IntakeLink, Reply, Unreachable
from novahunt_collector.settings import Backoff
from novahunt_collector.storage.interface import Kept, Storage
from novahunt_collector.waits import waits
from novahunt_contract import document as documents
from novahunt_contract import intake as contract
from novahunt_contract.document import Document

_log = logging.getLogger(__name__)

READ_SECONDS = 30.0
"""For the intake to write a document's ConfigMaps."""

_PLACE = "the operator's intake"
_OK = 200
_NOT_FOUND = 404
_CONFLICT = 409
_TOO_LARGE = 413


class IntakeStorage(Storage):
    """Hands documents to the intake and reads them back; patient while it is away, up to a total time."""

    def __init__(
        self, link: IntakeLink, settings: Backoff, patience: float, uniform: Callable[[float, float], float]
    ) -> None:
        """Take the parts.

        Args:
            link: The way to the intake.
            settings: Base and cap of the waits.
            patience: Seconds in all for one document.
            uniform: Returns a random number between its two arguments.
        """
        self._link = link
        self._patience = patience
        # Time alone bounds the tries here: nothing is paid for them.
        unbounded = msgspec.structs.replace(settings, patience=patience, max_failures=2**31)
        self._persistently = backoff.on_exception(
            lambda: waits(unbounded, uniform), RetryableError, jitter=None, logger=None
        )(self._once)

    async def prepare(self, domain: str) -> None:
        """Do nothing: the load that follows shows whether the intake is there."""

    async def load(self, domain: str) -> Kept | None:
        """Ask the intake for the document of this pod's domain."""
        reply = await self._call("GET", b"")
        if reply.status == _NOT_FOUND:
            return None
        _raise_without_room(reply)
        if reply.status != _OK:
            raise StorageFailedError(f"{_PLACE} did not give the stored document: {reply.sentence()}")
        try:
            document = documents.decode(reply.body)
        except documents.InvalidDocumentError as error:
            _log.warning("the stored document is set aside: %s", error)
            return None
        if document.domain != domain:
            raise StorageFailedError(f"{_PLACE} gave the document of another domain than {domain}")
        return Kept(document=document, sha256=documents.digest(reply.body), size=len(reply.body), place=_PLACE)

    async def store(self, document: Document) -> Kept | None:
        """Hand the document over; it is durable when the intake answers."""
        data = documents.encode(document)
        if len(data) > contract.MAX_DOCUMENT_BYTES:
            raise StorageFailedError(f"the document has {len(data)} bytes, too many for ConfigMaps: use a volume")
        reply = await self._call("PUT", gzip.compress(data, compresslevel=6, mtime=0))
        if reply.status == _CONFLICT:
            return None
        _raise_without_room(reply)
        if reply.status == _TOO_LARGE:
            raise StorageFailedError(f"{_PLACE} finds the document too large: {reply.sentence()}: use a volume")
        if reply.status not in range(_OK, 300):
            raise StorageFailedError(f"{_PLACE} did not take the document: {reply.sentence()}")
        try:
            stored = msgspec.json.decode(reply.body, type=contract.Stored)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise StorageFailedError(f"{_PLACE} gave no account of the stored document") from None
        return Kept(
            document=msgspec.structs.replace(document, stored_at=stored.stored_at),
            sha256=stored.sha256,
            size=stored.bytes,
            place=_PLACE,
            config_map=stored.config_map,
        )

    async def confirm(self, kept: Kept, run: int) -> Kept | None:
        """Hand the document over again as this run's: only so the receipt can name its ConfigMaps.

        They are named by their content, so nothing is written where this run did so before.
        """
        return await self.store(msgspec.structs.replace(kept.document, run=run))

    async def remove(self, domain: str) -> bool:  # noqa: ARG002 - the interface's
        """Leave it to the operator: the receipt's reason tells it to remove the document of this domain."""
        return False

    async def _call(self, method: str, content: bytes) -> Reply:
        try:
            async with asyncio.timeout(self._patience):
                return await self._persistently(method, content)
        except (TimeoutError, StorageBusyError):
            raise StorageFailedError(
                f"{_PLACE} could not be used for {self._patience:g} s: check that the operator runs"
            ) from None

    async def _once(self, method: str, content: bytes) -> Reply:
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"} if content else {}
        reply = await self._link.call(
            method, contract.DOCUMENT, content=content, headers=headers, read_seconds=READ_SECONDS
        )
        if isinstance(reply, Unreachable):
            raise StorageBusyError(f"{_PLACE} can't be reached")
        if isinstance(reply, Busy):
            raise StorageBusyError(f"{_PLACE} is busy", retry_after=reply.retry_after)
        return reply


def _raise_without_room(reply: Reply) -> None:
    """Fail with the intake's own sentence, which says what a person can do."""
    if reply.status == NO_ROOM:
        raise StorageFailedError(reply.sentence())
