"""What a collection says of its estimate and its sweeps: counts, conditions, what they wait for, and Events."""

from typing import Any

import pytest

from builders import (
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
    scheduling,
    spec,
)
from novahunt_api.domainresults import Place
from novahunt_api.statusobject import CollectionStatus, Credits, DomainCounts, Estimate, Sweep
from novahunt_api.waiting import Wait
from novahunt_contract.errands import Task
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_contract.receipt import ConfigMapPlace
from novahunt_operator.conflicts import Conflict
from novahunt_operator.estimates import chunks
from novahunt_operator.events import Note, transitions
from novahunt_operator.lists import Lists
from novahunt_operator.planner import Limits, Outlook
from novahunt_operator.records import Counts, Errand, Pod
from novahunt_operator.room import BYTES_PER_ADDRESS
from novahunt_operator.status import compute
from novahunt_operator.waits import KeyPace, find_sweep_wait, find_wait

A, B, C = "a.example", "b.example", "c.example"
ESTIMATE = spec(mode="Estimate")
(PART,) = chunks([A, B, C], ESTIMATE)
COUNTED = counted(of=PART.of, counts=Counts(domains=3, emails=4030, credits=415))
LISTS = spec(suppressionFrom=[{"secretKeyRef": {"name": "blocked", "key": "list.txt"}}])
STORED = result(
    A, sha256="ab" * 32, storage=Place(config_map=ConfigMapPlace(("a-0",), "a.example.json")), collected_at=at(-9)
)


def estimating(*errands: Errand, **parts: Any) -> Outlook:
    return outlook(A, B, C, errands=errands, **{"of": collection(ESTIMATE), **parts})


def sweeping(*errands: Errand, **parts: Any) -> Outlook:
    return outlook(A, errands=errands, **{"of": collection(LISTS), "results": [STORED], **parts})


def status(found: Outlook) -> CollectionStatus:
    return compute(found, find_wait(found, scheduling(), None))


def said(found: Outlook) -> dict[str, tuple[str, str]]:
    return {one.type: (one.status, one.reason) for one in status(found).conditions}


def message(found: Outlook, kind: str) -> str:
    return next(one.message for one in status(found).conditions if one.type == kind)


def test_while_it_counts_domains_are_told_by_what_their_job_does() -> None:
    found = status(estimating(errand(of=PART.of), of=collection(ESTIMATE)))
    assert found.domains == DomainCounts(total=3, running=3)
    assert (found.done, found.progress, found.running, found.rate) == ("0/3", 0, (), None)
    assert said(estimating(errand(of=PART.of)))["Reconciling"] == ("True", "InProgress")
    assert message(estimating(errand(of=PART.of)), "Ready") == "0 of 3 domains are counted."


def test_what_was_collected_before_does_not_count_as_counted() -> None:
    found = status(estimating(results=[result(A, emails=7), result(B, Reason.CLAIMED)]))
    assert found.domains == DomainCounts(total=3, waiting=3)
    assert (found.emails, found.failures) == (7, ())


def test_when_all_is_counted_it_is_ready_and_says_what_collecting_would_come_to() -> None:
    found = estimating(COUNTED)
    assert said(found) == {"Ready": ("True", "Estimated")}
    text = "About 4030 addresses, at most 415 credits, for 3 domains; set mode: Collect to collect them."
    assert message(found, "Ready") == text
    shown = status(found)
    assert shown.estimate == Estimate(emails=4030, credits=415, domains=3, of=shown.estimate.of, at=at(0))  # type: ignore[union-attr]
    assert (shown.done, shown.progress, shown.completed_at) == ("3/3", 100, at(0))
    assert shown.domains == DomainCounts(total=3, succeeded=3)


def test_an_estimate_of_more_than_config_maps_may_hold_says_so_before_anything_is_collected() -> None:
    of = collection(ESTIMATE, status=CollectionStatus(estimate=Estimate(emails=4030)))
    enough, scarce = (Limits(max_config_map_bytes=4030 * BYTES_PER_ADDRESS - less) for less in (0, 1))
    assert "ConfigMaps" not in message(estimating(COUNTED, of=of, limits=enough), "Ready")
    text = message(estimating(COUNTED, of=of, limits=scarce), "Ready")
    assert "The documents are expected to take 787.1 KiB in ConfigMaps, and 787.1 KiB is the limit." in text


def test_an_estimate_spends_nothing_and_waits_for_no_budget() -> None:
    found = estimating(of=collection(spec(mode="Estimate", budget={"maxCredits": 0})))
    assert status(found).credits == Credits(limit=0, worst_case=0)
    assert said(found)["Waiting"] == ("True", "Concurrency")


