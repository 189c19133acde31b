"""Lists Jobs and DomainCollections whole: to know them before the first decision, and to find what events missed.

kopf does not tell that an object was deleted while its watch was broken; without this the operator
would go on starting Jobs for a collection that is gone.
"""

from typing import Any

import msgspec

from novahunt_api import domaincollections, names, paths, wire
from novahunt_api.cluster import Cluster, GoneError
from novahunt_api.objects import Key
from novahunt_api.watches import missed
from novahunt_operator import parse
from novahunt_operator.store import Store

_PAGE = 200


class Inventory:
    """The whole truth about Jobs and DomainCollections, on demand."""

    def __init__(self, cluster: Cluster, store: Store, namespaces: tuple[str, ...]) -> None:
        """Take the namespaces that are watched; none means all."""
        self._cluster = cluster
        self._store = store
        self._namespaces: tuple[str | None, ...] = namespaces or (None,)

    async def refresh(self) -> set[Key]:
        """Bring the store up to date, and return the collections that anything was found out about."""
        changed: set[Key] = set()
        for namespace in self._namespaces:
            changed |= await self._collections(namespace)
            changed |= await self._jobs(namespace)
        return changed

    async def _collections(self, namespace: str | None) -> set[Key]:
        objects, version = await self._list(paths.collections(namespace), {})
        found = [domaincollections.read(item) for item in objects]
        for collection in found:
            self._store.put_collection(collection)
        gone = missed(self._store.collections(), namespace, {collection.uid for collection in found}, version)
        for known in gone:
            self._store.drop_collection(known.key, known.uid)
        return {collection.key for collection in (*gone, *found)}

    async def _jobs(self, namespace: str | None) -> set[Key]:
        objects, version = await self._list(paths.jobs(namespace), {"labelSelector": names.SELECTOR})
        seen = [made for item in objects if (made := parse.made(item)) is not None]
        for made in seen:
            self._store.put_made(made)
        gone = missed(self._store.made(), namespace, {made.uid for made in seen}, version)
        for known in gone:
            self._store.lose_made(known)
        return {Key(made.key.namespace, made.collection) for made in (*seen, *gone)}

    async def _list(self, path: str, query: dict[str, str]) -> tuple[list[dict[str, Any]], int]:
        objects: list[dict[str, Any]] = []
        parameters = {**query, "limit": str(_PAGE)}
        while True:
            try:
                data = await self._cluster.call("GET", path, query=parameters)
            except GoneError:
                # The pages took longer than the server remembers the version that they are of: some minutes.
                if parameters.pop("continue", None) is None:
                    raise
                objects.clear()
                continue
            page = msgspec.json.decode(data, type=wire.Page[dict[str, Any]])
            objects.extend(page.items)
            if not page.metadata.continue_:
                return objects, int(page.metadata.resource_version)
            parameters["continue"] = page.metadata.continue_
