"""The planner: starts no more than is allowed, settles before it deletes, and wakes when time alone matters."""

from datetime import UTC, datetime
from typing import Any

import pytest

from builders import (
    MINUTE,
    NOW,
    SECOND,
    at,
    collection,
    complete,
    failed,
    finished_pod,
    job,
    outlook,
    pod,
    receipt,
    result,
    spec,
)
from novahunt_api.domainresults import Result
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_contract.wanted import Wanted
from novahunt_operator.conflicts import Conflict
from novahunt_operator.hindrances import CAPACITY_GRACE, JOB_CONTROLLER_GRACE
from novahunt_operator.planner import Outlook, Plan, Start, plan
from novahunt_operator.records import Job
from novahunt_operator.settle import Lost

A, B, C, D = "a.example", "b.example", "c.example", "d.example"
BACKS_OFF = {"active": 0, "failed": 1}


def test_the_first_domains_of_the_lists_start_up_to_the_collections_share() -> None:
    found = outlook(A, B, C)
    assert plan(found, 9).start == (Start(A, 1, None), Start(B, 1, None))
    assert found.demand.starts == 2


def test_no_more_start_than_the_scheduler_allows() -> None:
    assert [start.domain for start in plan(outlook(A, B), 1).start] == [A]
    assert plan(outlook(A, B), 0).start == ()
    assert plan(outlook(A, B), -1).start == ()


def test_each_run_of_a_domain_has_the_next_number() -> None:
    found = outlook(A, results=[result(A, Lost.SUPERSEDED, run=4)])
    assert plan(found, 1).start == (Start(A, 5, None),)


def test_a_recollected_domain_is_told_from_when_on_a_document_is_fresh() -> None:
    found = outlook(A, of=collection(spec(recollect="a")), results=[result(A)])
    assert plan(found, 1).start == (Start(A, 2, at(0)),)


def test_running_jobs_take_slots_and_those_that_back_off_do_not() -> None:
    assert outlook(A, B, C, D, jobs=[job(A)]).startable == (B,)
    assert outlook(A, B, C, D, jobs=[job(A, **BACKS_OFF)]).startable == (B, C)
    assert outlook(A, B, jobs=[job(C), job(D)]).startable == ()


def test_as_many_jobs_backing_off_as_may_run_stop_the_starts() -> None:
    found = outlook(A, B, C, jobs=[job(A, **BACKS_OFF), job(B, **BACKS_OFF)])
    assert found.startable == ()
    assert (found.demand.running, found.demand.backing_off) == (0, 2)


def test_the_demand_tells_the_scheduler_what_runs_and_its_priority() -> None:
    found = outlook(A, B, C, of=collection(spec(priority=7, concurrency=5)), jobs=[job(A), job(B, **BACKS_OFF)])
    demand = found.demand
    assert (demand.starts, demand.running, demand.backing_off, demand.priority) == (1, 1, 1, 7)


@pytest.mark.parametrize(
    "parts",
    [
        {"of": collection(spec(suspend=True))},
        {"of": collection(deleting=True)},
        {"of": collection(spec_error="spec can't be read")},
        {"of": collection(spec(budget={"maxCredits": 5}))},
        {"of": collection(spec(mode="Estimate"))},
        {"wanted": Wanted((A,), missing=("ConfigMap leads is not there",))},
        {"conflict": Conflict("Folder q4 overlaps.")},
    ],
)
def test_nothing_starts_while_the_collection_is_held_and_what_ended_is_still_settled(parts: dict[str, Any]) -> None:
    ended = complete(B)
    found = outlook(A, jobs=[ended], pods=[finished_pod(ended, receipt(domain=B))], **parts)
    decided = plan(found, 9)
    assert decided.start == ()
    assert len(decided.settle) == 1


def test_a_shared_failure_stops_the_starts_until_one_probe_may_tell_whether_it_is_over() -> None:
    refused = result(A, Reason.KEY_REFUSED, ended_at=at(-30))
    closed = outlook(A, B, results=[refused])
    assert (closed.startable, closed.wake_at) == ((), NOW + 30 * SECOND)
    assert outlook(A, B, results=[refused], now=NOW + 30 * SECOND).startable == (A,)
    assert outlook(A, B, C, results=[refused], jobs=[job(C)], now=NOW + MINUTE).startable == ()


def test_a_domain_that_pauses_lets_the_others_pass_and_wakes_the_collection() -> None:
    found = outlook(A, B, results=[result(A, Lost.RECEIPT_MISSING, ended_at=at(-1))])
    assert (found.startable, found.wake_at) == ((B,), NOW + SECOND)


def test_an_end_without_its_receipt_is_looked_at_again_soon() -> None:
    assert outlook(A, jobs=[complete(A)]).wake_at == NOW + 2 * SECOND


def test_a_job_without_a_pod_is_looked_at_when_that_needs_an_explanation() -> None:
    # Nothing else happens in the cluster then: a quota or an admission policy refuses the pods.
    made = job(A, active=0, created=NOW - 2 * SECOND)
    assert outlook(A, jobs=[made]).wake_at == made.created + JOB_CONTROLLER_GRACE


