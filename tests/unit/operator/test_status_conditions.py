"""The truth table of the conditions: one test for each state a collection can be in, read as kubectl and kstatus do."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOW, SECOND, at, collection, job, outlook, pod, result, scheduling, spec
from novahunt_api.conditions import Condition
from novahunt_api.domainresults import Result
from novahunt_api.waiting import Wait
from novahunt_contract.outcomes import Reason
from novahunt_contract.wanted import Wanted
from novahunt_operator.conflicts import Conflict
from novahunt_operator.ends import SHARED
from novahunt_operator.records import Job
from novahunt_operator.status import compute
from novahunt_operator.waits import find_wait

A, B, C = "a.example", "b.example", "c.example"


def conditions(*domains: str, schedule: Any = None, **parts: Any) -> dict[str, Condition]:
    found = outlook(*domains, **parts)
    shown = compute(found, find_wait(found, schedule or scheduling(), None))
    by_type = {one.type: one for one in shown.conditions}
    assert len(by_type) == len(shown.conditions)
    assert all(one.observed_generation == shown.observed_generation for one in shown.conditions)
    assert all(one.reason and one.last_transition_time for one in shown.conditions)
    return by_type


def said(found: dict[str, Condition]) -> dict[str, tuple[str, str]]:
    return {kind: (one.status, one.reason) for kind, one in found.items()}


def kstatus(found: dict[str, Condition]) -> str:
    """Read conditions as the kstatus library does (its generic rules)."""
    if "Reconciling" in found and found["Reconciling"].status == "True":
        return "InProgress"
    if "Stalled" in found and found["Stalled"].status == "True":
        return "Failed"
    return "Current" if found["Ready"].status == "True" else "InProgress"


def test_while_domains_run_it_reconciles() -> None:
    found = conditions(A, B, jobs=[job(A), job(B)])
    assert said(found) == {"Ready": ("False", "InProgress"), "Reconciling": ("True", "InProgress")}
    assert found["Ready"].message == "0 of 2 domains are done."
    assert kstatus(found) == "InProgress"


def test_while_domains_wait_for_slots_it_also_says_so() -> None:
    found = conditions(A, B, C, jobs=[job(A), job(B)])
    assert said(found)["Waiting"] == ("True", "Concurrency")
    assert said(found)["Reconciling"] == ("True", "InProgress")
    assert kstatus(found) == "InProgress"


def test_while_domains_wait_for_starts_it_also_says_so() -> None:
    found = conditions(A, schedule=scheduling(next_start_at=NOW + SECOND, starts_per_interval=1, interval_seconds=9.0))
    assert said(found)["Waiting"] == ("True", "JobRate")
    assert kstatus(found) == "InProgress"


def test_when_all_domains_have_ended_it_is_ready() -> None:
    found = conditions(A, results=[result(A)])
    assert said(found) == {"Ready": ("True", "Completed")}
    assert kstatus(found) == "Current"


def test_when_all_have_ended_and_some_failed_it_is_ready_and_says_so() -> None:
    found = conditions(A, B, results=[result(A), result(B, Reason.HUNTER_UNAVAILABLE)])
    assert said(found) == {"Ready": ("True", "CompletedWithFailures")}
    assert found["Ready"].message == "All 2 domains are done; 1 failed."


def test_results_of_an_older_search_do_not_make_it_unready_and_are_counted() -> None:
    found = conditions(A, results=[result(A, search_hash="v1-old")])
    assert said(found) == {"Ready": ("True", "Completed")}
    assert "1 results are of an older search (set spec.recollect to renew them)" in found["Ready"].message


def test_it_is_not_ready_before_the_job_of_a_removed_domain_has_ended() -> None:
    assert said(conditions(A, jobs=[job(B)], results=[result(A)]))["Ready"] == ("False", "InProgress")


IMAGE = pod(job(A), started=False, waiting_reason="ErrImagePull", waiting_message="no such image")
CLAIM = pod(job(A), started=False, unschedulable='persistentvolumeclaim "c" not found')
SECRET = pod(
    job(A),
    started=False,
    waiting_reason="CreateContainerConfigError",
    waiting_message='secret "hunter-api-key" not found',
)
PERSON: dict[str, dict[str, Any]] = {
    **{
        reason: {"results": [result(A, reason, ended_at=at(-1))]}
        for reason in sorted(SHARED - {Reason.THROTTLED, Reason.USAGE})
    },
    "StorageConflict": {"conflict": Conflict("Folder q4 overlaps.")},
    "ImagePull": {"jobs": [job(A)], "pods": [IMAGE]},
    "Storage": {"jobs": [job(A)], "pods": [CLAIM]},
    "KeyMissing": {"jobs": [job(A)], "pods": [SECRET]},
    "ClusterCapacity": {"schedule": scheduling(refusal="exceeded quota")},
    "NameTaken": {"schedule": scheduling(refusal="Job x is not NovaHunt's", refused_for=Wait.NAME_TAKEN)},
    "ApiRefused": {"schedule": scheduling(refusal="exceeded quota", refused_for=Wait.API_REFUSED)},
    "DomainsMissing": {"wanted": Wanted((A,), missing=("ConfigMap leads is not there",))},
    "InvalidSpec": {"of": collection(spec_error="spec can't be read")},
}


@pytest.mark.parametrize(("reason", "parts"), PERSON.items(), ids=PERSON.keys())
def test_when_a_person_is_needed_it_is_stalled_for_that_reason(reason: str, parts: dict[str, Any]) -> None:
    found = conditions(A, **parts)
    assert said(found) == {
        "Ready": ("False", reason),
        "Stalled": ("True", reason),
        "Waiting": ("True", reason),
    }
    assert len({one.message for one in found.values()}) == 1
    assert kstatus(found) == "Failed"


def test_what_is_refused_after_the_end_needs_a_person_and_leaves_it_ready() -> None:
    found = conditions(
        A, results=[result(A)], schedule=scheduling(refusal="webhook denied", refused_for=Wait.API_REFUSED)
    )
    assert said(found) == {
        "Ready": ("True", "Completed"),
        "Stalled": ("True", "ApiRefused"),
        "Waiting": ("True", "ApiRefused"),
    }
    assert found["Stalled"].message == "webhook denied"


def test_it_clears_itself_when_it_is_over() -> None:
    refused = outlook(A, B, results=[result(A, Reason.KEY_REFUSED, ended_at=at(-1))])
    shown = compute(refused, find_wait(refused, scheduling(), None))
    of = collection(status=shown)
    found = conditions(A, B, of=of, results=[result(A, ended_at=at(0))], jobs=[job(B)])
    assert said(found) == {"Ready": ("False", "InProgress"), "Reconciling": ("True", "InProgress")}


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"jobs": [job(A)]},
        {"results": [result(A, Reason.KEY_REFUSED, ended_at=at(-1))]},
        {"jobs": [job(A)], "pods": [IMAGE]},
    ],
)
def test_a_suspended_collection_says_so_and_does_not_reconcile(parts: dict[str, Any]) -> None:
    found = conditions(A, B, of=collection(spec(suspend=True)), **parts)
    assert said(found) == {"Ready": ("False", "Suspended"), "Suspended": ("True", "Suspended")}


def test_a_suspended_collection_tells_what_waits_and_what_finishes() -> None:
    found = conditions(A, B, of=collection(spec(suspend=True)), jobs=[job(A)])
    assert found["Ready"].message == "Suspended; 1 domains wait, 1 finish."


def test_a_blocked_collection_is_not_ready_even_if_all_its_domains_are_done() -> None:
    found = conditions(A, results=[result(A)], conflict=Conflict("Folder q4 overlaps."))
    assert said(found)["Stalled"][1] == "StorageConflict"


_domains = st.sampled_from([f"d{number}.example" for number in range(5)])
_jobs = st.builds(job, _domains, active=st.integers(0, 1), failed=st.integers(0, 1))
_results = st.builds(result, _domains, st.sampled_from(Reason), ended_at=st.sampled_from([at(-600), at(-5)]))


@given(
    wanted=st.lists(_domains, unique=True),
    jobs=st.lists(_jobs, max_size=4, unique_by=lambda one: one.domain),
    results=st.lists(_results, max_size=5, unique_by=lambda one: one.domain),
    suspend=st.booleans(),
)
def test_in_any_state_counts_add_up_and_the_conditions_do_not_contradict_each_other(
    wanted: list[str], jobs: list[Job], results: list[Result], *, suspend: bool
) -> None:
    pods = [pod(one) for one in jobs if one.active]
    parts: dict[str, Any] = {"wanted": Wanted(tuple(wanted)), "jobs": jobs, "pods": pods, "results": results}
    found = outlook(of=collection(spec(suspend=suspend)), **parts)
    shown = compute(found, find_wait(found, scheduling(), None))
    counts = shown.domains
    assert counts is not None
    states = (counts.waiting, counts.running, counts.backing_off, counts.succeeded, counts.failed)
    assert sum(states) == counts.total == len(wanted)
    assert shown.done == f"{counts.succeeded + counts.failed}/{counts.total}"
    by_type = {one.type: one.status for one in shown.conditions}
    ready, reconciling = by_type["Ready"] == "True", "Reconciling" in by_type
    assert [ready, reconciling, "Stalled" in by_type, "Suspended" in by_type].count(True) == 1
    assert (shown.completed_at is not None) == ready
    assert (shown.progress == 100) == (counts.succeeded + counts.failed == counts.total)
