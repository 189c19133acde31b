"""The inventory: all collections and Jobs in pages, and what was deleted while nobody watched."""

import copy
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from builders import KEY, collection, job
from novahunt_api import names
from novahunt_api.objects import Key
from novahunt_operator.inventory import Inventory
from novahunt_operator.store import Store
from unit.operator.api_objects import COLLECTION, JOB
from unit.operator.loopback_api import connected


def numbered(item: dict[str, Any], number: int) -> dict[str, Any]:
    """Return another object of the same kind."""
    other = copy.deepcopy(item)
    other["metadata"] |= {"name": f"{item['metadata']['name']}-{number}", "uid": f"uid-{number}"}
    return other


@dataclass
class Lists:
    """The API server's side: lists in pages of three, that may grow too old between two of them."""

    collections: list[dict[str, Any]] = field(default_factory=lambda: [COLLECTION])
    jobs: list[dict[str, Any]] = field(default_factory=list)
    too_old: list[str] = field(default_factory=list)
    """Pages of Jobs that are refused once."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Last part of the path, and the page."""

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        plural, page = request.path.rpartition("/")[2], request.query.get("continue")
        self.asked.append((plural, page))
        if page in self.too_old:
            self.too_old.remove(page)
            return web.json_response({"code": 410, "reason": "Expired"}, status=410)
        if plural == "jobs":
            assert request.query["labelSelector"] == names.SELECTOR
        every = self.jobs if plural == "jobs" else self.collections
        start = int(page or 0)
        metadata = {"resourceVersion": "2000000000"} | ({"continue": str(start + 3)} if start + 3 < len(every) else {})
        return web.json_response({"metadata": metadata, "items": every[start : start + 3]})


async def refresh(api: Lists, store: Store) -> set[Key]:
    async with connected(api.answer) as cluster:
        return await Inventory(cluster, store, (KEY.namespace,)).refresh()


async def test_jobs_are_listed_in_pages() -> None:
    api, store = Lists(jobs=[numbered(JOB, number) for number in range(8)]), Store()
    assert await refresh(api, store) == {KEY}
    assert len(list(store.jobs())) == 8
    assert [page for plural, page in api.asked if plural == "jobs"] == [None, "3", "6"]


async def test_a_list_that_has_grown_too_old_between_two_pages_begins_anew_and_counts_nothing_twice() -> None:
    api, store = Lists(jobs=[numbered(JOB, number) for number in range(8)], too_old=["6"]), Store()
    store.put_job(job("gone.example"))
    await refresh(api, store)
    assert {known.uid for known in store.jobs()} == {f"uid-{number}" for number in range(8)}
    assert [page for plural, page in api.asked if plural == "jobs"] == [None, "3", "6", None, "3", "6"]


async def test_what_was_deleted_while_the_watch_was_broken_is_forgotten_and_its_collection_looked_at() -> None:
    store = Store()
    gone = Key(KEY.namespace, "gone")
    store.put_collection(collection(key=gone, uid="uid-gone"))
    store.put_job(job("gone.example"))
    assert await refresh(Lists(), store) == {KEY, gone}
    assert not list(store.jobs())
    assert store.collection(gone) is None
