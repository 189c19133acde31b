"""The gateway as the page sees it: the same rights, objects and changes that the REST calls use."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import StoredResult
from novahunt_api.objects import Key
from novahunt_api.spec import Mode
from novahunt_api.subject import narrow
from novahunt_client.exports import Form
from novahunt_gateway.access import Access
from novahunt_gateway.objects import Objects
from novahunt_gateway.page.port import Wish
from novahunt_gateway.places import Places
from novahunt_gateway.rights import Right
from novahunt_gateway.writing import Writing


class PageGateway:
    """One namespace, as `page.port.Gateway` wants it."""

    def __init__(self, namespace: str, access: Access, objects: Objects, writing: Writing, places: Places) -> None:
        """Take the namespace that is shown, and what the gateway knows and acts with."""
        self.namespace = namespace
        self._access = access
        self._objects = objects
        self._writing = writing
        self._places = places

    async def may(self, token: str, *rights: Right) -> frozenset[Right]:
        """Return which of the rights the token's owner has. AwayError."""
        return await self._access.may(token, self.namespace, *rights)

    def collections(self) -> Sequence[Collection]:
        """Return all collections of the namespace."""
        return self._objects.collections(self.namespace)

    def collection(self, name: str) -> Collection | None:
        """Return one collection."""
        found = self._objects.collection(self._key(name))
        if found is not None:
            narrow(found.key)
        return found

    def results(self, name: str) -> Sequence[StoredResult]:
        """Return the results of a collection."""
        return tuple(self._objects.results_of(self._key(name)).values())

    async def create(self, wish: Wish) -> None:
        """Make a collection. TakenError, RefusedError, BusyError."""
        spec: dict[str, Any] = {"mode": Mode.ESTIMATE if wish.estimate else Mode.COLLECT}
        if wish.max_credits is not None:
            spec["budget"] = {"maxCredits": wish.max_credits}
        key = self._key(wish.name)
        await self._writing.make(key, wish.domains, spec)
        narrow(key)

    async def patch(self, name: str, spec: dict[str, object]) -> None:
        """Merge fields into a collection's spec. RefusedError, BusyError."""
        await self._writing.change(self._key(name), spec)

    async def export(self, name: str, form: Form) -> AsyncIterator[bytes]:
        """Return all stored addresses of a collection as a file. PlaceError, BusyError."""
        stored = [one.data for one in self.results(name) if one.data.storage is not None]
        return await self._places.export(self.namespace, stored, form)

    def _key(self, name: str) -> Key:
        return Key(self.namespace, name)
