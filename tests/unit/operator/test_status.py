"""The status: counts that add up, progress that is honest, failures that are bounded, and words that stand still."""

from typing import Any

import msgspec
import pytest

from builders import (
    MINUTE,
    NOW,
    SECOND,
    at,
    collection,
    complete,
    finished_pod,
    job,
    outlook,
    pod,
    receipt,
    result,
    scheduling,
    spec,
)
from novahunt_api.statusobject import (
    MAX_FAILURES,
    MAX_RUNNING,
    CollectionStatus,
    Credits,
    DomainCounts,
    Failure,
    Handled,
    RunningDomain,
)
from novahunt_contract.intake import Progress
from novahunt_contract.outcomes import Reason
from novahunt_contract.wanted import Invalid, Wanted
from novahunt_operator.planner import Outlook
from novahunt_operator.records import Reservation
from novahunt_operator.status import compute
from novahunt_operator.waits import find_wait

A, B, C, D = "a.example", "b.example", "c.example", "d.example"


def status_of(found: Outlook) -> CollectionStatus:
    return compute(found, find_wait(found, scheduling(), None))


def status(*domains: str, **parts: Any) -> CollectionStatus:
    return status_of(outlook(*domains, **parts))


def test_counts_name_every_state() -> None:
    wanted = Wanted((A, B, C, D, "e.example"), (Invalid("x", None, "no"),), duplicates=3)
    found = status(
        wanted=wanted,
        jobs=[job(A), job(B, active=0, failed=1)],
        results=[result(C, search_hash="v1-old"), result(D, Reason.CLAIMED)],
    )
    assert found.domains == DomainCounts(
        total=5, waiting=1, running=1, backing_off=1, succeeded=1, failed=1, invalid=1, duplicate=3, older_search=1
    )
    assert (found.done, found.observed_generation) == ("2/5", 1)


def test_progress_counts_the_running_domains_parts_and_says_100_only_at_the_end() -> None:
    pods = [pod(job(A)), pod(job(B))]
    progress = {pods[0].uid: Progress(50, 12, 1), pods[1].uid: Progress(250, 0, 1)}
    found = status(A, B, C, D, jobs=[job(A), job(B)], pods=pods, progress=progress, results=[result(C)])
    assert found.progress == (100 + 50 + 100) // 4
    assert found.running == (RunningDomain(A, 50, 12), RunningDomain(B, 100, 0))
    nearly = status(A, jobs=[job(A)], pods=[pods[0]], progress={pods[0].uid: Progress(100, 1, 1)})
    assert nearly.progress == 99
    assert status(A, results=[result(A)]).progress == 100


def test_progress_does_not_go_back_between_the_end_of_a_pod_and_that_of_its_job() -> None:
    live = job(A)
    reported = {pod(live).uid: Progress(83, 500, 5)}
    done = finished_pod(live, receipt(domain=A))
    assert status(A, B, jobs=[live], pods=[done], progress=reported).running == (RunningDomain(A, 83, 500),)
    broken = finished_pod(live, receipt(domain=A, reason=Reason.HUNTER_UNAVAILABLE))
    assert status(A, B, jobs=[live], pods=[broken], progress=reported).running == (RunningDomain(A, 0, 0),)


def test_a_collection_without_domains_is_complete() -> None:
    found = status()
    assert (found.done, found.progress, found.conditions[0].reason) == ("0/0", 100, "Completed")


def test_only_some_of_many_running_domains_are_listed() -> None:
    names = [f"d{number}.example" for number in range(50)]
    assert len(status(*names, jobs=[job(name) for name in names]).running) == MAX_RUNNING


def test_the_newest_failures_are_listed_first() -> None:
    names = [f"d{number}.example" for number in range(15)]
    failed = [result(name, Reason.CLAIMED, ended_at=at(index)) for index, name in enumerate(names)]
    found = status(*names, results=failed).failures
    assert [one.domain for one in found] == list(reversed(names[-MAX_FAILURES:]))
    assert found[0] == Failure("Claimed", "Claimed.", names[-1], at(14))


def test_invalid_entries_are_named_by_place_and_their_text_only_if_it_is_nobodys_address() -> None:
    wanted = Wanted((A,), (Invalid("spec.domains[0]", None, "it holds an @"), Invalid("line 3", "nope", "no dot")))
    found = status(wanted=wanted, results=[result(A)])
    assert [one.message for one in found.failures] == ["spec.domains[0]: it holds an @", "line 3 (nope): no dot"]
    assert {one.reason for one in found.failures} == {"InvalidDomain"}
    assert found.conditions[0].message == "All 1 domains are done; 2 list entries are no domain."


def test_addresses_and_credits_are_summed() -> None:
    results = [
        result(A, emails=3, credits_total=2),
        result(B, Reason.KEY_REFUSED, emails=4, credits_total=1),
        result(D, emails=100, credits_total=5),
    ]
    found = status(A, B, C, of=collection(spec(maxResults=95)), results=results)
    assert found.emails == 7
    # What a domain that left the list has cost was paid all the same; two may still cost ten each.
    assert found.credits == Credits(used=8, worst_case=28)


def test_the_rate_counts_the_last_minutes_and_gives_the_time_left() -> None:
    status_before = CollectionStatus(started_at=at(-3600))
    ended = [result(A, ended_at=at(-10)), result(B, ended_at=at(-200)), result(C, ended_at=at(-400))]
    found = status(A, B, C, D, of=collection(status=status_before), results=ended)
    assert found.rate == "1/min"
    assert found.estimated_completion_time == at(150)
    assert status(A, D, results=[result(A, ended_at=at(-400))]).rate is None


