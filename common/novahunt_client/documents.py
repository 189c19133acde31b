"""Reads the stored documents of a collection, one at a time, out of ConfigMaps."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from itertools import islice
from typing import Protocol

from novahunt_api import parts, paths, wire
from novahunt_api.cluster import Cluster, NotFoundError
from novahunt_api.domainresults import Result
from novahunt_contract import document
from novahunt_contract.document import Document

_AHEAD = 8
"""Documents that are read at once; so many are in memory."""


class UnreadableError(Exception):
    """A document is damaged, or lies where this program can't read; the text says which, without its content."""


class Documents(Protocol):
    """Documents that may be gone through several times."""

    @property
    def domains(self) -> frozenset[str]:
        """Whose they are; at most one for each."""

    def each(self) -> AsyncIterator[Document]:
        """Yield them in a stable order. UnreadableError: one can't be read."""


class ConfigMapDocuments:
    """Documents in ConfigMaps. One that is removed meanwhile is left out."""

    def __init__(self, cluster: Cluster, namespace: str, results: Iterable[Result]) -> None:
        """Take where they lie, and the results that tell of them; those without a document are passed over."""
        self._cluster = cluster
        self._namespace = namespace
        stored = (result for result in results if result.storage is not None)
        self._results = sorted(stored, key=lambda result: result.domain)

    @property
    def domains(self) -> frozenset[str]:
        """Whose they are."""
        return frozenset(result.domain for result in self._results)

    async def each(self) -> AsyncIterator[Document]:
        """Yield them by domain.

        Raises:
            UnreadableError: one is damaged, or lies on a volume.
            ApiError: the API server does not hand one out.
        """
        ahead: deque[tuple[str, asyncio.Task[bytes | None]]] = deque()
        rest = iter(self._results)
        try:
            while True:
                for result in islice(rest, _AHEAD - len(ahead)):
                    ahead.append((result.domain, asyncio.create_task(self.read(result))))
                if not ahead:
                    return
                domain, reading = ahead[0]
                data = await reading
                ahead.popleft()
                if data is not None:
                    yield _decoded(domain, data)
        finally:
            for _, reading in ahead:
                reading.cancel()
            await asyncio.gather(*(reading for _, reading in ahead), return_exceptions=True)

    async def read(self, result: Result) -> bytes | None:
        """Return a document's bytes; None: it is not there any more. Errors as of `each`."""
        place = result.storage.config_map if result.storage is not None else None
        if place is None:
            raise UnreadableError(f"the document of {result.domain} lies on a volume")
        held = []
        for name in place.names:
            path = paths.config_maps(self._namespace, name)
            try:
                held.append(await self._cluster.get(path, wire.ConfigMapObject))
            except NotFoundError:
                return None
        try:
            return parts.join(place.key, held)
        except parts.DamagedDocumentError as error:
            raise UnreadableError(f"the document of {result.domain} is damaged ({error}): collect it again") from None


def _decoded(domain: str, data: bytes) -> Document:
    try:
        return document.decode(data)
    except document.InvalidDocumentError as error:
        raise UnreadableError(f"the document of {domain} is damaged ({error}): collect it again") from None
