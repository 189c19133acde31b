"""Erasures: made before the first document, dropped when they are not wanted, let go when nobody can store any more."""

from typing import Any

import msgspec
import pytest

from builders import KEY, NOW, collection, collector_settings, job, pod, result, spec, stored
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Place, Result, VolumePlace
from novahunt_api.objects import Key
from novahunt_contract.errands import Task
from novahunt_operator import erasure_jobs, parse
from novahunt_operator.erasures import Step, Upkeep, conflict, doomed, folders, going, step, upkeep
from novahunt_operator.records import Erasure, JobEnd
from unit.operator.api_objects import job_object

CLAIM = VolumePlace("claim", "q4")
OLD = VolumePlace("claim", "q3")
HASHES = {CLAIM: "h1", OLD: "h2"}
A = "a.example"


def deleting(**fields: Any) -> Collection:
    """Return a collection whose documents go with it."""
    storage = {"persistentVolumeClaim": {"claimName": "claim", "path": "q4"}}
    return collection(spec(**{"deletionPolicy": "Delete", "storage": storage, **fields}))


def erasure(place: VolumePlace = CLAIM, made_from: str = "h1", **fields: Any) -> Erasure:
    made = job(A, key=Key(KEY.namespace, f"erase-{place.path}-{made_from}"), uid=f"uid-{place.path}-{made_from}")
    shared = {name: getattr(made, name) for name in Erasure.__struct_fields__ if hasattr(made, name)}
    given = {"claim_name": place.claim_name, "path": place.path, "suspended": True, "template_hash": made_from}
    given["noted_uid"] = made.uid
    return Erasure(**{**shared, **given, **fields})


def stored_in(place: VolumePlace) -> Result:
    return result(A, storage=Place(persistent_volume_claim=place))


def test_one_is_made_for_the_folder_before_anything_is_stored() -> None:
    assert upkeep(deleting(), [], [], HASHES) == Upkeep(make=(CLAIM,), drop=())
    assert upkeep(deleting(), [], [erasure()], HASHES) == Upkeep(make=(), drop=())


def test_a_folder_of_before_keeps_its_own_as_long_as_a_result_lies_there() -> None:
    ours = [erasure(), erasure(OLD, "h2")]
    assert upkeep(deleting(), [stored_in(OLD)], ours, HASHES) == Upkeep(make=(), drop=())
    assert upkeep(deleting(), [stored_in(CLAIM)], ours, HASHES) == Upkeep(make=(), drop=(ours[1],))
    assert upkeep(deleting(storage={}), [stored_in(OLD)], [], HASHES).make == (OLD,)


def test_one_that_was_made_from_other_wishes_gives_way_to_a_new_one() -> None:
    old = erasure(made_from="h0")
    assert upkeep(deleting(), [], [old], HASHES) == Upkeep(make=(CLAIM,), drop=(old,))


def test_one_that_somebody_has_let_go_is_made_anew() -> None:
    done = erasure(suspended=False, end=JobEnd.COMPLETE)
    assert upkeep(deleting(), [], [done], HASHES) == Upkeep(make=(CLAIM,), drop=(done,))


@pytest.mark.parametrize("state", [{"deleting": True}, {"spec_error": "spec can't be read"}])
def test_while_a_collection_is_being_deleted_or_can_t_be_read_all_stays_as_it_is(state: dict[str, Any]) -> None:
    going = msgspec.structs.replace(deleting(), **state)
    retained = msgspec.structs.replace(deleting(deletionPolicy="Retain"), **state)
    for one in (going, retained):
        assert upkeep(one, [], [], HASHES) == Upkeep(make=(), drop=())
        assert upkeep(one, [], [erasure(OLD, "h2")], HASHES) == Upkeep(make=(), drop=())


def test_where_results_are_retained_there_is_none() -> None:
    kept = deleting(deletionPolicy="Retain")
    assert folders(kept, [stored_in(CLAIM)]) == ()
    assert upkeep(kept, [stored_in(CLAIM)], [erasure()], HASHES).drop == (erasure(),)
    assert folders(deleting(storage={}), [result(A)]) == ()


def test_in_a_folder_of_another_none_is_made_unless_something_lies_there_and_excess_goes() -> None:
    assert upkeep(deleting(), [], [], HASHES, may_store=False) == Upkeep(make=(), drop=())
    assert upkeep(deleting(), [stored_in(OLD)], [], HASHES, may_store=False).make == (OLD,)
    outdated = erasure(made_from="h0")
    assert upkeep(deleting(), [], [outdated], HASHES, may_store=False).drop == (), "there is no better one"
    assert upkeep(deleting(deletionPolicy="Retain"), [], [outdated], HASHES, may_store=False).drop == (outdated,)


