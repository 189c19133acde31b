"""As much of an API server as watching clients ask for: a list in pages and an endless watch of each kind; a Lease."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

_VERSION = "2000000000"
"""Of each list: newer than any object."""


class SmallApiServer:
    """What it holds, who watches, and what was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.objects: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        """By plural."""
        self.watchers: defaultdict[str, set[asyncio.Queue[dict[str, Any] | None]]] = defaultdict(set)
        """By plural: where the events of each open watch go; None ends it."""
        self.page = 1000
        """Objects per page of a list, whatever is asked for."""
        self.too_old: list[str] = []
        """Pages that are refused once."""
        self.before_page: Callable[[str], Awaitable[None]] | None = None
        """Awaited with the number of a page's first object after the list was read, and before the page is sent."""
        self.no_right_in: set[str] = set()
        """Namespaces in which the caller may do nothing: they, or their Roles, are gone."""
        self.holder = ""
        """Who holds the Lease, by its last word; empty: nobody."""
        self._holds = 0
        """How often the Lease was taken, by the last holder's word."""
        self.refuses = False
        """Whether it answers every call with 401."""
        self._lists: list[tuple[str, Mapping[str, str]]] = []

    def lists(self, plural: str) -> list[Mapping[str, str]]:
        """Return the parameters of all lists of a kind that were asked for."""
        return [query for asked, query in self._lists if asked == plural]

    def tell(self, plural: str, kind: str, item: dict[str, Any]) -> None:
        """Send an event to all who watch."""
        for watcher in self.watchers[plural]:
            watcher.put_nowait({"type": kind, "object": item})

    def bookmark(self, plural: str) -> None:
        """Send a bookmark."""
        self.tell(plural, "BOOKMARK", {"metadata": {"resourceVersion": _VERSION}})

    def end_watches(self, plural: str) -> None:
        """End all watches, as the API server does after some minutes."""
        for watcher in self.watchers[plural]:
            watcher.put_nowait(None)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer any call."""
        if self.refuses:
            return web.json_response({"kind": "Status", "code": 401, "reason": "Unauthorized"}, status=401)
        namespace, plural = request.path.split("/")[-2:]
        if namespace == "leases":
            return await self._lease(request)
        if namespace in self.no_right_in:
            message = f'{plural} is forbidden: User "operator" cannot list resource "{plural}"'
            status = {"kind": "Status", "code": 403, "reason": "Forbidden", "message": message}
            return web.json_response(status, status=403)
        return await self._watch(request, plural) if "watch" in request.query else await self._list(request, plural)

    async def _lease(self, request: web.Request) -> web.Response:
        """Keep one Lease, which is there from the beginning."""
        if request.method == "PUT":
            spec = (await request.json())["spec"]
            self.holder, self._holds = spec["holderIdentity"], spec["leaseTransitions"]
        spec = {"holderIdentity": self.holder, "leaseTransitions": self._holds}
        return web.json_response({"metadata": {"name": "lease"}, "spec": spec})

    async def _list(self, request: web.Request, plural: str) -> web.Response:
        self._lists.append((plural, dict(request.query)))
        page = request.query.get("continue", "0")
        if page in self.too_old:
            self.too_old.remove(page)
            return web.json_response({"kind": "Status", "code": 410, "reason": "Expired"}, status=410)
        every, end = tuple(self.objects[plural]), int(page) + self.page
        if self.before_page is not None:
            await self.before_page(page)
        metadata = {"resourceVersion": _VERSION} | ({"continue": str(end)} if end < len(every) else {})
        return web.json_response({"metadata": metadata, "items": every[int(page) : end]})

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
    application.router.add_route("*", "/{path:.*}", server.answer)
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
