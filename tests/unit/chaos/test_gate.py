"""The gate of the kill table hands calls on as they are, and cuts, doubles and holds what it is told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from chaos.gate import Call, Gate, Reply
from chaos.moments import Fate


@dataclass
class Told:
    """A listener that does as it is told."""

    before_fate: Fate = Fate.PASS
    after_fate: Fate = Fate.PASS
    calls: list[str] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)

    async def before(self, call: Call) -> Fate:
        self.calls.append(f"before {call.method} {call.target}")
        return self.before_fate

    async def after(self, call: Call, reply: Reply) -> Fate:
        self.calls.append(f"after {call.path} {reply.status}")
        return self.after_fate

    async def line(self, call: Call, line: bytes) -> None:
        del call
        self.lines.append(line)


@dataclass
class Server:
    """What lies behind the gate."""

    bodies: list[bytes] = field(default_factory=list)
    more: asyncio.Event = field(default_factory=asyncio.Event)

    async def echo(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        return web.Response(status=201, body=self.bodies[-1] + request.raw_path.encode(), headers={"X-Own": "yes"})

    async def watch(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"one\n")
        await self.more.wait()
        await response.write(b"two\n")
        return response

    async def busy(self, request: web.Request) -> web.Response:
        del request
        return web.Response(status=503)


@asynccontextmanager
async def behind(told: Told) -> AsyncIterator[tuple[Gate, Server]]:
    server = Server()
    runners = []
    addresses = []
    for handler in (server.busy, server.echo):
        application = web.Application()
        application.router.add_get("/watch", server.watch)
        application.router.add_route("*", "/{rest:.*}", handler)
        runners.append(web.AppRunner(application))
        await runners[-1].setup()
        await web.TCPSite(runners[-1], "127.0.0.1", 0).start()
        addresses.append(f"http://127.0.0.1:{runners[-1].addresses[0][1]}")
    gate = Gate(told, lambda: ["http://127.0.0.1:1", *addresses])
    await gate.start()
    try:
        yield gate, server
    finally:
        server.more.set()
        await gate.stop()
        for runner in runners:
            await runner.cleanup()


async def test_a_call_goes_to_the_first_that_answers_and_comes_back_as_it_is() -> None:
    told = Told()
    async with behind(told) as (gate, server), aiohttp.ClientSession() as client:
        async with client.post(f"{gate.url}/a%2Fb?x=%20", data=b"body") as answer:
            assert (answer.status, await answer.read()) == (201, b"body/a%2Fb?x=%20")
            assert answer.headers["X-Own"] == "yes"
        assert server.bodies == [b"body"]
    assert told.calls == ["before POST /a%2Fb?x=%20", "after /a/b 201"]


@pytest.mark.parametrize(
    ("told", "carried_out"), [(Told(before_fate=Fate.CUT), 0), (Told(after_fate=Fate.CUT), 1)], ids=["before", "after"]
)
async def test_a_cut_call_is_not_carried_out_or_its_answer_is_lost(told: Told, carried_out: int) -> None:
    async with behind(told) as (gate, server), aiohttp.ClientSession() as client:
        with pytest.raises(aiohttp.ClientError):
            await client.post(gate.url, data=b"body")
        assert len(server.bodies) == carried_out


async def test_a_doubled_call_is_carried_out_twice_and_answered_once() -> None:
    async with behind(Told(before_fate=Fate.TWICE)) as (gate, server), aiohttp.ClientSession() as client:
        async with client.put(gate.url, data=b"body") as answer:
            assert await answer.read() == b"body/"
        assert server.bodies == [b"body", b"body"]


async def test_lines_are_handed_on_as_they_come_and_a_shut_gate_cuts_them_and_all_new_calls() -> None:
    told = Told()
    async with behind(told) as (gate, _), aiohttp.ClientSession() as client:
        # The first address with an answer at all: a watch is not tried elsewhere.
        watching = Gate(told, lambda: gate_upstreams(gate)[1:])
        await watching.start()
        async with client.get(f"{watching.url}/watch?watch=1") as answer:
            assert await answer.content.readline() == b"one\n"
            watching.shut()
            with pytest.raises(aiohttp.ClientError):
                await answer.content.readline()
        with pytest.raises(aiohttp.ClientError):
            await client.get(f"{watching.url}/other")
        watching.reopen()
        async with client.get(f"{watching.url}/other") as again:
            assert again.status == 201
        await watching.stop()
    assert told.lines == [b"one\n"]


def gate_upstreams(gate: Gate) -> list[str]:
    return list(gate._upstreams())
