"""Sweeps: made when the wishes change, once a day, and after runs under other lists; tried until one succeeds."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from builders import (
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    at,
    collection,
    counted,
    errand,
    errand_failed,
    errand_pod,
    job,
    outlook,
    pod,
    result,
    spec,
)
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Place, Result, VolumePlace
from novahunt_api.spec import CollectionSpec
from novahunt_api.statusobject import CollectionStatus, Sweep
from novahunt_contract import times
from novahunt_contract.errands import Task
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_contract.receipt import ConfigMapPlace
from novahunt_operator.conflicts import Conflict
from novahunt_operator.lists import Lists
from novahunt_operator.planner import Outlook, plan
from novahunt_operator.records import Errand

A, B = "a.example", "b.example"
LIST = {"configMapKeyRef": {"name": "blocked", "key": "list.txt"}}
WISHES = spec(suppressionFrom=[LIST])
KNOWN = Lists(digests=("one",))
VOLUME = {"persistentVolumeClaim": {"claimName": "collections"}}


def stored(domain: str = A, **fields: Any) -> Result:
    """A domain with a document in ConfigMaps."""
    place = Place(config_map=ConfigMapPlace((f"{domain}-0",), f"{domain}.json"))
    given = {"sha256": "ab" * 32, "storage": place, "collected_at": at(-7200), "stored_at": at(-7200)}
    return result(domain, **{**given, **fields})


def look(*errands: Errand, wishes: CollectionSpec = WISHES, **parts: Any) -> Outlook:
    given: dict[str, Any] = {"of": collection(wishes), "errands": errands, "lists": KNOWN, "results": [stored()]}
    return outlook(A, **{**given, **parts})


def name(**parts: Any) -> str:
    """What the wishes of such a collection are called."""
    (start,) = look(**parts).errands.startable
    return start.of


def swept(ago: timedelta = MINUTE, of: str | None = None, wishes: CollectionSpec = WISHES, **fields: Any) -> Collection:
    """A collection whose last sweep began so long ago."""
    last = Sweep(at=times.to_text(NOW - ago), of=name(wishes=wishes) if of is None else of, **fields)
    return collection(wishes, status=CollectionStatus(sweep=last))


def is_due(**parts: Any) -> bool:
    return bool(look(**parts).errands.startable)


def test_a_collection_without_lists_and_retention_is_not_swept() -> None:
    assert not is_due(wishes=spec())
    assert look(wishes=spec()).errands.sweep is None


def test_the_first_sweep_is_due_at_once_and_one_job_makes_it() -> None:
    (start,) = plan(look(), 0, allowed_errands=9).start_errands
    assert (start.task, start.attempt, start.after, start.domains) == (Task.SWEEP, 1, "", ())
    assert look().demand.errands == 1


def test_what_was_swept_under_the_same_wishes_is_due_again_after_a_day() -> None:
    found = look(of=swept(MINUTE))
    assert (found.errands.startable, found.wake_at) == ((), NOW - MINUTE + 24 * HOUR)
    assert is_due(of=swept(24 * HOUR))


@pytest.mark.parametrize(
    "parts",
    [
        {"wishes": spec(suppressionFrom=[LIST, LIST])},
        {"wishes": spec(suppressionFrom=[LIST], retention="720h")},
        {"wishes": spec(suppressionFrom=[LIST], storage=VOLUME)},
        {"lists": Lists(digests=("two",))},
        {"of": collection(WISHES, sweep_wish="now")},
    ],
    ids=["another list", "a retention", "another storage", "another text of the list", "a person's wish"],
)
def test_other_wishes_make_a_sweep_due(parts: dict[str, Any]) -> None:
    last = swept()
    if "of" in parts or "wishes" in parts:
        base = parts.get("of") or collection(parts["wishes"])
        parts = {**parts, "of": collection(base.spec, sweep_wish=base.sweep_wish, status=last.status)}
    else:
        parts = {**parts, "of": last}
    assert is_due(**parts)


def test_concurrency_and_other_fields_that_a_sweep_does_not_depend_on_make_none_due() -> None:
    last = swept()
    assert not is_due(of=collection(spec(suppressionFrom=[LIST], concurrency=7, maxResults=5), status=last.status))


def test_a_run_that_stored_under_other_lists_since_makes_one_due() -> None:
    last = swept(suppression="d1")
    assert not is_due(of=last, results=[stored(ended_at=at(-5), suppression="d1")])
    assert is_due(of=last, results=[stored(ended_at=at(-5), suppression="d2")])
    assert not is_due(of=last, results=[stored(ended_at=at(-65), suppression="d0")]), "it saw that one"
    assert not is_due(of=last, results=[result(A, ended_at=at(-5), suppression="d2")]), "nothing is stored"


def test_a_run_that_stored_under_no_lists_since_makes_one_due() -> None:
    assert is_due(of=swept(suppression="d1"), results=[stored(ended_at=at(-5))])


def test_the_second_in_which_a_sweep_began_counts_as_after_it() -> None:
    last = swept(MINUTE - timedelta(milliseconds=400), suppression="d1")
    assert is_due(of=last, results=[stored(ended_at=at(-60), suppression="d0")])


def test_where_nothing_is_stored_a_sweep_is_put_down_as_done_without_a_job() -> None:
    found = look(results=[result(A, Reason.NOTHING_FOUND)])
    assert found.errands.startable == ()
    assert found.errands.sweep == Sweep(at=at(0), of=name())


def test_a_volume_may_hold_files_that_no_record_tells_of() -> None:
    assert is_due(wishes=spec(suppressionFrom=[LIST], storage=VOLUME), results=[])
    assert is_due(wishes=spec(retention="720h", storage=VOLUME), results=[])


def test_documents_in_config_maps_need_no_sweep_for_their_age() -> None:
    found = look(wishes=spec(retention="720h"))
    assert found.errands.startable == ()
    assert found.errands.sweep is not None


def test_after_one_without_a_job_only_runs_that_had_begun_before_make_another_due() -> None:
    last = swept(MINUTE)
    started = {when: f"collect-{A}-{times.to_milliseconds(NOW + timedelta(seconds=when))}" for when in (-90, -50)}
    assert is_due(of=last, results=[stored(ended_at=at(-5), suppression="d1", job_id=started[-90])])
    after = stored(ended_at=at(-5), suppression="d1", job_id=started[-50])
    assert not is_due(of=last, results=[after])
    other = stored(B, ended_at=at(-5), suppression="d2", job_id=started[-50])
    assert is_due(of=last, results=[after, other])


def test_one_runs_at_a_time_and_takes_a_slot() -> None:
    live = errand(Task.SWEEP, of=name())
    found = look(live, results=[])
    assert found.errands.startable == ()
    assert found.demand.running == 1
    older = errand(Task.SWEEP, of="older wishes")
    assert look(older).errands.startable == (), "what runs for older wishes ends first"
    assert plan(look(older), 0).delete_errands == ()


def test_the_slot_of_a_sweep_is_kept_free_by_the_domains() -> None:
    many = ("c.example", "d.example", "e.example")
    found = outlook(*many, of=collection(WISHES), lists=KNOWN, results=[stored()])
    assert len(plan(found, 9, allowed_errands=9).start) == 1
    assert len(plan(found, 9).start) == 1, "also while the scheduler has none for it"
    busy = outlook(*many, of=collection(WISHES), lists=KNOWN, results=[stored()], jobs=[job(many[0]), job(many[1])])
    assert busy.errands.startable == ()


def test_a_pod_of_a_deleted_job_is_waited_for() -> None:
    orphan = pod(errand(Task.SWEEP))
    assert not is_due(pods=[orphan])
    assert is_due(pods=[pod(errand(Task.SWEEP), finished=True)])


@pytest.mark.parametrize(
    "wishes", [spec(suppressionFrom=[LIST], suspend=True), spec(suppressionFrom=[LIST], mode="Estimate")]
)
def test_it_runs_while_the_collection_is_suspended_or_only_estimates(wishes: CollectionSpec) -> None:
    assert is_due(wishes=wishes)


@pytest.mark.parametrize(
    "parts",
    [
        {"of": collection(WISHES, deleting=True)},
        {"of": collection(WISHES, spec_error="can't be read")},
        {"conflict": Conflict("Folder q4 overlaps.")},
        {"lists": Lists(("",), missing=("spec.suppressionFrom[0]: ConfigMap blocked is not there",))},
    ],
    ids=["deleting", "unclear", "another's folder", "a list is missing"],
)
def test_none_starts_when_it_could_not_be_right(parts: dict[str, Any]) -> None:
    assert not is_due(**parts)


def done(**fields: Any) -> Errand:
    began = times.to_milliseconds(NOW - MINUTE)
    given = {"task": Task.SWEEP, "job_id": f"sweep-q4-{began}", "of": name()}
    return counted(**{**given, **fields})


def test_a_success_is_the_last_sweep_from_its_start_on() -> None:
    job_ = done()
    note = errand_pod(job_, domains=9, changed=3, removed=2, emails=17, suppression="d1")
    found = look(job_, pods=[note])
    assert found.errands.sweep == Sweep(at=at(-60), of=job_.of, suppression="d1", documents=5, emails=17)
    assert found.errands.startable == ()


def test_a_success_for_older_wishes_is_recorded_and_the_next_one_starts() -> None:
    job_ = done(of="older wishes")
    found = look(job_, pods=[errand_pod(job_)])
    assert found.errands.sweep is not None
    assert found.errands.sweep.of == "older wishes"
    (start,) = found.errands.startable
    assert (start.of, start.attempt) == (name(), 1)


def test_the_jobs_that_the_status_does_not_show_yet_stay() -> None:
    wishes = spec(suppressionFrom=[LIST], history={"succeededJobs": 0, "failedJobs": 0})
    job_ = done()
    fresh = look(job_, pods=[errand_pod(job_)], wishes=wishes)
    assert plan(fresh, 0).delete_errands == ()
    shown = collection(wishes, status=CollectionStatus(sweep=fresh.errands.sweep))
    assert plan(look(job_, pods=[errand_pod(job_)], of=shown), 0).delete_errands == (job_,)


def test_the_next_day_s_sweep_is_another_job_of_the_same_wishes() -> None:
    yesterday = swept(25 * HOUR)
    (start,) = look(done(job_id=f"sweep-q4-{times.to_milliseconds(NOW - 25 * HOUR)}"), of=yesterday).errands.startable
    assert (start.of, start.attempt, start.after) == (name(), 1, times.to_text(NOW - 25 * HOUR))


def test_a_failed_one_is_tried_again_after_a_pause_that_grows_with_the_attempts() -> None:
    failed = errand_failed(task=Task.SWEEP, of=name(), attempt=3)
    pods = [errand_pod(failed, Reason.SUPPRESSION_LIST, message="Secret blocked, list.txt is not there.")]
    waits = look(failed, pods=pods)
    assert (waits.errands.startable, waits.wake_at) == ((), NOW + 4 * MINUTE)
    (setback,) = waits.errands.sweep_setbacks
    assert setback.reason == Reason.SUPPRESSION_LIST
    (start,) = look(failed, pods=pods, now=NOW + 4 * MINUTE).errands.startable
    assert start.attempt == 4


def test_of_many_failed_attempts_the_newest_stays_to_count_them_and_the_others_fall_under_history() -> None:
    wishes = spec(suppressionFrom=[LIST], history={"succeededJobs": 0, "failedJobs": 1})
    attempts = [
        errand_failed(task=Task.SWEEP, of=name(), attempt=number, ended_at=NOW - (9 - number) * HOUR)
        for number in range(1, 9)
    ]
    found = look(*attempts, wishes=wishes)
    assert {gone.attempt for gone in plan(found, 0).delete_errands} == {1, 2, 3, 4, 5, 6}
    (start,) = found.errands.startable
    assert start.attempt == 9


def test_a_wish_of_a_person_does_not_wait_for_the_pause() -> None:
    failed = errand_failed(task=Task.SWEEP, of=name())
    assert is_due(of=collection(WISHES, sweep_wish="again"), errands=[failed])


def test_the_attempts_count_from_the_last_success_on() -> None:
    ago = {"ended_at": NOW - 2 * HOUR, "job_id": f"sweep-q4-{times.to_milliseconds(NOW - 2 * HOUR)}"}
    before = errand_failed(task=Task.SWEEP, of=name(), attempt=5, **ago)
    (start,) = look(before, of=swept(25 * HOUR, of="other")).errands.startable
    assert start.attempt == 6
    (start,) = look(before, of=swept(HOUR, of="other")).errands.startable
    assert start.attempt == 1


def test_documents_on_a_volume_are_told_by_their_place() -> None:
    place = Place(VolumePlace("collections", "q4"))
    wishes = spec(suppressionFrom=[LIST], storage=VOLUME)
    last = swept(wishes=wishes, suppression="d1")
    assert is_due(of=last, results=[stored(storage=place, ended_at=at(-5), suppression="d2")])


def test_a_failed_run_that_kept_its_document_says_nothing_of_lists() -> None:
    kept = stored(ended_at=at(-5), suppression="d1", outcome=Outcome.FAILED, reason=Reason.HUNTER_UNAVAILABLE)
    assert not is_due(of=swept(suppression="d1"), results=[kept])


def run_of(began: float, ended: float, reason: str = Reason.KEY_REFUSED, **fields: Any) -> Result:
    """A run that began and ended so many seconds after NOW, and kept the document of an older one."""
    job_id = f"collect-{A}-{times.to_milliseconds(NOW + timedelta(seconds=began))}"
    given = {"suppression": "d1", "outcome": Outcome.PENDING, "reason": reason}
    return stored(job_id=job_id, ended_at=at(ended), **{**given, **fields})


def test_while_a_key_is_refused_the_probes_make_no_sweep_a_minute_due() -> None:
    last, sweeps = swept(2 * HOUR, suppression="d2"), 0
    for minute in range(240):
        seconds = minute * 60.0
        parts: dict[str, Any] = {"now": NOW + timedelta(seconds=seconds)}
        if is_due(of=last, results=[run_of(seconds - 10, seconds)], **parts):
            sweeps += 1
            done_at = times.to_text(NOW + timedelta(seconds=seconds + 2))
            last = collection(WISHES, status=CollectionStatus(sweep=Sweep(at=done_at, of=name(), suppression="d2")))
    assert sweeps == 4, "one an hour, where it is not known when the last one ended"


def test_a_failed_run_that_began_after_the_last_sweep_had_ended_makes_none_due() -> None:
    last, job_ = swept(2 * HOUR, suppression="d2"), done(job_id=f"sweep-q4-{times.to_milliseconds(NOW - 2 * HOUR)}")
    sweep = msgspec.structs.replace(job_, ended_at=NOW - 2 * HOUR + 9 * SECOND)
    after = run_of(-7200 + 15, -60)
    assert not is_due(of=last, errands=[sweep], results=[after])
    assert is_due(of=last, errands=[sweep], results=[run_of(-7200 + 5, -60)]), "it may have kept the sweep out"
    assert is_due(of=last, results=[after]), "nobody knows when the sweep ended"


def test_a_failed_run_that_had_begun_before_the_last_sweep_makes_another_due_at_once() -> None:
    last = swept(MINUTE, suppression="d2")
    assert is_due(of=last, results=[run_of(-90, -5)])
    assert is_due(of=last, results=[run_of(-90, -5, suppression="")]), "an older sweep has changed the document"


def test_one_that_began_meanwhile_and_failed_is_followed_by_a_sweep_within_the_hour() -> None:
    found = look(of=swept(MINUTE, suppression="d2"), results=[run_of(-50, -5)])
    assert (found.errands.startable, found.errands.wake_at) == ((), NOW - MINUTE + HOUR)
    assert is_due(of=swept(HOUR, suppression="d2"), results=[run_of(-50, -5)])


@pytest.mark.parametrize("reason", ["ReceiptMissing", "DeadlineExceeded", "OutOfMemory"])
def test_a_run_without_a_receipt_may_have_stored_under_other_lists(reason: str) -> None:
    assert is_due(of=swept(MINUTE, suppression="d2"), results=[run_of(-50, -5, reason)])


def test_an_end_whose_receipt_may_still_come_is_waited_for() -> None:
    found = look(done(ended_at=NOW - SECOND))
    assert found.errands.startable == ()
    assert found.demand.running == 1
    assert found.wake_at == NOW + 2 * SECOND
