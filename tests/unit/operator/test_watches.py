"""The operator's watches and calls against a small API server: what they tell the store, what is heard and counted."""

import asyncio
import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.aio import client

from builders import KEY, collection, job
from novahunt_api import names, paths, signs
from novahunt_api.cluster import ApiError, Cluster
from novahunt_api.objects import Key
from novahunt_api.signs import Signs
from novahunt_operator.metrics import Metrics
from novahunt_operator.store import Store
from novahunt_operator.watches import (
    AnyWatch,
    CollectionFeed,
    JobFeed,
    PodFeed,
    collection_watch,
    job_watch,
    pod_watch,
)
from unit.operator.api_objects import COLLECTION, JOB, POD
from unit.operator.small_api_server import SmallApiServer, serving, until

CALLS = "novahunt_kubernetes_requests_total"


class Watching:
    """The watches of one namespace, and what they count."""

    def __init__(self, server: SmallApiServer) -> None:
        configuration = client.Configuration()
        configuration.host = server.url
        self.server = server
        self.metrics = Metrics()
        self.cluster = Cluster(client.ApiClient(configuration), self.metrics)
        self.signs = Signs(self.metrics.watch_restarted)
        self.store = Store()
        self.changed: list[Key] = []
        told = self.changed.append
        self.pods = pod_watch(self.cluster, "sales", PodFeed(self.store, told), self.signs)
        self.collections = collection_watch(self.cluster, "sales", CollectionFeed(self.store, told), self.signs)
        self.jobs = job_watch(self.cluster, "sales", JobFeed(self.store, told), self.signs)

    def silence(self, watch: AnyWatch) -> float:
        return self.signs.ages()[watch.watched]

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)

    @asynccontextmanager
    async def running(self, watch: AnyWatch) -> AsyncIterator[None]:
        task = asyncio.ensure_future(watch.run())
        try:
            await until(lambda: self.server.watchers[watch.watched.resource], "watching")
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])


@pytest.fixture
async def watching() -> AsyncIterator[Watching]:
    async with serving() as server:
        found = Watching(server)
        yield found
        await found.cluster.close()


def numbered(item: dict[str, Any], number: int) -> dict[str, Any]:
    """Return another object of the same kind."""
    other = copy.deepcopy(item)
    other["metadata"] |= {"name": f"{item['metadata']['name']}-{number}", "uid": f"uid-{number}"}
    return other


async def test_a_collection_is_known_from_its_first_list_to_its_deletion(watching: Watching) -> None:
    watching.server.objects[names.COLLECTIONS] = [COLLECTION]
    async with watching.running(watching.collections):
        assert watching.store.collection(KEY) is not None
        watching.server.tell(names.COLLECTIONS, "DELETED", COLLECTION)
        await until(lambda: watching.store.collection(KEY) is None, "told of the deletion")
    assert watching.changed == [KEY] * 2


async def test_a_job_is_known_from_its_first_event_to_its_deletion(watching: Watching) -> None:
    async with watching.running(watching.jobs):
        watching.server.tell("jobs", "ADDED", JOB)
        await until(lambda: list(watching.store.jobs()), "told of the Job")
        watching.server.tell("jobs", "DELETED", JOB)
        await until(lambda: not list(watching.store.jobs()), "told of the deletion")
    assert watching.changed == [KEY] * 2


async def test_a_job_that_somebody_else_deleted_is_missed_by_its_collection(watching: Watching) -> None:
    watching.store.put_collection(collection(uid="uid-q4"))
    async with watching.running(watching.jobs):
        watching.server.tell("jobs", "ADDED", JOB)
        watching.server.tell("jobs", "DELETED", JOB)
        await until(lambda: watching.store.lost_of(KEY), "counted as lost")


async def test_a_job_of_somebody_else_tells_nobody_anything(watching: Watching) -> None:
    stranger = {**JOB, "metadata": {**JOB["metadata"], "ownerReferences": []}}
    async with watching.running(watching.jobs):
        watching.server.tell("jobs", "ADDED", stranger)
        watching.server.tell("jobs", "ADDED", JOB)
        await until(lambda: list(watching.store.jobs()), "told of the Job after it")
    assert watching.changed == [KEY]


async def test_jobs_are_listed_by_their_label_and_in_pages(watching: Watching) -> None:
    watching.server.objects["jobs"] = [numbered(JOB, number) for number in range(8)]
    watching.server.page = 3
    await watching.jobs.list_anew()
    assert len(list(watching.store.jobs())) == 8
    assert [query.get("continue") for query in watching.server.lists("jobs")] == [None, "3", "6"]
    assert {query["labelSelector"] for query in watching.server.lists("jobs")} == {names.SELECTOR}


async def test_few_collections_are_asked_for_at_once_because_one_may_be_large(watching: Watching) -> None:
    await watching.collections.list_anew()
    assert [query["limit"] for query in watching.server.lists(names.COLLECTIONS)] == ["50"]


async def test_a_list_that_has_grown_too_old_between_two_pages_begins_anew_and_counts_nothing_twice(
    watching: Watching,
) -> None:
    watching.server.objects["jobs"] = [numbered(JOB, number) for number in range(8)]
    watching.server.page = 3
    watching.server.too_old = ["6"]
    watching.store.put_job(job("gone.example"))
    await watching.jobs.list_anew()
    assert {known.uid for known in watching.store.jobs()} == {f"uid-{number}" for number in range(8)}
    pages = [query.get("continue") for query in watching.server.lists("jobs")]
    assert pages == [None, "3", "6", None, "3", "6"]


