"""The survey: each wanted domain is in exactly one state, and what must be settled or left alone is found."""

import dataclasses
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import MINUTE, NOW, at, collection, complete, failed, finished_pod, job, pod, receipt, result, spec, world
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Result
from novahunt_api.spec import CollectionSpec
from novahunt_api.statusobject import CollectionStatus, Handled
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_contract.wanted import Wanted
from novahunt_operator.account import Books
from novahunt_operator.records import Job, JobEnd, Pod
from novahunt_operator.settle import Lost
from novahunt_operator.survey import is_due, not_before, survey

A, B = "a.example", "b.example"


def test_a_domain_that_never_ran_is_due_in_the_order_of_the_lists() -> None:
    assert survey(world(B, A)).due == (B, A)


def test_a_live_job_runs_its_domain_and_one_between_attempts_backs_off() -> None:
    found = survey(world(A, B, jobs=[job(A), job(B, active=0, failed=1)]))
    assert ([one.domain for one in found.running], [one.domain for one in found.backing_off]) == ([A], [B])
    assert found.due == ()


def test_a_job_of_a_domain_that_is_not_wanted_any_more_finishes() -> None:
    found = survey(world(A, jobs=[job(B)]))
    assert [one.domain for one in found.unlisted] == [B]
    assert found.live == found.unlisted
    assert (found.due, found.settlements) == ((A,), ())


def test_an_ended_job_is_settled_once_and_holds_its_domain_until_then() -> None:
    ended = complete(A)
    note = finished_pod(ended, receipt(domain=A))
    found = survey(world(A, jobs=[ended], pods=[note]))
    assert [one.result.outcome for one in found.settlements] == [Outcome.COLLECTED]
    assert (found.held, found.due, found.settled) == ((A,), (), ())
    after = survey(world(A, jobs=[ended], pods=[note], results=[found.settlements[0].result]))
    assert (after.settlements, after.settled) == ((), (ended,))
    assert [one.domain for one in after.done] == [A]


def test_the_end_of_an_unlisted_domain_is_settled_too() -> None:
    ended = complete(B)
    found = survey(world(A, jobs=[ended], pods=[finished_pod(ended, receipt(domain=B))]))
    assert [one.job.domain for one in found.settlements] == [B]


def test_a_receipt_that_may_still_come_is_waited_for() -> None:
    found = survey(world(A, jobs=[complete(A)]))
    assert (found.settlements, found.unsettled, found.held) == ((), (complete(A),), (A,))


def test_a_job_that_is_being_deleted_before_its_end_holds_its_domain() -> None:
    found = survey(world(A, jobs=[job(A, deleting=True)]))
    assert (found.held, found.settlements, found.live) == ((A,), (), ())


def test_a_job_that_ended_and_is_being_deleted_is_settled_first() -> None:
    ended = complete(A, deleting=True)
    found = survey(world(A, jobs=[ended], pods=[finished_pod(ended, receipt(domain=A))]))
    assert len(found.settlements) == 1


def test_no_domain_starts_while_a_pod_of_its_vanished_job_is_alive() -> None:
    orphan = pod(job(A))
    assert survey(world(A, pods=[orphan])).held == (A,)
    assert survey(world(A, pods=[finished_pod(job(A))])).due == (A,)


def test_jobs_of_a_collection_that_had_this_name_before_are_not_ours_and_hold_their_domains() -> None:
    foreign = survey(world(A, jobs=[job(A, owner_uid="old")]))
    assert (foreign.held, foreign.live, foreign.settled) == ((A,), (), ())
    ended = survey(world(A, jobs=[complete(A, owner_uid="old")]))
    assert (ended.due, ended.settlements, ended.settled) == ((A,), (), ())


def test_a_job_of_a_recorded_run_is_never_settled_again_and_holds_its_domain_while_it_lives() -> None:
    live = survey(world(A, jobs=[job(A)], results=[result(A, Lost.SUPERSEDED)]))
    assert (live.held, live.settlements, [one.domain for one in live.settled]) == ((A,), (), [A])


STUCK = {"started": False, "phase": "Pending", "waiting_reason": "ImagePullBackOff"}


