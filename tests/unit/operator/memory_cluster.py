"""The API server's side of a few objects, in memory: versions, preconditions, and a crash of the caller when told."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from kubernetes.aio import client

from novahunt_api.cluster import Cluster, ConflictError, NotFoundError


class CrashError(BaseException):
    """The operator ends here, between two of its calls; nothing of its own catches that."""


class MemoryCluster(Cluster):
    """A cluster whose objects are a dictionary by path; all above the wire is the operator's own."""

    def __init__(self) -> None:
        super().__init__(client.ApiClient())
        self.objects: dict[str, dict[str, Any]] = {}
        self.writes_left: int | None = None
        """After so many more writes the caller crashes; None: never."""
        self.reads: list[str] = []
        self._number = 0

    def put(self, path: str, body: Any) -> dict[str, Any]:
        """Have an object there."""
        return self._keep(path, msgspec.json.decode(msgspec.json.encode(body)))

    def names(self, folder: str) -> set[str]:
        """Name the objects in a folder."""
        return {path.removeprefix(f"{folder}/") for path in self.objects if path.startswith(f"{folder}/")}

    async def call_once(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        seconds: float = 30.0,
    ) -> bytes:
        """Answer as the API server does."""
        del content_type, seconds
        # Others have their turn meanwhile.
        await asyncio.sleep(0)
        if method == "GET":
            self.reads.append(path)
            selector = (query or {}).get("labelSelector")
            return msgspec.json.encode(self._found(path) if selector is None else self._listed(path, selector, accept))
        if self.writes_left is not None:
            if self.writes_left == 0:
                raise CrashError
            self.writes_left -= 1
        return msgspec.json.encode(self._write(method, path, msgspec.json.decode(msgspec.json.encode(body))))

    def _write(self, method: str, path: str, body: Any) -> dict[str, Any]:
        if method == "POST":
            full = f"{path}/{body['metadata']['name']}"
            if full in self.objects:
                raise ConflictError(409, "AlreadyExists", "it is there")
            return self._keep(full, body)
        found = self._found(path)
        if method == "DELETE":
            del self.objects[path]
            return {"kind": "Status"}
        wanted = {name: body.get("metadata", {}).get(name) for name in ("resourceVersion", "uid")}
        if any(value is not None and value != found["metadata"][name] for name, value in wanted.items()):
            raise ConflictError(409, "Conflict", "it has changed")
        if method == "PATCH":
            body = _merged(found, body)
        return self._keep(path, body)

    def _listed(self, folder: str, selector: str, accept: str) -> dict[str, Any]:
        wanted = dict(one.split("=") for one in selector.split(","))
        found = [one for path, one in self.objects.items() if path.startswith(f"{folder}/")]
        items: Any = [one for one in found if wanted.items() <= one["metadata"].get("labels", {}).items()]
        if "PartialObjectMetadata" in accept:
            # So does the API server: a list of metadata without any is null.
            items = [{"metadata": one["metadata"]} for one in items] or None
        return {"kind": "List", "metadata": {"resourceVersion": str(self._number)}, "items": items}

    def _found(self, path: str) -> dict[str, Any]:
        if path not in self.objects:
            raise NotFoundError(404, "NotFound", f"{path} is not there")
        return self.objects[path]

    def _keep(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        uid = self.objects.get(path, {}).get("metadata", {}).get("uid", f"uid-{self._number}")
        body["metadata"] |= {"resourceVersion": str(self._number), "uid": body["metadata"].get("uid", uid)}
        self.objects[path] = body
        return body


def _merged(held: Any, change: Any) -> Any:
    """Merge a patch as RFC 7386 says."""
    if not isinstance(change, dict):
        return change
    old = held if isinstance(held, dict) else {}
    new = {name: _merged(old.get(name), value) for name, value in change.items() if value is not None}
    return {name: value for name, value in old.items() if name not in change} | new
