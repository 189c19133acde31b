"""What a sweep goes through: places with the documents of a collection, which are read one at a time."""

import abc
from collections.abc import Sequence

from novahunt_collector.storage.interface import Kept
from novahunt_contract.document import Document


class Holding(abc.ABC):
    """One place. A document that a run is about to replace, or has replaced since it was read, is left alone.

    Every method may raise StorageFailedError; IntakeAwayError, where trying the next document is of no use.
    """

    @abc.abstractmethod
    async def domains(self) -> Sequence[str]:
        """Return the domains that something is stored for, in their one form or not."""

    @abc.abstractmethod
    async def load(self, domain: str) -> Kept | None:
        """Return what is stored for a domain; None: it is no document of ours, or gone meanwhile."""

    @abc.abstractmethod
    async def replace(self, before: Kept, left: Document) -> bool:
        """Store what is left of a document in its place; False: it was left alone."""

    @abc.abstractmethod
    async def remove(self, before: Kept, *, expired: bool) -> bool:
        """Remove a document whole, for its age or because of a list; False: it was left alone."""
