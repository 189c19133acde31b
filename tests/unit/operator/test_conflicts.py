"""Storage conflicts: of two collections with overlapping folders on one claim, the younger waits."""

from typing import Any

import pytest

from builders import MINUTE, NOW, collection, spec
from novahunt_api.domaincollections import Collection
from novahunt_api.objects import Key
from novahunt_operator.conflicts import storage_conflict


def stores(name: str, path: str | None, *, claim: str = "collections", **fields: Any) -> Collection:
    volume = {"claimName": claim} | ({} if path is None else {"path": path})
    given = {"key": Key("sales", name), "uid": name, "created": NOW}
    return collection(spec(storage={"persistentVolumeClaim": volume}), **{**given, **fields})


@pytest.mark.parametrize(
    ("one", "other"),
    [("a", "a"), ("a", "a/b"), ("a/b", "a"), ("a/b/c", "a/b"), ("a/", "a"), ("./a", "a"), ("a//b", "a/b"), (".", "z")],
)
def test_the_younger_of_two_overlapping_folders_may_not_start(one: str, other: str) -> None:
    old, young = stores("old", one, created=NOW - MINUTE), stores("young", other)
    assert storage_conflict(old, [old, young]) is None
    found = storage_conflict(young, [old, young])
    assert found is not None
    assert "old" in found.message
    assert "spec.storage.persistentVolumeClaim.path" in found.message
    assert not found.passes


@pytest.mark.parametrize(("one", "other"), [("a", "b"), ("a/b", "a/c"), ("ab", "a"), ("a.b", "a")])
def test_folders_beside_each_other_do_not_conflict(one: str, other: str) -> None:
    assert storage_conflict(stores("young", other), [stores("old", one, created=NOW - MINUTE)]) is None


def test_a_folder_without_a_path_is_named_as_its_collection() -> None:
    assert storage_conflict(stores("q4", "other"), [stores("other", None, created=NOW - MINUTE)]) is not None
    assert storage_conflict(stores("q4", None), [stores("other", None, created=NOW - MINUTE)]) is None


@pytest.mark.parametrize(
    "other",
    [
        stores("old", "a", claim="another", created=NOW - MINUTE),
        stores("old", "a", key=Key("elsewhere", "old"), created=NOW - MINUTE),
        collection(uid="old", created=NOW - MINUTE),
    ],
)
def test_other_claims_namespaces_and_configmaps_do_not_conflict(other: Collection) -> None:
    assert storage_conflict(stores("young", "a"), [other]) is None
    assert storage_conflict(collection(uid="young"), [stores("old", "a", created=NOW - MINUTE)]) is None


def test_of_two_made_in_the_same_second_exactly_one_waits() -> None:
    one, two = stores("one", "a"), stores("two", "a")
    assert [storage_conflict(own, [one, two]) is None for own in (one, two)].count(True) == 1
