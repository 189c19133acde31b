"""Writes the receipt, which tells the operator how a run ended, into the pod's termination message."""

import logging
import os
from collections.abc import Mapping

import msgspec

from novahunt_collector.diagnosis import NO_DIAGNOSIS, Diagnosis
from novahunt_collector.storage.interface import Kept
from novahunt_collector.tally import Tally
from novahunt_contract import environment, receipt
from novahunt_contract.outcomes import ENDINGS, Reason
from novahunt_contract.receipt import Changed, Receipt

_log = logging.getLogger(__name__)


class RunName(msgspec.Struct, frozen=True):
    """What names one run of one domain."""

    domain: str
    run: int
    job_id: str
    key: str = ""
    """Fingerprint of the Hunter key."""


def of_failure(
    name: RunName, reason: Reason, message: str, tally: Tally, diagnosis: Diagnosis = NO_DIAGNOSIS
) -> Receipt:
    """Return the receipt of a run that ended without an answer; what it cost is counted all the same."""
    return Receipt(
        domain=name.domain,
        run=name.run,
        outcome=ENDINGS[reason].outcome,
        reason=reason,
        job_id=name.job_id,
        message=message,
        credits=tally.credits,
        credits_saved=tally.credits_saved,
        credits_earlier=tally.credits_earlier,
        requests=tally.requests,
        key=name.key,
        reset_date=diagnosis.reset_date.isoformat() if diagnosis.reset_date is not None else "",
        own=diagnosis.own,
    )


def of_document(
    name: RunName,
    kept: Kept,
    tally: Tally,
    *,
    message: str,
    from_storage: bool,
    suppression: str,
    changed: Changed | None = None,
) -> Receipt:
    """Return the receipt of a run whose answer is a stored document; the digest of lists is of those it was held to."""
    document = kept.document
    reason = reason_of_document(document.truncated, document.total)
    return Receipt(
        domain=name.domain,
        run=name.run,
        outcome=ENDINGS[reason].outcome,
        reason=reason,
        job_id=name.job_id,
        message=message,
        items=document.total,
        reported=document.reported,
        credits=tally.credits,
        credits_saved=tally.credits_saved,
        credits_earlier=tally.credits_earlier,
        requests=tally.requests,
        suppressed=document.suppressed,
        suppression=suppression,
        search_hash=document.search_hash,
        collected_at=document.collected_at,
        stored_at=document.stored_at,
        sha256=kept.sha256,
        bytes=kept.size,
        config_map=kept.config_map,
        from_storage=from_storage,
        changed=changed,
        key=name.key,
    )


def of_suppressed(name: RunName, tally: Tally, *, message: str, suppression: str) -> Receipt:
    """Return the receipt of a run whose domain a suppression list names: nothing is stored."""
    return Receipt(
        domain=name.domain,
        run=name.run,
        outcome=ENDINGS[Reason.SUPPRESSED].outcome,
        reason=Reason.SUPPRESSED,
        job_id=name.job_id,
        message=message,
        credits=tally.credits,
        credits_saved=tally.credits_saved,
        credits_earlier=tally.credits_earlier,
        requests=tally.requests,
        suppression=suppression,
        key=name.key,
    )


def reason_of_document(truncated: str | None, total: int) -> Reason:
    """Return why a run ended whose answer is a document with so many addresses."""
    if truncated in (Reason.MAX_RESULTS, Reason.DOMAIN_BUDGET, Reason.BUDGET):
        return Reason(truncated)
    if truncated is not None:
        return Reason.PLAN_LIMIT
    return Reason.COLLECTED if total else Reason.NOTHING_FOUND


def write(content: Receipt, environ: Mapping[str, str]) -> bool:
    """Write the receipt where the environment says, if it does; tell whether nothing is amiss."""
    return write_bytes(receipt.encode(content), environ)


def write_bytes(data: bytes, environ: Mapping[str, str]) -> bool:
    """Write an encoded receipt of any kind, as `write` does.

    The kubelet mounts the file itself, so it is written in place: there is nothing to rename.
    """
    path = environ.get(environment.TERMINATION_LOG, "")
    if not path:
        return True
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o660)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - an open descriptor, not a path
            file.write(data)
    except (OSError, ValueError) as error:
        _log.error("the receipt can't be written to %s (%s)", path, type(error).__name__)
        return False
    return True
