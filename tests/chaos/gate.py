"""A gate between two programs that speak HTTP: calls pass through it, are told, and can be cut, doubled or held."""

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import aiohttp
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from chaos.moments import Fate

_OF_ONE_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host", "upgrade"})
"""Headers that a gate does not hand on."""

_LARGEST = 128 * 2**20
_LARGEST_LINE = 2**22
_CALL_SECONDS = 60.0
_UNAVAILABLE = 503


@dataclass(frozen=True)
class Call:
    """A call that has arrived whole."""

    method: str
    path: str
    query: Mapping[str, str]
    target: str
    """Path and query as they came."""
    headers: CIMultiDictProxy[str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """An answer that has arrived whole."""

    status: int
    headers: CIMultiDict[str]
    body: bytes


class Listener(Protocol):
    """What is told of the calls, and decides on them."""

    async def before(self, call: Call) -> Fate:
        """Take a call that has not been carried out."""

    async def after(self, call: Call, reply: Reply) -> Fate:
        """Take a call that was carried out, before its answer is given."""

    async def line(self, call: Call, line: bytes) -> None:
        """Take a line of an endless answer that was just handed on."""


class Gate:
    """Listens on a free port of loopback."""

    def __init__(
        self, listener: Listener, upstreams: Callable[[], Sequence[str]], *, context: ssl.SSLContext | None = None
    ) -> None:
        """Take the parts.

        Args:
            listener: Is told of the calls.
            upstreams: Returns the addresses to hand calls to: the first one that answers with another status than 503.
            context: For TLS with the upstreams.
        """
        self._listener = listener
        self._upstreams = upstreams
        self._context = context
        self._open: set[asyncio.Transport] = set()
        self._shut = False
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self.url = ""

    async def start(self) -> None:
        """Begin to listen."""
        application = web.Application(client_max_size=_LARGEST, handler_args={"auto_decompress": False})
        application.router.add_route("*", "/{rest:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, backlog=1024).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        connector = aiohttp.TCPConnector(limit=0, ssl=self._context or True)
        # A line of a watch is a whole object.
        self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False, read_bufsize=_LARGEST_LINE)

    async def stop(self) -> None:
        """End."""
        self.shut()
        if self._session is not None:
            await self._session.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def shut(self) -> None:
        """Cut all connections, and each new one, until `reopen`."""
        self._shut = True
        for transport in self._open:
            transport.abort()
        self._open.clear()

    def reopen(self) -> None:
        """Let calls through again."""
        self._shut = False

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        transport = request.transport
        if transport is not None:
            self._open.add(transport)
        try:
            return await self._answer(request)
        finally:
            if transport is not None:
                self._open.discard(transport)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        call = Call(request.method, request.path, request.query, request.path_qs, request.headers, await request.read())
        fate = Fate.CUT if self._shut else await self._listener.before(call)
        if fate is Fate.CUT or self._shut:
            return _cut(request)
        if "watch" in call.query:
            return await self._hand_on_lines(request, call)
        reply = await self._carried_out(call)
        if fate is Fate.TWICE and reply is not None:
            reply = await self._carried_out(call)
        if reply is None or await self._listener.after(call, reply) is Fate.CUT or self._shut:
            return _cut(request)
        return web.Response(status=reply.status, headers=reply.headers, body=reply.body)

    async def _carried_out(self, call: Call) -> Reply | None:
        """Return the answer; None where there is none."""
        reply = None
        for upstream in self._upstreams():
            try:
                limit = aiohttp.ClientTimeout(total=_CALL_SECONDS)
                async with self._request(upstream, call, limit) as response:
                    reply = Reply(response.status, _handed_on(response.headers), await response.read())
            except (aiohttp.ClientError, TimeoutError, OSError):
                continue
            if reply.status != _UNAVAILABLE:
                return reply
        return reply

    async def _hand_on_lines(self, request: web.Request, call: Call) -> web.StreamResponse:
        limit = aiohttp.ClientTimeout(total=None)
        try:
            async with self._request(self._upstreams()[0], call, limit) as response:
                handed_on = web.StreamResponse(status=response.status, headers=_handed_on(response.headers))
                await handed_on.prepare(request)
                async for line in response.content:
                    await handed_on.write(line)
                    await self._listener.line(call, line)
        except (aiohttp.ClientError, OSError):
            return _cut(request)
        return handed_on

    def _request(
        self, upstream: str, call: Call, limit: aiohttp.ClientTimeout
    ) -> "aiohttp.client._RequestContextManager":
        if self._session is None:
            raise AssertionError("start comes before calls")
        return self._session.request(
            call.method,
            URL(upstream + call.target, encoded=True),
            headers=_handed_on(call.headers),
            data=call.body or None,
            timeout=limit,
            allow_redirects=False,
        )


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    # Nobody gets it any more.
    return web.Response()


def _handed_on(headers: Mapping[str, str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in _OF_ONE_CONNECTION)