@pytest.mark.parametrize(
    ("made", "pods", "superseded"),
    [
        (job(A, template_hash="old"), [pod(job(A), **STUCK)], True),
        (job(A, template_hash="old"), [pod(job(A), started=False, unschedulable="0/1 nodes")], True),
        (job(A), [pod(job(A), **STUCK)], False),
        (job(A, template_hash="old"), [pod(job(A))], False),
        (job(A, template_hash="old"), [pod(job(A), started=False, waiting_reason="ContainerCreating")], False),
        (job(A, template_hash="old", failed=1), [pod(job(A), **STUCK)], False),
        (job(A, template_hash="old", active=0), [], False),
        (job(A, template_hash="old", active=0, created=NOW - MINUTE), [], True),
        (job(A, active=0, created=NOW - MINUTE / 2), [], False),
    ],
)
def test_only_a_job_that_can_not_start_under_outdated_settings_is_replaced(
    made: Job, pods: list[Pod], *, superseded: bool
) -> None:
    found = survey(world(A, jobs=[made], pods=pods))
    assert [(one.result.reason, one.delete) for one in found.settlements] == [(Lost.SUPERSEDED, True)] * superseded
    assert len(found.live) == (not superseded)


@pytest.mark.parametrize(
    ("last", "wishes", "due"),
    [
        (result(), spec(), False),
        (result(reason=Reason.NOTHING_FOUND), spec(), False),
        (result(reason=Reason.KEY_REFUSED), spec(), True),
        (result(reason=Lost.RECEIPT_MISSING), spec(), True),
        (result(reason=Reason.CLAIMED), spec(), False),
        (result(reason=Reason.CLAIMED), spec(retryFailed="1"), True),
        (result(reason=Reason.CLAIMED, retry_failed="1"), spec(retryFailed="1"), False),
        (result(reason=Reason.CLAIMED, retry_failed="1"), spec(retryFailed="2"), True),
        (result(reason=Reason.CLAIMED, retry_failed="1"), spec(), False),
        (result(), spec(retryFailed="1"), False),
        (result(), spec(recollect="a"), True),
        (result(recollect="a"), spec(recollect="a"), False),
        (result(recollect="a"), spec(recollect="b"), True),
        (result(recollect="a"), spec(), False),
        (result(reason=Reason.CLAIMED), spec(recollect="a"), True),
        (result(reason=Reason.MAX_RESULTS, max_results=100), spec(maxResults=200), True),
        (result(reason=Reason.MAX_RESULTS, max_results=100), spec(maxResults=100), False),
        (result(reason=Reason.MAX_RESULTS, max_results=100), spec(maxResults=50), False),
        (result(reason=Reason.PLAN_LIMIT, max_results=100), spec(maxResults=200), False),
        (result(max_results=100), spec(maxResults=200), False),
        (result(search_hash="v1-old"), spec(search={"type": "generic"}), False),
    ],
)
def test_a_domain_runs_again_only_when_a_wish_or_an_open_end_asks_for_it(
    last: Result, wishes: CollectionSpec, *, due: bool
) -> None:
    assert is_due(last, collection(wishes), NOW) is due


def handled(wishes: CollectionSpec, value: str) -> Collection:
    return collection(wishes, status=CollectionStatus(recollect_handled=Handled(value, at(-60))))


@pytest.mark.parametrize(
    ("last", "of", "expected"),
    [
        (None, collection(spec(recollect="a")), None),
        (result(), collection(spec()), None),
        (result(), collection(spec(recollect="a")), at(0)),
        (result(), handled(spec(recollect="a"), "a"), at(-60)),
        (result(), handled(spec(recollect="b"), "a"), at(0)),
        (result(reason=Reason.KEY_REFUSED, recollect="a"), handled(spec(recollect="a"), "a"), at(-60)),
        (result(reason=Lost.RECEIPT_MISSING, recollect="a"), handled(spec(recollect="a"), "a"), at(-60)),
        (
            result(reason=Reason.HUNTER_UNAVAILABLE, recollect="a"),
            handled(spec(recollect="a", retryFailed="1"), "a"),
            at(-60),
        ),
        (result(reason=Reason.MAX_RESULTS, recollect="a"), handled(spec(recollect="a"), "a"), None),
    ],
)
def test_a_document_older_than_an_open_wish_to_recollect_does_not_answer_it(
    last: Result | None, of: Collection, expected: str | None
) -> None:
    assert not_before(last, of, NOW) == expected


