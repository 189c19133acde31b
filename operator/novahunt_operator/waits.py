"""Finds the one thing that a collection waits for, in words and numbers."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from novahunt_api.waiting import Wait
from novahunt_contract.errands import Task
from novahunt_contract.outcomes import Reason
from novahunt_operator.account import Account
from novahunt_operator.errands import Setback
from novahunt_operator.hindrances import hindrance_of
from novahunt_operator.planner import Outlook
from novahunt_operator.records import Errand, Job
from novahunt_operator.settle import Lost


class Waiting(msgspec.Struct, frozen=True):
    """What is waited for; `stalled` when a person is needed."""

    reason: Wait
    message: str
    stalled: bool = False


class Scheduling(msgspec.Struct, frozen=True):
    """What the scheduler left this collection, in numbers for people."""

    concurrency: int
    """WORKER_CONCURRENCY."""
    running: int
    """Pods at work over all collections."""
    next_start_at: datetime | None = None
    """When the start limit allows the next Job; None: it does not hold anything up."""
    starts_per_interval: int = 0
    interval_seconds: float = 0.0
    refusal: str = ""
    """Why this collection's last Job could not be made, or what else the API server refuses; empty: nothing."""
    refused_for: Wait = Wait.CLUSTER_CAPACITY


class KeyPace(msgspec.Struct, frozen=True):
    """What the intake knows of a key that this collection's collectors wait for."""

    fingerprint: str
    per_second: int
    per_minute: int
    used_second: int
    used_minute: int
    waiting: int
    """Collectors of this collection that wait for a permit."""
    slowed: float = 1.0
    """Part of the pace that is left after Hunter asked to slow down; 1 is the whole."""


def find_wait(outlook: Outlook, scheduling: Scheduling, pace: KeyPace | None) -> Waiting | None:
    """Return what the collection waits for; None when nothing waits. The gravest thing is named."""
    if outlook.blocked is not None:
        return _blocked(outlook)
    estimate = outlook.errands.estimate
    waiting = len(outlook.survey.due) + len(outlook.survey.held) if estimate is None else estimate.waiting
    estimating = [errand for errand in outlook.errands.live if errand.task is Task.ESTIMATE]
    needs_person = _refused(scheduling) or _pod_problem(outlook, (*outlook.survey.live, *estimating))
    if needs_person is None and not outlook.world.collection.spec.suspend:
        needs_person = _open_breaker(outlook, waiting) if estimate is None else _setback(outlook, estimate.setbacks)
    if needs_person is not None or outlook.world.collection.spec.suspend:
        return needs_person
    room = _room(outlook, waiting) if estimate is None else None
    if room is not None and room.stalled:
        return room
    money = _budget(outlook) if estimate is None else None
    if money is not None and money.stalled:
        return money
    if pace is not None and pace.waiting:
        return Waiting(Wait.RATE_LIMIT, _pace_message(pace, waiting))
    return money or room or (_slots(outlook, scheduling, waiting) if waiting else None)


def _room(outlook: Outlook, waiting: int) -> Waiting | None:
    """What the room for documents in ConfigMaps holds up; a person is needed when it is used up."""
    room = outlook.room
    if room is None or not waiting or not (outlook.cramped or room.refused):
        return None
    return Waiting(Wait.STORAGE, room.sentence(waiting), stalled=room.is_full)


def _budget(outlook: Outlook) -> Waiting | None:
    """What the budget holds up; a person is needed when nothing that runs can give credits back."""
    money, budget = outlook.account, outlook.world.collection.spec.budget
    if budget is None or not (outlook.too_dear or outlook.shares_spent):
        return None
    idle = not outlook.survey.live and not outlook.survey.unsettled and not outlook.startable
    if outlook.too_dear:
        left = money.available or 0
        message = (
            f"{money.used} of {money.limit} credits are used{f', {money.reserved} set aside' if money.reserved else ''}"
            f"{f', {left} left, fewer than the next page can cost' if left else ''}; {outlook.too_dear} domains wait. "
            f"Raise spec.budget.maxCredits{_until(money)}."
        )
    else:
        message = (
            f"{outlook.shares_spent} domains have spent their share of {budget.max_credits_per_domain} credits. "
            f"Raise spec.budget.maxCreditsPerDomain{_until(money)}."
        )
    return Waiting(Wait.BUDGET, message, stalled=idle)


def _until(money: Account) -> str:
    return f", or wait for the month after {money.period} (UTC)" if money.period else ""


def find_sweep_wait(outlook: Outlook) -> Waiting | None:
    """Return what a sweep waits for, which is no matter of the domains; None when nothing is wrong with it."""
    sweeping = [errand for errand in outlook.errands.live if errand.task is Task.SWEEP]
    problem = _pod_problem(outlook, sweeping) or _setback(outlook, outlook.errands.sweep_setbacks)
    if problem is None and outlook.world.lists.missing:
        return Waiting(Wait.SUPPRESSION_LIST, "; ".join(outlook.world.lists.missing), stalled=True)
    return problem


def _setback(outlook: Outlook, setbacks: Sequence[Setback]) -> Waiting | None:
    """What an errand that must be tried again says; the gravest first."""
    found = [_of_setback(outlook, setback) for setback in setbacks]
    return next((one for one in found if one.stalled), found[0] if found else None)


