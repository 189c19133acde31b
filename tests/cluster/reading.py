"""Reads a namespace's collections, results and documents, as a person's script would."""

import base64
import gzip
from dataclasses import dataclass
from pathlib import Path

import msgspec
from kubernetes.aio import client, config

from novahunt_api import names, paths, wire
from novahunt_api.cluster import Cluster
from novahunt_api.domainresults import Result, ResultObject
from novahunt_api.statusobject import CollectionStatus
from novahunt_contract import document


class CollectionObject(msgspec.Struct):
    """What a test reads of a DomainCollection."""

    metadata: wire.Meta
    status: CollectionStatus = CollectionStatus()

    def condition(self, kind: str) -> tuple[str, str]:
        """Return status and reason of a condition; empty where it is not shown."""
        return next(((c.status, c.reason) for c in self.status.conditions if c.type == kind), ("", ""))


async def connect(kubeconfig: Path) -> Cluster:
    """Connect as a kubeconfig says: as the cluster's administrator."""
    configuration = client.Configuration()
    configuration.connection_pool_maxsize = 50
    await config.load_kube_config(str(kubeconfig), client_configuration=configuration)
    return Cluster(client.ApiClient(configuration))


@dataclass
class Reader:
    """One namespace; `admin` may read everything in it."""

    admin: Cluster
    namespace: str

    async def collection(self, name: str) -> CollectionObject:
        """Read a collection."""
        path = paths.collections(self.namespace, name)
        return await self.admin.get(path, CollectionObject)

    async def results(self, name: str | None = None) -> dict[str, Result]:
        """Read the data of the DomainResults of a collection, or of all, by domain."""
        return dict(await self.result_objects(name))

    async def result_objects(self, name: str | None = None) -> dict[str, ResultObject]:
        """Read the DomainResults of a collection, or of all, by domain."""
        query = {"labelSelector": f"{names.COLLECTION_LABEL}={name}"} if name is not None else {}
        page = await self.admin.get(paths.results(self.namespace), wire.Page[ResultObject], query)
        return {item.domain: item for item in page.items}

    async def jobs(self, name: str) -> list[wire.JobObject]:
        """Read the Jobs of a collection."""
        query = {"labelSelector": f"{names.COLLECTION_LABEL}={name}"}
        return list((await self.admin.get(paths.jobs(self.namespace), wire.Page[wire.JobObject], query)).items)

    async def document_config_maps(self, name: str | None = None) -> list[str]:
        """Name the ConfigMaps that hold documents of a collection, or of all."""
        of_collection = f",{names.COLLECTION_LABEL}={name}" if name is not None else ""
        query = {"labelSelector": f"{names.COMPONENT_LABEL}={names.DOCUMENT}{of_collection}"}
        path = paths.config_maps(self.namespace)
        page = await self.admin.get(path, wire.Page[wire.ConfigMapObject], query)
        return [item.metadata.name for item in page.items]

    async def documents(self, name: str) -> dict[str, document.Document]:
        """Read the stored documents of a collection out of its ConfigMaps, as a person's script would."""
        found = {}
        for domain, result in (await self.results(name)).items():
            place = result.storage.config_map if result.storage is not None else None
            if place is None:
                continue
            parts = []
            for part in place.names:
                held = await self.admin.get(paths.config_maps(self.namespace, part), wire.ConfigMapObject)
                packed = held.binary_data.get(place.key)
                parts.append(base64.b64decode(packed) if packed is not None else held.data[place.key].encode())
            data = b"".join(parts)
            found[domain] = document.decode(gzip.decompress(data) if place.key.endswith(".gz") else data)
        return found