def test_runs_from_before_end_before_the_estimate_is_ready() -> None:
    assert said(estimating(COUNTED, jobs=[job(A)]))["Ready"] == ("False", "InProgress")


def test_collecting_afterwards_keeps_the_estimate() -> None:
    known = status(estimating(COUNTED)).estimate
    found = status(outlook(A, B, C, of=collection(spec(), status=CollectionStatus(estimate=known))))
    assert found.estimate == known
    assert found.done == "0/3"


def test_a_refused_key_stalls_the_estimate_until_it_is_over() -> None:
    failed = errand_failed(of=PART.of)
    pods = [errand_pod(failed, Reason.KEY_REFUSED, message="Hunter refuses the key.")]
    found = estimating(failed, pods=pods)
    reasons = {"Ready": ("False", "KeyRefused"), "Stalled": ("True", "KeyRefused"), "Waiting": ("True", "KeyRefused")}
    assert said(found) == reasons
    expected = (
        "Hunter refuses the key. Put a valid key into the Secret that spec.apiKeySecretRef names. "
        "The estimate is tried again at 12:01:00Z."
    )
    assert message(found, "Stalled") == expected
    probing = estimating(failed, errand(of=PART.of, attempt=2), pods=pods, now=NOW + MINUTE)
    assert said(probing) == reasons, "until the probe has told"
    assert message(probing, "Stalled").endswith("The estimate is tried now.")


@pytest.mark.parametrize("reason", [Reason.QUOTA_EXHAUSTED, Reason.BAD_REQUEST, Reason.HUNTER_UNAVAILABLE])
def test_other_failures_are_told_by_their_reason(reason: Reason) -> None:
    failed = errand_failed(of=PART.of)
    assert said(estimating(failed, pods=[errand_pod(failed, reason)]))["Stalled"] == ("True", reason)


def test_a_failure_without_a_word_of_the_collector_is_told_too() -> None:
    killed = errand_failed(of=PART.of, end_reason="BackoffLimitExceeded", ended_at=NOW - MINUTE)
    found = estimating(killed, pods=[pod(killed, finished=True, end_reason="OOMKilled", exit_code=137)])
    assert said(found)["Stalled"] == ("True", "JobFailed")
    assert "killed for its memory" in message(found, "Stalled")


def test_a_lost_receipt_needs_nobody() -> None:
    lost = counted(of=PART.of, ended_at=NOW - 30 * SECOND)
    found = said(estimating(lost))
    assert found["Waiting"] == ("True", "RetryPause")
    assert "Stalled" not in found


def test_a_pod_that_can_not_start_is_named() -> None:
    live = errand(of=PART.of)
    waits = pod(live, started=False, waiting_reason="ErrImagePull", waiting_message="no such image")
    assert said(estimating(live, pods=[waits]))["Stalled"] == ("True", "ImagePull")


def test_waiting_for_slots_and_for_pace_is_named() -> None:
    found = find_wait(estimating(), scheduling(running=2), None)
    assert found is not None
    assert (found.reason, "3 domains wait" in found.message) == (Wait.CONCURRENCY, True)
    pace = KeyPace("3fa9bc", 15, 500, used_second=15, used_minute=99, waiting=1)
    slow = find_wait(estimating(errand(of=PART.of)), scheduling(), pace)
    assert slow is not None
    assert slow.reason == Wait.RATE_LIMIT


def test_a_suspended_estimate_says_so() -> None:
    found = said(estimating(of=collection(spec(mode="Estimate", suspend=True))))
    assert found == {"Ready": ("False", "Suspended"), "Suspended": ("True", "Suspended")}


def test_neither_a_folder_conflict_nor_a_missing_list_hinders_an_estimate() -> None:
    missing = Lists(("",), missing=("spec.suppressionFrom[0]: ConfigMap blocked is not there",))
    found = estimating(conflict=Conflict("Folder q4 overlaps."), lists=missing)
    assert found.blocked is None
    assert len(found.errands.startable) == 1


# Sweeps


def test_a_sweep_at_work_does_not_touch_ready() -> None:
    live = errand(Task.SWEEP)
    assert said(sweeping(live, pods=[pod(live)])) == {"Ready": ("True", "Completed")}


def sweep_failed(reason: Reason, text: str = "It failed.") -> tuple[Errand, Pod]:
    (start,) = sweeping().errands.startable
    failed = errand_failed(task=Task.SWEEP, of=start.of)
    return failed, errand_pod(failed, reason, message=text)


