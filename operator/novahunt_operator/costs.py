"""Decides what a run has cost, from the receipts of its attempts and what is known of those that left none. Pure."""

from collections.abc import Mapping, Sequence

from novahunt_contract.receipt import Receipt
from novahunt_operator.records import Job


def of_run(
    job: Job,
    receipts: Mapping[str, Receipt],
    told: Mapping[str, int],
    *,
    complete: bool,
    attempts: int,
    repeats_charged: bool,
) -> int:
    """Return the credits of a run; too many rather than too few where something is not known.

    Args:
        job: The run's Job.
        receipts: Of its attempts, by pod UID, in the order of their ends.
        told: What each attempt had told the intake that it had spent or was about to, by pod UID.
        complete: Whether one of the receipts is that of an answer.
        attempts: How many attempts there were, as Kubernetes counts them.
        repeats_charged: Whether Hunter charges a request that is repeated in a billing period.
    """
    silent = [most for pod, most in told.items() if pod not in receipts]
    unknown = bool(silent) or len(receipts) < attempts
    # Of a run whose domain a suppression list names by now, no attempt tells what an earlier one has paid.
    tells_all = complete and any(one.requests or one.from_storage for one in receipts.values())
    furthest = max((one.credits + one.credits_earlier for one in receipts.values()), default=0)
    if repeats_charged:
        return max(furthest, _of_all(job, receipts, silent, unknown=unknown))
    # What one attempt has paid for is free for the next one: the one that got furthest has paid for all.
    if tells_all or not unknown:
        return furthest
    reserved = job.reservation.reserved if job.reservation is not None else 0
    return max(furthest, *silent, reserved)


def _of_all(job: Job, receipts: Mapping[str, Receipt], silent: Sequence[int], *, unknown: bool) -> int:
    """Add all attempts up."""
    known = sum(one.credits for one in receipts.values()) + sum(silent)
    reservation = job.reservation
    if reservation is None:
        return known
    last = receipts.get(reservation.pod)
    if last is not None:
        return max(known, reservation.lost + last.credits + last.credits_earlier)
    return max(known, reservation.reserved) if unknown else known
