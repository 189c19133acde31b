"""The store: late events never hide newer ones, and every index agrees with what is kept."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import KEY, NOW, collection, complete, errand, job, pod, result, stored
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Place, StoredResult
from novahunt_api.objects import Key
from novahunt_contract.receipt import ConfigMapPlace
from novahunt_operator.records import Job
from novahunt_operator.store import Store

_OTHER = Key(KEY.namespace, "other")


class _Naive:
    """What the store should hold, said in the plainest way: by key the newest version, unless it was dropped."""

    def __init__(self) -> None:
        self.kept: dict[Any, Any] = {}

    def put(self, key: Any, record: Any) -> None:
        if key not in self.kept or self.kept[key].resource_version <= record.resource_version:
            self.kept[key] = record

    def drop(self, key: Any, uid: str) -> None:
        if key in self.kept and self.kept[key].uid == uid:
            del self.kept[key]


_versions, _few = st.integers(1, 30), st.integers(1, 3)
_steps = st.lists(st.tuples(st.sampled_from(["put", "put", "drop"]), _few, _few, _versions, _few), max_size=40)


@given(_steps)
def test_jobs_and_their_indexes_agree_with_the_plainest_model(steps: list[tuple[str, int, int, int, int]]) -> None:
    store, model = Store(), _Naive()
    for verb, name, life, version, owner in steps:
        key, uid = Key(KEY.namespace, f"job-{name}"), f"{name}-{life}"
        if verb == "put":
            record = job(key=key, uid=uid, resource_version=version, collection=f"c{owner}")
            store.put_job(record)
            model.put(key, record)
        else:
            store.drop_job(key, uid)
            model.drop(key, uid)
        assert {found.key: found for found in store.jobs()} == model.kept
        for number in (1, 2, 3):
            of = {at: kept for at, kept in model.kept.items() if kept.collection == f"c{number}"}
            assert store.jobs_of(Key(KEY.namespace, f"c{number}")) == of
        by_uid = {kept.uid: kept for kept in model.kept.values()}
        uids = [f"{one}-{two}" for one in (1, 2, 3) for two in (1, 2, 3)]
        assert {uid: found for uid in uids if (found := store.job_by_uid(uid))} == by_uid


@given(_steps)
def test_errands_and_their_indexes_agree_with_the_plainest_model(steps: list[tuple[str, int, int, int, int]]) -> None:
    store, model = Store(), _Naive()
    for verb, name, life, version, owner in steps:
        key, uid = Key(KEY.namespace, f"job-{name}"), f"{name}-{life}"
        if verb == "put":
            record = errand(key=key, uid=uid, resource_version=version, collection=f"c{owner}")
            store.put_errand(record)
            model.put(key, record)
        else:
            store.drop_errand(key, uid)
            model.drop(key, uid)
        assert {found.key: found for found in store.errands()} == model.kept
        for number in (1, 2, 3):
            of = {at: kept for at, kept in model.kept.items() if kept.collection == f"c{number}"}
            assert store.errands_of(Key(KEY.namespace, f"c{number}")) == of
        by_uid = {kept.uid: kept for kept in model.kept.values()}
        uids = [f"{one}-{two}" for one in (1, 2, 3) for two in (1, 2, 3)]
        assert {uid: found for uid in uids if (found := store.errand_by_uid(uid))} == by_uid
    assert not list(store.jobs())


@given(_steps)
def test_pods_and_their_index_agree_with_the_plainest_model(steps: list[tuple[str, int, int, int, int]]) -> None:
    store, model = Store(), _Naive()
    for verb, name, _, version, owner in steps:
        uid = f"pod-{name}"
        if verb == "put":
            record = pod(uid=uid, resource_version=version, collection=f"c{owner}")
            store.put_pod(record)
            model.put(uid, record)
        else:
            store.drop_pod(uid)
            model.drop(uid, uid)
        assert {found.uid: found for found in store.pods()} == model.kept
        for number in (1, 2, 3):
            of = {at: kept for at, kept in model.kept.items() if kept.collection == f"c{number}"}
            assert store.pods_of(Key(KEY.namespace, f"c{number}")) == of


@given(_steps)
def test_results_and_their_index_agree_with_the_plainest_model(steps: list[tuple[str, int, int, int, int]]) -> None:
    store, model = Store(), _Naive()
    for verb, name, life, version, owner in steps:
        key, uid = Key(KEY.namespace, f"c{owner}-d{name}"), f"{name}-{life}-{owner}"
        if verb == "put":
            data = result(f"d{name}.example", collection=f"c{owner}")
            record = stored(data, key=key, uid=uid, resource_version=version)
            store.put_result(record)
            model.put(key, record)
        else:
            store.drop_result(key, uid)
            model.drop(key, uid)
        assert {found.key: found for found in store.results()} == model.kept
        for number in (1, 2, 3):
            of = {kept.data.domain: kept for kept in model.kept.values() if kept.data.collection == f"c{number}"}
            assert store.results_of(Key(KEY.namespace, f"c{number}")) == of


@given(_steps)
def test_collections_agree_with_the_plainest_model(steps: list[tuple[str, int, int, int, int]]) -> None:
    store, model = Store(), _Naive()
    for verb, name, life, version, _ in steps:
        key, uid = Key(KEY.namespace, f"c{name}"), f"{name}-{life}"
        if verb == "put":
            record = collection(key=key, uid=uid, resource_version=version)
            store.put_collection(record)
            model.put(key, record)
        else:
            store.drop_collection(key, uid)
            model.drop(key, uid)
        assert {found.key: found for found in store.collections()} == model.kept
        assert store.collection(key) == model.kept.get(key)


def _collections(store: Store) -> tuple[Callable[[Any], None], Callable[[], list[Any]]]:
    return store.put_collection, lambda: list(store.collections())


def _jobs(store: Store) -> tuple[Callable[[Any], None], Callable[[], list[Any]]]:
    return store.put_job, lambda: list(store.jobs())


def _results(store: Store) -> tuple[Callable[[Any], None], Callable[[], list[Any]]]:
    return store.put_result, lambda: list(store.results())


@pytest.mark.parametrize(
    ("part", "new", "late"),
    [
        (_collections, collection(uid="new", resource_version=9), collection(uid="old", resource_version=8)),
        (_jobs, job(uid="new", resource_version=9), job(uid="old", resource_version=8)),
        (
            _results,
            stored(result(), uid="new", resource_version=9),
            stored(result(), uid="old", resource_version=8),
        ),
    ],
)
def test_a_late_word_on_a_deleted_object_does_not_hide_the_one_that_took_its_name(
    part: Callable[[Store], tuple[Callable[[Any], None], Callable[[], list[Any]]]],
    new: Collection | Job | StoredResult,
    late: Collection | Job | StoredResult,
) -> None:
    put, kept = part(Store())
    put(new)
    put(late)
    assert kept() == [new]


def test_the_same_version_again_replaces_nothing_but_itself() -> None:
    store = Store()
    store.put_job(job())
    store.put_job(job())
    assert list(store.jobs()) == [job()]


def test_two_results_of_one_domain_under_different_names_can_both_be_dropped() -> None:
    store = Store()
    one = stored(result(), key=Key(KEY.namespace, "restored-1"), uid="one")
    two = stored(result(), key=Key(KEY.namespace, "restored-2"), uid="two")
    store.put_result(one)
    store.put_result(two)
    store.drop_result(one.key, one.uid)
    assert store.results_of(KEY) == {"example.com": two}
    store.drop_result(two.key, two.uid)
    assert store.results_of(KEY) == {}


def test_what_is_not_known_is_nothing_and_can_be_dropped() -> None:
    store = Store()
    store.drop_job(KEY, "x")
    store.drop_pod("x")
    store.drop_result(KEY, "x")
    store.drop_collection(KEY, "x")
    assert (store.collection(KEY), store.job_by_uid("x"), store.pod("x")) == (None, None, None)
    assert (dict(store.jobs_of(_OTHER)), dict(store.pods_of(_OTHER)), dict(store.results_of(_OTHER))) == ({}, {}, {})


def test_records_are_found_by_the_collection_they_name() -> None:
    store = Store()
    one, pods = job(created=NOW), pod()
    store.put_job(one)
    store.put_pod(pods)
    assert dict(store.jobs_of(KEY)) == {one.key: one}
    assert dict(store.pods_of(KEY)) == {pods.uid: pods}
    assert store.pod(pods.uid) == pods


def test_the_jobs_of_a_deleted_record_are_void_until_they_are_gone() -> None:
    store = Store()
    old, new = complete(run=1), job(run=2)
    for one in (old, new):
        store.put_job(one)
    store.void_jobs(Key(old.key.namespace, old.collection), old.domain, 1)
    assert store.void == {old.uid}
    store.drop_job(old.key, old.uid)
    assert store.void == frozenset()


def test_what_documents_take_in_config_maps_is_summed_by_collection() -> None:
    store = Store()
    place = Place(config_map=ConfigMapPlace(("m-0",), "k"))

    def put(domain: str, size: int, version: int = 5, **fields: Any) -> StoredResult:
        known = stored(result(domain, stored_bytes=size, storage=place, **fields), resource_version=version)
        store.put_result(known)
        return known

    first = put("a.example", 300)
    put("b.example", 50)
    put("c.example", 9, collection="other")
    assert (store.in_config_maps(KEY), store.in_config_maps(Key(KEY.namespace, "other"))) == (350, 9)
    put("a.example", 200, version=6)
    put("a.example", 999, version=4)
    assert store.in_config_maps(KEY) == 250
    store.drop_result(first.key, first.uid)
    store.lose_result(Key(KEY.namespace, "q4-b.example"), "uid-q4-b.example")
    assert store.in_config_maps(KEY) == 0


def test_a_second_record_of_a_domain_counts_as_long_as_it_is_there() -> None:
    store = Store()
    place = Place(config_map=ConfigMapPlace(("m-0",), "k"))
    one = stored(result("a.example", stored_bytes=300, storage=place))
    two = stored(one.data, key=Key(KEY.namespace, "restored"), uid="two")
    for known in (one, two):
        store.put_result(known)
    assert store.in_config_maps(KEY) == 600
    store.drop_result(two.key, two.uid)
    assert store.in_config_maps(KEY) == 300
    store.drop_result(one.key, one.uid)
    assert store.in_config_maps(KEY) == 0


@pytest.mark.parametrize(("owner", "missed"), [(None, 1), ("uid-q4", 1), ("uid-before", 0)])
def test_what_goes_with_a_deleted_collection_is_not_missed_by_the_next_of_its_name(
    owner: str | None, missed: int
) -> None:
    store = Store()
    store.put_collection(collection())
    known = stored(result("a.example", credits_total=7), owner_uid=owner)
    store.put_result(known)
    store.lose_result(known.key, known.uid)
    assert len(store.lost_of(KEY)) == missed


def test_what_one_collection_misses_the_next_of_its_name_does_not() -> None:
    store = Store()
    before = collection(uid="uid-before")
    store.put_collection(before)
    known = stored(result("a.example", credits_total=7), owner_uid="uid-before")
    store.put_result(known)
    store.lose_result(known.key, known.uid)
    store.put_collection(collection(resource_version=before.resource_version + 1))
    assert store.lost_of(KEY) == ()
