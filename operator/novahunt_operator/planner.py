"""Decides what to do for a collection now: a pure function of the world and of what may be started."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from novahunt_api.spec import Mode
from novahunt_operator.account import Account, account, month_ends, price_to_start, share_is_spent, share_left
from novahunt_operator.breaker import OpenBreaker, find_open, ready_at
from novahunt_operator.conflicts import Conflict
from novahunt_operator.ends import Wishes
from novahunt_operator.errandplan import Errands, look_at_errands
from novahunt_operator.errands import ErrandStart
from novahunt_operator.estimates import Recording
from novahunt_operator.hindrances import CAPACITY_GRACE, GIVEN_UP_AFTER, JOB_CONTROLLER_GRACE
from novahunt_operator.records import Errand, Job, JobEnd
from novahunt_operator.retention import Expiry, Removal, look_at_retention
from novahunt_operator.room import Room, fitting, judge
from novahunt_operator.survey import Settlement, Survey, World, not_before, survey


@dataclass(frozen=True, slots=True)
class Limits:
    """What the operator's settings allow this collection."""

    probe_after: timedelta = timedelta(seconds=60)
    """How long after a shared failure one Job may probe whether it is over."""
    sweep_every: timedelta = timedelta(days=1)
    """How often what is stored is swept though nothing has changed."""
    max_config_map_bytes: int = 100 * 2**20
    """What the documents of the collection may take in ConfigMaps."""


@dataclass(frozen=True, slots=True)
class Start:
    """A run to start."""

    domain: str
    run: int
    not_before: str | None
    """A stored document that was collected at or after this time answers the run."""
    credits: int = 0
    """Set aside for it from the start, where there is a budget."""
    share: int | None = None
    """What it may cost of its domain's share of the budget; None: any number."""