def test_a_pod_without_a_node_is_looked_at_when_that_needs_a_person() -> None:
    made = job(A, created=NOW - 20 * SECOND)
    stuck = pod(made, started=False, phase="Pending", unschedulable="0/1 nodes")
    assert outlook(A, jobs=[made], pods=[stuck]).wake_at == made.created + CAPACITY_GRACE


def test_nothing_wakes_a_collection_that_only_events_can_change() -> None:
    assert outlook(A, B, jobs=[job(A)], pods=[pod(job(A))]).wake_at is None
    assert outlook(A, results=[result(A)]).wake_at is None


def test_finished_jobs_beyond_history_go_the_oldest_first_and_only_when_recorded() -> None:
    of = collection(spec(history={"succeededJobs": 1, "failedJobs": 1}))
    old, new = complete(A, ended_at=NOW - MINUTE), complete(B)
    bad_old, bad_new = failed("PodFailurePolicy", C, ended_at=NOW - MINUTE), failed("PodFailurePolicy", D)
    jobs = [old, new, bad_old, bad_new]
    results = [result(A), result(B), result(C), result(D)]
    assert set(plan(outlook(A, B, C, D, of=of, jobs=jobs, results=results), 0).delete) == {old, bad_old}
    assert plan(outlook(A, B, C, D, of=of, jobs=jobs), 0).delete == ()


def test_no_history_deletes_all_recorded_jobs_and_those_being_deleted_are_left_alone() -> None:
    of = collection(spec(history={"succeededJobs": 0, "failedJobs": 0}))
    jobs = [complete(A), complete(B, deleting=True)]
    assert plan(outlook(A, B, of=of, jobs=jobs, results=[result(A), result(B)]), 0).delete == (jobs[0],)


def test_a_superseded_job_that_is_recorded_and_still_there_is_deleted_whatever_the_history() -> None:
    left = job(A)
    assert plan(outlook(A, jobs=[left], results=[result(A, Lost.SUPERSEDED)]), 9).delete == (left,)


def test_of_ten_thousand_domains_as_many_start_as_there_are_slots() -> None:
    # A plan whose cost grew with the square of the domains would take minutes; `make bench-scale` tells what it takes.
    names = tuple(f"d{number}.example" for number in range(10_000))
    jobs = [complete(name) for name in names[:1000]]
    results = [result(name) for name in names[:5000]]
    found = outlook(wanted=Wanted(names), jobs=jobs, results=results, of=collection(spec(concurrency=100)))
    assert len(plan(found, 100).start) == 100


def test_of_jobs_that_ended_in_the_same_second_the_same_one_is_kept_whatever_their_order() -> None:
    of = collection(spec(history={"succeededJobs": 1, "failedJobs": 0}))
    jobs, results = [complete(A), complete(B)], [result(A), result(B)]
    one = plan(outlook(A, B, of=of, jobs=jobs, results=results), 0).delete
    assert plan(outlook(A, B, of=of, jobs=jobs[::-1], results=results), 0).delete == one


# Budgets


def budgeted(*parts: Any, available: int | None = None, **wishes: Any) -> tuple[Outlook, Plan]:
    """Look and plan for a collection with a budget that wants three domains and could run them at once."""
    jobs = [one for one in parts if isinstance(one, Job)]
    results = [one for one in parts if isinstance(one, Result)]
    of = collection(spec(**{"concurrency": 3, **wishes}))
    found = outlook(A, B, C, of=of, jobs=jobs, results=results)
    return found, plan(found, 3, found.account.available if available is None else available)


def test_only_as_many_domains_start_as_the_budget_has_first_pages_for() -> None:
    found, decided = budgeted(budget={"maxCredits": 25})
    assert [(start.domain, start.credits) for start in decided.start] == [(A, 10), (B, 10)]
    assert found.too_dear == 1


def test_the_budget_is_not_named_while_the_slots_are_what_is_short() -> None:
    found, decided = budgeted(budget={"maxCredits": 25}, concurrency=2)
    assert (len(decided.start), found.too_dear) == (2, 0)


def test_what_was_set_aside_since_the_look_is_not_promised_again() -> None:
    _, decided = budgeted(budget={"maxCredits": 30}, available=15)
    assert [start.domain for start in decided.start] == [A]


def test_a_domain_that_has_spent_its_share_does_not_start_again() -> None:
    spent = result(A, Reason.INTERRUPTED, outcome=Outcome.PENDING, credits_total=5, ended_at=at(-600))
    found, decided = budgeted(spent, budget={"maxCreditsPerDomain": 5})
    assert [start.domain for start in decided.start] == [B, C]
    assert found.shares_spent == 1


def test_a_month_that_ends_is_looked_forward_to() -> None:
    found, decided = budgeted(result(A, Reason.COLLECTED), budget={"maxCredits": 0, "period": "Month"})
    assert decided.start == ()
    assert found.wake_at == datetime(2026, 12, 1, tzinfo=UTC)


def test_a_budget_of_nothing_starts_nothing() -> None:
    found, decided = budgeted(budget={"maxCredits": 0})
    assert (decided.start, found.too_dear) == ((), 3)
