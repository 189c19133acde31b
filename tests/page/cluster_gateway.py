"""A stand-in for the gateway on a real control plane: reads again and again where the gateway watches."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from cluster.reading import Reader
from novahunt_api import domaincollections, domainresults, names, paths, wire
from novahunt_api.cluster import MERGE_PATCH, ApiError, ConflictError
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import ResultObject, StoredResult
from novahunt_client.exports import Form
from novahunt_contract import tables
from novahunt_gateway.page.port import RefusedError, TakenError, Wish
from novahunt_gateway.rights import Right

TOKEN = "token-of-the-test"


class ClusterGateway:
    """One namespace, with the administrator's rights and one fixed token."""

    def __init__(self, reader: Reader) -> None:
        self.namespace = reader.namespace
        self._reader = reader
        self._collections: dict[str, Collection] = {}
        self._results: tuple[StoredResult, ...] = ()

    async def follow(self) -> None:
        """Read everything, and again, until cancelled."""
        admin, namespace = self._reader.admin, self.namespace
        while True:
            held = await admin.get(paths.collections(namespace, None), wire.Page[dict[str, Any]])
            found = await admin.get(paths.results(namespace, None), wire.Page[ResultObject])
            self._collections = {one.key.name: one for one in map(domaincollections.read, held.items)}
            self._results = tuple(map(domainresults.read, found.items))
            await asyncio.sleep(0.2)

    async def may(self, token: str, *rights: Right) -> frozenset[Right]:
        return frozenset(rights) if token == TOKEN else frozenset()

    def collections(self) -> Sequence[Collection]:
        return tuple(self._collections.values())

    def collection(self, name: str) -> Collection | None:
        return self._collections.get(name)

    def results(self, name: str) -> Sequence[StoredResult]:
        return tuple(result for result in self._results if result.data.collection == name)

    async def create(self, wish: Wish) -> None:
        body = {
            "apiVersion": names.API_VERSION,
            "kind": "DomainCollection",
            "metadata": {"name": wish.name, "namespace": self.namespace},
            "spec": {
                "domains": list(wish.domains),
                "mode": "Estimate" if wish.estimate else "Collect",
                **({"budget": {"maxCredits": wish.max_credits}} if wish.max_credits is not None else {}),
            },
        }
        try:
            made = await self._reader.admin.create(paths.collections(self.namespace, None), body, dict[str, Any])
        except ConflictError:
            raise TakenError from None
        except ApiError as error:
            raise RefusedError(error.message) from None
        # The page leads to it at once.
        self._collections[wish.name] = domaincollections.read(made)

    async def patch(self, name: str, spec: dict[str, object]) -> None:
        path = paths.collections(self.namespace, name)
        try:
            patched = await self._reader.admin.patch(path, {"spec": spec}, MERGE_PATCH, dict[str, Any])
        except ApiError as error:
            raise RefusedError(error.message) from None
        self._collections[name] = domaincollections.read(patched)

    async def export(self, name: str, form: Form) -> AsyncIterator[bytes]:
        documents = await self._reader.documents(name)
        if form is Form.JSON:
            yield msgspec.json.encode(documents)
            return
        yield tables.header().encode()
        for document in documents.values():
            for item in document.items:
                yield tables.line(item).encode()
