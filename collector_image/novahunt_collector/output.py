"""What a person asked to see on standard output: addresses or counts as JSON, JSON lines or CSV, as they come."""

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import BinaryIO, NamedTuple

import msgspec

from novahunt_collector.errors import OutputClosedError, StorageFailedError
from novahunt_contract import document as documents
from novahunt_contract import tables
from novahunt_contract.document import Document


class Format(StrEnum):
    """How it is written."""

    JSON = "json"
    """One array."""
    JSONL = "jsonl"
    """One JSON object a line."""
    CSV = "csv"


class Frame(NamedTuple):
    """What is written around the pieces of an output, and between two of them."""

    opening: bytes = b""
    between: bytes = b""
    closing: bytes = b""


ARRAY = Frame(b"[\n", b",\n", b"\n]\n")


class Output:
    """Standard output, piece by piece; nothing is kept."""

    def __init__(self, frame: Frame, stream: BinaryIO | None = None) -> None:
        """Take the frame, and the stream if it is not standard output."""
        self._frame = frame
        self._stream = stream
        self._opened = False
        self._pieces = 0
        self._broken = False

    def add(self, pieces: Iterable[bytes]) -> None:
        """Write pieces, and let the reader see them.

        Raises:
            OutputClosedError: its reader has gone.
            StorageFailedError: it can't be written for another reason.
        """
        self._open()
        for piece in pieces:
            self._write(self._frame.between + piece if self._pieces else piece)
            self._pieces += 1
        self._flush()

    def close(self) -> None:
        """Write the end, so that what was written is whole, however few pieces there were.

        Raises:
            OutputClosedError, StorageFailedError: as `add`; never twice.
        """
        if not self._broken:
            self._open()
            self._write(self._frame.closing)
            self._flush()

    def _open(self) -> None:
        if not self._opened:
            self._opened = True
            self._write(self._frame.opening)

    def _write(self, data: bytes) -> None:
        with self._checked() as stream:
            stream.write(data)

    def _flush(self) -> None:
        with self._checked() as stream:
            stream.flush()

    @contextlib.contextmanager
    def _checked(self) -> Iterator[BinaryIO]:
        if self._stream is None and sys.stdout is None:
            # So it is in a process that was started without one.
            self._broken = True
            raise OutputClosedError("there is no standard output")
        try:
            yield self._stream or sys.stdout.buffer
        except BrokenPipeError:
            self._broken = True
            detach_standard_output()
            raise OutputClosedError("standard output was closed by its reader") from None
        except (OSError, ValueError) as error:
            self._broken = True
            detach_standard_output()
            reason = error.strerror if isinstance(error, OSError) else type(error).__name__
            raise StorageFailedError(f"standard output can't be written ({reason}): give it a reader") from None


def frame_of(chosen: Format, header: str) -> Frame:
    """Return the frame of a format; the header is a CSV table's first line."""
    frames = {Format.JSON: ARRAY, Format.JSONL: Frame(), Format.CSV: Frame(opening=header.encode())}
    return frames[chosen]


def of_document(chosen: Format, document: Document) -> Iterator[bytes]:
    """Yield a document's pieces: the whole of it as JSON, else one for each address."""
    if chosen is Format.JSON:
        yield documents.encode(document)
        return
    for item in document.items:
        if chosen is Format.CSV:
            yield tables.line(item).encode()
        else:
            yield msgspec.json.encode({"domain": document.domain, **msgspec.to_builtins(item)}) + b"\n"


def let_go_of_standard_output() -> None:
    """Write what Python still holds back for standard output; if nobody reads it any more, forget it."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError):
        detach_standard_output()


def detach_standard_output() -> None:
    """Lead what Python still holds back for standard output nowhere: at its end it would fail a second time."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
