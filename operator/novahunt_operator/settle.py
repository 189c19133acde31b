"""Decides what a Job's end means for its domain: the one place where ends are told apart."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from novahunt_api.domainresults import Place, Result, VolumePlace
from novahunt_contract import receipt as receipts
from novahunt_contract import times
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_operator import costs
from novahunt_operator.account import month_of
from novahunt_operator.costs import NOTHING_HEARD, Heard
from novahunt_operator.ends import IN_A_ROW
from novahunt_operator.records import Errand, Job, JobEnd, Pod
from novahunt_operator.stored import SUCCESS, forget

RECEIPT_GRACE = timedelta(seconds=10)
"""For so long after a Job's end its pod's receipt is waited for, before the pod counts as gone."""


OWN_FAILURES = 3
"""Runs in a row without an answer, or without a place for it, make a domain fail where others do well meanwhile."""


class Others(msgspec.Struct, frozen=True):
    """How other domains do. Times are UTC text, empty where there was none."""

    spoke_at: str = ""
    """When Hunter last answered anything for any domain of any collection."""
    stored_at: str = ""
    """When a document of this collection was last stored."""


NO_OTHERS = Others()


class Lost(StrEnum):
    """Reasons that the operator finds itself, beside those of a receipt (`novahunt_contract.outcomes`)."""

    RECEIPT_MISSING = "ReceiptMissing"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    BACKOFF_LIMIT_EXCEEDED = "BackoffLimitExceeded"
    OUT_OF_MEMORY = "OutOfMemory"
    SUPERSEDED = "Superseded"
    JOB_FAILED = "JobFailed"


class _End(NamedTuple):
    """The end of a run that is to be recorded."""

    job: Job
    previous: Result | None
    now: datetime
    attempts: int

    @property
    def at(self) -> datetime:
        return self.job.ended_at or self.now


def settle(
    job: Job,
    pods: Iterable[Pod],
    previous: Result | None,
    now: datetime,
    *,
    heard: Heard = NOTHING_HEARD,
    others: Others = NO_OTHERS,
) -> Result | None:
    """Return what to record of an ended run, or None while its receipt may still come.

    A Job that is complete without a receipt is not trusted to have stored anything: the domain runs
    again, and the collector finds the document if there is one.
    """
    found = list(pods)
    by_pod = _receipts(job, found)
    read = list(by_pod.values())
    receipt = _deciding(job, read)
    attempts = job.failed + (1 if job.end is JobEnd.COMPLETE else 0)
    answered = receipt is not None and receipt.outcome in SUCCESS
    if not answered and may_still_come(job, found, attempts, now):
        return None
    end = _End(job, previous, now, attempts)
    credits_spent = costs.of_run(job, found, by_pod, heard, complete=answered, attempts=attempts)
    requests = sum(one.requests for one in read)
    if receipt is not None:
        whole = msgspec.structs.replace(receipt, credits=credits_spent, requests=requests)
        return _from_receipt(end, whole, others)
    reason, outcome, message = without_receipt(job, found)
    return _kept(
        end,
        outcome=outcome,
        reason=reason,
        message=message,
        credits=credits_spent,
        requests=requests,
    )


SUPERSEDED = "The Job had not started when the collection or the operator's settings changed."
"""What is recorded of a run that is replaced because its Job's wishes changed."""


def give_up(
    job: Job,
    pods: Sequence[Pod],
    previous: Result | None,
    now: datetime,
    *,
    reason: str,
    message: str,
    heard: Heard = NOTHING_HEARD,
) -> Result:
    """Return what to record of a run whose Job is deleted while its pod does not start.

    Pods before that one may have started, and paid, and have been taken away by a disruption.
    """
    spent = costs.of_run(job, pods, {}, heard, complete=False, attempts=0)
    end = _End(job, previous, now, attempts=0)
    return _kept(end, outcome=Outcome.PENDING, reason=reason, message=message, credits=spent)


_REMOVES_STORED = frozenset({Reason.DOMAIN_REFUSED, Reason.CLAIMED})


