"""Refreshing: what has grown old is collected again, spread and in order, while its answer stays one."""

from datetime import timedelta
from typing import Any

import pytest

from builders import MINUTE, NOW, at, collection, complete, job, outlook, pod, result, scheduling, spec, world
from novahunt_api.conditions import ConditionType, find
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Result
from novahunt_api.statusobject import CollectionStatus, Handled, RunningDomain
from novahunt_contract import times
from novahunt_contract.intake import Progress
from novahunt_contract.outcomes import Reason
from novahunt_operator.planner import Start, plan
from novahunt_operator.refresh import LONGEST_SPREAD, due_at
from novahunt_operator.settle import Lost
from novahunt_operator.status import compute
from novahunt_operator.survey import not_before, survey
from novahunt_operator.waits import find_wait

A, B, C, D = "a.example", "b.example", "c.example", "d.example"
HOUR = timedelta(hours=1)
HOURLY = spec(refreshAfter="1h")
OLD, YOUNG = at(-2 * 3600), at(-60)


def answered(domain: str = A, collected_at: str = OLD, reason: str = Reason.COLLECTED, **fields: Any) -> Result:
    return result(domain, reason, **{"collected_at": collected_at, "ended_at": collected_at, **fields})


def status(*domains: str, **parts: Any) -> CollectionStatus:
    found = outlook(*domains, **{"of": collection(HOURLY), **parts})
    return compute(found, find_wait(found, scheduling(), None))


def ready(shown: CollectionStatus) -> tuple[str, str]:
    found = find(shown.conditions, ConditionType.READY)
    assert found is not None
    return found.status, found.message


# ---------------------------------------------------------------------- when


def test_an_answer_is_old_so_long_after_it_was_collected_and_a_little_later_by_its_name() -> None:
    due = due_at(answered(), HOUR)
    assert due is not None
    assert timedelta(0) <= due - (NOW - HOUR) <= timedelta(minutes=6)
    assert due_at(answered(), HOUR) == due


def test_domains_collected_together_come_back_spread_over_a_tenth_of_the_time() -> None:
    dues = sorted(due_at(answered(f"d{number}.example"), HOUR) or NOW for number in range(600))
    a_minute = [
        sum(start <= due < start + MINUTE for due in dues) for start in (NOW - HOUR + n * MINUTE for n in range(6))
    ]
    assert sum(a_minute) == 600
    assert all(70 <= count <= 130 for count in a_minute)


def test_the_spread_is_never_longer_than_a_day() -> None:
    year = timedelta(days=365)
    dues = [due_at(answered(f"d{number}.example"), year) or NOW for number in range(200)]
    first = times.from_text(OLD) + year
    assert all(timedelta(0) <= due - first < LONGEST_SPREAD for due in dues)
    assert max(dues) - min(dues) > timedelta(hours=20)


@pytest.mark.parametrize(
    ("last", "since"),
    [
        (result(A, collected_at=at(-900), ended_at=at(-5)), at(-900)),
        (result(A, Reason.SUPPRESSED, ended_at=at(-5)), at(-5)),
        (result(A, Reason.HUNTER_UNAVAILABLE, collected_at=at(-900), ended_at=at(-5)), at(-5)),
        (result(A, Reason.CLAIMED, ended_at=at(-5)), at(-5)),
    ],
    ids=["taken from storage", "no document", "failed with an old document", "failed"],
)
def test_an_answer_ages_from_its_collection_and_a_failure_from_its_end(last: Result, since: str) -> None:
    due = due_at(last, HOUR)
    assert due is not None
    assert timedelta(0) <= due - times.from_text(since) - HOUR < HOUR / 10


@pytest.mark.parametrize(("last", "after"), [(answered(), None), (result(A, ended_at=None), HOUR)])
def test_nothing_is_due_for_its_age_without_the_wish_or_without_a_time(last: Result, after: timedelta | None) -> None:
    assert due_at(last, after) is None


# ---------------------------------------------------------------------- what runs


def test_old_answers_are_due_and_young_ones_are_done() -> None:
    found = survey(world(A, B, of=collection(HOURLY), results=[answered(A), answered(B, YOUNG)]))
    assert (found.due, [one.domain for one in found.done], set(found.refreshing)) == ((A,), [B], {A})


def test_domains_without_an_answer_come_first_and_then_the_oldest_answers() -> None:
    results = [answered(A, at(-3 * 3600)), answered(B, at(-5 * 3600)), answered(D, at(-4 * 3600))]
    assert survey(world(A, B, C, D, of=collection(HOURLY), results=results)).due == (C, B, D, A)


