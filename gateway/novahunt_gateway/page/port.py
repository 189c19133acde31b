"""What the page needs of the gateway it is part of."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import msgspec

from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import StoredResult
from novahunt_client.exports import Form
from novahunt_gateway.rights import Right


class Wish(msgspec.Struct, frozen=True):
    """A collection that a person wants made; `domains` are in their one form."""

    name: str
    domains: tuple[str, ...]
    max_credits: int | None
    """None only for an estimate, which spends nothing."""
    estimate: bool = False


class Gateway(Protocol):
    """The gateway as the page sees it. None of its calls logs a token or an address; their errors are in `errors`."""

    namespace: str

    async def may(self, token: str, *rights: Right) -> frozenset[Right]:
        """Return which of the rights the token's owner has; none for a token that nobody knows. AwayError."""

    def collections(self) -> Sequence[Collection]:
        """Return all collections of the namespace, as last seen."""

    def collection(self, name: str) -> Collection | None:
        """Return one collection, as last seen."""

    def results(self, name: str) -> Sequence[StoredResult]:
        """Return the DomainResults of a collection, as last seen."""

    async def create(self, wish: Wish) -> None:
        """Make a collection. TakenError, RefusedError, BusyError."""

    async def patch(self, name: str, spec: dict[str, object]) -> None:
        """Merge fields into a collection's spec. RefusedError, also where it is gone; BusyError."""

    async def export(self, name: str, form: Form) -> AsyncIterator[bytes]:
        """Return all stored addresses of a collection as a file. PlaceError, BusyError."""