def test_a_record_of_a_deleted_collection_or_of_a_file_to_be_erased_is_no_answer() -> None:
    retained = stored(result("retained.example"))
    ours, theirs = stored(result("ours.example"), owner_uid="uid-q4"), stored(result(A), owner_uid="uid-before")
    on_volume = stored(stored_in(CLAIM))
    orphan = erasure(owner_uid="uid-before")
    assert doomed([retained, ours, theirs], "uid-q4", []) == {A}
    assert doomed([retained, ours, on_volume], "uid-q4", []) == frozenset()
    assert doomed([retained, ours, on_volume], "uid-q4", [orphan]) == {A}
    copy = msgspec.structs.replace(orphan, noted_uid="uid-in-the-backup")
    assert doomed([on_volume], "uid-q4", [copy]) == frozenset(), "nothing will be erased"
    found = going({A})
    assert found is not None
    assert found.passes
    assert "1 DomainResults of a deleted collection" in found.message
    assert going(frozenset()) is None


@pytest.mark.parametrize("noted", ["", "uid-in-the-backup"], ids=["crashed before it was noted", "restored"])
@pytest.mark.parametrize("state", [{}, {"suspended": False}, {"end": JobEnd.FAILED}])
def test_a_copy_from_a_backup_is_never_let_go(noted: str, state: dict[str, Any]) -> None:
    assert step(erasure(noted_uid=noted, **state), [], [], []) is Step.COPY


def test_it_is_let_go_when_nobody_can_store_any_more() -> None:
    run = job(A, claim_name="claim", path="q4/deeper", owner_uid="gone")
    assert step(erasure(), [], [run], []) is Step.WAIT, "its run is at work"
    assert step(erasure(), [], [], [pod(run)]) is Step.WAIT, "its Job is gone, its pod is not"
    assert step(erasure(), [], [], [pod(run, finished=True)]) is Step.RELEASE
    ended = msgspec.structs.replace(run, end=JobEnd.COMPLETE)
    assert step(erasure(), [], [ended], []) is Step.RELEASE
    elsewhere = job(A, claim_name="claim", path="q5")
    assert step(erasure(), [], [elsewhere], [pod(elsewhere)]) is Step.RELEASE


@pytest.mark.parametrize(
    ("fields", "unschedulable", "wanted"),
    [
        ({"suspended": False}, "", Step.WORKS),
        ({"suspended": False}, 'persistentvolumeclaim "claim" not found', Step.CLAIM_GONE),
        ({"suspended": False}, "0/3 nodes are available", Step.WORKS),
        ({"suspended": False, "end": JobEnd.COMPLETE}, "", Step.DONE),
        ({"suspended": False, "end": JobEnd.FAILED}, "", Step.FAILED),
    ],
)
def test_its_own_pod_and_end_tell_what_comes_next(fields: dict[str, Any], unschedulable: str, wanted: Step) -> None:
    own = pod(job(A), started=False, unschedulable=unschedulable)
    assert step(erasure(**fields), [own], [], [own]) is wanted


def test_whoever_shares_the_folder_waits_and_is_told_what_to_do_when_it_failed() -> None:
    works = erasure(suspended=False, collection="before")
    found = conflict(deleting(), [works])
    assert found is not None
    assert found.passes
    assert "the deleted collection before has stored in folder q4 of claim claim" in found.message
    failed = conflict(deleting(), [msgspec.structs.replace(works, end=JobEnd.FAILED)])
    assert failed is not None
    assert not failed.passes
    assert f"kubectl logs job/{works.key.name}" in failed.message


@pytest.mark.parametrize(
    "other",
    [erasure(OLD), erasure(VolumePlace("another", "q4")), erasure(key=Key("elsewhere", "erase"))],
    ids=["another folder", "another claim", "another namespace"],
)
def test_other_folders_are_no_matter(other: Erasure) -> None:
    assert conflict(deleting(), [other]) is None
    assert conflict(collection(), [erasure()]) is None


def test_its_job_has_no_owner_no_key_and_is_read_back_as_what_it_is() -> None:
    wishes = deleting(
        jobTemplate={"podSecurityContext": {"fsGroup": 2000}},
        suppressionFrom=[{"configMapKeyRef": {"name": "lists", "key": "list"}}],
    )
    body = erasure_jobs.build(wishes, OLD, collector_settings(), NOW)
    assert "ownerReferences" not in body["metadata"]
    assert body["spec"]["suspend"] is True
    template = body["spec"]["template"]["spec"]
    assert template["securityContext"]["fsGroup"] == 2000
    values = {one["name"]: one.get("value") for one in template["containers"][0]["env"]}
    assert (values["NOVAHUNT_TASK"], values["NOVAHUNT_STORAGE"]) == (Task.ERASE, "/collections/q3")
    assert not any(name.startswith("HUNTER") for name in values)
    assert {one["name"] for one in template["volumes"]} == {"collections"}
    read = parse.made(job_object({**body, "metadata": {**body["metadata"], "uid": "u", "resourceVersion": "1"}}))
    assert isinstance(read, Erasure)
    assert (read.owner_uid, read.collection, VolumePlace(read.claim_name, read.path)) == (wishes.uid, KEY.name, OLD)
    assert (read.suspended, read.template_hash) == (True, erasure_jobs.template_hash(wishes, OLD, collector_settings()))
