"""What every storage can do, and what is known of a document that lies in one."""

import abc

import msgspec

from novahunt_collector.checkpoint import Checkpoint, SavedPage
from novahunt_contract.document import Document
from novahunt_contract.receipt import ConfigMapPlace


class Kept(msgspec.Struct, frozen=True):
    """A stored document: its bytes as they lie there, and where that is."""

    document: Document
    sha256: str
    size: int
    """Bytes."""
    place: str
    """For people: a path, or what takes its place."""
    config_map: ConfigMapPlace | None = None


class PageLog(abc.ABC):
    """Keeps the answered pages of one domain until its document is stored. Every method may raise StorageFailedError.

    Of two processes with one domain the one that came last goes on; the other one ends at its next page.
    """

    @property
    @abc.abstractmethod
    def kept(self) -> int:
        """Pages that a later run need not ask for again."""

    @abc.abstractmethod
    async def load(self) -> Checkpoint | None:
        """Return what a run that was not finished left; None if there is nothing, or nothing that can be trusted."""

    @abc.abstractmethod
    async def begin(self, checkpoint: Checkpoint) -> None:
        """Take what was saved over for this process; without any page there is nothing to be kept yet."""

    @abc.abstractmethod
    async def append(self, page: SavedPage) -> None:
        """Make one more page durable.

        Raises:
            StoppedError: another process has taken over, or removed what was saved.
        """

    @abc.abstractmethod
    async def remove(self) -> None:
        """Remove what was saved, durably; what another process has taken over stays."""


class Storage(abc.ABC):
    """Keeps one document a domain. Every method may raise StorageFailedError."""

    @abc.abstractmethod
    async def prepare(self, domain: str) -> None:
        """Find out whether a document could be stored, before anything is paid for it."""

    @abc.abstractmethod
    async def load(self, domain: str) -> Kept | None:
        """Return what is stored for a domain; None if there is nothing, or nothing readable."""

    @abc.abstractmethod
    async def store(self, document: Document) -> Kept | None:
        """Make a document durable in the place of the one before, in one step.

        None if a later run has stored one already: that one stays.
        """

    async def confirm(self, kept: Kept, left: Document, run: int) -> Kept | None:  # noqa: ARG002 - for those that need it
        """Return the full account of a document that was loaded and answers this run as well.

        Args:
            kept: As it was loaded.
            left: What may stay of it, which is stored in its place; the very same document if all of it may.
            run: This run.

        Returns:
            None if a later run has stored one meanwhile.
        """
        return kept if left is kept.document else await self.store(left)

    @abc.abstractmethod
    async def remove(self, domain: str) -> bool:
        """Remove what is stored for a domain, saved pages too; tell whether this storage removed anything."""

    def pages(self, domain: str) -> PageLog | None:  # noqa: ARG002 - for those that can
        """Return where a domain's answered pages are kept until its document is stored; None: nowhere."""
        return None
