"""Follows one collection while the operator works on it: how large its status grows, and how soon a change shows."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bench.ground import Place
from novahunt_api import paths, wire
from novahunt_api.cluster import MERGE_PATCH
from novahunt_api.statusobject import CollectionStatus

_PAUSE_SECONDS = 1.0
"""Between two looks: each sends the whole object, which may be large."""
_SHORT_PAUSE_SECONDS = 0.1


class _Object(msgspec.Struct):
    metadata: wire.Meta
    status: msgspec.Raw = msgspec.Raw(b"{}")


@dataclass
class CollectionRun:
    """One collection, from its making until it is Ready."""

    place: Place
    name: str
    status: CollectionStatus = field(default_factory=CollectionStatus)
    """As seen last."""
    status_bytes: int = 0
    """The largest status that was seen, as JSON."""
    object_bytes: int = 0
    """The largest object, status included."""
    edit_seconds: float = 0.0
    """From a change of the spec until the status spoke of it."""

    async def until_ready(self, *, edit_at: int = 0, seconds: float = 7200) -> None:
        """Follow it until all its domains are done; once so many are, change its priority, which changes nothing else.

        Raises:
            TimeoutError: it took longer than so many seconds.
        """
        async with asyncio.timeout(seconds):
            while not self._is_ready:
                await asyncio.sleep(_PAUSE_SECONDS)
                await self._look()
                counts = self.status.domains
                if edit_at and not self.edit_seconds and counts is not None and counts.succeeded >= edit_at:
                    await self._edit()

    async def until_seen(self, *, seconds: float = 60) -> None:
        """Wait until the operator has written a status.

        Raises:
            TimeoutError: it took longer than so many seconds.
        """
        async with asyncio.timeout(seconds):
            while self.status.observed_generation < 1:
                await asyncio.sleep(_SHORT_PAUSE_SECONDS)
                await self._look()

    @property
    def _is_ready(self) -> bool:
        conditions = self.status.conditions
        return any(condition.type == "Ready" and condition.status == "True" for condition in conditions)

    async def _look(self) -> None:
        data = await self.place.admin.call("GET", self._path)
        found = msgspec.json.decode(data, type=_Object)
        self.object_bytes = max(self.object_bytes, len(data))
        self.status_bytes = max(self.status_bytes, len(bytes(found.status)))
        self.status = msgspec.json.decode(found.status, type=CollectionStatus)

    async def _edit(self) -> None:
        change: dict[str, Any] = {"spec": {"priority": 1}}
        began = time.monotonic()
        data = await self.place.admin.call("PATCH", self._path, body=change, content_type=MERGE_PATCH)
        generation = msgspec.json.decode(data, type=_Object).metadata.generation
        while self.status.observed_generation < generation:
            await asyncio.sleep(_SHORT_PAUSE_SECONDS)
            await self._look()
        self.edit_seconds = time.monotonic() - began

    @property
    def _path(self) -> str:
        return paths.collections(self.place.namespace, self.name)
