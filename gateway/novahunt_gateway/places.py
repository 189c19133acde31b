"""Where a namespace's documents lie, and one way to read them and to hand them out as a file."""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from novahunt_api.cluster import ApiError, Cluster
from novahunt_api.domainresults import Result
from novahunt_client.documents import ConfigMapDocuments, Documents, FolderDocuments, UnreadableError
from novahunt_client.exports import Form, export, merged
from novahunt_contract.document import Document
from novahunt_gateway.errors import BusyError, PlaceError


class Places:
    """ConfigMaps of any namespace, and the mounted claims of the gateway's own."""

    def __init__(self, cluster: Cluster, namespace: str, volumes: Mapping[str, Path]) -> None:
        """Take the connection, the gateway's own namespace, and where its claims are mounted."""
        self._cluster = cluster
        self._namespace = namespace
        self._volumes = volumes

    async def export(self, namespace: str, stored: Sequence[Result], form: Form) -> AsyncIterator[bytes]:
        """Return the addresses of all these results as a file, each address once; memory stays constant.

        The first pieces are read before this returns, so that what can't be read at all is told in time.

        Raises:
            PlaceError: the documents lie where the gateway can't read them.
            BusyError: the API server does not hand them out now.
        """
        pieces = export(merged(self._documents(namespace, stored)), form)
        try:
            # A heading needs no document; what comes after it does.
            begin = [await anext(pieces, b""), await anext(pieces, b"")]
        except UnreadableError as error:
            raise PlaceError(str(error)) from None
        except ApiError:
            raise BusyError("Kubernetes does not hand the documents out now: try again") from None
        return _joined(begin, pieces)

    def _documents(self, namespace: str, stored: Sequence[Result]) -> Documents:
        claims = {place.claim_name for result in stored if (place := result.volume_place) is not None}
        if not claims:
            return ConfigMapDocuments(self._cluster, namespace, stored)
        if namespace != self._namespace:
            raise PlaceError(f"documents on volumes are read in namespace {self._namespace} alone")
        missing = sorted(claims - self._volumes.keys())
        if missing:
            raise PlaceError(f"this gateway has not mounted the claim {missing[0]}")
        if len(claims) > 1 or any(result.volume_place is None for result in stored):
            return _Several(self._cluster, namespace, self._volumes, stored)
        return FolderDocuments(self._volumes[claims.pop()], stored)


class _Several:
    """Documents of one collection in several places: its storage was changed while it ran."""

    def __init__(self, cluster: Cluster, namespace: str, volumes: Mapping[str, Path], stored: Sequence[Result]) -> None:
        in_config_maps = [one for one in stored if one.volume_place is None]
        self._parts: list[Documents] = [ConfigMapDocuments(cluster, namespace, in_config_maps)]
        for claim, folder in volumes.items():
            here = [one for one in stored if one.volume_place is not None and one.volume_place.claim_name == claim]
            self._parts.append(FolderDocuments(folder, here))

    @property
    def domains(self) -> frozenset[str]:
        """Those that all parts hold."""
        return frozenset().union(*(part.domains for part in self._parts))

    async def each(self) -> AsyncIterator[Document]:
        """Yield the documents of one part after the other."""
        for part in self._parts:
            async for document in part.each():
                yield document


async def _joined(begin: Sequence[bytes], rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    for piece in begin:
        yield piece
    async for piece in rest:
        yield piece
