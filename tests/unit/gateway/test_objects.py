"""What the gateway knows: the newest of each object, whatever order its news come in."""

from typing import Any

import msgspec

from builders import KEY, collection, result, stored
from novahunt_api.domainresults import ResultObject, StoredResult
from novahunt_api.objects import Key
from novahunt_gateway.objects import CollectionFeed, Objects, ResultFeed

A, B = "a.example", "b.example"


def raw(name: str = "q4", uid: str = "uid-q4", version: int = 5) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "sales", "uid": uid, "resourceVersion": str(version)}
    return {"metadata": metadata, "spec": {}, "status": {}}


def wire(one: StoredResult) -> ResultObject:
    metadata = {"name": one.key.name, "namespace": "sales", "uid": one.uid, "resourceVersion": "5"}
    return msgspec.convert({**msgspec.to_builtins(one.data), "metadata": metadata}, ResultObject)


def test_a_late_event_hides_nothing_newer() -> None:
    objects = Objects()
    objects.put_collection(collection(resource_version=9, uid="new"))
    objects.put_collection(collection(resource_version=8, uid="old"))
    found = objects.collection(KEY)
    assert found is not None
    assert found.uid == "new"
    objects.drop_collection(KEY, "old")
    assert objects.collection(KEY) is found
    objects.drop_collection(KEY, "new")
    assert objects.collection(KEY) is None


def test_results_are_found_by_collection_and_by_domain() -> None:
    objects = Objects()
    objects.put_collection(collection())
    for domain in (A, B):
        objects.put_result(stored(result(domain)))
    assert set(objects.results_of(KEY)) == {A, B}
    assert [one.key for one in objects.with_result("sales", A)] == [KEY]
    assert objects.with_result("elsewhere", A) == []
    one = stored(result(A))
    objects.drop_result(one.key, "another")
    assert A in objects.results_of(KEY)
    objects.drop_result(one.key, one.uid)
    assert set(objects.results_of(KEY)) == {B}
    assert objects.with_result("sales", A) == []


def test_a_result_that_is_written_again_is_there_once() -> None:
    objects = Objects()
    objects.put_collection(collection())
    objects.put_result(stored(result(A)))
    newer = stored(result(A, emails=9), resource_version=6)
    objects.put_result(newer)
    objects.put_result(stored(result(A, emails=1), resource_version=4))
    assert objects.results_of(KEY)[A] is newer
    assert len(objects.with_result("sales", A)) == 1


def test_a_list_forgets_what_it_does_not_hold_but_not_what_is_newer() -> None:
    objects = Objects()
    feed = CollectionFeed(objects)
    uids = {feed.seen(raw("kept", "uid-kept"))}
    feed.seen(raw("gone", "uid-gone"))
    feed.seen(raw("new", "uid-new", version=20))
    feed.only("sales", uids, 10)
    assert [one.key.name for one in objects.collections("sales")] == ["kept", "new"]
    feed.only("elsewhere", set(), 99)
    assert len(objects.collections("sales")) == 2
    feed.gone(raw("kept", "uid-kept"))
    assert objects.collection(Key("sales", "kept")) is None


def test_results_of_a_list_and_of_events_are_kept_and_forgotten_as_well() -> None:
    objects = Objects()
    feed = ResultFeed(objects)
    one, other = wire(stored(result(A))), wire(stored(result(B)))
    uids = {feed.seen(one)}
    feed.seen(other)
    feed.only(None, uids, 10)
    assert set(objects.results_of(KEY)) == {A}
    feed.gone(one)
    assert not objects.results_of(KEY)
