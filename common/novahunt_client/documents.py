"""Reads the stored documents of a collection, one at a time, out of ConfigMaps or off a mounted volume."""

import asyncio
import os
import stat
from collections import deque
from collections.abc import AsyncIterator, Iterable
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Protocol

from novahunt_api import parts, paths, wire
from novahunt_api.cluster import Cluster, NotFoundError
from novahunt_api.domainresults import Result
from novahunt_contract import document
from novahunt_contract.document import Document
from novahunt_contract.intake import MAX_DOCUMENT_BYTES

_AHEAD = 8
"""Documents that are fetched at once. They wait as they lie, most of them packed; one is unpacked at a time."""


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
        ahead: deque[tuple[Result, asyncio.Task[list[wire.ConfigMapObject] | None]]] = deque()
        rest = iter(self._results)
        try:
            while True:
                for result in islice(rest, _AHEAD - len(ahead)):
                    ahead.append((result, asyncio.create_task(self._fetch(result))))
                if not ahead:
                    return
                result, fetching = ahead[0]
                held = await fetching
                ahead.popleft()
                del fetching
                if held is not None:
                    # Bound to no name, so that none of it outlives its turn.
                    yield _decoded(result.domain, _whole(result, held))
        finally:
            for _, fetching in ahead:
                fetching.cancel()
            await asyncio.gather(*(fetching for _, fetching in ahead), return_exceptions=True)

    async def _fetch(self, result: Result) -> list[wire.ConfigMapObject] | None:
        """Return the ConfigMaps of a document; None: it is not there any more."""
        place = result.config_map_place
        if place is None:
            raise UnreadableError(f"the document of {result.domain} lies on a volume")
        held = []
        for name in place.names:
            path = paths.config_maps(self._namespace, name)
            try:
                held.append(await self._cluster.get(path, wire.ConfigMapObject))
            except NotFoundError:
                return None
        return held


def _whole(result: Result, held: list[wire.ConfigMapObject]) -> bytes:
    place = result.config_map_place
    assert place is not None  # noqa: S101 - it was fetched from there
    try:
        return parts.join(place.key, held)
    except parts.DamagedDocumentError as error:
        raise UnreadableError(f"the document of {result.domain} is damaged ({error}): collect it again") from None


def _decoded(domain: str, data: bytes) -> Document:
    try:
        return document.decode(data)
    except document.InvalidDocumentError as error:
        raise UnreadableError(f"the document of {domain} is damaged ({error}): collect it again") from None


class FolderDocuments:
    """Documents in a folder of a mounted claim. One that is removed meanwhile is left out."""

    def __init__(self, root: Path, results: Iterable[Result]) -> None:
        """Take where the claim is mounted, and the results that tell of documents on it; others are passed over."""
        self._root = root
        stored = (result for result in results if result.volume_place is not None)
        self._results = sorted(stored, key=lambda result: result.domain)

    @property
    def domains(self) -> frozenset[str]:
        """Whose they are."""
        return frozenset(result.domain for result in self._results)

    async def each(self) -> AsyncIterator[Document]:
        """Yield them by domain.

        Raises:
            UnreadableError: one is damaged, too large or no plain file, or its place is none in the claim.
        """
        for result in self._results:
            data = await asyncio.to_thread(self._read, result)
            if data is not None:
                yield _decoded(result.domain, data)

    def _read(self, result: Result) -> bytes | None:
        place = result.volume_place
        name = document.file_name(result.domain)
        if place is None or "/" in name or name.startswith("."):
            raise UnreadableError("a result names no domain's document")
        try:
            # Step by step and following no link: what lies on a volume may have been put there by anybody.
            handle = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
            try:
                for part in PurePosixPath(place.path).parts:
                    if part in ("..", "/"):
                        raise UnreadableError(f"the place of {result.domain}'s document is none in the claim")
                    inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
                    os.close(handle)
                    handle = inner
                file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=handle)
            finally:
                os.close(handle)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UnreadableError(f"the document of {result.domain} can't be read: {error.strerror}") from None
        with open(file, "rb") as held:  # noqa: PTH123 - by its descriptor
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_DOCUMENT_BYTES:
                raise UnreadableError(f"the document of {result.domain} is no plain file, or too large")
            return held.read()
