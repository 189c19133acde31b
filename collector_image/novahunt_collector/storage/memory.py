"""Documents in memory and on standard output: what is left to a person whose folder can't be written."""

import logging
from collections.abc import Callable

from novahunt_collector.errors import OutputClosedError, StorageFailedError
from novahunt_collector.storage.folder import FolderStorage
from novahunt_collector.storage.interface import Kept, Storage
from novahunt_contract import document as documents
from novahunt_contract.document import Document

_log = logging.getLogger(__name__)


class MemoryStorage(Storage):
    """Keeps documents as long as the process runs, and prints each as one line of JSON unless somebody else does."""

    def __init__(self, printed: Callable[[bytes], object] | None) -> None:
        """Take what prints a document; None: somebody else does."""
        self._printed = printed
        self._kept: dict[str, Kept] = {}

    async def prepare(self, domain: str) -> None:
        """Do nothing: memory is there."""

    async def load(self, domain: str) -> Kept | None:
        """Return what this process stored."""
        return self._kept.get(domain)

    async def store(self, document: Document) -> Kept | None:
        """Keep the document, and print it.

        Raises:
            StorageFailedError: standard output can't be written, so it would be lost.
        """
        data = documents.encode(document)
        if self._printed is not None:
            try:
                self._printed(data + b"\n")
            except OutputClosedError as error:
                raise StorageFailedError(f"{error}: give it a reader") from None
        kept = Kept(
            document=document, sha256=documents.digest(data), size=len(data), place="memory and standard output"
        )
        self._kept[document.domain] = kept
        return kept

    async def confirm(self, kept: Kept, run: int) -> Kept | None:  # noqa: ARG002 - the interface's
        """Return it as it is."""
        return kept

    async def remove(self, domain: str) -> bool:
        """Forget the document."""
        return self._kept.pop(domain, None) is not None


class FolderOrMemoryStorage(Storage):
    """The folder as long as it can be written; from the first failure on, memory: what is paid for is not lost."""

    def __init__(self, folder: FolderStorage, memory: MemoryStorage) -> None:
        self._folder = folder
        self._memory = memory
        self._current: Storage = folder

    async def prepare(self, domain: str) -> None:
        """Try the folder, while it is in use."""
        try:
            await self._current.prepare(domain)
        except StorageFailedError as error:
            self._fall_back(error)

    async def load(self, domain: str) -> Kept | None:
        """Read from where documents are stored now."""
        return await self._current.load(domain)

    async def store(self, document: Document) -> Kept | None:
        """Store in the folder, or else in memory."""
        try:
            return await self._current.store(document)
        except StorageFailedError as error:
            if self._current is self._memory:
                raise
            self._fall_back(error)
            return await self._memory.store(document)

    async def confirm(self, kept: Kept, run: int) -> Kept | None:  # noqa: ARG002 - the interface's
        """Return it as it is."""
        return kept

    async def remove(self, domain: str) -> bool:
        """Remove from where documents are stored now."""
        return await self._current.remove(domain)

    def _fall_back(self, error: StorageFailedError) -> None:
        if self._current is self._memory:
            raise error
        _log.warning("%s; going on in memory, and the result goes to standard output", error)
        self._current = self._memory
