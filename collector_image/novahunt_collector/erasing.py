"""The errand of an erasure: removes all that a deleted collection has stored in a folder."""

import logging
from collections.abc import Mapping
from pathlib import Path

from novahunt_collector import settings as configuration
from novahunt_collector.attempts import Attempts
from novahunt_collector.display import counted
from novahunt_collector.errand import Errand
from novahunt_collector.errors import UsageError
from novahunt_collector.storage import files, threads
from novahunt_collector.storage.folder_holding import FolderHolding
from novahunt_collector.storage.unfinished import Unfinished
from novahunt_contract import environment as names
from novahunt_contract.errands import ErrandReceipt, Task
from novahunt_contract.intake import Swept
from novahunt_contract.outcomes import Reason

_log = logging.getLogger(__name__)


class Erasing(Errand):
    """Goes through a folder, one document at a time. It may be killed anywhere: the next attempt does the rest.

    Nobody collects into the folder meanwhile; the operator sees to that.
    """

    def __init__(self, collection: str, folder: Path, patience: float, job_id: str) -> None:
        """Take the parts.

        Args:
            collection: Whose documents go; what others have stored in the folder stays.
            folder: It goes as well when nothing is left in it.
            patience: Seconds in all for one file.
            job_id: For the receipt.
        """
        self._collection = collection
        self._folder = folder
        self._patience = patience
        self._job_id = job_id
        self._attempts = Attempts()
        self._read = 0
        self._removed = 0
        self._emails = 0
        self._foreign = 0
        """Documents of other collections, and what is named like a document and can't be read as one."""

    async def run(self) -> str:
        """Remove the documents, then what unfinished runs left, then the folder."""
        holding = FolderHolding(self._folder, self._patience, _nobody_to_tell)
        for domain in await holding.domains():
            await self._attempts.attempt(self._erase(holding, domain))
        unfinished = await Unfinished(self._folder, self._patience).erase()
        self._attempts.raise_failures("removed")
        # The documents are what matters.
        gone = await threads.within(self._patience, self._folder, self._remove_folder)
        message = f"{counted(self._removed, 'document')} removed, {counted(unfinished, 'file')} of unfinished runs too"
        if self._foreign:
            _log.warning("%s in %s: not of this collection", counted(self._foreign, "document"), self._folder)
            message = f"{message}; {counted(self._foreign, 'document')} of others left"
        return f"{message}; the folder is gone" if gone else message

    def receipt(self, reason: Reason, message: str) -> ErrandReceipt:
        """Return what was done until now."""
        return ErrandReceipt(
            task=Task.ERASE,
            job_id=self._job_id,
            reason=reason,
            message=message,
            domains=self._read,
            emails=self._emails,
            removed=self._removed,
        )

    async def _erase(self, holding: FolderHolding, domain: str) -> None:
        before = await holding.load(domain)
        if before is None or before.document.collection != self._collection:
            self._foreign += 1
            return
        self._read += 1
        if await holding.remove(before, expired=False):
            self._removed += 1
            self._emails += before.document.total

    def _remove_folder(self) -> bool:
        try:
            return files.remove_if_empty(self._folder)
        except OSError as error:
            # It may be a volume's own root, or in a folder in which this user may remove nothing.
            _log.warning("%s can't be removed and stays: %s", self._folder, error.strerror)
            return False


def of_environment(environ: Mapping[str, str]) -> Erasing:
    """Return the erasure that the operator asks for.

    Raises:
        UsageError: a setting is missing, or can't be used.
    """
    settings = configuration.read(environ, needs_key=False)
    if settings.collection is None or settings.folder is None:
        raise UsageError(f"set {names.COLLECTION}, and {names.STORAGE} to a folder: whose documents go, from where")
    return Erasing(settings.collection, settings.folder, settings.storage_patience, settings.job_id or "")


async def _nobody_to_tell(_swept: Swept) -> bool:
    return True
