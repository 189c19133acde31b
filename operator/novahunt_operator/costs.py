"""Decides what a run has cost, from the receipts of its attempts and what is known of those that left none. Pure."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import msgspec

from novahunt_contract.exitcodes import PERMANENT
from novahunt_contract.receipt import Receipt
from novahunt_operator.records import Job, Pod

_FIRST_POD = timedelta(seconds=2)
"""A pod that was made so soon after its Job is the first: none can have asked Hunter and be gone by then."""


class Heard(msgspec.Struct, frozen=True):
    """What the operator knows of a run's attempts, beside what they left."""

    told: Mapping[str, int] = {}
    """What each had told this process that it had spent or was about to, by pod UID."""
    watched: bool = False
    """Whether this process has made the Job, and so has heard of every credit that an attempt could spend."""
    repeats_charged: bool = False
    """Whether Hunter charges a request that is repeated in a billing period."""


NOTHING_HEARD = Heard()


def of_run(
    job: Job, pods: Sequence[Pod], receipts: Mapping[str, Receipt], heard: Heard, *, complete: bool, attempts: int
) -> int:
    """Return the credits of a run; too many rather than too few where something is not known.

    Args:
        job: The run's Job.
        pods: Those of its pods that are there. One that a disruption took may be gone without a trace on the Job.
        receipts: Of its attempts, by pod UID, in the order of their ends.
        heard: What else is known of them.
        complete: Whether one of the receipts is that of an answer.
        attempts: How many attempts there were, as Kubernetes counts them.
    """
    silent = [most for pod, most in heard.told.items() if pod not in receipts and most]
    all_told = not silent and len(receipts) >= attempts and _are_all(job, pods, receipts)
    known = heard.watched or all_told
    # Of a run whose domain a suppression list names by now, no attempt tells what an earlier one has paid.
    tells_all = complete and any(one.requests or one.from_storage for one in receipts.values())
    furthest = max((_told_by(one, job) for one in receipts.values()), default=0)
    if heard.repeats_charged:
        return max(furthest, _of_all(job, receipts, silent, known=known))
    # What one attempt has paid for is free for the next one: the one that got furthest has paid for all.
    if tells_all:
        return furthest
    reserved = job.reservation.reserved if job.reservation is not None and not known else 0
    return max(furthest, *silent, reserved)


def is_first(job: Job, pod: Pod) -> bool:
    """Tell whether no other pod of its Job can have asked Hunter before this one."""
    return pod.created - job.created <= _FIRST_POD


def _are_all(job: Job, pods: Sequence[Pod], receipts: Mapping[str, Receipt]) -> bool:
    """Tell whether no other pod of a Job than these can have asked Hunter, and each that has begun left a receipt.

    None came before the first, and none after one that ended its Job. In between there may have been any number: a pod
    that a disruption took is no attempt, and may be gone without a trace.
    """
    begun = [pod for pod in pods if pod.started]
    told = all(pod.uid in receipts and _ended_its_job(pod) for pod in begun)
    return told and any(is_first(job, pod) for pod in pods)


def _ended_its_job(pod: Pod) -> bool:
    return pod.phase == "Succeeded" or pod.exit_code in PERMANENT


def _told_by(one: Receipt, job: Job) -> int:
    """Return what the run has cost by a receipt.

    A document that an attempt before this one stored under an older version tells also what earlier runs had paid for
    its pages: of that only what is set aside can be this run's.
    """
    paid = one.credits + one.credits_earlier
    return min(paid, job.reservation.reserved) if one.from_storage and job.reservation is not None else paid


def _of_all(job: Job, receipts: Mapping[str, Receipt], silent: Sequence[int], *, known: bool) -> int:
    """Add all attempts up."""
    summed = sum(one.credits for one in receipts.values()) + sum(silent)
    reservation = job.reservation
    if reservation is None:
        return summed
    last = receipts.get(reservation.pod)
    if last is not None:
        return max(summed, reservation.lost + _told_by(last, job))
    return summed if known else max(summed, reservation.reserved)
