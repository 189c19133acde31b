"""The documents in a folder, as a sweep sees them: one file a domain, replaced in one step or removed."""

import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from novahunt_collector.storage import files, threads
from novahunt_collector.storage.holding import Holding
from novahunt_collector.storage.interface import Kept
from novahunt_contract import document as documents
from novahunt_contract.document import Document
from novahunt_contract.intake import MAX_DOCUMENT_BYTES, Swept

_ENDING = documents.file_name("")

_T = TypeVar("_T")

Report = Callable[[Swept], Awaitable[bool]]
"""Says what will be left of a document, before its file is touched; false: it must be left alone."""


class FolderHolding(Holding):
    """One folder.

    The operator hears of each change first. A crash between the two leaves a file that still holds what must go, and
    so the next sweep says and does the same again.
    """

    def __init__(self, folder: Path, patience: float, report: Report) -> None:
        """Take the parts.

        Args:
            folder: It is not made when it is not there.
            patience: Seconds in all for one file.
            report: Tells the operator, where there is one.
        """
        self._folder = folder
        self._patience = patience
        self._report = report

    async def domains(self) -> Sequence[str]:
        """List the files that are named as documents are."""
        names = await self._in_time(lambda: names_in(self._folder))
        return [name.removesuffix(_ENDING) for name in names if name.endswith(_ENDING) and not name.startswith(".")]

    async def load(self, domain: str) -> Kept | None:
        """Read a file; links are not followed."""
        return await self._in_time(lambda: self._load(domain))

    async def replace(self, before: Kept, left: Document) -> bool:
        """Tell of it, then replace the file if it is still the same."""
        data = documents.encode(left)
        swept = Swept(
            left.domain,
            emails=left.total,
            sha256=documents.digest(data),
            bytes=len(data),
            stored_at=left.stored_at,
        )
        return await self._report(swept) and await self._in_time(lambda: self._replace(before, data))

    async def remove(self, before: Kept, *, expired: bool) -> bool:
        """Tell of it, then remove the file if it is still the same."""
        swept = Swept(before.document.domain, removed=True, expired=expired)
        return await self._report(swept) and await self._in_time(lambda: self._remove(before))

    async def _in_time(self, work: Callable[[], _T]) -> _T:
        return await threads.within(self._patience, self._folder, work)

    def _load(self, domain: str) -> Kept | None:
        path = self._path(domain)
        with files.explained(path):
            try:
                data = files.read_plain(path, MAX_DOCUMENT_BYTES)
                document = documents.decode(data)
            except (FileNotFoundError, files.NotPlainError, documents.InvalidDocumentError):
                return None
        if document.domain != domain:
            return None
        return Kept(document=document, sha256=documents.digest(data), size=len(data), place=str(path))

    def _replace(self, before: Kept, data: bytes) -> bool:
        path, domain = Path(before.place), before.document.domain
        with files.explained(path):
            temporary = files.temporary(self._folder, domain)
            return files.replace(path, temporary, data, wanted=lambda: self._is_still(before))

    def _remove(self, before: Kept) -> bool:
        path = Path(before.place)
        with files.explained(path):
            if not self._is_still(before):
                return False
            path.unlink(missing_ok=True)
            files.sync_folder(self._folder)
        return True

    def _is_still(self, before: Kept) -> bool:
        """Tell whether nobody has stored another document since, for example a run without an operator."""
        try:
            return documents.digest(files.read_plain(Path(before.place), MAX_DOCUMENT_BYTES)) == before.sha256
        except (FileNotFoundError, files.NotPlainError):
            return False

    def _path(self, domain: str) -> Path:
        return self._folder / documents.file_name(domain)


def names_in(folder: Path) -> list[str]:
    """Return the names in a folder in their order; a folder that is not there holds none."""
    with files.explained(folder):
        try:
            return sorted(os.listdir(folder))  # noqa: PTH208 - names, not paths
        except FileNotFoundError:
            return []
