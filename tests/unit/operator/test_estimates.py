"""Estimates: domains are divided the same way every time, each part is counted once, and the sum is the answer."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import (
    HOUR,
    MINUTE,
    NOW,
    collection,
    counted,
    errand,
    errand_failed,
    errand_pod,
    outlook,
    pod,
    scheduling,
    spec,
)
from novahunt_api.domaincollections import Collection
from novahunt_api.statusobject import CollectionStatus, Estimate
from novahunt_contract.errands import MAX_ESTIMATED, Task
from novahunt_contract.intake import Progress
from novahunt_contract.outcomes import Reason
from novahunt_contract.wanted import Wanted
from novahunt_operator.estimates import MAX_TEXT, chunks
from novahunt_operator.planner import Outlook, plan
from novahunt_operator.records import Counts, Errand
from novahunt_operator.settle import RECEIPT_GRACE
from novahunt_operator.status import compute
from novahunt_operator.waits import find_wait

MANY = [f"d{number:04}.example" for number in range(1200)]
WISHES = spec(mode="Estimate", concurrency=2)
FIRST, SECOND_PART, THIRD = chunks(MANY, WISHES)
COUNTS = Counts(domains=500, emails=4000, credits=410)


def estimating(*errands: Errand, wishes: Any = WISHES, of: Collection | None = None, **parts: Any) -> Outlook:
    return outlook(*MANY, of=of or collection(wishes), errands=errands, **parts)


def look(*errands: Errand, **parts: Any) -> Any:
    found = estimating(*errands, **parts).errands.estimate
    assert found is not None
    return found


def test_five_hundred_domains_at_most_are_counted_together_in_the_order_of_the_sorted_list() -> None:
    parts = chunks(reversed(MANY), WISHES)
    assert [len(part.domains) for part in parts] == [500, 500, 200]
    assert [domain for part in parts for domain in part.domains] == MANY


def test_long_names_are_divided_so_that_they_fit_into_one_variable() -> None:
    long = [f"{'a' * 60}.{'b' * 60}.{'c' * 60}.d{number:04}.example" for number in range(600)]
    parts = chunks(long, WISHES)
    assert all(len("\n".join(part.domains)) <= MAX_TEXT for part in parts)
    assert [domain for part in parts for domain in part.domains] == long
    assert max(len(part.domains) for part in parts) < MAX_ESTIMATED


@pytest.mark.parametrize(
    "wish", [{"maxResults": 10}, {"pageSize": 10}, {"search": {"type": "personal"}}], ids=lambda wish: next(iter(wish))
)
def test_other_wishes_that_the_price_depends_on_are_counted_anew(wish: dict[str, Any]) -> None:
    other = chunks(MANY, spec(mode="Estimate", **wish))
    assert {part.of for part in other}.isdisjoint({FIRST.of, SECOND_PART.of, THIRD.of})
    same = spec(mode="Estimate", concurrency=9, search={"seniority": ["senior"]})
    assert chunks(MANY, same) == (FIRST, SECOND_PART, THIRD)


@given(st.lists(st.integers(0, 2000), unique=True, max_size=60), st.randoms())
def test_the_order_of_the_list_does_not_matter(numbers: list[int], chance: Any) -> None:
    domains = [f"n{number}.example" for number in numbers]
    shuffled = domains[:]
    chance.shuffle(shuffled)
    assert chunks(domains, WISHES) == chunks(shuffled, WISHES)


def test_as_many_jobs_start_as_the_collection_may_run_and_the_scheduler_allows() -> None:
    found = estimating()
    starts = [(start.of, start.attempt, start.domains) for start in plan(found, 9, allowed_errands=9).start_errands]
    assert starts == [(FIRST.of, 1, FIRST.domains), (SECOND_PART.of, 1, SECOND_PART.domains)]
    assert plan(found, 9, allowed_errands=1).start_errands[0].of == FIRST.of
    assert plan(found, 9).start_errands == ()
    assert plan(found, 9, allowed_errands=9).start == (), "no domain is collected"
    assert (found.demand.errands, found.demand.starts) == (2, 0)


def test_a_running_one_takes_a_slot_and_one_that_backs_off_does_not() -> None:
    live = estimating(errand(of=FIRST.of))
    assert [start.of for start in live.errands.startable] == [SECOND_PART.of]
    assert live.demand.running == 1
    waiting = estimating(errand(of=FIRST.of, active=0, failed=1))
    assert [start.of for start in waiting.errands.startable] == [SECOND_PART.of, THIRD.of]
    assert (waiting.demand.running, waiting.demand.backing_off) == (0, 1)


def test_domains_are_told_by_what_their_job_does() -> None:
    done, live = counted(of=FIRST.of, counts=COUNTS), errand(of=SECOND_PART.of)
    at_work = pod(live)
    found = look(done, live, pods=[at_work], progress={at_work.uid: Progress(percent=40, emails=0, requests=200)})
    assert (found.waiting, found.running, found.backing_off, found.counted) == (200, 500, 0, 500)
    assert found.percent == (500 * 100 + 500 * 40) // 1200
    backing = look(errand(of=FIRST.of, active=0, failed=1))
    assert (backing.waiting, backing.backing_off) == (700, 500)


def test_counts_are_noted_on_the_job_that_found_them_before_they_count() -> None:
    done = counted(of=FIRST.of)
    found = estimating(done, pods=[errand_pod(done, domains=500, emails=4000, credits=410)])
    assert [(one.errand, one.counts) for one in plan(found, 0).record_counts] == [(done, COUNTS)]
    assert found.errands.estimate is not None
    assert (found.errands.estimate.counted, found.errands.estimate.running) == (0, 500)
    assert plan(estimating(counted(of=FIRST.of, counts=COUNTS)), 0).record_counts == ()


def test_an_end_whose_receipt_may_still_come_keeps_its_slot_and_is_looked_at_soon() -> None:
    found = estimating(counted(of=FIRST.of))
    assert [start.of for start in found.errands.startable] == [SECOND_PART.of]
    assert found.wake_at is not None
    assert found.wake_at < NOW + RECEIPT_GRACE


def all_counted() -> list[Errand]:
    return [
        counted(of=part.of, counts=Counts(len(part.domains), emails, credits_))
        for part, emails, credits_ in [(FIRST, 4000, 410), (SECOND_PART, 30, 5), (THIRD, 0, 0)]
    ]


def test_when_all_parts_are_counted_their_sum_is_the_estimate() -> None:
    found = look(*all_counted())
    assert found.complete
    assert found.percent == 100
    assert found.result == Estimate(emails=4030, credits=415, domains=1200, of=found.of, at="2026-11-24T12:00:00.000Z")


def status_of(found: Any) -> Collection:
    return collection(WISHES, status=CollectionStatus(estimate=found.result))


def test_jobs_stay_until_the_status_holds_the_estimate_and_fall_under_history_then() -> None:
    jobs = all_counted()
    wishes = spec(mode="Estimate", history={"succeededJobs": 1, "failedJobs": 0})
    assert plan(estimating(*jobs, wishes=wishes), 0).delete_errands == ()
    known = collection(wishes, status=CollectionStatus(estimate=look(*jobs).result))
    assert len(plan(estimating(*jobs, of=known), 0).delete_errands) == 2


def test_an_estimate_that_the_status_holds_is_not_made_again_even_if_its_jobs_are_gone() -> None:
    known = status_of(look(*all_counted()))
    found = estimating(of=known)
    assert found.errands.startable == ()
    assert found.errands.estimate is not None
    assert (found.errands.estimate.complete, found.errands.estimate.counted) == (True, 1200)


def test_a_job_deleted_by_hand_is_counted_again() -> None:
    _, second, third = all_counted()
    assert [start.of for start in estimating(second, third).errands.startable] == [FIRST.of]


def test_an_edit_makes_a_new_estimate_and_stops_what_counts_for_the_old_one() -> None:
    known, live = status_of(look(*all_counted())), errand(of=FIRST.of)
    shorter = outlook(*MANY[1:], of=known, errands=[live])
    assert plan(shorter, 0).delete_errands == (live,)
    assert shorter.errands.estimate is not None
    assert not shorter.errands.estimate.complete
    assert shorter.errands.estimate.result == known.status.estimate, "the old one stands until the new one is there"


def test_going_back_to_collect_stops_the_estimate() -> None:
    live = errand(of=FIRST.of)
    found = outlook(*MANY, of=collection(spec()), errands=[live])
    assert plan(found, 9, allowed_errands=9).delete_errands == (live,)
    assert found.errands.estimate is None
    assert len(plan(found, 9).start) == 1, "the Job that goes holds its slot until then"


@pytest.mark.parametrize(
    "parts", [{"wishes": spec(mode="Estimate", suspend=True)}, {"of": collection(WISHES, deleting=True)}]
)
def test_nothing_starts_while_it_is_suspended_or_deleted(parts: dict[str, Any]) -> None:
    assert estimating(**parts).errands.startable == ()


def test_an_empty_list_is_estimated_at_once() -> None:
    found = outlook(of=collection(WISHES)).errands.estimate
    assert found is not None
    assert (found.complete, found.percent, found.result is not None) == (True, 100, True)


AWAY = Wanted((), missing=("spec.domainsFrom[0]: ConfigMap leads is not there",))


def test_a_finished_estimate_stays_while_its_list_is_away() -> None:
    known = status_of(look(*all_counted()))
    found = outlook(of=known, wanted=AWAY)
    shown = compute(found, find_wait(found, scheduling(), None))
    assert shown.estimate == known.status.estimate
    reasons = {one.type: one.reason for one in shown.conditions if one.status == "True"}
    assert reasons == {"Stalled": "DomainsMissing", "Waiting": "DomainsMissing"}, "it is not done with nothing"


def test_what_is_counted_and_what_counts_stays_while_the_list_is_away() -> None:
    wishes = spec(mode="Estimate", history={"succeededJobs": 0, "failedJobs": 0})
    jobs = [errand(of=FIRST.of), counted(of=SECOND_PART.of, counts=COUNTS)]
    part = Wanted(tuple(MANY[:3]), missing=AWAY.missing)
    for wanted in (AWAY, part):
        found = outlook(of=collection(wishes), wanted=wanted, errands=jobs)
        decided = plan(found, 9, allowed_errands=9)
        assert (decided.delete_errands, decided.start_errands) == ((), ())
        assert found.errands.estimate is not None
        assert (found.errands.estimate.complete, found.errands.estimate.waiting) == (False, len(wanted.domains))


def test_a_refused_key_stops_the_other_parts_and_one_tries_again() -> None:
    failed = errand_failed(of=SECOND_PART.of)
    pods = [errand_pod(failed, Reason.KEY_REFUSED, message="The key is refused.")]
    closed = estimating(failed, pods=pods)
    assert (closed.errands.startable, closed.wake_at) == ((), NOW + MINUTE)
    probing = estimating(failed, pods=pods, now=NOW + MINUTE)
    assert [(start.of, start.attempt) for start in probing.errands.startable] == [(SECOND_PART.of, 2)]
    live = errand(of=SECOND_PART.of, attempt=2)
    assert estimating(failed, live, pods=pods, now=NOW + MINUTE).errands.startable == ()


def test_a_failure_of_one_part_alone_does_not_stop_the_others() -> None:
    failed = errand_failed(of=FIRST.of)
    found = estimating(failed, pods=[errand_pod(failed, Reason.HUNTER_UNAVAILABLE)])
    assert [start.of for start in found.errands.startable] == [SECOND_PART.of, THIRD.of]


def test_a_job_that_can_not_start_is_replaced_when_the_settings_have_changed() -> None:
    stuck = errand(of=FIRST.of, template_hash="other")
    waits = pod(stuck, started=False, waiting_reason="ErrImagePull")
    assert plan(estimating(stuck, pods=[waits]), 0).delete_errands == (stuck,)
    assert plan(estimating(stuck, pods=[pod(stuck)]), 0).delete_errands == ()


def test_of_many_failed_attempts_the_newest_stays_to_count_them_and_the_others_fall_under_history() -> None:
    wishes = spec(mode="Estimate", history={"succeededJobs": 0, "failedJobs": 0})
    attempts = [errand_failed(number, FIRST.of, ended_at=NOW - (4 - number) * HOUR) for number in (1, 2, 3)]
    noted = counted(of=SECOND_PART.of, counts=COUNTS)
    found = estimating(*attempts, noted, wishes=wishes)
    assert {gone.attempt for gone in plan(found, 0).delete_errands} == {1, 2}
    assert found.errands.startable[0].attempt == 4


def test_jobs_of_a_collection_that_is_gone_are_not_ours() -> None:
    other = counted(of=FIRST.of, owner_uid="uid-of-another", counts=COUNTS)
    found = look(other)
    assert (found.counted, found.ready[0].attempt) == (0, 1)
    assert Task.ESTIMATE is other.task
