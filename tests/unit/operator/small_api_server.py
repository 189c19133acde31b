"""As much of an API server as a watching client asks for: discovery, one list and one endless watch of each kind."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from novahunt_api import names

_KINDS = {
    "/api/v1": {"pods": "Pod", "namespaces": "Namespace"},
    "/apis/batch/v1": {"jobs": "Job"},
    f"/apis/{names.API_VERSION}": {names.COLLECTIONS: "DomainCollection", names.RESULTS: "DomainResult"},
}


class SmallApiServer:
    """What it holds, who watches, and what was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.objects: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        """By plural."""
        self.watchers: defaultdict[str, set[asyncio.Queue[dict[str, Any] | None]]] = defaultdict(set)
        """By plural: where the events of each open watch go; None ends it."""
        self.asked: list[str] = []
        self.refuses = False
        """Whether it answers every call but discovery with 401."""

    def tell(self, plural: str, kind: str, item: dict[str, Any]) -> None:
        """Send an event to all who watch."""
        for watcher in self.watchers[plural]:
            watcher.put_nowait({"type": kind, "object": item})

    def bookmark(self, plural: str) -> None:
        """Send a bookmark."""
        self.tell(plural, "BOOKMARK", {"metadata": {"resourceVersion": "7"}})

    def end_watches(self, plural: str) -> None:
        """End all watches, as the API server does after some minutes."""
        for watcher in self.watchers[plural]:
            watcher.put_nowait(None)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer any call."""
        self.asked.append(request.path_qs)
        discovered = self._discovery(request.path)
        if discovered is not None:
            return web.json_response(discovered)
        if self.refuses:
            return web.json_response({"kind": "Status", "code": 401, "reason": "Unauthorized"}, status=401)
        plural = request.path.rsplit("/", 1)[1]
        return await self._watch(request, plural) if "watch" in request.query else web.json_response(self._list(plural))

    def _list(self, plural: str) -> dict[str, Any]:
        return {"metadata": {"resourceVersion": "5"}, "items": self.objects[plural]}

    def _discovery(self, path: str) -> dict[str, Any] | None:
        if path == "/api":
            return {"versions": ["v1"]}
        if path == "/apis":
            groups = [kind.split("/")[2:] for kind in _KINDS if kind.startswith("/apis/")]
            versions = {group: {"version": version, "groupVersion": f"{group}/{version}"} for group, version in groups}
            return {
                "groups": [
                    {"name": group, "versions": [one], "preferredVersion": one} for group, one in versions.items()
                ]
            }
        if path not in _KINDS:
            return None
        verbs = ["list", "watch", "patch"]
        return {
            "resources": [
                {"name": plural, "singularName": kind.lower(), "kind": kind, "namespaced": True, "verbs": verbs}
                for plural, kind in _KINDS[path].items()
            ]
        }

    async def _watch(self, request: web.Request, plural: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        events: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self.watchers[plural].add(events)
        try:
            while (event := await events.get()) is not None:
                await response.write(json.dumps(event).encode() + b"\n")
        finally:
            self.watchers[plural].discard(events)
        return response


@asynccontextmanager
async def serving() -> AsyncIterator[SmallApiServer]:
    """Serve on a free port of loopback."""
    server = SmallApiServer()
    application = web.Application()
    application.router.add_get("/{path:.*}", server.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        await runner.cleanup()


async def until(check: Callable[[], object], what: str) -> None:
    """Wait for a condition."""
    try:
        async with asyncio.timeout(20):
            while not check():  # noqa: ASYNC110 - the condition lies in another task
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"never {what}") from None
