"""A gateway served on loopback, over an API server in memory whose news it is told by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from builders import NOW, stored
from novahunt_api import domaincollections, paths
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Result
from novahunt_api.objects import Key
from novahunt_gateway import serving
from novahunt_gateway.app import Gateway
from novahunt_gateway.metrics import GatewayMetrics
from novahunt_gateway.settings import read
from page.serving import served_as
from unit.operator.memory_cluster import MemoryCluster

TOKEN = "the-token"
SALES = "sales"


class Cluster(MemoryCluster):
    """Dates what is made, as an API server does."""

    def _keep(self, path: str, body: dict[str, object]) -> dict[str, object]:
        metadata = body["metadata"]
        assert isinstance(metadata, dict)
        metadata.setdefault("creationTimestamp", NOW.isoformat())
        metadata.setdefault("generation", 1)
        return super()._keep(path, body)


class Served:
    """The gateway, its address, and what stands behind it."""

    def __init__(self, folder: Path, **settings: str) -> None:
        token = folder / "token"
        token.write_text(TOKEN)
        self.volume = folder / "volume"
        self.volume.mkdir()
        environ = {
            "NOVAHUNT_NAMESPACE": SALES,
            "NOVAHUNT_GATEWAY_NAMESPACES": "other",
            "NOVAHUNT_GATEWAY_TOKEN_FILE": str(token),
            "NOVAHUNT_GATEWAY_VOLUMES": f"claim={self.volume}",
            "NOVAHUNT_GATEWAY_MAX_BODY": "65536",
            "NOVAHUNT_GATEWAY_REQUEST_SECONDS": "2",
            "NOVAHUNT_GATEWAY_SPEC": '{"budget": {"maxCreditsPerDomain": 50}}',
            **settings,
        }
        self.cluster = Cluster()
        self.metrics = GatewayMetrics()
        self.gateway = Gateway(read(environ), self.cluster, self.metrics)
        self.url = ""

    def client(self, token: str | None = TOKEN) -> httpx.Client:
        """Return a caller with a token."""
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=20)

    def collection(self, name: str) -> Collection:
        """Return a collection as the API server holds it."""
        return domaincollections.read(self.cluster.objects[paths.collections(SALES, name)])

    def tell(self, found: Collection) -> None:
        """Bring news of a collection."""
        self.gateway.objects.put_collection(found)

    def record(self, result: Result, namespace: str = SALES) -> None:
        """Bring news of a result."""
        key = Key(namespace, f"{result.collection}-{result.domain}")
        self.gateway.objects.put_result(stored(result, key=key))


@contextmanager
def serving_with(folder: Path, **settings: str) -> Iterator[Served]:
    """Serve a gateway that some variables of its environment are set for."""
    found = Served(folder, **settings)
    with served_as(serving.config(found.gateway.app, 0, head_seconds=2)) as url:
        found.url = url
        yield found


@pytest.fixture
def served_gateway(tmp_path: Path) -> Iterator[Served]:
    with serving_with(tmp_path) as found:
        yield found


@pytest.fixture
def caller(served_gateway: Served) -> Iterator[httpx.Client]:
    with served_gateway.client() as found:
        yield found


def wanting(
    name: str, *domains: str, namespace: str = SALES, status: dict[str, object] | None = None, **spec: object
) -> Collection:
    """Return a collection that wants these domains."""
    metadata = {"name": name, "namespace": namespace, "uid": f"uid-{name}", "resourceVersion": "5", "generation": 1}
    return domaincollections.read(
        {"metadata": metadata, "spec": {"domains": list(domains), **spec}, "status": status or {}}
    )
