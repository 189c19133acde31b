"""Where an errand stands after its attempts, how long it pauses, and which of its Jobs are kept."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from builders import HOUR, MINUTE, NOW, SECOND, counted, errand, errand_failed, errand_pod, pod, spec
from novahunt_contract.errands import Task
from novahunt_contract.outcomes import Reason
from novahunt_operator.errands import Setback, Standing, beyond_history, stand
from novahunt_operator.records import Errand, JobEnd, Pod
from novahunt_operator.settle import RECEIPT_GRACE, Lost

LATER = NOW + RECEIPT_GRACE


def standing(*attempts: Errand, pods: Sequence[Pod] = (), after: timedelta = RECEIPT_GRACE) -> Standing:
    by_job = {job.uid: tuple(pod for pod in pods if pod.job_uid == job.uid) for job in attempts}
    return stand(attempts, by_job, NOW + after, MINUTE)


def test_what_has_no_job_may_start() -> None:
    found = standing()
    assert found == Standing(0)
    assert found.may_start(NOW)


def test_a_job_at_work_is_waited_for() -> None:
    live = errand()
    assert standing(live) == Standing(1, live=live, newest=live)
    assert not standing(live).may_start(LATER)


def test_a_receipt_of_success_is_all_that_is_needed() -> None:
    done = counted()
    found = standing(done, pods=[errand_pod(done, domains=5, emails=7)], after=timedelta())
    assert found.done is not None
    job, receipt = found.done
    assert (job, receipt.domains, receipt.emails) == (done, 5, 7)
    assert not found.may_start(LATER)


def test_a_success_holds_even_if_the_job_failed_after_it() -> None:
    late = errand_failed(end_reason="DeadlineExceeded")
    assert standing(late, pods=[errand_pod(late)]).done is not None


def test_a_receipt_of_another_errand_says_nothing() -> None:
    done = counted()
    for other in (errand(Task.SWEEP), errand(job_id="estimate-q4-1")):
        note = errand_pod(other).termination_message
        found = standing(done, pods=[pod(done, finished=True, termination_message=note)])
        assert found.setback is not None
        assert found.setback.reason == Lost.RECEIPT_MISSING


def test_a_receipt_that_may_still_come_is_waited_for() -> None:
    done = counted()
    assert standing(done, after=5 * SECOND) == Standing(1, unread=done, newest=done)
    lost = standing(done)
    assert lost.setback is not None
    assert lost.setback.reason == Lost.RECEIPT_MISSING


@pytest.mark.parametrize("reason", [Reason.KEY_REFUSED, Reason.SUPPRESSION_LIST, Reason.STORAGE, Reason.INTERRUPTED])
def test_a_failed_one_is_tried_again_for_its_receipts_reason(reason: Reason) -> None:
    failed = errand_failed()
    found = standing(failed, pods=[errand_pod(failed, reason, message="No.")])
    assert found == Standing(1, setback=Setback(Task.ESTIMATE, reason, "No.", NOW + MINUTE), newest=failed)
    assert not found.may_start(NOW + MINUTE - SECOND)
    assert found.may_start(NOW + MINUTE)


def test_one_without_a_receipt_is_told_as_kubernetes_tells_it() -> None:
    failed = errand_failed(end_reason="BackoffLimitExceeded", failed=4)
    found = standing(failed).setback
    assert found is not None
    assert (found.reason, "4 attempts failed" in found.message) == (Lost.BACKOFF_LIMIT_EXCEEDED, True)


@pytest.mark.parametrize(("attempt", "pause"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (50, 60)])
def test_the_pause_doubles_up_to_an_hour(attempt: int, pause: int) -> None:
    found = standing(errand_failed(attempt)).setback
    assert found is not None
    assert found.again_at == NOW + pause * MINUTE


def test_the_last_setback_is_told_while_the_next_attempt_finds_out_whether_it_is_over() -> None:
    failed = errand_failed(1)
    live = errand(attempt=2)
    found = standing(live, failed, pods=[errand_pod(failed, Reason.STORAGE)])
    assert found.live == live
    assert found.setback is not None
    assert found.setback.reason == Reason.STORAGE
    assert not found.may_start(NOW + HOUR)


def test_an_older_success_is_not_forgotten_for_a_later_attempt() -> None:
    first, second = counted(1), errand_failed(2)
    found = standing(second, first, pods=[errand_pod(first)])
    assert found.done is not None
    assert (found.done[0], found.attempts) == (first, 2)


def test_the_newest_ended_ones_are_kept_for_their_logs() -> None:
    history = spec(history={"succeededJobs": 1, "failedJobs": 2}).history
    ended = [counted(n, ended_at=NOW + n * SECOND) for n in (1, 2, 3)]
    failed = [errand_failed(n, ended_at=NOW + n * SECOND) for n in (4, 5, 6)]
    beyond = beyond_history([*ended, *failed, errand(attempt=9)], history)
    assert {job.attempt for job in beyond} == {1, 2, 4}
    assert beyond_history([counted(deleting=True)], spec(history={"succeededJobs": 0, "failedJobs": 0}).history) == ()


def test_a_job_that_is_going_is_not_deleted_again_and_does_not_count_as_kept() -> None:
    history = spec(history={"succeededJobs": 1, "failedJobs": 0}).history
    going, stays = counted(2, deleting=True, ended_at=NOW + SECOND), counted(1)
    assert beyond_history([going, stays], history) == ()
    assert stays.end is JobEnd.COMPLETE
