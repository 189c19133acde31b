"""Lists Jobs and DomainCollections whole: to know them before the first decision, and to find what events missed.

kopf does not tell that an object was deleted while its watch was broken; without this the operator
would go on starting Jobs for a collection that is gone.
"""

from typing import Any

import msgspec

from novahunt_operator import names, parse, paths, wire
from novahunt_operator.cluster import Cluster, GoneError
from novahunt_operator.records import Erasure, Errand, Job, Key
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
        found = [parse.collection(item) for item in objects]
        keys = {collection.key: collection.uid for collection in found}
        for collection in found:
            self._store.put_collection(collection)
        missed = [
            known
            for known in self._store.collections()
            if namespace in (None, known.key.namespace)
            and keys.get(known.key) != known.uid
            and known.resource_version <= version
        ]
        for known in missed:
            self._store.drop_collection(known.key, known.uid)
        return {known.key for known in missed} | set(keys)

    async def _jobs(self, namespace: str | None) -> set[Key]:
        objects, version = await self._list(paths.jobs(namespace), {"labelSelector": names.SELECTOR})
        seen = [made for item in objects if (made := parse.made(item)) is not None]
        uids = {made.uid for made in seen}
        for made in seen:
            match made:
                case Job():
                    self._store.put_job(made)
                case Errand():
                    self._store.put_errand(made)
                case Erasure():
                    self._store.put_erasure(made)

        def is_missed(known: Job | Errand | Erasure) -> bool:
            ours = namespace in (None, known.key.namespace)
            return ours and known.uid not in uids and known.resource_version <= version

        missed = [known for known in self._store.jobs() if is_missed(known)]
        missed_errands = [known for known in self._store.errands() if is_missed(known)]
        missed_erasures = [known for known in self._store.erasures() if is_missed(known)]
        for job in missed:
            self._store.lose_job(job.key, job.uid)
        for errand in missed_errands:
            self._store.drop_errand(errand.key, errand.uid)
        for erasure in missed_erasures:
            self._store.drop_erasure(erasure.key, erasure.uid)
        changed: tuple[Job | Errand | Erasure, ...] = (*seen, *missed, *missed_errands, *missed_erasures)
        return {Key(made.key.namespace, made.collection) for made in changed}

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