_domains = st.sampled_from([f"d{number}.example" for number in range(6)])
_jobs = st.builds(
    lambda domain, run, end, **rest: job(domain, run, end=end, ended_at=NOW if end else None, **rest),
    _domains,
    st.integers(1, 3),
    st.none() | st.sampled_from(JobEnd),
    active=st.integers(0, 1),
    failed=st.integers(0, 2),
    deleting=st.booleans(),
    owner_uid=st.sampled_from(["uid-q4", "uid-q4", "old"]),
    template_hash=st.sampled_from(["template-1", "old"]),
)
_results = st.builds(
    lambda domain, reason, run: result(domain, reason, run=run),
    _domains,
    st.sampled_from([*Reason, *Lost]),
    st.integers(0, 3),
)


@given(
    st.lists(_domains, unique=True),
    st.lists(_jobs, max_size=6, unique_by=lambda one: one.key),
    st.lists(_results, max_size=6, unique_by=lambda one: one.domain),
    st.integers(0, 20),
    st.randoms(use_true_random=False),
)
def test_whatever_the_world_every_domain_has_one_state_and_order_does_not_matter(
    wanted: list[str], jobs: list[Job], results: list[Result], seconds: int, random: object
) -> None:
    pods = [pod(one) for one in jobs if one.active]
    now = NOW + timedelta(seconds=seconds)
    found = survey(world(wanted=Wanted(tuple(wanted)), jobs=jobs, pods=pods, results=results, now=now))
    of_jobs = [one.domain for one in (*found.running, *found.backing_off)]
    states = [*found.due, *found.held, *of_jobs, *(one.domain for one in found.done)]
    assert sorted(states) == sorted(wanted)
    runs = {one.domain: one.run for one in results}
    assert all(one.result.run > runs.get(one.job.domain, 0) for one in found.settlements)
    random.shuffle(jobs)  # type: ignore[attr-defined]
    random.shuffle(results)  # type: ignore[attr-defined]
    again = survey(world(wanted=Wanted(tuple(wanted)), jobs=jobs, pods=pods, results=results, now=now))
    assert (again.due, again.held, again.done) == (found.due, found.held, found.done)
    assert {one.job.key for one in again.settlements} == {one.job.key for one in found.settlements}


def test_a_failed_job_waits_for_its_receipt_like_a_complete_one() -> None:
    ended = failed("BackoffLimitExceeded", A)
    found = survey(world(A, jobs=[ended]))
    assert (found.unsettled, found.slots) == ((ended,), 1)


def test_a_job_whose_record_was_deleted_must_go_before_its_domain_runs_again() -> None:
    recorded = complete(A)
    before = survey(world(A, jobs=[recorded], pods=[finished_pod(recorded, receipt(domain=A))], void={recorded.uid}))
    assert (before.void, before.settlements, before.due, before.held) == ((recorded,), (), (), (A,))
    assert survey(world(A)).due == (A,)


def test_a_live_job_is_let_finish_although_a_record_of_its_domain_was_deleted() -> None:
    running = job(A)
    assert survey(world(A, jobs=[running], void={running.uid})).running == (running,)


def test_what_a_share_cut_off_is_not_answered_by_its_own_document_when_it_can_get_further() -> None:
    share = collection(spec(budget={"maxCreditsPerDomain": 5, "period": "Month"}))
    month = {"credits_total": 5, "month": "2026-10", "credits_month": 5, "max_credits": 5}
    # Two of five credits had gone before; a new month has all five.
    cut_off = result(A, Reason.DOMAIN_BUDGET, emails=30, collected_at=at(-3600), **month)
    assert is_due(cut_off, share, NOW)
    assert not_before(cut_off, share, NOW) == at(-3599.999)
    # What a suppression list kept out was paid for as well: five more would buy the same again.
    kept_out = msgspec.structs.replace(cut_off, suppressed=20)
    assert not is_due(kept_out, share, NOW)
    assert not_before(kept_out, share, NOW) is None


def test_a_job_that_is_being_given_up_is_recorded_so_although_its_pod_starts_after_all() -> None:
    late = job(A)
    known = world(A, jobs=[late], pods=[pod(late)])
    assert survey(known).settlements == ()
    books = Books(given_up=frozenset({late.uid}), watched=frozenset({late.uid}), told={late.uid: {"evicted": 4}})
    found = survey(dataclasses.replace(known, books=books)).settlements
    assert [(one.result.reason, one.result.credits, one.delete) for one in found] == [(Lost.SUPERSEDED, 4, True)]
