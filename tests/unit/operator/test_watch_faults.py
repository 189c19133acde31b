"""Watches of pods and results: listed in pages, followed for ever, and whole again after whatever has gone wrong."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from aiohttp import web

from novahunt_api import cluster as calls
from novahunt_api import names, watches
from novahunt_api.domainresults import Result, ResultObject
from novahunt_api.objects import Key
from novahunt_api.signs import Signs
from novahunt_api.watches import PAGE, Watch
from novahunt_contract.outcomes import Outcome
from novahunt_operator.store import Store
from novahunt_operator.watches import PodFeed, ResultFeed, pod_watch, result_watch
from unit.operator.api_objects import POD
from unit.operator.loopback_api import connected, stream

COLLECTION = Key("sales", "q4")
GONE = msgspec.json.encode({"type": "ERROR", "object": {"code": 410, "reason": "Expired", "message": "too old"}})


def result(domain: str, version: int) -> dict[str, Any]:
    """Return a DomainResult as the API server sends it."""
    data = Result(domain=domain, collection="q4", run=1, outcome=Outcome.COLLECTED)
    metadata = {"name": names.result_name("q4", domain), "namespace": "sales", "uid": f"uid-{domain}"}
    return {"metadata": {**metadata, "resourceVersion": str(version)}, **msgspec.to_builtins(data)}


def event(kind: str, item: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"type": kind, "object": item})


@dataclass
class Results:
    """The API server's side of one namespace's DomainResults."""

    objects: list[dict[str, Any]] = field(default_factory=list)
    version: int = 100
    page_size: int = 10_000
    watched: list[str] = field(default_factory=list)
    """The versions that watches went on from."""
    lists: list[dict[str, str]] = field(default_factory=list)
    """The queries of lists, page by page."""
    watching: Callable[[web.BaseRequest, int], Any] | None = None
    """Answers the watch of a number, from 0."""
    listing: Callable[[int], web.Response | None] = lambda _: None
    """Answers the page of a number in place of the real one."""

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        query = dict(request.query)
        if "watch" in query:
            self.watched.append(query["resourceVersion"])
            assert self.watching is not None
            found: web.StreamResponse = await self.watching(request, len(self.watched) - 1)
            return found
        self.lists.append(query)
        instead = self.listing(len(self.lists) - 1)
        return instead if instead is not None else self._page(int(query.get("continue", "0")))

    def _page(self, start: int) -> web.Response:
        end = start + self.page_size
        metadata = {"resourceVersion": str(self.version)}
        if end < len(self.objects):
            metadata["continue"] = str(end)
        return web.json_response({"metadata": metadata, "items": self.objects[start:end]})


@contextlib.asynccontextmanager
async def watched(api: Results, store: Store) -> AsyncIterator[Watch[Any]]:
    """Run the watch of results against this API server."""
    async with connected(api.answer) as cluster:
        watch = result_watch(cluster, "sales", ResultFeed(store, lambda _: None), Signs())
        task = asyncio.create_task(watch.run())
        try:
            yield watch
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the condition is what a server has seen
            await asyncio.sleep(0.01)


def domains(store: Store) -> set[str]:
    return set(store.results_of(COLLECTION))


async def hold(request: web.BaseRequest, *_: Any) -> web.StreamResponse:
    return await stream(request, hold=True)


async def test_a_long_list_is_read_in_pages() -> None:
    every = [result(f"company-{number}.example", number) for number in range(25)]
    api, store = Results(every, page_size=10, watching=hold), Store()
    async with watched(api, store) as watch:
        await watch.listed.wait()
        assert len(domains(store)) == 25
        assert [query.get("continue") for query in api.lists] == [None, "10", "20"]
        assert {query["limit"] for query in api.lists} == {str(PAGE)}
        await until(lambda: api.watched == ["100"])


async def test_a_list_that_has_grown_too_old_between_two_pages_begins_anew() -> None:
    api, store = Results([result(f"company-{n}.example", n) for n in range(15)], page_size=10, watching=hold), Store()
    too_old = web.json_response({"code": 410, "reason": "Expired"}, status=410)
    api.listing = lambda number: too_old if number == 1 else None
    async with watched(api, store) as watch:
        await watch.listed.wait()
        assert len(domains(store)) == 15
        assert [query.get("continue") for query in api.lists] == [None, "10", None, "10"]


@pytest.mark.parametrize("told", ["by an event", "by the status"])
async def test_a_watch_whose_version_is_forgotten_lists_anew_and_forgets_what_was_deleted_meanwhile(told: str) -> None:
    api, store = Results([result("stays.example", 1), result("goes.example", 2)]), Store()

    async def watching(request: web.BaseRequest, number: int) -> web.StreamResponse:
        if number:
            return await stream(request, hold=True)
        api.objects, api.version = [result("stays.example", 1), result("new.example", 150)], 200
        return await stream(request, GONE) if told == "by an event" else web.Response(status=410, body=b"{}")

    api.watching = watching
    async with watched(api, store):
        await until(lambda: len(api.watched) == 2)
        assert domains(store) == {"stays.example", "new.example"}
        assert api.watched == ["100", "200"]
        assert len(api.lists) == 2


async def test_a_watch_that_has_gone_silent_is_opened_again_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "_SILENCE_SECONDS", 0.2)
    api, store = Results([result("old.example", 1)]), Store()

    async def watching(request: web.BaseRequest, number: int) -> web.StreamResponse:
        told = event("ADDED", result("first.example" if number == 0 else "second.example", 110 + number))
        return await stream(request, told, hold=True)

    api.watching = watching
    async with watched(api, store):
        await until(lambda: len(domains(store)) == 3)
        assert api.watched[:2] == ["100", "110"]
        assert len(api.lists) == 1, "nothing was missed, so nothing is listed again"


async def test_a_server_that_is_away_is_waited_out_and_the_watch_goes_on_from_its_last_bookmark(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watches, "_FIRST_PAUSE_SECONDS", 0.01)
    api, store = Results(), Store()
    bookmark = event("BOOKMARK", {"metadata": {"resourceVersion": "170"}})

    async def watching(request: web.BaseRequest, number: int) -> web.StreamResponse:
        if number == 0:
            return await stream(request, bookmark)
        if number < 4:
            return web.Response(status=503, text="starting")
        return await stream(request, event("ADDED", result("new.example", 180)), hold=True)

    api.watching = watching
    async with watched(api, store) as watch:
        await until(lambda: "new.example" in domains(store))
        assert watch.listed.is_set()
        assert api.watched == ["100", "170", "170", "170", "170"]
        assert len(api.lists) == 1


async def test_a_line_that_can_t_be_read_makes_the_watch_list_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "_FIRST_PAUSE_SECONDS", 0.01)
    api, store = Results([result("there.example", 1)]), Store()

    async def watching(request: web.BaseRequest, number: int) -> web.StreamResponse:
        return await stream(request, *([] if number else [b'{"type": "ADDED"']), hold=bool(number))

    api.watching = watching
    async with watched(api, store):
        await until(lambda: len(api.lists) == 2)
        await until(lambda: len(api.watched) == 2)
        assert domains(store) == {"there.example"}


async def test_a_result_written_by_ourselves_after_the_list_was_taken_is_not_forgotten_by_it() -> None:
    store = Store()
    feed = ResultFeed(store, lambda _: None)
    for item in (result("listed.example", 5), result("written.example", 300), result("deleted.example", 7)):
        feed.seen(msgspec.convert(item, ResultObject))
    feed.only("sales", {"uid-listed.example"}, 200)
    assert domains(store) == {"listed.example", "written.example"}


async def test_pods_are_selected_by_the_server_and_a_deleted_one_is_forgotten() -> None:
    store = Store()
    told: list[Key] = []
    asked: list[str] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request.query["labelSelector"])
        if "watch" not in request.query:
            return web.json_response({"metadata": {"resourceVersion": "100"}, "items": [POD]})
        return await stream(request, event("DELETED", POD), hold=True)

    async with connected(answer) as cluster:
        task = asyncio.create_task(pod_watch(cluster, "sales", PodFeed(store, told.append), Signs()).run())
        await until(lambda: len(told) == 2)
        assert set(asked) == {names.SELECTOR}
        assert not list(store.pods())
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