def _deciding(job: Job, read: list[receipts.Receipt]) -> receipts.Receipt | None:
    """The receipt that tells how the run ended: a success if there is one, else the last, if it explains the end.

    A success is written when the document is durable, and so holds even if the Job failed after it. A
    collector that a deadline stops says only that it was stopped.
    """
    success = next((receipt for receipt in read if receipt.outcome in SUCCESS), None)
    if success is not None or job.end is JobEnd.COMPLETE or job.end_reason == "DeadlineExceeded":
        return success
    return read[-1] if read else None


def _receipts(job: Job, pods: list[Pod]) -> dict[str, receipts.Receipt]:
    """The receipts of the run's attempts by pod UID, the last one read at the end."""
    found: dict[str, receipts.Receipt] = {}
    for pod in sorted(pods, key=lambda pod: pod.resource_version):
        if not pod.termination_message:
            continue
        try:
            receipt = receipts.decode(pod.termination_message)
        except receipts.InvalidReceiptError:
            continue
        if receipt.domain == job.domain and receipt.run == job.run:
            found[pod.uid] = receipt
    return found


def may_still_come(job: Job | Errand, pods: Sequence[Pod], attempts: int, now: datetime) -> bool:
    """Tell whether a receipt that is not there yet may still be seen.

    Pods and Jobs are watched separately: the end of the Job may be seen before that of its last pod.
    """
    unread = not pods or len(pods) < attempts or any(not pod.finished for pod in pods)
    return unread and job.ended_at is not None and now - job.ended_at < RECEIPT_GRACE


def without_receipt(job: Job | Errand, pods: Sequence[Pod]) -> tuple[str, Outcome, str]:
    """Return reason, outcome and message of an end that no receipt explains."""
    if job.end is JobEnd.COMPLETE:
        message = "The pod was gone, or its receipt damaged, before it could be read; it runs again."
        return Lost.RECEIPT_MISSING, Outcome.PENDING, message
    if job.end_reason == "DeadlineExceeded":
        return Lost.DEADLINE_EXCEEDED, Outcome.FAILED, "The Job ran longer than jobTemplate.activeDeadlineSeconds."
    if any(pod.end_reason == "OOMKilled" for pod in pods):
        message = "The collector was killed for its memory; raise jobTemplate.resources.limits.memory."
        return Lost.OUT_OF_MEMORY, Outcome.FAILED, message
    if job.end_reason == "BackoffLimitExceeded":
        ends = sorted({_end_of(pod) for pod in pods if pod.finished})
        message = f"All {job.failed} attempts failed ({', '.join(ends) or 'their pods are gone'})."
        return Lost.BACKOFF_LIMIT_EXCEEDED, Outcome.FAILED, message
    return Lost.JOB_FAILED, Outcome.FAILED, f"The Job failed: {job.end_reason}: {job.end_message[:1024]}"


def _end_of(pod: Pod) -> str:
    return f"{pod.end_reason or 'ended'}, exit code {pod.exit_code}" if pod.exit_code is not None else pod.end_reason


def _from_receipt(end: _End, receipt: receipts.Receipt, others: Others) -> Result:
    job, previous = end.job, end.previous
    if receipt.outcome not in SUCCESS:
        waits = _found_no_room(job, receipt.reason, previous) or not _is_own_failure(receipt, previous, others)
        result = _kept(
            end,
            outcome=Outcome.PENDING if waits else receipt.outcome,
            reason=receipt.reason,
            message=receipt.message,
            credits=receipt.credits,
            requests=receipt.requests,
            key=receipt.key,
            reset_date=receipt.reset_date,
        )
        return forget(result) if receipt.reason in _REMOVES_STORED else result
    before = previous.credits_total if previous else 0
    return Result(
        domain=job.domain,
        collection=job.collection,
        run=job.run,
        outcome=receipt.outcome,
        reason=receipt.reason,
        message=receipt.message,
        emails=receipt.items,
        reported=receipt.reported,
        credits=receipt.credits,
        credits_total=before + receipt.credits,
        **_month(previous, receipt.credits, end.at),
        requests=receipt.requests,
        attempts=end.attempts,
        job_id=receipt.job_id,
        suppressed=receipt.suppressed,
        suppression=receipt.suppression,
        search_hash=receipt.search_hash,
        max_results=job.max_results,
        max_credits=job.max_credits,
        retry_failed=job.retry_failed,
        recollect=job.recollect,
        collected_at=receipt.collected_at,
        stored_at=receipt.stored_at,
        ended_at=times.to_text(end.at),
        sha256=receipt.sha256,
        bytes=receipt.bytes,
        stored_bytes=_stored_bytes(receipt, previous),
        changed=receipt.changed,
        storage=_place(job, receipt),
        key=receipt.key,
        template_hash=job.template_hash,
    )