def test_a_failed_refresh_is_not_tried_again_before_its_time() -> None:
    failed = result(A, Reason.HUNTER_UNAVAILABLE, collected_at=at(-9 * 3600), ended_at=at(-60))
    of = collection(HOURLY)
    assert survey(world(A, of=of, results=[failed])).due == ()
    assert survey(world(A, of=of, results=[failed], now=NOW + 2 * HOUR)).due == (A,)


def test_the_collection_wakes_when_the_next_answer_grows_old_and_not_before() -> None:
    results = [answered(A, at(-600)), answered(B, at(-1200))]
    found = outlook(A, B, of=collection(HOURLY), results=results)
    assert found.wake_at == due_at(results[1], HOUR)
    assert found.startable == ()
    assert outlook(A, B, results=results).wake_at is None
    assert outlook(A, B, of=collection(HOURLY), results=results, now=found.wake_at).startable == (B,)


def test_a_suspended_collection_refreshes_nothing() -> None:
    of = collection(spec(refreshAfter="1h", suspend=True))
    assert outlook(A, of=of, results=[answered()]).startable == ()


# ---------------------------------------------------------------------- never twice


def due_text(last: Result) -> str:
    due = due_at(last, HOUR)
    assert due is not None
    return times.to_text(due)


def test_a_document_that_was_collected_after_the_due_time_answers_the_refresh() -> None:
    last = answered()
    found = outlook(A, of=collection(HOURLY), results=[last])
    assert plan(found, 1).start == (Start(A, 2, due_text(last)),)
    later = outlook(A, of=collection(HOURLY), results=[last], now=NOW + 9 * MINUTE)
    assert plan(later, 1).start == plan(found, 1).start


@pytest.mark.parametrize("reason", [Lost.RECEIPT_MISSING, Reason.KEY_REFUSED])
def test_a_refresh_that_ended_without_an_answer_is_repeated_under_the_same_time(reason: str) -> None:
    repeated = result(A, reason, collected_at=OLD, ended_at=at(-1))
    assert not_before(repeated, collection(HOURLY), NOW) == due_text(answered())


def test_what_a_lost_run_has_stored_already_is_fresh_for_the_next() -> None:
    # The intake records when the document was collected before the receipt is read.
    stored = result(A, Lost.RECEIPT_MISSING, collected_at=YOUNG, ended_at=at(-1))
    assert not_before(stored, collection(HOURLY), NOW) is None


def wished(value: str, seen: float) -> Collection:
    wishes = spec(refreshAfter="1h", recollect=value)
    return collection(wishes, status=CollectionStatus(recollect_handled=Handled(value, at(seen))))


@pytest.mark.parametrize(
    ("last", "of", "expected"),
    [
        (answered(recollect="a"), wished("a", -86400), due_text(answered())),
        (answered(), wished("a", -5), at(-5)),
        (answered(), wished("a", -86400), due_text(answered())),
        (answered(collected_at=YOUNG), wished("a", -5), at(-5)),
        (answered(collected_at=YOUNG, recollect="a"), wished("a", -5), None),
    ],
)
def test_of_a_wish_to_recollect_and_a_due_refresh_the_later_time_holds(
    last: Result, of: Collection, expected: str | None
) -> None:
    assert not_before(last, of, NOW) == expected


# ---------------------------------------------------------------------- what is said


def test_a_refresh_over_finished_results_keeps_the_collection_ready_and_whole() -> None:
    running = job(B, run=2)
    shown = status(
        A, B, C, D,
        jobs=[running],
        pods=[pod(running)],
        progress={pod(running).uid: Progress(40, 7, 2)},
        results=[
            answered(A),
            answered(B, emails=5),
            answered(C, reason=Reason.CLAIMED, collected_at=at(-2.5 * 3600)),
            answered(D, YOUNG),
        ],
    )  # fmt: skip
    assert ready(shown) == ("True", "All 4 domains are done; 1 failed; 3 are being refreshed.")
    assert find(shown.conditions, ConditionType.RECONCILING) is None
    counts = shown.domains
    assert counts is not None
    assert (counts.succeeded, counts.failed, counts.refreshing) == (3, 1, 3)
    assert (counts.waiting, counts.running, counts.backing_off) == (0, 0, 0)
    assert (shown.done, shown.progress, shown.completed_at) == ("4/4", 100, YOUNG)
    assert shown.running == (RunningDomain(B, 40, 7),)
    assert shown.next_refresh_at == due_text(answered(D, YOUNG))