async def test_what_no_list_holds_any_more_is_forgotten_and_its_collection_looked_at(watching: Watching) -> None:
    gone = Key(KEY.namespace, "gone")
    watching.server.objects[names.COLLECTIONS] = [COLLECTION]
    watching.store.put_collection(collection(key=gone, uid="uid-gone"))
    watching.store.put_job(job("gone.example"))
    await watching.collections.list_anew()
    await watching.jobs.list_anew()
    assert not list(watching.store.jobs())
    assert watching.store.collection(gone) is None
    assert watching.store.collection(KEY) is not None
    assert watching.changed == [KEY, gone, KEY]


async def test_what_is_deleted_while_a_list_is_read_does_not_come_back_with_its_pages(watching: Watching) -> None:
    watching.server.objects[names.COLLECTIONS] = [COLLECTION, numbered(COLLECTION, 1)]
    watching.server.page = 1

    async def meanwhile(page: str) -> None:
        if page == "1":
            watching.server.tell(names.COLLECTIONS, "DELETED", numbered(COLLECTION, 1))
            await until(lambda: len(list(watching.store.collections())) == 1, "told of the deletion")

    async with watching.running(watching.collections):
        assert len(list(watching.store.collections())) == 2
        watching.server.before_page = meanwhile
        await watching.collections.list_anew()
        assert [known.key for known in watching.store.collections()] == [KEY]
        # The object is only left out of what is older than its deletion: what comes next is believed.
        watching.server.tell(names.COLLECTIONS, "ADDED", numbered(COLLECTION, 1))
        await until(lambda: len(list(watching.store.collections())) == 2, "told of it again")
        watching.server.before_page = None
        await watching.collections.list_anew()
        assert len(list(watching.store.collections())) == 2


async def test_a_live_job_that_is_deleted_while_jobs_are_listed_is_counted_as_lost_once(watching: Watching) -> None:
    watching.store.put_collection(collection(uid="uid-q4"))
    watching.server.objects["jobs"] = [JOB]

    async def meanwhile(_page: str) -> None:
        watching.server.tell("jobs", "DELETED", JOB)
        await until(lambda: not list(watching.store.jobs()), "told of the deletion")

    async with watching.running(watching.jobs):
        watching.server.before_page = meanwhile
        await watching.jobs.list_anew()
        watching.store.count_lost(KEY, watching.store.lost_of(KEY))
        watching.server.objects["jobs"], watching.server.before_page = [], None
        await watching.jobs.list_anew()
        assert not watching.store.lost_of(KEY)


async def test_two_lists_of_one_kind_are_read_one_after_the_other(watching: Watching) -> None:
    watching.server.objects["jobs"] = [numbered(JOB, number) for number in range(4)]
    watching.server.page = 2
    await asyncio.gather(watching.jobs.list_anew(), watching.jobs.list_anew())
    assert [query.get("continue") for query in watching.server.lists("jobs")] == [None, "2", None, "2"]


async def test_events_and_bookmarks_are_signs_and_silence_is_none(
    watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(signs, "time", SimpleNamespace(monotonic=lambda: now[0]))
    async with watching.running(watching.pods):
        assert str(watching.pods.watched) == "pods in sales"
        now[0] += 400
        assert watching.silence(watching.pods) == 400
        watching.server.bookmark("pods")
        await until(lambda: watching.silence(watching.pods) == 0, "hearing a bookmark")
        now[0] += 400
        watching.server.tell("pods", "ADDED", POD)
        await until(lambda: watching.silence(watching.pods) == 0, "hearing an event")
        assert list(watching.store.pods())


async def test_a_watch_that_ends_is_begun_anew_and_counted(watching: Watching) -> None:
    async with watching.running(watching.pods):
        assert watching.value("novahunt_watch_restarts_total", resource="pods") is None
        watching.server.end_watches("pods")
        await until(lambda: watching.value(CALLS, verb="watch", resource="pods", code="200") == 2, "watching again")
        assert watching.value("novahunt_watch_restarts_total", resource="pods") == 1
    assert watching.value(CALLS, verb="list", resource="pods", code="200") == 1


async def test_a_call_is_counted_by_its_answer_and_each_try_by_itself(watching: Watching) -> None:
    watching.server.refuses = True
    with pytest.raises(ApiError, match="401"):
        await watching.cluster.call("GET", paths.jobs("sales", "secret-name"))
    assert watching.value(CALLS, verb="get", resource="jobs", code="401") == 1
    seconds = "novahunt_kubernetes_request_duration_seconds_count"
    assert watching.value(seconds, verb="get", resource="jobs") == 1


async def test_a_call_without_an_answer_is_counted_as_such() -> None:
    configuration = client.Configuration()
    async with serving() as server:
        configuration.host = server.url
    # Nobody listens there any more.
    metrics = Metrics()
    cluster = Cluster(client.ApiClient(configuration), metrics)
    with pytest.raises(ApiError):
        await cluster.call_once("POST", paths.results("sales"), body={}, seconds=5)
    await cluster.close()
    value = metrics.registry.get_sample_value
    assert value(CALLS, {"verb": "create", "resource": names.RESULTS, "code": "none"}) == 1
