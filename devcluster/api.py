"""Asks the API server directly, for what `up` and `status` need: is it ready, which nodes are there, make this."""

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from devcluster.errors import DevclusterError
from devcluster.paths import RunFolder
from devcluster.record import ClusterRecord

_CONFLICT: Final = 409
_FIRST_ERROR: Final = 400

Manifest = Mapping[str, object]


class ApiRefusedError(DevclusterError):
    """The API server answered, but not with what was asked for."""

    def __init__(self, method: str, path: str, status: int, text: str) -> None:
        super().__init__(f"{method} {path} was answered with {status}: {text[:500]}")


class ApiUnreachableError(DevclusterError):
    """The API server did not answer."""


@dataclass(frozen=True)
class NodeState:
    """What `status` says of a node."""

    name: str
    ready: bool
    simulated: bool


class ApiClient:
    """One kept-alive connection with the admin's certificate."""

    def __init__(self, record: ClusterRecord, folder: RunFolder, timeout: float = 10) -> None:
        self._address = urlsplit(record.server)
        self._timeout = timeout
        self._context = ssl.create_default_context(cafile=str(folder.pki / "ca.crt"))
        self._context.load_cert_chain(folder.pki / "admin.crt", folder.pki / "admin.key")
        self._connection: http.client.HTTPSConnection | None = None

    def request(self, method: str, path: str, body: Manifest | None = None) -> tuple[int, str]:
        """One request; an error of the connection is `ApiUnreachableError`."""
        if self._connection is None:
            self._connection = http.client.HTTPSConnection(
                str(self._address.hostname), self._address.port, timeout=self._timeout, context=self._context
            )
        content = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, path, content, {"Content-Type": "application/json"})
            answer = self._connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise ApiUnreachableError(f"{self._address.geturl()} does not answer: {error}") from error

    def close(self) -> None:
        """Let go of the connection; the next request makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def ready(self) -> bool:
        """Whether the API server says of itself that it is ready, its post-start hooks included."""
        try:
            status, _ = self.request("GET", "/readyz")
        except ApiUnreachableError:
            return False
        return status < _FIRST_ERROR

    def create(self, path: str, manifest: Manifest) -> None:
        """Create an object; one that is there already is fine."""
        status, text = self.request("POST", path, manifest)
        if status >= _FIRST_ERROR and status != _CONFLICT:
            raise ApiRefusedError("POST", path, status, text)

    def exists(self, path: str) -> bool:
        """Whether an object is there."""
        status, _ = self.request("GET", path)
        return status < _FIRST_ERROR

    def nodes(self) -> list[NodeState]:
        """All nodes."""
        path = "/api/v1/nodes"
        status, text = self.request("GET", path)
        if status >= _FIRST_ERROR:
            raise ApiRefusedError("GET", path, status, text)
        return [
            NodeState(
                name=str(item["metadata"]["name"]),
                ready=any(
                    condition["type"] == "Ready" and condition["status"] == "True"
                    for condition in item.get("status", {}).get("conditions", [])
                ),
                simulated=item["metadata"].get("annotations", {}).get("kwok.x-k8s.io/node") == "fake",
            )
            for item in json.loads(text)["items"]
        ]
