"""The cache of built parts: whole or not there at all, and built once even when two builds race."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold a lock file; the kernel lets go of it when the holder dies."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _lock(file)
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(file: Path) -> int:
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # Its last holder may have removed the file while we waited; a lock on that keeps nobody else out.
        try:
            if os.path.samestat(os.fstat(descriptor), file.stat()):
                return descriptor
        except FileNotFoundError:
            pass
        os.close(descriptor)


def digest(*parts: bytes) -> str:
    """A short name for these inputs; other inputs have another name."""
    whole = sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big"))
        whole.update(part)
    return whole.hexdigest()[:12]


@dataclass(frozen=True)
class Entry:
    """One part of the cache: `<root>/<name>-<key>/`."""

    root: Path
    name: str
    key: str

    @property
    def path(self) -> Path:
        """Where the part is once it is whole."""
        return self.root / f"{self.name}-{self.key}"

    @property
    def present(self) -> bool:
        """Whether the cache has it."""
        return self.path.is_dir()

    def ensure(self, build: Callable[[Path], None]) -> Path:
        """The folder of this part, made by `build(folder)` if it is not there.

        `build` fills a temporary folder that takes its name only when whole, so that a kill leaves no half part.
        What an earlier kill left is removed here, under the lock that its maker held.
        """
        if self.present:
            return self.path
        with locked(self.root / "locks" / f"{self.name}.lock"):
            if self.present:
                return self.path
            for left in self.root.glob(f".{self.name}.partial-*"):
                shutil.rmtree(left)
            # The pid keeps a program that outlived its killed builder out of the new folder.
            temporary = self.root / f".{self.name}.partial-{os.getpid()}"
            temporary.mkdir(parents=True)
            try:
                build(temporary)
            except BaseException:
                shutil.rmtree(temporary, ignore_errors=True)
                raise
            temporary.rename(self.path)
        return self.path
