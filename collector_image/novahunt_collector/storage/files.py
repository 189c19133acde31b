"""Files of a shared folder: their rights, how they become durable, and what a failure means for people."""

import contextlib
import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from novahunt_collector.errors import StorageFailedError

FILE_MODE = 0o660
"""Before the umask. Pods share a volume by their group (fsGroup), never with everybody."""

FOLDER_MODE = 0o770

PROBE_BYTES = 256 * 1024
"""What must be free before anything is paid for: a page of 100 addresses twice, in the checkpoint and the document."""

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


class NotPlainError(ValueError):
    """A link, a folder, a pipe or the like in the place of a file, or a file that is too large."""


def stem(domain: str) -> str:
    """Name a domain's hidden files; the longest domain would not fit into a file name with an ending."""
    return f".novahunt-{hashlib.sha256(domain.encode()).hexdigest()[:16]}"


def temporary(folder: Path, domain: str) -> Path:
    """Return a name that no file has yet; `leftovers` finds it again."""
    return folder / f"{stem(domain)}-{secrets.token_hex(8)}.tmp"


def leftovers(folder: Path, domain: str) -> Iterator[Path]:
    """Return the temporary files that a killed run of this domain left."""
    return folder.glob(f"{stem(domain)}-*.tmp")


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, where they are not there."""
    if folder.is_dir():
        return
    if folder.parent != folder:
        make_folder(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(FOLDER_MODE)
        # A volume for a group marks its folders so; without the group's right to write, other pods were locked out.
        if folder.parent.stat().st_mode & stat.S_ISGID:
            folder.chmod(FOLDER_MODE | stat.S_ISGID)


class Folder:
    """A folder that must stay on the volume on which it was at the start."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._device: int | None = None

    def begin(self) -> None:
        """Make it if it is not there, and note its volume."""
        make_folder(self.path)
        self._device = self.path.stat().st_dev

    def check(self) -> None:
        """Find out that what lies below the mount of a volume has come to light.

        Raises:
            StorageFailedError: the path leads to another volume now; what is written there would not be found.
        """
        there = self.path
        while not there.exists():
            there = there.parent
        if self._device not in (None, there.stat().st_dev):
            raise StorageFailedError(f"{self.path} can't be used: its volume is not there any more: mount it again")


def create(path: Path) -> int:
    """Make a file and return its descriptor for writing; whatever has that name already is an error."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)


def write_durably(path: Path, data: bytes) -> None:
    """Make a file with this content and force it to the disk; its name is durable after `sync_folder`."""
    with open(create(path), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def probe(path: Path) -> None:
    """Find out by a file of this name, which is gone afterwards, whether one could be written."""
    descriptor = create(path)
    try:
        # An empty file fits even on a volume that is full.
        os.posix_fallocate(descriptor, 0, PROBE_BYTES)
    finally:
        os.close(descriptor)
        path.unlink()


def replace(path: Path, temporary: Path, data: bytes, *, wanted: Callable[[], bool]) -> bool:
    """Put a file in the place of another one, durably and in one step; False: it was not wanted any more.

    Args:
        path: The other one.
        temporary: A name that no file has yet, in the same folder.
        data: The content.
        wanted: Asked as late as possible.
    """
    try:
        write_durably(temporary, data)
        if not wanted():
            return False
        temporary.replace(path)
    finally:
        # After the renaming there is nothing left by this name.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    sync_folder(path.parent)
    return True


def remove_if_empty(folder: Path) -> bool:
    """Remove a folder that holds nothing; one that does, or on which a volume is mounted, stays."""
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT, errno.EBUSY, errno.EINVAL):
            return False
        raise
    sync_folder(folder.parent)
    return True


def read_plain(path: Path, most: int) -> bytes:
    """Return the content of a plain file; links are not followed.

    Args:
        path: The file.
        most: Bytes that it may have.

    Raises:
        NotPlainError: it is something else, or larger.
    """
    try:
        # A pipe would hold the opening until somebody writes to it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise NotPlainError("it is no file") from None
        raise
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise NotPlainError("it is no file")
        if state.st_size > most:
            raise NotPlainError(f"it has {state.st_size} bytes, and may have {most}")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Force names made, changed and removed in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the operating system reports into the place and the remedy."""
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0) or os.strerror(error.errno or 0)
        failed = StorageFailedError(f"{path} can't be used: {remedy}")
        failed.own = error.errno == errno.ENAMETOOLONG
        raise failed from None
