"""Reads collections and results, page by page."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

from novahunt_api import names, paths, wire
from novahunt_api.cluster import Cluster
from novahunt_api.domainresults import ResultObject

PAGE = "500"
"""Objects of one answer: as kubectl asks."""

Raw = Mapping[str, Any]


async def collection(cluster: Cluster, namespace: str, name: str) -> dict[str, Any]:
    """Read one collection as it comes over the wire, so that it can be printed whole."""
    found: dict[str, Any] = await cluster.get(paths.collections(namespace, name), dict)
    return found


async def collections(cluster: Cluster, namespace: str | None) -> list[dict[str, Any]]:
    """Read all collections of a namespace; None: of all namespaces."""
    return [item async for item in _pages(cluster, paths.collections(namespace), {})]


async def results(cluster: Cluster, namespace: str, name: str) -> list[dict[str, Any]]:
    """Read all DomainResults of a collection, sorted by domain."""
    query = {"labelSelector": f"{names.COLLECTION_LABEL}={name}"}
    found = [item async for item in _pages(cluster, paths.results(namespace), query)]
    return sorted(found, key=lambda item: str(item.get("domain", "")))


def typed(raw: Raw) -> ResultObject:
    """Return a DomainResult's data."""
    return msgspec.convert(raw, ResultObject)


async def _pages(cluster: Cluster, path: str, query: Mapping[str, str]) -> AsyncIterator[dict[str, Any]]:
    more = ""
    while True:
        asked = {**query, "limit": PAGE, **({"continue": more} if more else {})}
        page = await cluster.get(path, wire.Page[dict[str, Any]], asked)
        for item in page.items:
            yield item
        more = page.metadata.continue_
        if not more:
            return
