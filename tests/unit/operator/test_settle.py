"""Settling: every end of a Job is told apart and leads somewhere, and nothing that was paid goes uncounted."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from builders import NOW, SECOND, TEMPLATE, at, complete, failed, finished_pod, job, pod, receipt, result
from novahunt_api.domainresults import Place, Result, VolumePlace
from novahunt_contract.outcomes import ENDINGS, Outcome, Reason
from novahunt_contract.receipt import Changed, ConfigMapPlace, Receipt
from novahunt_operator.costs import Heard
from novahunt_operator.ends import IN_A_ROW
from novahunt_operator.records import Job, Pod, Reservation
from novahunt_operator.settle import RECEIPT_GRACE, Lost, Others, give_up, settle

LATER = NOW + RECEIPT_GRACE
CAUSES = [reason for reason in Reason if ENDINGS[reason].outcome in (Outcome.FAILED, Outcome.PENDING)]


def settled(job: Job, *pods: Pod, previous: Result | None = None, after: timedelta = RECEIPT_GRACE) -> Result:
    found = settle(job, pods, previous, NOW + after)
    assert found is not None
    return found


def ended_before(**fields: Any) -> Result:
    """Return the record of the eighth run, which Hunter did not answer."""
    given = {"run": 8, "outcome": Outcome.PENDING, "ended_at": at(-100)}
    return result(reason=Reason.HUNTER_UNAVAILABLE, **{**given, **fields})


def test_a_complete_job_is_recorded_from_its_receipt_at_once() -> None:
    job = complete(retry_failed="r", recollect="c", max_results=70)
    places = ConfigMapPlace(("part-0",), "example.com.json")
    note = receipt(credits=2, requests=3, config_map=places, changed=Changed(1, 2, 3))
    found = settled(job, finished_pod(job, note), previous=result(credits_total=5), after=timedelta(0))
    assert (found.outcome, found.reason, found.run, found.attempts) == (Outcome.COLLECTED, "Collected", 1, 1)
    assert (found.emails, found.reported, found.credits, found.credits_total, found.requests) == (7, 9, 2, 7, 3)
    assert (found.retry_failed, found.recollect, found.max_results) == ("r", "c", 70)
    assert found.storage == Place(config_map=places)
    assert (found.changed, found.sha256, found.bytes) == (Changed(1, 2, 3), "ab" * 32, 1234)
    assert found.ended_at == "2026-11-24T12:00:00.000Z"


def test_a_document_on_a_volume_lies_where_the_job_was_told_to_put_it() -> None:
    job = complete(claim_name="collections", path="q4")
    assert settled(job, finished_pod(job, receipt())).storage == Place(VolumePlace("collections", "q4"))


def test_a_domain_without_addresses_is_empty_and_lies_nowhere() -> None:
    found = settled(complete(), finished_pod(complete(), receipt(Reason.NOTHING_FOUND)))
    assert (found.outcome, found.emails, found.storage) == (Outcome.EMPTY, 0, None)


@pytest.mark.parametrize("reason", CAUSES)
@pytest.mark.parametrize("job", [failed("PodFailurePolicy"), failed("BackoffLimitExceeded", failed=4)])
def test_a_failed_job_ends_as_its_receipt_says(job: Job, reason: Reason) -> None:
    note = receipt(reason, message="Hunter said no.", credits=1, requests=2)
    found = settled(job, finished_pod(job, note), previous=result(credits_total=4, emails=3))
    # Hunter may be away for others too, and the storage as well.
    outcome = Outcome.PENDING if reason in IN_A_ROW else ENDINGS[reason].outcome
    assert (found.outcome, found.reason, found.message) == (outcome, reason, "Hunter said no.")
    assert (found.credits, found.credits_total, found.requests, found.attempts) == (1, 5, 2, job.failed)


class TestWhoseFailureItIs:
    """A domain fails for what others may fail for too only after several runs in a row, while others did well."""

    BEFORE = ended_before(in_a_row=2, since=at(-500))

    def run(self, reason: Reason, before: Result | None, others: Others, **receipt_fields: Any) -> Result:
        job = failed("BackoffLimitExceeded", run=9)
        note = receipt(reason, run=9, **receipt_fields)
        found = settle(job, [finished_pod(job, note)], before, NOW, others=others)
        assert found is not None
        return found

    @pytest.mark.parametrize("reason", sorted(IN_A_ROW))
    def test_it_waits_while_no_other_did_well(self, reason: Reason) -> None:
        before = msgspec.structs.replace(self.BEFORE, reason=reason)
        found = self.run(reason, before, Others(spoke_at=at(-101), stored_at=at(-101)))
        assert (found.outcome, found.in_a_row, found.since) == (Outcome.PENDING, 3, at(-500))

    @pytest.mark.parametrize("reason", sorted(IN_A_ROW))
    def test_it_fails_in_the_third_run_when_others_did_well_since_the_second(self, reason: Reason) -> None:
        others = Others(spoke_at=at(-99), stored_at=at(-99))
        before = msgspec.structs.replace(self.BEFORE, reason=reason)
        assert self.run(reason, before, others).outcome is Outcome.FAILED
        second = msgspec.structs.replace(before, in_a_row=1)
        assert self.run(reason, second, others).outcome is Outcome.PENDING
        assert self.run(reason, None, others).outcome is Outcome.PENDING

    def test_only_what_concerns_the_reason_counts(self) -> None:
        assert self.run(Reason.HUNTER_UNAVAILABLE, self.BEFORE, Others(stored_at=at(-1))).outcome is Outcome.PENDING
        stored = msgspec.structs.replace(self.BEFORE, reason=Reason.STORAGE)
        assert self.run(Reason.STORAGE, stored, Others(spoke_at=at(-1))).outcome is Outcome.PENDING

    def test_hunters_account_page_is_as_good_as_another_domain(self) -> None:
        found = self.run(Reason.HUNTER_UNAVAILABLE, self.BEFORE, Others(), own=True)
        assert found.outcome is Outcome.FAILED

    def test_a_document_that_no_place_would_take_under_its_name_fails_at_once(self) -> None:
        assert self.run(Reason.STORAGE, None, Others(), own=True).outcome is Outcome.FAILED

    def test_another_reason_begins_a_new_row(self) -> None:
        found = self.run(Reason.STORAGE, self.BEFORE, Others())
        assert (found.in_a_row, found.since) == (1, found.ended_at)


def test_a_success_ends_the_row_and_a_used_up_plan_keeps_its_date() -> None:
    before = ended_before(in_a_row=2, since=at(-500))
    job = complete(run=9)
    found = settled(job, finished_pod(job, receipt(run=9, key="ab" * 8)), previous=before)
    assert (found.in_a_row, found.since, found.key, found.template_hash) == (0, None, "ab" * 8, TEMPLATE)
    used_up = failed("PodFailurePolicy", run=9)
    note = receipt(Reason.QUOTA_EXHAUSTED, run=9, reset_date="2026-12-01", key="ab" * 8)
    found = settled(used_up, finished_pod(used_up, note), previous=before)
    assert (found.reset_date, found.key, found.template_hash) == ("2026-12-01", "ab" * 8, TEMPLATE)


@pytest.mark.parametrize("reason", CAUSES)
def test_an_end_without_an_answer_keeps_what_is_stored_unless_its_owner_objects(reason: Reason) -> None:
    job = failed("PodFailurePolicy", run=2, recollect="b")
    before = result(run=1, emails=3, sha256="cd" * 32, recollect="a", storage=Place(VolumePlace("c", "p")))
    found = settled(job, finished_pod(job, receipt(reason, run=2)), previous=before)
    removed = reason in (Reason.DOMAIN_REFUSED, Reason.CLAIMED)
    assert (found.storage is None, found.sha256 is None, found.emails == 0) == (removed, removed, removed)
    assert (found.run, found.recollect) == (2, "b")


@pytest.mark.parametrize("end", ["PodFailurePolicy", "BackoffLimitExceeded", "DeadlineExceeded"])
def test_a_stored_document_counts_even_if_its_job_failed_after_it(end: str) -> None:
    # The receipt is written only when the document is durable; the pod was then killed before it could exit.
    note = receipt(credits=3)
    found = settled(failed(end), finished_pod(failed(end), note, phase="Failed", exit_code=137))
    assert (found.outcome, found.emails, found.credits_total) == (Outcome.COLLECTED, 7, 3)


def test_a_complete_job_whose_pod_is_gone_is_not_trusted_to_have_stored_anything() -> None:
    found = settled(complete(), previous=result(emails=3, run=0))
    assert (found.outcome, found.reason, found.emails) == (Outcome.PENDING, Lost.RECEIPT_MISSING, 3)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "Killed",
        receipt(domain="other.example"),
        receipt(run=2),
        '{"domain":"example.com","run":1',
        receipt(Reason.HUNTER_UNAVAILABLE),
    ],
)
def test_a_complete_job_without_its_own_success_receipt_runs_again(message: Receipt | str) -> None:
    found = settled(complete(), finished_pod(complete(), message, exit_code=0))
    assert (found.outcome, found.reason) == (Outcome.PENDING, Lost.RECEIPT_MISSING)


@pytest.mark.parametrize("job", [complete(), failed("BackoffLimitExceeded")])
@pytest.mark.parametrize("pods", [[], [pod(complete())]])
def test_a_receipt_that_may_still_come_is_waited_for(job: Job, pods: list[Pod]) -> None:
    assert settle(job, pods, None, NOW) is None
    assert settle(job, pods, None, LATER - SECOND) is None
    assert settle(job, pods, None, LATER) is not None


def test_the_receipt_of_the_last_attempt_is_waited_for_when_only_an_earlier_pod_was_seen() -> None:
    job = complete(failed=1)
    first = finished_pod(job, receipt(Reason.HUNTER_UNAVAILABLE), uid="first")
    assert settle(job, [first], None, NOW) is None
    last = finished_pod(job, receipt(), uid="last")
    found = settle(job, [first, last], None, NOW)
    assert found is not None
    assert (found.outcome, found.attempts) == (Outcome.COLLECTED, 2)


def test_the_last_failed_attempt_is_waited_for_too() -> None:
    job = failed("PodFailurePolicy", failed=2)
    first = finished_pod(job, receipt(Reason.HUNTER_UNAVAILABLE), uid="first", resource_version=1)
    assert settle(job, [first], None, NOW) is None
    last = finished_pod(job, receipt(Reason.KEY_REFUSED), uid="last", resource_version=2)
    assert settled(job, first, last, after=timedelta(0)).reason == Reason.KEY_REFUSED


def test_a_job_that_has_no_end_time_is_settled_with_what_is_there() -> None:
    assert settle(complete(ended_at=None), [], None, NOW) is not None


def test_of_several_pods_the_success_counts_wherever_it_stands() -> None:
    job = complete(failed=1)
    good = finished_pod(job, receipt(), uid="good", resource_version=1)
    bad = finished_pod(job, receipt(Reason.INTERRUPTED), uid="bad", resource_version=2)
    assert settled(job, bad, good).outcome is Outcome.COLLECTED
    assert settled(job, good, bad).outcome is Outcome.COLLECTED


def test_what_one_attempt_has_paid_for_is_free_for_the_next_one() -> None:
    job = complete(failed=1)
    first = finished_pod(job, receipt(Reason.HUNTER_UNAVAILABLE, credits=3, requests=4), uid="first")
    last = finished_pod(job, receipt(credits=5, requests=6), uid="last", resource_version=21)
    foreign = finished_pod(job, receipt(domain="other.example", credits=100), uid="foreign")
    found = settled(job, first, last, foreign, previous=result(credits_total=10))
    assert (found.credits, found.credits_total, found.requests) == (5, 15, 10)


def test_credits_count_for_the_month_in_which_the_run_ended() -> None:
    job = complete()
    october = result(credits_total=10, month="2026-10", credits_month=10)
    found = settled(job, finished_pod(job, receipt(credits=5)), previous=october)
    assert (found.credits_total, found.month, found.credits_month) == (15, "2026-11", 5)
    job = complete(run=2)
    again = settled(job, finished_pod(job, receipt(credits=2, run=2)), previous=found)
    assert (again.credits_total, again.month, again.credits_month) == (17, "2026-11", 7)
    job = complete(run=3)
    free = settled(job, finished_pod(job, receipt(credits=0, run=3)), previous=october)
    assert (free.month, free.credits_month) == ("2026-10", 10)


def test_what_was_spent_is_counted_whatever_the_reason_of_the_end() -> None:
    job = failed("DeadlineExceeded")
    found = settled(job, finished_pod(job, receipt(Reason.INTERRUPTED, credits=2, requests=3)))
    assert (found.credits, found.credits_total, found.requests) == (2, 2, 3)


def test_a_deadline_is_named_although_the_stopped_collector_says_it_was_interrupted() -> None:
    job = failed("DeadlineExceeded")
    found = settled(job, finished_pod(job, receipt(Reason.INTERRUPTED)))
    assert (found.outcome, found.reason) == (Outcome.FAILED, Lost.DEADLINE_EXCEEDED)
    assert "activeDeadlineSeconds" in found.message


def test_a_deadline_without_any_pod_is_named() -> None:
    assert settled(failed("DeadlineExceeded")).reason == Lost.DEADLINE_EXCEEDED


def test_a_kill_for_memory_names_the_setting_that_helps() -> None:
    job = failed("BackoffLimitExceeded", failed=1)
    found = settled(job, finished_pod(job, "", end_reason="OOMKilled", exit_code=137))
    assert (found.outcome, found.reason) == (Outcome.FAILED, Lost.OUT_OF_MEMORY)
    assert "limits.memory" in found.message


def test_attempts_without_receipts_tell_how_their_pods_ended() -> None:
    job = failed("BackoffLimitExceeded", failed=2)
    one = finished_pod(job, "", uid="one")
    two = finished_pod(job, "", uid="two", end_reason="Evicted", exit_code=None)
    found = settled(job, one, two)
    assert (found.outcome, found.reason, found.attempts) == (Outcome.FAILED, Lost.BACKOFF_LIMIT_EXCEEDED, 2)
    assert found.message == "All 2 attempts failed (Error, exit code 1, Evicted)."


def test_attempts_whose_pods_are_gone_say_so() -> None:
    assert "their pods are gone" in settled(failed("BackoffLimitExceeded", failed=4)).message


def test_another_end_repeats_kubernetes_within_the_length_that_a_result_holds() -> None:
    found = settled(failed("PodFailurePolicy", end_message="x" * 5000))
    assert (found.outcome, found.reason) == (Outcome.FAILED, Lost.JOB_FAILED)
    assert found.message.startswith("The Job failed: PodFailurePolicy: xxx")
    assert len(found.message) <= 2048


def given_up(of: Job, *, heard: Heard, before: Result | None = None) -> Result:
    return give_up(of, [], before, NOW, reason=Lost.SUPERSEDED, message="Its Job was replaced.", heard=heard)


def test_a_superseded_run_is_recorded_so_that_the_next_has_a_new_number() -> None:
    before = result(run=3, emails=2, credits_total=9)
    found = given_up(complete(run=4, end=None), before=before, heard=Heard(watched=True))
    assert (found.run, found.outcome, found.reason) == (4, Outcome.PENDING, Lost.SUPERSEDED)
    assert (found.emails, found.credits, found.credits_total) == (2, 0, 9)


def test_what_evicted_pods_had_paid_stays_counted_when_their_job_is_given_up() -> None:
    waits = job(reservation=Reservation(20))
    evicted = Heard(told={"evicted": 12}, watched=True)
    assert given_up(waits, heard=evicted).credits == 12
    # After a restart nobody knows what evicted pods have spent of what is set aside.
    assert given_up(waits, heard=Heard()).credits == 20