def test_a_complete_collection_tells_when_it_was_and_no_rate() -> None:
    found = status(A, B, results=[result(A, ended_at=at(-9)), result(B, ended_at=at(-5))])
    assert (found.completed_at, found.rate, found.estimated_completion_time) == (at(-5), None, None)
    assert status(A, results=[]).completed_at is None


def test_the_start_is_remembered_and_dates_from_the_first_movement() -> None:
    assert status(A).started_at is None
    assert status(A, jobs=[job(A)]).started_at == at(0)
    of = collection(status=CollectionStatus(started_at=at(-60)))
    assert status(A, of=of, jobs=[job(A)]).started_at == at(-60)


def test_a_wish_to_recollect_is_dated_once() -> None:
    first = status(A, of=collection(spec(recollect="a")))
    assert first.recollect_handled == Handled("a", at(0))
    later = status(A, of=collection(spec(recollect="a"), status=first), now=NOW + MINUTE)
    assert later.recollect_handled == Handled("a", at(0))
    assert status(A, of=collection(spec(recollect="b"), status=first), now=NOW + MINUTE).recollect_handled == Handled(
        "b", at(60)
    )
    assert status(A, of=collection(spec(), status=first)).recollect_handled is None


def test_the_place_of_the_results_is_told() -> None:
    volume = status(A, of=collection(spec(storage={"persistentVolumeClaim": {"claimName": "collections"}}))).results
    assert msgspec.to_builtins(volume) == {"persistentVolumeClaim": {"claimName": "collections", "path": "q4"}}
    maps = status(A).results
    assert msgspec.to_builtins(maps) == {"configMap": {"selector": "novahunt.io/collection=q4", "maxBytes": 104857600}}


STILL: dict[str, dict[str, Any]] = {
    "waits for a slot": {"jobs": [job(A), job(B)]},
    "complete": {"results": [result(A), result(B), result(C)]},
    "complete with failures": {"results": [result(A), result(B, Reason.CLAIMED), result(C)]},
    "suspended": {"of": collection(spec(suspend=True))},
    "breaker": {"results": [result(A, Reason.KEY_REFUSED, ended_at=at(-1))]},
    "no pod": {"jobs": [job(A, active=0, created=NOW - 30 * SECOND)]},
    "no node": {"jobs": [job(A)], "pods": [pod(job(A), started=False, unschedulable="0/1 nodes")]},
    "recollect": {"of": collection(spec(recollect="a"))},
    "at work": {
        "of": collection(status=CollectionStatus(started_at=at(-600))),
        "jobs": [job(A)],
        "results": [result(B, ended_at=at(-9)), result(C, ended_at=at(-90))],
    },
    "no domains": {"wanted": Wanted()},
    "invalid": {"wanted": Wanted((A,), (Invalid("x", "y", "z"),))},
    "settling": {"jobs": [complete(A)], "pods": [finished_pod(complete(A), receipt(domain=A))]},
}


@pytest.mark.parametrize("parts", STILL.values(), ids=STILL.keys())
@pytest.mark.parametrize("seconds", [1, 3])
def test_while_nothing_changes_the_status_does_not_either(parts: dict[str, Any], seconds: int) -> None:
    # Each write is an event that makes the collection be looked at again: a status that moves never rests.
    first = outlook(A, B, C, **parts)
    shown = status_of(first)
    of = msgspec.structs.replace(first.world.collection, status=shown)
    assert status(A, B, C, **{**parts, "of": of, "now": NOW + seconds * SECOND}) == shown


def test_the_status_stays_small_for_ten_thousand_domains_that_all_fail_at_length() -> None:
    names = [f"{'x' * 60}.{number}.{'y' * 60}.example" for number in range(10_000)]
    long = "m" * 1024
    results = [result(name, Reason.CLAIMED, message=long) for name in names[: len(names) // 2]]
    found = status(*names, results=results, jobs=[job(name) for name in names[-100:]])
    assert len(msgspec.json.encode(found)) < 64 * 1024


def test_progress_does_not_go_back_while_an_end_is_not_recorded() -> None:
    ended = complete(A)
    during = status(A, B, jobs=[ended], pods=[finished_pod(ended, receipt(domain=A))])
    waiting = status(A, B, jobs=[ended])
    after = status(A, B, results=[result(A)])
    assert (during.progress, waiting.progress, after.progress) == (50, 50, 50)


def test_what_a_deleted_result_stood_for_is_not_shown_as_gone_while_its_job_could_be_settled_again() -> None:
    before = CollectionStatus(credits=Credits(used=9))
    ended = complete(A)
    while_there = status(A, of=collection(status=before), jobs=[ended], void=[ended.uid])
    assert while_there.credits == Credits(used=9)


def test_a_run_is_shown_as_used_when_it_is_recorded_and_not_before() -> None:
    ended = complete(A, reservation=Reservation(10))
    found = status(A, jobs=[ended], pods=[finished_pod(ended, receipt(domain=A, credits=4))])
    assert found.credits is not None
    assert (found.credits.used, found.credits.reserved) == (0, 10)


def test_credits_that_are_spent_stay_spent_when_a_result_is_deleted() -> None:
    before = CollectionStatus(credits=Credits(used=9))
    assert status(A, of=collection(status=before)).credits == Credits(used=9, removed=9, worst_case=509)


def test_a_complete_collection_that_goes_on_begins_a_new_round() -> None:
    before = CollectionStatus(started_at=at(-900), completed_at=at(-600))
    assert status(A, of=collection(status=before), results=[result(A)]).started_at == at(-900)
    assert status(A, B, of=collection(status=before), results=[result(A)]).started_at == at(0)
