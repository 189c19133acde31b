"""Checkpoints in a folder: one hidden file a domain, beside its document, to which each answered page is appended."""

import contextlib
import logging
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from novahunt_collector import checkpoint as checkpoints
from novahunt_collector.checkpoint import Checkpoint, Encoder, Header, InvalidCheckpointError, SavedPage
from novahunt_collector.errors import StoppedError
from novahunt_collector.storage import files, threads
from novahunt_collector.storage.interface import PageLog

_log = logging.getLogger(__name__)

MAX_BYTES = 64 * 1024 * 1024
"""Of a checkpoint; a larger file is none of ours. One of 10,000 addresses has about 10 MiB."""

_T = TypeVar("_T")


def checkpoint_path(folder: Path, domain: str) -> Path:
    """Return the file of a domain's checkpoint, whether it is there or not."""
    return folder / f"{files.stem(domain)}.checkpoint"


class _Ours(NamedTuple):
    """The file as this process left it: whatever differs was done by another one."""

    device: int
    inode: int
    size: int


class _Seen(NamedTuple):
    """The file as it was read: whatever differs was written since."""

    state: _Ours
    changed: int
    """Nanoseconds. A new file of the same size may get the number of one that is gone."""


class FolderPages(PageLog):
    """One domain's checkpoint.

    A process that takes it over writes it anew and renames it into place. So two of them never write into one file,
    and the earlier one notices at its next page.
    """

    def __init__(self, folder: files.Folder, domain: str, patience: float) -> None:
        """Take the parts.

        Args:
            folder: The documents' own.
            domain: Whose pages.
            patience: Seconds in all for one call.
        """
        self._folder = folder
        self._domain = domain
        self._path = checkpoint_path(folder.path, domain)
        self._patience = patience
        self._encoder = Encoder()
        self._header: Header | None = None
        self._ours: _Ours | None = None
        self._seen: _Seen | None = None
        self._kept = 0

    @property
    def kept(self) -> int:
        """Pages that are on the disk, written by this process."""
        return self._kept

    async def load(self) -> Checkpoint | None:
        """Read the file; one that can't be trusted is removed: it holds personal data and is of no use."""
        return await self._in_time(self._load)

    async def begin(self, checkpoint: Checkpoint) -> None:
        """Write the pages anew, so that whoever wrote the file before has lost it."""
        self._header = checkpoint.header
        if checkpoint.pages:
            await self._in_time(lambda: self._write(checkpoint))

    async def append(self, page: SavedPage) -> None:
        """Append a line and force it to the disk; the first one makes the file."""
        if self._header is None:
            raise AssertionError("begin comes before append")
        first = Checkpoint(header=self._header, pages=(page,))
        await self._in_time(lambda: self._write(first) if self._ours is None else self._append(page))

    async def remove(self) -> None:
        """Delete the file, durably, if this process wrote it, or has written none and it still is what was loaded."""
        await self._in_time(self._remove)

    def forget(self) -> None:
        """Note that the file was removed together with the document."""
        self._kept = 0

    async def _in_time(self, work: Callable[[], _T]) -> _T:
        return await threads.within(self._patience, self._folder.path, work)

    def _load(self) -> Checkpoint | None:
        with files.explained(self._path):
            try:
                self._seen = _seen(self._path.lstat())
                return checkpoints.decode(_read(self._path))
            except FileNotFoundError:
                return None
            except InvalidCheckpointError as error:
                _log.warning("%s is set aside and removed: %s", self._path, error)
                self._remove()
                return None

    def _write(self, checkpoint: Checkpoint) -> None:
        encoder = Encoder()
        header = msgspec.structs.replace(checkpoint.header, nonce=secrets.token_hex(8))
        data = b"".join([encoder.header(header), *map(encoder.page, checkpoint.pages)])
        temporary = files.temporary(self._folder.path, self._domain)
        with files.explained(self._path):
            self._folder.check()
            try:
                files.write_durably(temporary, data)
                ours = _state(temporary.stat())
                temporary.replace(self._path)
            finally:
                # After the renaming there is nothing left by this name.
                with contextlib.suppress(OSError):
                    temporary.unlink(missing_ok=True)
            files.sync_folder(self._folder.path)
        self._encoder, self._ours, self._kept = encoder, ours, len(checkpoint.pages)

    def _append(self, page: SavedPage) -> None:
        line = self._encoder.page(page)
        with files.explained(self._path):
            self._folder.check()
            descriptor = self._open_ours()
            try:
                before = _state(os.fstat(descriptor))
                if before != self._ours:
                    raise StoppedError("another process has taken this domain over, with what was saved of it")
                _append_durably(descriptor, line, before.size)
            finally:
                os.close(descriptor)
        self._ours = before._replace(size=before.size + len(line))
        self._kept += 1

    def _open_ours(self) -> int:
        try:
            return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            # Without its folder it is the storage that is gone.
            self._folder.path.stat()
            raise StoppedError("another process has removed what was saved of this domain") from None

    def _remove(self) -> None:
        with files.explained(self._path):
            try:
                if self._is_ours(self._path.lstat()):
                    self._path.unlink()
                    files.sync_folder(self._folder.path)
            except FileNotFoundError:
                return
            finally:
                self._kept = 0

    def _is_ours(self, there: os.stat_result) -> bool:
        return _seen(there) == self._seen if self._ours is None else _state(there) == self._ours


def _read(path: Path) -> bytes:
    """Return a file's content.

    Raises:
        InvalidCheckpointError: it is no file, or too large.
    """
    try:
        return files.read_plain(path, MAX_BYTES)
    except files.NotPlainError as error:
        raise InvalidCheckpointError(str(error)) from None


def _state(state: os.stat_result) -> _Ours:
    return _Ours(state.st_dev, state.st_ino, state.st_size)


def _seen(state: os.stat_result) -> _Seen:
    return _Seen(_state(state), state.st_mtime_ns)


def _append_durably(descriptor: int, line: bytes, size: int) -> None:
    """Append a line whole or not at all, as far as the file system lets us."""
    try:
        rest = memoryview(line)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    except OSError:
        # A part that stays in spite of this has no line feed, and is dropped by whoever reads it.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, size)
        raise