def test_what_a_refresh_waits_for_is_said_beside() -> None:
    waiting = find(status(A, results=[answered()]).conditions, ConditionType.WAITING)
    assert waiting is not None
    assert waiting.reason == "Concurrency"


def test_a_refresh_whose_end_is_not_recorded_yet_leaves_the_collection_ready() -> None:
    ended = complete(A, run=2)
    shown = status(A, jobs=[ended], results=[answered()])
    assert (ready(shown)[0], shown.done, shown.progress) == ("True", "1/1", 100)


@pytest.mark.parametrize("collected_at", [OLD, YOUNG], ids=["on a volume", "in ConfigMaps, recorded by the intake"])
def test_a_refresh_whose_receipt_was_lost_leaves_the_collection_ready_and_runs_again(collected_at: str) -> None:
    lost = result(A, Lost.RECEIPT_MISSING, collected_at=collected_at, ended_at=at(-60))
    assert ready(status(A, results=[lost])) == ("True", "All 1 domains are done; 1 is being refreshed.")
    assert outlook(A, of=collection(HOURLY), results=[lost]).startable == (A,)


def test_a_first_run_without_a_document_has_no_answer_to_keep() -> None:
    assert ready(status(A, results=[result(A, Lost.RECEIPT_MISSING, ended_at=at(-60))]))[0] == "False"


@pytest.mark.parametrize("reason", [Reason.QUOTA_EXHAUSTED, Reason.KEY_REFUSED])
def test_what_a_refresh_could_not_pay_for_still_counts_as_done(reason: str) -> None:
    shown = status(A, results=[result(A, reason, collected_at=OLD, ended_at=at(-1))])
    assert (shown.done, ready(shown)[0]) == ("1/1", "False")


def test_an_open_wish_makes_the_collection_work_however_old_the_answers_are() -> None:
    lost = result(A, Lost.RECEIPT_MISSING, recollect="a", collected_at=OLD, ended_at=at(-1))
    for last in (answered(), lost):
        shown = status(A, of=wished("a", -5), results=[last])
        assert (ready(shown)[0], shown.done) == ("False", "0/1")


def test_when_a_person_is_needed_for_a_refresh_the_collection_is_not_ready() -> None:
    refused = result(A, Reason.KEY_REFUSED, collected_at=OLD, ended_at=at(-1))
    shown = status(A, B, results=[refused, answered(B, at(-5400))])
    assert {one.type: (one.status, one.reason) for one in shown.conditions} == {
        "Ready": ("False", "KeyRefused"),
        "Stalled": ("True", "KeyRefused"),
        "Waiting": ("True", "KeyRefused"),
    }
    assert (shown.done, shown.progress) == ("2/2", 100)


def test_while_first_domains_are_open_refreshes_count_as_done() -> None:
    shown = status(A, B, jobs=[job(A, run=2)], results=[answered(A)])
    counts = shown.domains
    assert counts is not None
    assert (counts.waiting, counts.running, counts.succeeded, counts.refreshing) == (1, 0, 1, 1)
    assert (ready(shown)[0], shown.done, shown.progress) == ("False", "1/2", 50)


def test_a_suspended_collection_stays_ready_and_says_what_is_held() -> None:
    shown = status(A, of=collection(spec(refreshAfter="1h", suspend=True)), results=[answered()])
    assert ready(shown) == (
        "True",
        "All 1 domains are done; 1 is being refreshed (spec.suspend holds what does not run).",
    )


@pytest.mark.parametrize(("results", "wishes"), [([], HOURLY), ([answered(A, YOUNG)], spec()), ([answered()], HOURLY)])
def test_no_next_time_is_told_where_nothing_is_done_or_nothing_grows_old(results: list[Result], wishes: Any) -> None:
    assert status(A, of=collection(wishes), results=results).next_refresh_at is None


def test_time_alone_changes_the_status_only_when_something_grows_old() -> None:
    last = answered(A, YOUNG)
    shown = status(A, results=[last])
    of = collection(HOURLY, status=shown)
    assert status(A, of=of, results=[last], now=NOW + 30 * MINUTE) == shown
    assert status(A, of=of, results=[last], now=NOW + 2 * HOUR) != shown


def test_of_ten_thousand_ages_each_is_told() -> None:
    names = [f"d{number}.example" for number in range(10_000)]
    results = [answered(name, OLD if number % 2 else YOUNG) for number, name in enumerate(names)]
    found = outlook(*names, of=collection(HOURLY), results=results)
    assert len(found.survey.refreshing) == 5000
