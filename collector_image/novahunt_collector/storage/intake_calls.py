"""Calls to the operator's intake about documents: patient while it is away, up to a total time."""

import asyncio
import gzip
from collections.abc import Callable
from typing import TypeVar

import backoff
import msgspec

from novahunt_collector.errors import IntakeAwayError, RetryableError, StorageBusyError, StorageFailedError
from novahunt_collector.intake_link import NO_ROOM, Busy, IntakeLink, Reply, Unreachable
from novahunt_collector.settings import Backoff
from novahunt_collector.waits import waits
from novahunt_contract import document as documents
from novahunt_contract import intake as contract
from novahunt_contract.document import Document

READ_SECONDS = 30.0
"""For the intake to write a document's ConfigMaps."""

PLACE = "the operator's intake"

OK = 200
NOT_FOUND = 404
CONFLICT = 409
_TOO_LARGE = 413

_JSON = {"Content-Type": "application/json"}
_PACKED_JSON = {**_JSON, "Content-Encoding": "gzip"}

_Answer = TypeVar("_Answer", bound=msgspec.Struct)


class IntakeCalls:
    """One process's calls about documents."""

    def __init__(
        self, link: IntakeLink, settings: Backoff, patience: float, uniform: Callable[[float, float], float]
    ) -> None:
        """Take the parts.

        Args:
            link: The way to the intake.
            settings: Base and cap of the waits.
            patience: Seconds in all for one call.
            uniform: Returns a random number between its two arguments.
        """
        self._link = link
        self._patience = patience
        # Time alone bounds the tries here: nothing is paid for them.
        unbounded = msgspec.structs.replace(settings, patience=patience, max_failures=2**31)
        self._persistently = backoff.on_exception(
            lambda: waits(unbounded, uniform), RetryableError, jitter=None, logger=None
        )(self._once)

    async def get(self, path: str) -> Reply:
        """Read something."""
        return await self._call("GET", path, b"", {})

    async def tell(self, path: str, message: msgspec.Struct) -> Reply:
        """Send a message."""
        return await self._call("POST", path, msgspec.json.encode(message), _JSON)

    async def put(self, path: str, document: Document) -> contract.Stored | None:
        """Hand a document over; it is durable when this returns. None: a later run has stored another (409).

        Raises:
            StorageFailedError: it was not taken.
        """
        data = documents.encode(document)
        if len(data) > contract.MAX_DOCUMENT_BYTES:
            raise StorageFailedError(f"the document has {len(data)} bytes, too many for ConfigMaps: use a volume")
        reply = await self._call("PUT", path, gzip.compress(data, compresslevel=6, mtime=0), _PACKED_JSON)
        if reply.status == CONFLICT:
            return None
        _raise_without_room(reply)
        if reply.status == _TOO_LARGE:
            raise StorageFailedError(f"{PLACE} finds the document too large: {reply.sentence()}: use a volume")
        if reply.status not in range(OK, 300):
            raise StorageFailedError(f"{PLACE} did not take the document: {reply.sentence()}")
        return read(reply, contract.Stored, "gave no account of the stored document")

    async def _call(self, method: str, path: str, content: bytes, headers: dict[str, str]) -> Reply:
        try:
            async with asyncio.timeout(self._patience):
                return await self._persistently(method, path, content, headers)
        except (TimeoutError, StorageBusyError):
            raise IntakeAwayError(
                f"{PLACE} could not be used for {self._patience:g} s: check that the operator runs"
            ) from None

    async def _once(self, method: str, path: str, content: bytes, headers: dict[str, str]) -> Reply:
        reply = await self._link.call(method, path, content=content, headers=headers, read_seconds=READ_SECONDS)
        if isinstance(reply, Unreachable):
            raise StorageBusyError(f"{PLACE} can't be reached")
        if isinstance(reply, Busy):
            raise StorageBusyError(f"{PLACE} is busy", retry_after=reply.retry_after)
        return reply


def read(reply: Reply, kind: type[_Answer], failure: str) -> _Answer:
    """Return the message that a reply holds.

    Args:
        reply: What the intake answered.
        kind: What it should be.
        failure: What the intake did otherwise, for people.

    Raises:
        StorageFailedError: it is something else.
    """
    try:
        return msgspec.json.decode(reply.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise StorageFailedError(f"{PLACE} {failure}") from None


def document_of(reply: Reply) -> Document | None:
    """Return the document that a reply holds, or None: there is none (404).

    Raises:
        StorageFailedError: the intake does not give it.
        InvalidDocumentError: it is damaged.
    """
    if reply.status == NOT_FOUND:
        return None
    _raise_without_room(reply)
    if reply.status != OK:
        raise StorageFailedError(f"{PLACE} did not give the stored document: {reply.sentence()}")
    return documents.decode(reply.body)


def _raise_without_room(reply: Reply) -> None:
    """Fail with the intake's own sentence, which says what a person can do."""
    if reply.status == NO_ROOM:
        raise StorageFailedError(reply.sentence())
