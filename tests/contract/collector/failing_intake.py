"""An intake that fails on command, for what the operator's real one can't easily be brought to."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from aiohttp import web

from novahunt_contract import document as documents
from novahunt_contract import environment as names
from novahunt_contract import intake as contract
from novahunt_contract.receipt import ConfigMapPlace

PLACE = ConfigMapPlace(names=("q4-abc",), key="example.com.json")


class FailingIntake:
    """Answers each call with the next status of its script, and as the contract says once that is used up."""

    def __init__(self) -> None:
        self.permit_statuses: list[int] = []
        self.get_statuses: list[int] = []
        self.put_statuses: list[int] = []
        self.calls: list[contract.PermitCall] = []
        """Those that were answered with 200."""
        self.tokens: list[str] = []
        self.heard = b""
        """Headers and bodies of the calls for permits."""
        self.accepted_token: str | None = None
        self.hold = asyncio.Event()
        """Permits are held back until it is set."""
        self.hold.set()
        self.held = asyncio.Event()
        """Set when a call is being held."""
        self.holds_reports = False
        """Calls that want no permit are held back, in place of those that do."""
        self.storing = asyncio.Event()
        """Set when a document arrives."""
        self.may_store = asyncio.Event()
        """Documents are held back until it is set."""
        self.may_store.set()
        self.lost_answers = 0
        """So many documents are stored, and the connection breaks in place of the answer."""
        self.garbled = False
        """Documents are stored, and the answer can't be understood."""
        self.stored: bytes | None = None
        self.puts = 0
        self.config_maps: dict[str, bytes] = {}
        """By domain: documents that sweeps see."""
        self.list_statuses: list[int] = []
        self.swept_statuses: list[int] = []
        self.swept: list[contract.Swept] = []
        """What sweeps told, in its order."""
        self.told = asyncio.Event()
        """Set when a sweep tells something."""
        self.may_answer = asyncio.Event()
        """What a sweep tells is heard, and answered only when this is set."""
        self.may_answer.set()
        self.busy: set[str] = set()
        """Domains of which a run is under way."""
        self.url = ""
        self._granted = 0

    def application(self) -> web.Application:
        application = web.Application(client_max_size=2**26, handler_args={"auto_decompress": False})
        application.add_routes(
            [
                web.post(contract.PERMITS, self._permit),
                web.get(contract.DOCUMENT, self._get),
                web.put(contract.DOCUMENT, self._put),
                web.get(contract.DOCUMENTS, self._list),
                web.get(contract.DOCUMENTS + "/{domain}", self._get_one),
                web.put(contract.DOCUMENTS + "/{domain}", self._put_one),
                web.post(contract.SWEPT, self._swept),
            ]
        )
        return application

    def environ(self, folder: Path) -> dict[str, str]:
        """Return what a Job's pod would be told of this intake."""
        token = folder / "token"
        token.write_text("first")
        return {names.INTAKE_URL: self.url, names.INTAKE_TOKEN_FILE: str(token)}

    async def _permit(self, request: web.Request) -> web.Response:
        failure = self._failure(request, self.permit_statuses)
        if failure is not None:
            return failure
        body = await request.read()
        self.heard += repr(request.raw_headers).encode() + body
        call = msgspec.json.decode(body, type=contract.PermitCall)
        if call.wanted is not self.holds_reports:
            if not self.hold.is_set():
                self.held.set()
            await self.hold.wait()
        self.calls.append(call)
        if not call.wanted:
            return _json(contract.PermitAnswer())
        self._granted += 1
        return _json(contract.PermitAnswer(permit=str(self._granted)))

    async def _get(self, request: web.Request) -> web.Response:
        failure = self._failure(request, self.get_statuses)
        if failure is not None:
            return failure
        if self.stored is None:
            return _refusal(404)
        return web.Response(body=self.stored, content_type="application/json")

    async def _put(self, request: web.Request) -> web.Response:
        self.puts += 1
        self.storing.set()
        await self.may_store.wait()
        failure = self._failure(request, self.put_statuses)
        if failure is not None:
            return failure
        assert request.headers["Content-Encoding"] == "gzip"
        self.stored = gzip.decompress(await request.read())
        document = documents.decode(self.stored)
        if self.lost_answers:
            self.lost_answers -= 1
            assert request.transport is not None
            request.transport.close()
        if self.garbled:
            return web.Response(body=b"{")
        digest = documents.digest(self.stored)
        return _json(contract.Stored(PLACE, digest, len(self.stored), document.stored_at))

    async def _list(self, request: web.Request) -> web.Response:
        failure = self._failure(request, self.list_statuses)
        return failure or _json(contract.Listing(tuple(sorted(self.config_maps))))

    async def _get_one(self, request: web.Request) -> web.Response:
        failure = self._failure(request, self.get_statuses)
        data = self.config_maps.get(request.match_info["domain"])
        if failure is not None or data is None:
            return failure or _refusal(404)
        return web.Response(body=data, content_type="application/json")

    async def _put_one(self, request: web.Request) -> web.Response:
        domain = request.match_info["domain"]
        failure = self._failure(request, self.put_statuses)
        if failure is not None or domain in self.busy:
            return failure or _refusal(409)
        data = gzip.decompress(await request.read())
        document = documents.decode(data)
        assert document.domain == domain
        self.config_maps[domain] = data
        return _json(contract.Stored(PLACE, documents.digest(data), len(data), document.stored_at))

    async def _swept(self, request: web.Request) -> web.Response:
        failure = self._failure(request, self.swept_statuses)
        if failure is not None:
            return failure
        body = await request.read()
        self.heard += body
        swept = msgspec.json.decode(body, type=contract.Swept)
        if swept.domain in self.busy:
            return _refusal(409)
        self.swept.append(swept)
        self.told.set()
        await self.may_answer.wait()
        if swept.removed:
            self.config_maps.pop(swept.domain, None)
        return web.Response()

    def _failure(self, request: web.Request, statuses: list[int]) -> web.Response | None:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        self.tokens.append(token)
        if self.accepted_token is not None and token != self.accepted_token:
            return _refusal(401)
        status = (statuses.pop(0) if len(statuses) > 1 else statuses[0]) if statuses else 200
        if statuses == [200]:
            statuses.clear()
        return None if status == 200 else _refusal(status)


@asynccontextmanager
async def running(
    intake: FailingIntake, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[FailingIntake]:
    """Serve it as long as the block runs."""
    runner = web.AppRunner(intake.application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, reuse_address=True, ssl_context=tls)
        await site.start()
        intake.url = f"{'http' if tls is None else 'https'}://{host}:{runner.addresses[0][1]}"
        yield intake
    finally:
        intake.hold.set()
        intake.may_store.set()
        intake.may_answer.set()
        await runner.cleanup()
        await asyncio.sleep(0)


def _json(answer: msgspec.Struct, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(answer), content_type="application/json")


def _refusal(status: int) -> web.Response:
    response = _json(contract.Error("told so by the test"), status)
    if status == 503:
        response.headers["Retry-After"] = "0"
    return response
