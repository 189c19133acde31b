"""Documents as files of one folder: on a volume in Kubernetes, below data/collections without it."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from weakref import WeakValueDictionary

from novahunt_collector.storage import files, threads
from novahunt_collector.storage.checkpoints import FolderPages, checkpoint_path
from novahunt_collector.storage.interface import Kept, PageLog, Storage
from novahunt_contract import document as documents
from novahunt_contract.document import Document

_log = logging.getLogger(__name__)

_T = TypeVar("_T")


class FolderStorage(Storage):
    """One file a domain, replaced in one step: a reader sees the old document or the new one, never a part."""

    def __init__(self, folder: Path, patience: float) -> None:
        """Take the parts.

        Args:
            folder: Made when it is not there.
            patience: Seconds in all for one call; a hanging file server would hold it for ever.
        """
        self._folder = files.Folder(folder)
        self._patience = patience
        self._lent: WeakValueDictionary[str, FolderPages] = WeakValueDictionary()
        """The pages in use, for the last run of each domain."""

    async def prepare(self, domain: str) -> None:
        """Make the folder, clear away what a killed run left of this domain, and try to write there."""
        await self._in_time(lambda: self._prepare(domain))

    async def load(self, domain: str) -> Kept | None:
        """Read the domain's file; one that can't be understood counts as none, and is replaced in time."""
        return await self._in_time(lambda: self._load(domain))

    async def store(self, document: Document) -> Kept | None:
        """Write under a temporary name, force it to the disk, rename it, and force the renaming to the disk."""
        return await self._in_time(lambda: self._store(document))

    async def remove(self, domain: str) -> bool:
        """Delete the domain's file and its saved pages, durably."""
        removed = await self._in_time(lambda: self._remove(domain))
        if (pages := self._lent.get(domain)) is not None:
            pages.forget()
        return removed

    def pages(self, domain: str) -> PageLog:
        """Return the domain's checkpoint, a hidden file beside its document."""
        pages = FolderPages(self._folder, domain, self._patience)
        self._lent[domain] = pages
        return pages

    async def _in_time(self, work: Callable[[], _T]) -> _T:
        return await threads.within(self._patience, self._folder.path, work)

    def _prepare(self, domain: str) -> None:
        with files.explained(self._folder.path):
            self._folder.begin()
            for leftover in files.leftovers(self._folder.path, domain):
                leftover.unlink(missing_ok=True)
            files.probe(files.temporary(self._folder.path, domain))

    def _load(self, domain: str) -> Kept | None:
        path = self._path(domain)
        with files.explained(path):
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
        with files.explained(path):
            # A folder that was removed meanwhile is made anew: the addresses are paid for.
            self._folder.check()
            files.make_folder(self._folder.path)
            temporary = files.temporary(self._folder.path, document.domain)
            # A pod of an older run, back from a lost node, must not win.
            if not files.replace(path, temporary, data, wanted=lambda: self._supersedes(document)):
                return None
        return _kept(document, data, path)

    def _supersedes(self, document: Document) -> bool:
        before = self._load(document.domain)
        return before is None or documents.supersedes(document, before.document)

    def _remove(self, domain: str) -> bool:
        path = self._path(domain)
        with files.explained(path):
            self._folder.check()
            leftovers = files.leftovers(self._folder.path, domain)
            ours = (path, checkpoint_path(self._folder.path, domain), *leftovers)
            removed = [name for name in ours if _unlinked(name)]
            if removed:
                files.sync_folder(self._folder.path)
        return bool(removed)

    def _path(self, domain: str) -> Path:
        return self._folder.path / documents.file_name(domain)


def _unlinked(path: Path) -> bool:
    try:
        # A file system that is mounted read-only refuses to remove even what is not there.
        path.lstat()
        path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _kept(document: Document, data: bytes, path: Path) -> Kept:
    return Kept(document=document, sha256=documents.digest(data), size=len(data), place=str(path))
