"""Calls to the API server: when they are made again, how patiently, and when not; how many are under way at once."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from aiohttp import web
from kubernetes.aio import client

from novahunt_api import cluster as module
from novahunt_api.cluster import (
    CALLS_AT_ONCE,
    ApiError,
    Cluster,
    ConflictError,
    GoneError,
    NotActiveError,
    NotFoundError,
    UnavailableError,
    error_of,
)
from unit.operator.loopback_api import connected, stream
from virtual_time import run

BUSY = UnavailableError(429, "TooManyRequests", "too many requests", retry_after=7.0)
AWAY = UnavailableError(0, "ServerDisconnectedError", "no answer")


class Refusing(Cluster):
    """A cluster that fails as its script says, and then succeeds."""

    def __init__(self, *errors: ApiError, then: bytes = b"{}") -> None:
        super().__init__(client.ApiClient())
        self._errors = list(errors)
        self._then = then
        self.calls = 0

    async def call_once(self, method: str, path: str, **_: Any) -> bytes:
        del method, path
        self.calls += 1
        if self._errors:
            raise self._errors.pop(0)
        return self._then


def seconds_of(cluster: Cluster, method: str = "GET") -> float:
    """Make a call in virtual time, and return how long it took."""

    async def scene(clock: Any) -> float:
        with pytest.MonkeyPatch.context() as patch:
            # backoff has a clock of its own for how long it tries.
            patch.setattr("backoff._common.time", SimpleNamespace(monotonic=clock))
            began = clock()
            await cluster.call(method, "/api")
            return float(clock() - began)

    return run(scene)


def test_too_many_requests_are_made_again_no_sooner_than_the_server_asks() -> None:
    cluster = Refusing(BUSY, BUSY)
    assert 14 <= seconds_of(cluster) < 15
    assert cluster.calls == 3


def test_a_server_that_is_away_is_asked_again_with_growing_pauses() -> None:
    cluster = Refusing(*[AWAY] * 6)
    assert seconds_of(cluster, "POST") < sum(0.2 * 2**number for number in range(6))
    assert cluster.calls == 7


def test_after_a_minute_the_caller_is_told() -> None:
    cluster = Refusing(*[BUSY] * 100)
    with pytest.raises(UnavailableError):
        seconds_of(cluster)
    assert 8 <= cluster.calls <= 10


@pytest.mark.parametrize("error", [NotFoundError(404, "NotFound", ""), ConflictError(409, "AlreadyExists", "")])
def test_an_answer_that_would_come_again_is_not_asked_for_again(error: ApiError) -> None:
    cluster = Refusing(error)
    with pytest.raises(type(error)):
        seconds_of(cluster)
    assert cluster.calls == 1


def test_who_has_lost_the_lease_between_two_tries_does_not_write_again() -> None:
    cluster = Refusing(AWAY, AWAY)
    cluster.may_write = lambda: cluster.calls == 0
    with pytest.raises(NotActiveError):
        seconds_of(cluster, "POST")
    assert cluster.calls == 1


async def test_retry_after_is_read_from_the_answer() -> None:
    asked: list[float] = []

    async def handler(_: web.BaseRequest) -> web.StreamResponse:
        asked.append(time.monotonic())
        if len(asked) == 1:
            return web.Response(status=429, headers={"Retry-After": "1"}, text='{"reason": "TooManyRequests"}')
        return web.Response(text="{}")

    async with connected(handler) as cluster:
        assert await cluster.call("GET", "/api") == b"{}"
    assert asked[1] - asked[0] >= 1


async def test_a_connection_that_is_cut_is_no_answer_and_the_call_is_made_again() -> None:
    asked: list[str] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request.method)
        if len(asked) == 1:
            assert request.transport is not None
            request.transport.close()
        return web.Response(text="{}")

    async with connected(handler) as cluster:
        assert await cluster.call("POST", "/api", body={}) == b"{}"
    assert asked == ["POST", "POST"]


async def test_so_many_calls_are_under_way_at_once_and_no_more() -> None:
    under_way = most = 0
    full, go_on = asyncio.Event(), asyncio.Event()

    async def handler(_: web.BaseRequest) -> web.StreamResponse:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        if under_way == CALLS_AT_ONCE:
            full.set()
        await go_on.wait()
        under_way -= 1
        return web.Response(text="{}")

    async with connected(handler) as cluster:
        calls = [asyncio.create_task(cluster.call("GET", "/api")) for _ in range(3 * CALLS_AT_ONCE)]
        await full.wait()
        # Who renews a lease can't wait for others.
        lease = asyncio.create_task(cluster.call_once("PUT", "/lease"))
        while under_way == CALLS_AT_ONCE:  # noqa: ASYNC110 - the server's other side
            await asyncio.sleep(0.01)
        go_on.set()
        await asyncio.gather(lease, *calls)
    assert most == CALLS_AT_ONCE + 1


async def test_calls_find_a_connection_however_many_watches_are_open() -> None:
    watching = asyncio.Semaphore(0)

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        if "watch=1" not in request.path_qs:
            return web.Response(text="{}")
        watching.release()
        return await stream(request, hold=True)

    async def watch(cluster: Cluster) -> None:
        async for _ in cluster.watch("/pods", {}):
            pass

    async with connected(handler) as cluster:
        watches = [asyncio.create_task(watch(cluster)) for _ in range(120)]
        for _ in watches:
            await watching.acquire()
        assert await cluster.call("GET", "/api") == b"{}"
        for task in watches:
            task.cancel()
        await asyncio.gather(*watches, return_exceptions=True)


async def test_a_watch_that_says_nothing_for_too_long_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SILENCE_SECONDS", 0.2)

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return await stream(request, b'{"type": "BOOKMARK", "object": {}}', hold=True)

    async with connected(handler) as cluster:
        events = cluster.watch("/pods", {"resourceVersion": "5"})
        assert (await anext(events)).type == "BOOKMARK"
        with pytest.raises(UnavailableError, match="the watch of /pods broke"):
            await anext(events)


def test_errors_have_the_type_that_a_caller_acts_on() -> None:
    body = msgspec.json.encode({"reason": "Expired", "message": "too old resource version"})
    assert isinstance(error_of(410, body), GoneError)
    assert isinstance(error_of(503, b"<html>"), UnavailableError)
    refused = error_of(403, body)
    assert (type(refused), refused.code, refused.reason) == (ApiError, 403, "Expired")
    # A date can't be read as seconds, and is no reason to fail.
    assert error_of(429, body, "Wed, 25 Nov 2026 07:28:00 GMT").retry_after is None