def test_a_missing_list_stalls_a_collection_that_is_done_and_leaves_it_ready() -> None:
    failed, note = sweep_failed(Reason.SUPPRESSION_LIST, "Secret blocked, list.txt is not there.")
    found = sweeping(failed, pods=[note])
    assert said(found) == {
        "Ready": ("True", "Completed"),
        "Stalled": ("True", "SuppressionList"),
        "Waiting": ("True", "SuppressionList"),
    }
    expected = (
        "Secret blocked, list.txt is not there. "
        "Make the Secret or ConfigMap that spec.suppressionFrom names, or correct the line that is named. "
        "The sweep is tried again at 12:01:00Z."
    )
    assert message(found, "Stalled") == expected


def test_while_domains_run_a_failed_sweep_is_what_the_collection_waits_for() -> None:
    failed, note = sweep_failed(Reason.STORAGE)
    live = job(B)
    found = outlook(A, B, of=collection(LISTS), results=[STORED], errands=[failed], jobs=[live], pods=[note, pod(live)])
    assert said(found) == {
        "Ready": ("False", "InProgress"),
        "Reconciling": ("True", "InProgress"),
        "Waiting": ("True", "Storage"),
    }


def test_what_the_domains_need_a_person_for_goes_first() -> None:
    failed, note = sweep_failed(Reason.STORAGE)
    refused = result(B, Reason.KEY_REFUSED, ended_at=at(-1))
    found = outlook(A, B, of=collection(LISTS), results=[STORED, refused], errands=[failed], pods=[note])
    assert said(found)["Stalled"] == ("True", "KeyRefused")


def test_a_list_that_the_operator_sees_missing_stops_what_would_start() -> None:
    missing = Lists(("",), missing=("spec.suppressionFrom[0]: ConfigMap blocked is not there",))
    found = outlook(A, B, of=collection(LISTS), results=[STORED], lists=missing)
    assert found.startable == ()
    assert said(found)["Stalled"] == ("True", "SuppressionList")
    assert said(found)["Ready"] == ("False", "SuppressionList")
    done = sweeping(lists=missing)
    assert said(done)["Ready"] == ("True", "Completed"), "nothing would start"
    assert said(done)["Stalled"] == ("True", "SuppressionList")


def test_a_sweep_whose_pod_can_not_start_says_why() -> None:
    live = errand(Task.SWEEP)
    waits = pod(live, started=False, unschedulable='persistentvolumeclaim "c" not found')
    found = sweeping(live, pods=[waits])
    assert find_wait(found, scheduling(), None) is None
    problem = find_sweep_wait(found)
    assert problem is not None
    assert (problem.reason, problem.stalled) == (Wait.STORAGE, True)
    assert said(found)["Ready"] == ("True", "Completed")


def test_an_old_failure_is_not_told_of_a_domain_whose_document_was_removed() -> None:
    expired = result(A, "Expired", outcome=Outcome.COLLECTED)
    assert said(outlook(A, results=[expired])) == {"Ready": ("True", "Completed")}


# Events


def told(old: Sweep | None, new: Sweep | None) -> list[Note]:
    return transitions(CollectionStatus(sweep=old), CollectionStatus(sweep=new))


def test_a_sweep_that_changed_something_or_applied_other_lists_is_told_once() -> None:
    first = Sweep(at=at(-9), suppression="d1", documents=3, emails=17)
    text = "17 addresses were removed; 3 documents were changed or removed."
    assert told(None, first) == [Note("Swept", text)]
    assert told(first, first) == []
    assert told(first, Sweep(at=at(0), suppression="d1")) == [], "the daily one that finds nothing"
    assert told(first, Sweep(at=at(0), suppression="d2")) == [
        Note("Swept", "0 addresses were removed; 0 documents were changed or removed.")
    ]
    assert told(None, Sweep(at=at(0))) == []


def test_a_stalled_sweep_is_told_beside_a_ready_that_is_true() -> None:
    failed, note = sweep_failed(Reason.STORAGE)
    notes = transitions(CollectionStatus(), status(sweeping(failed, pods=[note])))
    assert [(one.reason, one.warning) for one in notes] == [("Completed", False), ("Storage", True)]
    blocked = status(outlook(A, conflict=Conflict("Folder q4 overlaps.")))
    assert [(one.reason, one.warning) for one in transitions(CollectionStatus(), blocked)] == [
        ("StorageConflict", True)
    ]