@dataclass(frozen=True, slots=True)
class Demand:
    """How many Jobs a collection would start now, were there no limits but its own."""

    starts: int
    running: int
    backing_off: int
    priority: int
    errands: int = 0
    """Errands that it would start beside them."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """A collection's state, and what it would like to do; the planner's first half."""

    world: World
    survey: Survey
    breaker: OpenBreaker | None
    blocked: str | None
    """Why nothing may start, whatever the limits: a spec that can't be read, a list that is missing."""
    conflict: Conflict | None
    """Why nothing may be stored in the collection's folder."""
    startable: tuple[str, ...]
    """Due domains that may start now by the collection's own wishes and budget, at most its free share."""
    account: Account
    """Its credits; what is settled in this very pass still counts as set aside."""
    too_dear: int
    """Due domains that the budget has not enough left for; 0 while the free share is not theirs anyway."""
    shares_spent: int
    """Due domains that can't start because they have spent their own share of the budget."""
    room: Room | None
    """For documents in ConfigMaps; None where they go to a volume."""
    cramped: int
    """Due domains that there is no room for; 0 while the free share is not theirs anyway."""
    wake_at: datetime | None
    """When time alone changes the outlook."""
    errands: Errands
    expiry: Expiry

    @property
    def demand(self) -> Demand:
        """What the scheduler needs to share starts between collections."""
        return Demand(
            starts=len(self.startable),
            running=self.survey.slots + self.errands.slots,
            backing_off=sum(job.backing_off for job in self.survey.live) + self.errands.backing_off,
            priority=self.world.collection.spec.priority,
            errands=len(self.errands.startable),
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do; no part waits for another."""

    settle: tuple[Settlement, ...]
    start: tuple[Start, ...]
    delete: tuple[Job, ...]
    expire: tuple[Removal, ...] = ()
    record_counts: tuple[Recording, ...] = ()
    start_errands: tuple[ErrandStart, ...] = ()
    delete_errands: tuple[Errand, ...] = ()

    @property
    def acts(self) -> bool:
        """Whether it changes what the status tells."""
        return bool(self.settle or self.start or self.expire or self.record_counts or self.start_errands)


def look(world: World, limits: Limits, conflict: Conflict | None = None) -> Outlook:
    """Sort the domains and find what the collection would start if nothing but its own wishes counted."""
    found = survey(world)
    spec = world.collection.spec
    # What is recorded in this very pass counts already: nothing may start on an old view.
    ended = {settlement.job.domain: settlement.result for settlement in found.settlements}
    results = {**world.results, **ended}
    # Of credits only what is recorded counts: shown as used before, it would be used and set aside if that fails.
    money = account(world.collection, world.jobs, world.results, world.books, world.now, void=world.void)
    wishes = Wishes(world.template_hash, spec.retry_failed, spec.recollect)
    breaker = find_open(found.ends, world.elsewhere, wishes, limits.probe_after)
    blocked = _blocked(world, found, conflict)
    errands = _errands(world, found, limits, conflict)
    expiry = look_at_retention(world, found.busy)
    pausing = _pausing(world, found.due)
    spent = _spent(world, found.due)
    ready = [domain for domain in found.due if domain not in pausing and domain not in spent]
    room = judge(world.collection, results, found, limits.max_config_map_bytes)
    affordable, too_dear = _affordable(world, ready, money.available)
    share = _share(world, found, errands, breaker, blocked)
    roomy = fitting(room, affordable, results, share)
    wakes = [*pausing.values(), *_waking(found, world.now)]
    if money.period:
        wakes.append(month_ends(world.now))
    if breaker is not None and found.due:
        wakes += [at for at in (breaker.probe_at, breaker.needs_person_at) if at is not None]
    later = [at for at in wakes if at > world.now]
    later += [at for at in (errands.wake_at, expiry.next_at) if at is not None]
    return Outlook(
        world=world,
        survey=found,
        breaker=breaker,
        blocked=blocked,
        conflict=conflict,
        startable=tuple(roomy),
        account=money,
        room=room,
        cramped=len(affordable) - len(roomy) if len(roomy) < share else 0,
        too_dear=too_dear if len(affordable) < share else 0,
        # What is only to be refreshed has its answer, and keeps it until its share allows more.
        shares_spent=len(spent - found.refreshing.keys()),
        wake_at=min(later, default=None),
        errands=errands,
        expiry=expiry,
    )


def _pausing(world: World, due: Iterable[str]) -> dict[str, datetime]:
    """Return the due domains that may not run yet, and until when."""
    # Most due domains of a large list have no result yet, and so no pause.
    known = ((domain, result) for domain in due if (result := world.results.get(domain)) is not None)
    ready = ((domain, ready_at(result)) for domain, result in known)
    return {domain: at for domain, at in ready if at is not None and at > world.now}


def _spent(world: World, due: Iterable[str]) -> set[str]:
    """Return the due domains that have spent their own share of the budget."""
    spec = world.collection.spec
    if spec.budget is None or spec.budget.max_credits_per_domain is None:
        return set()
    return {domain for domain in due if share_is_spent(spec, world.results.get(domain), world.now)}


def _share(world: World, found: Survey, errands: Errands, breaker: OpenBreaker | None, blocked: str | None) -> int:
    """Return how many Jobs the collection would start, were all its domains ready."""
    spec = world.collection.spec
    if blocked is not None or spec.suspend or world.collection.deleting or spec.mode is Mode.ESTIMATE:
        return 0
    if breaker is not None:
        probing = found.live or found.unsettled or breaker.probing
        return 1 if not probing and breaker.probe_at <= world.now else 0
    if len(found.backing_off) >= spec.concurrency:
        return 0
    return max(0, spec.concurrency - found.slots - errands.slots - len(errands.startable))


def _waking(found: Survey, now: datetime) -> list[datetime]:
    """Return when the world looks different although no event tells so."""
    # Nothing else may happen while a pod is refused or finds no node.
    waiting = [job for job in found.live if not any(pod.started for pod in found.pods.get(job.uid, ()))]
    wakes = [job.created + grace for job in waiting for grace in (JOB_CONTROLLER_GRACE, CAPACITY_GRACE, GIVEN_UP_AFTER)]
    if found.unsettled:
        wakes.append(now + timedelta(seconds=2))
    return wakes if found.next_refresh_at is None else [*wakes, found.next_refresh_at]


def plan(outlook: Outlook, allowed: int, available: int | None = None, *, allowed_errands: int = 0) -> Plan:
    """Decide, given how many Jobs and errands the scheduler allows this collection to start.

    Args:
        outlook: What the collection would like.
        allowed: Starts at most.
        available: Credits that its budget has left at this moment, which may be fewer than when it was looked at;
            None: any number.
        allowed_errands: Starts of errands at most.
    """
    world, found = outlook.world, outlook.survey
    spec = world.collection.spec
    starts = []
    affordable, _ = _affordable(world, list(outlook.startable), available)
    for domain in affordable[: max(0, allowed)]:
        result = world.results.get(domain)
        starts.append(
            Start(
                domain,
                run=(result.run if result else 0) + 1,
                not_before=not_before(result, world.collection, world.now),
                credits=price_to_start(spec, result) if spec.budget is not None else 0,
                share=share_left(spec, result, world.now),
            )
        )
    return Plan(
        settle=found.settlements,
        start=tuple(starts),
        delete=_beyond_history(outlook),
        expire=outlook.expiry.removals,
        record_counts=outlook.errands.record,
        start_errands=outlook.errands.startable[: max(0, allowed_errands)],
        delete_errands=outlook.errands.delete,
    )


def _errands(world: World, found: Survey, limits: Limits, conflict: Conflict | None) -> Errands:
    collection = world.collection
    unclear = collection.spec_error is not None or collection.deleting
    return look_at_errands(
        world,
        found,
        first_pause=limits.probe_after,
        sweep_every=limits.sweep_every,
        estimate_hindered=unclear or collection.spec.suspend or bool(world.wanted.missing),
        # The folder belongs to the older collection, and so to its lists.
        sweep_hindered=unclear or conflict is not None,
    )


def _affordable(world: World, domains: list[str], available: int | None) -> tuple[list[str], int]:
    """Return the domains, in their order, that so many credits suffice for, and how many are too dear."""
    if available is None:
        return domains, 0
    chosen: list[str] = []
    for domain in domains:
        price = price_to_start(world.collection.spec, world.results.get(domain))
        if price <= available:
            available -= price
            chosen.append(domain)
    return chosen, len(domains) - len(chosen)


def _blocked(world: World, found: Survey, conflict: Conflict | None) -> str | None:
    if world.collection.spec_error is not None:
        return world.collection.spec_error
    if world.wanted.missing:
        return "; ".join(world.wanted.missing)
    if world.collection.spec.mode is Mode.ESTIMATE:
        # It stores nothing.
        return None
    if conflict is None and world.lists.missing and (found.due or found.held):
        return "; ".join(world.lists.missing)
    return conflict.message if conflict is not None else None


def _beyond_history(outlook: Outlook) -> tuple[Job, ...]:
    """Ended Jobs that are recorded and older than the history that is kept; at once those that never ended."""
    history = outlook.world.collection.spec.history
    kept = {JobEnd.COMPLETE: history.succeeded_jobs, JobEnd.FAILED: history.failed_jobs}
    delete: list[Job] = [job for job in outlook.survey.void if not job.deleting]
    newest_first = sorted(
        outlook.survey.settled, key=lambda job: (job.ended_at or job.created, job.run, job.key), reverse=True
    )
    for job in newest_first:
        if job.deleting:
            continue
        if job.end is not None and kept[job.end] > 0:
            kept[job.end] -= 1
        else:
            delete.append(job)
    return tuple(delete)
