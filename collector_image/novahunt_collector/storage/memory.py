"""Documents in memory and on standard output: what is left to a person whose folder can't be written."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from novahunt_collector.checkpoint import Checkpoint, SavedPage
from novahunt_collector.errors import OutputClosedError, StorageFailedError
from novahunt_collector.storage.folder import FolderStorage
from novahunt_collector.storage.interface import Kept, PageLog, Storage
from novahunt_contract import document as documents
from novahunt_contract.document import Document

_log = logging.getLogger(__name__)

_T = TypeVar("_T")


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

    async def remove(self, domain: str) -> bool:
        """Forget the document."""
        return self._kept.pop(domain, None) is not None


class FolderOrMemoryStorage(Storage):
    """The folder as long as it can be written; from the first failure on, memory: what is paid for is not lost.

    What the folder holds counts all the same: it is read where it can be, and must go where it may not stay.
    """

    def __init__(self, folder: FolderStorage, memory: MemoryStorage) -> None:
        self._folder = folder
        self._memory = memory
        self._current: Storage = folder
        self._hangs = False

    async def prepare(self, domain: str) -> None:
        """Try the folder, while it is in use."""
        try:
            await self._current.prepare(domain)
        except StorageFailedError as error:
            self.fall_back(error)

    async def load(self, domain: str) -> Kept | None:
        """Return what this process stored, or else what the folder holds."""
        kept = await self._memory.load(domain)
        return kept if kept is not None else await self.read(lambda: self._folder.load(domain))

    async def store(self, document: Document) -> Kept | None:
        """Store in the folder, or else in memory."""
        try:
            return await self._current.store(document)
        except StorageFailedError as error:
            if self._current is self._memory:
                raise
            self.fall_back(error)
            return await self._memory.store(document)

    async def remove(self, domain: str) -> bool:
        """Remove from memory and from the folder, wherever documents are stored now.

        Raises:
            StorageFailedError: the folder may still hold it.
        """
        forgotten = await self._memory.remove(domain)
        return await self._folder.remove(domain) or forgotten

    def pages(self, domain: str) -> PageLog:
        """Return the folder's, to which nothing is added in memory."""
        return _PagesWhileWritable(domain, self._folder.pages(domain), self)

    @property
    def in_memory(self) -> bool:
        """True: the folder could not be used, and is not tried again."""
        return self._current is self._memory

    def fall_back(self, error: StorageFailedError) -> None:
        """Go on in memory; a failure of memory itself has nothing to fall back to, and is raised."""
        if self.in_memory:
            raise error
        _log.warning("%s; going on in memory, and the result goes to standard output", error)
        self._current = self._memory
        self._hangs = error.hangs

    async def read(self, reading: Callable[[], Awaitable[_T | None]]) -> _T | None:
        """Read something of the folder; once documents are stored in memory, what can't be read counts as nothing."""
        if not self.in_memory:
            return await reading()
        # Each domain would be held as long as the first one was.
        if self._hangs:
            return None
        try:
            return await reading()
        except StorageFailedError as error:
            _log.info("what is stored is not known (%s)", error)
            self._hangs = error.hangs
            return None

    async def is_in_memory(self, domain: str) -> bool:
        """Tell whether a domain's document is in memory alone."""
        return await self._memory.load(domain) is not None


class _PagesWhileWritable(PageLog):
    """A folder's pages; from the first failure on none are added, and the collection goes on without."""

    def __init__(self, domain: str, pages: PageLog, storage: FolderOrMemoryStorage) -> None:
        self._domain = domain
        self._pages = pages
        self._storage = storage

    @property
    def kept(self) -> int:
        return 0 if self._storage.in_memory else self._pages.kept

    async def load(self) -> Checkpoint | None:
        if self._storage.in_memory:
            return await self._storage.read(self._pages.load)
        return await self._unless_failed(lambda pages: pages.load())

    async def begin(self, checkpoint: Checkpoint) -> None:
        await self._unless_failed(lambda pages: pages.begin(checkpoint))

    async def append(self, page: SavedPage) -> None:
        await self._unless_failed(lambda pages: pages.append(page))

    async def remove(self) -> None:
        # A document that is printed may be lost; with its pages the next run need not pay for them again.
        if await self._storage.is_in_memory(self._domain):
            return
        if not self._storage.in_memory:
            await self._unless_failed(lambda pages: pages.remove())
            return
        try:
            await self._pages.remove()
        except StorageFailedError as error:
            _log.warning("the pages of the unfinished run are still there: %s", error)

    async def _unless_failed(self, call: Callable[[PageLog], Awaitable[_T]]) -> _T | None:
        if self._storage.in_memory:
            return None
        try:
            return await call(self._pages)
        except StorageFailedError as error:
            self._storage.fall_back(error)
            return None
