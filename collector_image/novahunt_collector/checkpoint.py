"""The checkpoint: the answered pages of a collection that is not finished, as lines that vouch for each other. Pure.

A file is a header and one line a page, each `<sha256, hexadecimal> <JSON>` with a line feed. The sum is taken over the
sum of the line before and the JSON, so no line can be changed, left out, moved or brought in from another file. What
follows the last line feed is a line that a crash cut off, and is dropped; anything else that is wrong spoils the whole.

A fuzzer calls `decode` with any bytes, and with payloads sealed by `seal`, to get past the sums.
"""

import hashlib
from datetime import datetime
from typing import Annotated, TypeVar

import msgspec

from novahunt_contract import times
from novahunt_contract.document import Item

VERSION = 1

_LARGEST_PAGE = 100
"""Hunter's highest `limit` (its API documentation, read 2026-11)."""

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Shape = TypeVar("_Shape", bound=msgspec.Struct)
_PageSize = Annotated[int, msgspec.Meta(ge=1, le=_LARGEST_PAGE)]


class InvalidCheckpointError(ValueError):
    """Bytes that are no checkpoint to be trusted; the text says what is wrong, without their content."""


class Header(msgspec.Struct, frozen=True, rename="camel"):
    """What the pages are of."""

    domain: str
    search_hash: str
    page_size: _PageSize
    """Addresses of a full page. It stays the same to the end: a page cut otherwise may be paid for again."""
    started: str
    """When the run began that asked for the first page: UTC text with milliseconds."""
    nonce: str = ""
    """Drawn for each file that is written, so that no line fits into another file."""
    version: int = VERSION


class SavedPage(msgspec.Struct, frozen=True, rename="camel"):
    """An answered page: what was asked, what Hunter said, what it cost, and what is kept of it."""

    number: Annotated[int, msgspec.Meta(ge=1)]
    offset: _Count
    limit: _PageSize
    received: _Count
    """Entries that came."""
    results: _Count | None
    """Hunter's total; None: it gave none."""
    approximate: bool
    new: _Count
    """Addresses that were on no earlier page."""
    credits: _Count
    """What it cost, with answers that were lost before this one came."""
    requests: _Count
    """Requests that it took."""
    items: tuple[Item, ...]
    job_id: str = ""
    """Names the run that paid for it: its next attempt counts it as its own."""
    held_back: _Count = 0
    """Addresses among the new ones that a suppression list kept out."""
    key: str = ""
    """Fingerprint of the Hunter key that it was asked with; empty: not known."""


class Checkpoint(msgspec.Struct, frozen=True):
    """A collection that is not finished."""

    header: Header
    pages: tuple[SavedPage, ...] = ()


class Encoder:
    """Makes the lines of one file, in their order."""

    def __init__(self) -> None:
        self._sum = ""

    def header(self, header: Header) -> bytes:
        """Return the first line."""
        return self._line(msgspec.json.encode(header))

    def page(self, page: SavedPage) -> bytes:
        """Return the next line."""
        return self._line(msgspec.json.encode(page))

    def _line(self, payload: bytes) -> bytes:
        line, self._sum = seal(payload, self._sum)
        return line


def encode(checkpoint: Checkpoint) -> bytes:
    """Return a whole file."""
    encoder = Encoder()
    return b"".join([encoder.header(checkpoint.header), *map(encoder.page, checkpoint.pages)])


def decode(data: bytes) -> Checkpoint:
    """Read a file; a last line without a line feed is left out.

    Raises:
        InvalidCheckpointError: anything else is wrong; then nothing of it can be trusted.
    """
    # What follows the last line feed is not whole.
    first, *rest = _unsealed(data.split(b"\n")[:-1])
    header = _header(first)
    pages: list[SavedPage] = []
    offset = 0
    for number, payload in enumerate(rest, start=1):
        page = _read(payload, SavedPage, f"page {number}")
        if (page.number, page.offset) != (number, offset) or page.limit > header.page_size:
            raise InvalidCheckpointError(f"page {number} does not follow the one before")
        offset += page.limit
        pages.append(page)
    return Checkpoint(header=header, pages=tuple(pages))


def seal(payload: bytes, before: str) -> tuple[bytes, str]:
    """Return a line and its sum.

    Args:
        payload: JSON without a line feed.
        before: The sum of the line before; empty for the first.
    """
    checksum = hashlib.sha256(before.encode() + payload).hexdigest()
    return b"%s %s\n" % (checksum.encode(), payload), checksum


def unfit(checkpoint: Checkpoint, *, domain: str, search_hash: str, not_before: datetime | None) -> str | None:
    """Return why a checkpoint does not belong to what is wanted now; None: it does.

    Args:
        checkpoint: What was saved.
        domain: Wanted now, in its one form.
        search_hash: Of the filters wanted now.
        not_before: What was begun earlier is too old; None: nothing is.
    """
    header = checkpoint.header
    if header.domain != domain:
        return "it is of another domain"
    if header.search_hash != search_hash:
        return "it is of another search"
    if not_before is not None and times.from_text(header.started) < not_before:
        return "it is older than what is asked for or stored"
    return None


def _unsealed(lines: list[bytes]) -> list[bytes]:
    if not lines:
        raise InvalidCheckpointError("it holds no whole line")
    payloads: list[bytes] = []
    before = ""
    for number, line in enumerate(lines, start=1):
        payload = line.partition(b" ")[2]
        sealed, before = seal(payload, before)
        if sealed[:-1] != line:
            raise InvalidCheckpointError(f"line {number} does not fit its checksum and the lines before it")
        payloads.append(payload)
    return payloads


class _Version(msgspec.Struct, frozen=True):
    version: int


def _header(payload: bytes) -> Header:
    version = _read(payload, _Version, "its header").version
    if version != VERSION:
        raise InvalidCheckpointError(f"it has the format version {version}; this collector writes {VERSION}")
    header = _read(payload, Header, "its header")
    try:
        plain = times.to_text(times.from_text(header.started)) == header.started
    except (ValueError, OverflowError):
        plain = False
    if not plain:
        raise InvalidCheckpointError("its header does not say when it was begun")
    return header


def _read(payload: bytes, shape: type[_Shape], name: str) -> _Shape:
    try:
        return msgspec.json.decode(payload, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # msgspec names the place and the expected type, never the value.
        text = str(error) if isinstance(error, msgspec.DecodeError) else type(error).__name__
        raise InvalidCheckpointError(f"{name} can't be read: {text}") from None
