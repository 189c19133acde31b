"""What the gateway knows: the newest of each object, whatever order its news come in."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import KEY, collection, result, spec, stored
from novahunt_api import domaincollections
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import ResultObject, StoredResult
from novahunt_api.objects import Key
from novahunt_contract import wanted
from novahunt_gateway.departed import SECONDS, Departed
from novahunt_gateway.objects import CollectionFeed, Objects, ResultFeed
from novahunt_gateway.wants import Wants

A, B = "a.example", "b.example"


def raw(name: str = "q4", uid: str = "uid-q4", version: int = 5) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "sales", "uid": uid, "resourceVersion": str(version)}
    return {"metadata": metadata, "spec": {"domains": [A]}, "status": {}}


def wire(one: StoredResult) -> ResultObject:
    metadata = {"name": one.key.name, "namespace": "sales", "uid": one.uid, "resourceVersion": "5"}
    return msgspec.convert({**msgspec.to_builtins(one.data), "metadata": metadata}, ResultObject)


def having(objects: Objects, domain: str = A) -> list[Key]:
    return [one.key for one in objects.standings("sales", domain) if one.result is not None]


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


def test_an_answer_that_comes_after_the_deletion_brings_nothing_back() -> None:
    now = [100.0]
    objects = Objects(lambda: now[0])
    feed = CollectionFeed(objects)
    feed.seen(raw(version=5))
    feed.gone(raw(version=7))
    now[0] += SECONDS - 1
    objects.put_collection(domaincollections.read(raw(version=6)))
    assert objects.collection(Key("sales", "q4")) is None
    assert objects.standings("sales", A) == []
    feed.seen(raw(uid="uid-again", version=8))
    assert wanting(objects) == ["q4"]


def test_an_object_that_a_restored_cluster_has_again_is_kept_after_a_minute() -> None:
    now = [100.0]
    objects = Objects(lambda: now[0])
    objects.put_collection(listing(A))
    objects.drop_collection(KEY, "uid-q4")
    now[0] += SECONDS
    objects.put_collection(listing(A))
    assert wanting(objects) == ["q4"]


def test_only_what_was_deleted_lately_is_remembered() -> None:
    departed = Departed()
    for number in range(1000):
        departed.add(f"uid-{number}", number)
    assert [number for number in range(1000) if departed.holds(f"uid-{number}", 999)] == list(range(940, 1000))
    assert len(departed) == SECONDS


def test_results_are_found_by_collection_and_by_domain() -> None:
    objects = Objects()
    objects.put_collection(collection())
    for domain in (A, B):
        objects.put_result(stored(result(domain)))
    assert set(objects.results_of(KEY)) == {A, B}
    assert having(objects) == [KEY]
    assert objects.standings("elsewhere", A) == []
    one = stored(result(A))
    objects.drop_result(one.key, "another")
    assert A in objects.results_of(KEY)
    objects.drop_result(one.key, one.uid)
    assert set(objects.results_of(KEY)) == {B}
    assert having(objects) == []


def test_a_result_that_is_written_again_is_there_once() -> None:
    objects = Objects()
    objects.put_collection(collection())
    objects.put_result(stored(result(A)))
    newer = stored(result(A, emails=9), resource_version=6)
    objects.put_result(newer)
    objects.put_result(stored(result(A, emails=1), resource_version=4))
    assert objects.results_of(KEY)[A] is newer
    assert having(objects) == [KEY]


def listing(*domains: str, name: str = "q4", version: int = 1, generation: int = 1, uid: str = "") -> Collection:
    return collection(
        spec(domains=list(domains)),
        key=Key("sales", name),
        uid=uid or f"uid-{name}",
        resource_version=version,
        generation=generation,
    )


def wanting(objects: Objects, domain: str = A) -> list[str]:
    return [one.key.name for one in objects.standings("sales", domain) if one.is_listed]


@pytest.mark.parametrize("entry", [A, "https://www.a.example", "A.Example.", "http://a.example:8080/contact?x=1"])
def test_a_domain_is_found_in_whatever_form_a_list_writes_it(entry: str) -> None:
    objects = Objects()
    objects.put_collection(listing("nothing", entry, B, A))
    assert wanting(objects) == ["q4"]
    assert wanting(objects, B) == ["q4"]
    assert wanting(objects, "nothing") == []
    assert objects.standings("elsewhere", A) == []


def test_two_collections_may_want_one_domain() -> None:
    objects = Objects()
    objects.put_collection(listing(A, B, name="two"))
    objects.put_collection(listing("www.a.example", name="one"))
    assert wanting(objects) == ["one", "two"]
    objects.drop_collection(Key("sales", "two"), "uid-two")
    assert (wanting(objects), wanting(objects, B)) == (["one"], [])
    objects.drop_collection(Key("sales", "one"), "uid-one")
    assert wanting(objects) == []


def test_a_changed_list_is_what_counts_and_a_late_event_does_not() -> None:
    objects = Objects()
    objects.put_collection(listing(A, version=5))
    objects.put_collection(listing(B, version=7, generation=2))
    objects.put_collection(listing(A, version=6))
    assert (wanting(objects), wanting(objects, B)) == ([], ["q4"])
    objects.drop_collection(KEY, "another")
    assert wanting(objects, B) == ["q4"]


def test_a_collection_made_again_under_the_name_wants_what_it_lists_itself() -> None:
    objects = Objects()
    objects.put_collection(listing(A))
    objects.put_collection(listing(B, version=9, uid="uid-new"))
    objects.drop_collection(KEY, "uid-q4")
    assert (wanting(objects), wanting(objects, B)) == ([], ["q4"])
    objects.drop_collection(KEY, "uid-new")
    assert wanting(objects, B) == []


def test_news_of_a_status_leave_the_index_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Key] = []
    monkeypatch.setattr(Wants, "put", lambda _self, key, _entries: read.append(key))
    objects = Objects()
    objects.put_collection(listing(A))
    objects.put_collection(listing(A, version=2))
    suspended = spec(domains=[A], suspend=True)
    objects.put_collection(msgspec.structs.replace(listing(version=3, generation=2), spec=suspended))
    assert read == [KEY]


_ENTRIES = st.lists(st.sampled_from([A, "www.a.example", B, "B.example/x", "c.example", "none"]), max_size=4)
_NEWS = st.tuples(st.sampled_from(["one", "two", "three"]), st.none() | _ENTRIES)


@given(st.lists(_NEWS, max_size=20))
def test_after_any_news_the_index_says_what_the_lists_say(news: list[tuple[str, list[str] | None]]) -> None:
    objects, lists, uids = Objects(), dict[str, set[str]](), dict[str, str]()
    for number, (name, entries) in enumerate(news, start=1):
        if entries is None:
            # One that is made again is another one.
            objects.drop_collection(Key("sales", name), uids.pop(name, ""))
            lists.pop(name, None)
        else:
            uid = uids.setdefault(name, f"uid-{name}-{number}")
            objects.put_collection(listing(*entries, name=name, version=number, generation=number, uid=uid))
            lists[name] = set(wanted.resolve(wanted.listed(entries)).domains)
    for domain in (A, B, "c.example"):
        assert wanting(objects, domain) == sorted(name for name, held in lists.items() if domain in held)


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
    assert wanting(objects) == ["kept", "new"]
    feed.gone(raw("kept", "uid-kept"))
    assert wanting(objects) == ["new"]
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