def _is_own_failure(receipt: receipts.Receipt, previous: Result | None, others: Others) -> bool:
    """Tell whether a domain has failed for itself: not while others may fail for the same reason.

    Hunter may be away, and the storage too: such a domain goes back to waiting, until it has failed several times
    in a row while others did well.
    """
    if receipt.reason not in IN_A_ROW:
        return True
    if receipt.own and receipt.reason is Reason.STORAGE:
        return True
    if _in_a_row(receipt.reason, previous) < OWN_FAILURES or previous is None:
        return False
    well_at = others.spoke_at if receipt.reason is Reason.HUNTER_UNAVAILABLE else others.stored_at
    return receipt.own or well_at > (previous.ended_at or "")


def _in_a_row(reason: str, previous: Result | None) -> int:
    """Return how many runs, with the one that ended now, ended for this reason one after the other."""
    same = previous is not None and previous.outcome is Outcome.PENDING and previous.reason == reason
    return 1 + (max(1, previous.in_a_row) if previous is not None and same else 0)


def _place(job: Job, receipt: receipts.Receipt) -> Place | None:
    if receipt.sha256 is None:
        # A suppression list names the domain: nothing is stored.
        return None
    if job.claim_name is not None and job.path is not None:
        return Place(persistent_volume_claim=VolumePlace(job.claim_name, job.path))
    return Place(config_map=receipt.config_map) if receipt.config_map is not None else None


def _stored_bytes(receipt: receipts.Receipt, previous: Result | None) -> int:
    """The intake has recorded what the document takes, when it stored it."""
    if receipt.config_map is None:
        return 0
    recorded = previous is not None and previous.sha256 == receipt.sha256
    return previous.stored_bytes if previous is not None and recorded else receipt.bytes


def _found_no_room(job: Job, reason: str, previous: Result | None) -> bool:
    """Tell whether the intake refused the document for the collection's limit: the domain waits, it has not failed."""
    refused = previous is not None and previous.refused_bytes > 0
    return refused and job.claim_name is None and reason == Reason.STORAGE


def _kept(
    end: _End,
    *,
    outcome: Outcome,
    reason: str,
    message: str,
    credits: int = 0,  # noqa: A002 - the field's name in the API
    requests: int = 0,
    key: str = "",
    reset_date: str = "",
) -> Result:
    """Record an end without a new document: what is known of the stored one stays."""
    job, previous = end.job, end.previous
    base = previous or Result(domain=job.domain, collection=job.collection, run=0, outcome=outcome)
    ended_at = times.to_text(end.at)
    in_a_row = _in_a_row(reason, previous)
    return msgspec.structs.replace(
        base,
        run=job.run,
        outcome=outcome,
        reason=str(reason),
        message=message,
        credits=credits,
        credits_total=base.credits_total + credits,
        **_month(previous, credits, end.at),
        requests=requests,
        attempts=end.attempts,
        job_id=job.job_id,
        retry_failed=job.retry_failed,
        recollect=job.recollect,
        ended_at=ended_at,
        changed=None,
        key=key,
        template_hash=job.template_hash,
        in_a_row=in_a_row,
        since=base.since if in_a_row > 1 and base.since else ended_at,
        reset_date=reset_date,
    )


def _month(previous: Result | None, credits: int, ended: datetime) -> dict[str, Any]:  # noqa: A002 - as above
    """Count a run for the month in which it ended; until then its whole reservation counts for each month."""
    month = month_of(ended)
    if credits == 0 and previous is not None:
        return {"month": previous.month, "credits_month": previous.credits_month}
    same = previous is not None and previous.month == month
    return {"month": month, "credits_month": (previous.credits_month if previous and same else 0) + credits}
