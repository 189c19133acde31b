"""Documents as files of one folder: on a volume in Kubernetes, below data/collections without it."""

import asyncio
import contextlib
import errno
import hashlib
import logging
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from novahunt_collector.errors import StorageFailedError
from novahunt_collector.storage.interface import Kept, Storage
from novahunt_contract import document as documents
from novahunt_contract.document import Document

_log = logging.getLogger(__name__)

FILE_MODE = 0o660
"""Before the umask. Pods share a volume by their group (fsGroup), never with everybody."""

FOLDER_MODE = 0o770

_REMEDIES = {
    errno.ENOSPC: "no space is left: free some, or enlarge the volume",
    errno.EDQUOT: "the quota is used up: free some space, or raise the quota",
    errno.EFBIG: "the file would be larger than is allowed: raise the file size limit",
    errno.EROFS: "it is mounted read-only: mount it writable",
    errno.EACCES: "permission is denied: give this user's group (fsGroup) the right to write there",
    errno.EPERM: "permission is denied: give this user's group (fsGroup) the right to write there",
    errno.ENOENT: "there is no such folder: check the volume's mount and its path",
    errno.ENOTDIR: "a part of the path is a file: choose another folder",
    errno.ENAMETOOLONG: "the file system does not take so long a name",
    errno.EIO: "the device reports an error: check the volume",
    errno.ESTALE: "the file server lost the folder: mount the volume again",
}


class FolderStorage(Storage):
    """One file a domain, replaced in one step: a reader sees the old document or the new one, never a part."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def prepare(self, domain: str) -> None:
        """Make the folder, clear away what a killed run left of this domain, and try to write there."""
        await asyncio.to_thread(self._prepare, domain)

    async def load(self, domain: str) -> Kept | None:
        """Read the domain's file; one that can't be understood counts as none, and is replaced in time."""
        return await asyncio.to_thread(self._load, domain)

    async def store(self, document: Document) -> Kept | None:
        """Write under a temporary name, force it to the disk, rename it, and force the renaming to the disk."""
        return await asyncio.to_thread(self._store, document)

    async def confirm(self, kept: Kept, run: int) -> Kept | None:  # noqa: ARG002 - the interface's
        """Return it as it is: nothing more is to be known of a file."""
        return kept

    async def remove(self, domain: str) -> bool:
        """Delete the domain's file, durably."""
        return await asyncio.to_thread(self._remove, domain)

    def _prepare(self, domain: str) -> None:
        with _explained(self._folder):
            _make_folder(self._folder)
            for leftover in self._folder.glob(f".{_stem(domain)}-*.tmp"):
                leftover.unlink(missing_ok=True)
            probe = self._temporary(domain)
            os.close(_create(probe))
            probe.unlink()

    def _load(self, domain: str) -> Kept | None:
        path = self._path(domain)
        with _explained(path):
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                return None
        try:
            document = documents.decode(data)
        except documents.InvalidDocumentError as error:
            _log.warning("%s is set aside: %s", path, error)
            return None
        if document.domain != domain:
            _log.warning("%s is set aside: it is the document of another domain", path)
            return None
        return _kept(document, data, path)

    def _store(self, document: Document) -> Kept | None:
        data = documents.encode(document)
        path = self._path(document.domain)
        temporary = self._temporary(document.domain)
        with _explained(path):
            _make_folder(self._folder)
            try:
                _write_durably(temporary, data)
                # As late as possible: a pod of an older run, back from a lost node, must not win.
                before = self._load(document.domain)
                if before is not None and not documents.supersedes(document, before.document):
                    return None
                temporary.replace(path)
            finally:
                # After the renaming there is nothing left by this name.
                with contextlib.suppress(OSError):
                    temporary.unlink(missing_ok=True)
            _sync_folder(self._folder)
        return _kept(document, data, path)

    def _remove(self, domain: str) -> bool:
        path = self._path(domain)
        with _explained(path):
            try:
                path.unlink()
            except FileNotFoundError:
                return False
            _sync_folder(self._folder)
        return True

    def _path(self, domain: str) -> Path:
        return self._folder / documents.file_name(domain)

    def _temporary(self, domain: str) -> Path:
        return self._folder / f".{_stem(domain)}-{secrets.token_hex(8)}.tmp"


def _stem(domain: str) -> str:
    """Name a domain's temporary files; the longest domain would not fit into a file name with an ending."""
    return f"novahunt-{hashlib.sha256(domain.encode()).hexdigest()[:16]}"


def _kept(document: Document, data: bytes, path: Path) -> Kept:
    return Kept(document=document, sha256=documents.digest(data), size=len(data), place=str(path))


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    if folder.parent != folder:
        _make_folder(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(FOLDER_MODE)
        # A volume for a group marks its folders so; without the group's right to write, other pods were locked out.
        if folder.parent.stat().st_mode & stat.S_ISGID:
            folder.chmod(FOLDER_MODE | stat.S_ISGID)


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)


def _write_durably(path: Path, data: bytes) -> None:
    with open(_create(path), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what the operating system reports into the place and the remedy."""
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0) or os.strerror(error.errno or 0)
        raise StorageFailedError(f"{path} can't be used: {remedy}") from None