def _of_setback(outlook: Outlook, setback: Setback) -> Waiting:
    reason = Wait.RETRY_PAUSE if setback.reason == Lost.RECEIPT_MISSING else _named(setback.reason)
    again = f"is tried again at {_clock(setback.again_at)}" if setback.again_at > outlook.world.now else "is tried now"
    message = f"{setback.message} {_REMEDIES.get(reason, '')}The {setback.task} {again}."
    return Waiting(reason, message, stalled=reason not in {Wait.RETRY_PAUSE, Wait.RATE_LIMIT})


def _named(reason: str) -> Wait:
    """Return what the end of a run is waited for under."""
    if reason in _OTHER_NAMES:
        return _OTHER_NAMES[reason]
    return Wait(reason) if reason in list(Wait) else Wait.JOB_FAILED


def _refused(scheduling: Scheduling) -> Waiting | None:
    return Waiting(scheduling.refused_for, scheduling.refusal, stalled=True) if scheduling.refusal else None


def _slots(outlook: Outlook, scheduling: Scheduling, waiting: int) -> Waiting:
    """Which of the limits on Jobs holds the waiting domains up."""
    live = len(outlook.survey.live) + len(outlook.errands.live)
    share = outlook.world.collection.spec.concurrency
    if outlook.startable and scheduling.next_start_at is not None:
        limit = f"{scheduling.starts_per_interval} starts per {scheduling.interval_seconds:g} s"
        at = _clock(scheduling.next_start_at)
        return Waiting(Wait.JOB_RATE, f"{limit} are used; the next of {waiting} waiting domains starts at {at}.")
    if outlook.startable or outlook.errands.startable:
        message = f"All {scheduling.concurrency} slots (WORKER_CONCURRENCY) are taken; {waiting} domains wait."
        return Waiting(Wait.CONCURRENCY, message)
    if live:
        message = f"{live} of this collection's {share} slots (spec.concurrency) are taken; {waiting} domains wait."
        return Waiting(Wait.CONCURRENCY, message)
    return Waiting(Wait.RETRY_PAUSE, f"{waiting} domains come back in a moment.")


def _blocked(outlook: Outlook) -> Waiting:
    message = outlook.blocked or ""
    if outlook.world.collection.spec_error is not None:
        reason = Wait.INVALID_SPEC
    elif outlook.world.wanted.missing:
        reason = Wait.DOMAINS_MISSING
    elif outlook.blocked == "; ".join(outlook.world.lists.missing):
        reason = Wait.SUPPRESSION_LIST
    else:
        passes = outlook.conflict is not None and outlook.conflict.passes
        return Waiting(Wait.STORAGE_CONFLICT, message, stalled=not passes)
    return Waiting(reason, message, stalled=True)


def _open_breaker(outlook: Outlook, waiting: int) -> Waiting | None:
    breaker = outlook.breaker
    own = outlook.survey.live or outlook.survey.unsettled
    # The last open domain is the one that tries: that it does changes nothing of why it has to.
    if breaker is None or not (waiting or own):
        return None
    reason = _named(breaker.reason)
    remedy = _REMEDIES.get(reason, "")
    when = "now" if own or breaker.probing else f"again at {_clock(breaker.probe_at)}"
    message = f"{breaker.message} {remedy}{waiting or 'No other'} domains wait; one tries {when}."
    person_at = breaker.needs_person_at
    return Waiting(reason, message, stalled=person_at is not None and person_at <= outlook.world.now)


_OTHER_NAMES: Mapping[str, Wait] = {Reason.THROTTLED: Wait.RATE_LIMIT, Reason.USAGE: Wait.BAD_REQUEST}

_REMEDIES = {
    Wait.KEY_REFUSED: "Put a valid key into the Secret that spec.apiKeySecretRef names. ",
    Wait.SUPPRESSION_LIST: (
        "Make the Secret or ConfigMap that spec.suppressionFrom names, or correct the line that is named. "
    ),
    Wait.RATE_LIMIT: "See whether other programs use the key. ",
    Wait.QUOTA_EXHAUSTED: "Wait for the plan's reset date, or raise the plan. ",
    Wait.HUNTER_UNAVAILABLE: "See whether the cluster lets collectors out to Hunter, and whether Hunter is up. ",
    Wait.STORAGE: "See to the place that is named. ",
}


def _clock(moment: datetime) -> str:
    """Return the time of day in UTC; a countdown would change the status with every look."""
    return f"{moment:%H:%M:%S}Z"


def _pace_message(pace: KeyPace, waiting: int) -> str:
    slowed = f", slowed to {pace.slowed:.0%} after Hunter throttled" if pace.slowed < 1 else ""
    return (
        f"key {pace.fingerprint[:4]}…: {pace.used_minute} of {pace.per_minute} requests/min and {pace.used_second} "
        f"of {pace.per_second} requests/s used{slowed}; {pace.waiting} running and {waiting} waiting domains."
    )


def _pod_problem(outlook: Outlook, live: Iterable[Job | Errand]) -> Waiting | None:
    """What keeps a live Job's pod from starting; the gravest first."""
    pods, key_secret = outlook.survey.pods, outlook.world.collection.spec.api_key_secret_ref.name
    found = (hindrance_of(job, pods.get(job.uid, ()), outlook.world.now, key_secret) for job in live)
    problems = [Waiting(one.reason, one.message, one.stalled) for one in found if one is not None]
    return next((problem for problem in problems if problem.stalled), problems[0] if problems else None)
