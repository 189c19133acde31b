"""Decides what to do for a collection now: a pure function of the world and of what may be started."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from novahunt_operator.breaker import OpenBreaker, find_open, ready_at
from novahunt_operator.records import Job, JobEnd
from novahunt_operator.spec import not_yet_honoured
from novahunt_operator.survey import CAPACITY_GRACE, JOB_CONTROLLER_GRACE, Settlement, Survey, World, not_before, survey


@dataclass(frozen=True, slots=True)
class Limits:
    """What the operator's settings allow this collection."""

    probe_after: timedelta = timedelta(seconds=60)
    """How long after a shared failure one Job may probe whether it is over."""


@dataclass(frozen=True, slots=True)
class Start:
    """A run to start."""

    domain: str
    run: int
    not_before: str | None
    """A stored document that was collected at or after this time answers the run."""
    credits: int = 0
    """Set aside for it from the start, where there is a budget."""


@dataclass(frozen=True, slots=True)
class Demand:
    """How many Jobs a collection would start now, were there no limits but its own."""

    starts: int
    running: int
    backing_off: int
    priority: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """A collection's state, and what it would like to do; the planner's first half."""

    world: World
    survey: Survey
    breaker: OpenBreaker | None
    blocked: str | None
    """Why nothing may start, whatever the limits: a field that is not honoured, a list that is missing."""
    startable: tuple[str, ...]
    """Due domains that may start now by the collection's own wishes, at most its free share."""
    wake_at: datetime | None
    """When time alone changes the outlook."""

    @property
    def demand(self) -> Demand:
        """What the scheduler needs to share starts between collections."""
        return Demand(
            starts=len(self.startable),
            running=self.survey.slots,
            backing_off=sum(job.backing_off for job in self.survey.live),
            priority=self.world.collection.spec.priority,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, in this order."""

    settle: tuple[Settlement, ...]
    start: tuple[Start, ...]
    delete: tuple[Job, ...]


def look(world: World, limits: Limits, conflict: str | None = None) -> Outlook:
    """Sort the domains and find what the collection would start if nothing but its own wishes counted."""
    found = survey(world)
    spec = world.collection.spec
    # What is recorded in this very pass counts already: nothing may start on an old view.
    ended = {settlement.job.domain: settlement.result for settlement in found.settlements}
    breaker = find_open({**world.results, **ended}.values(), limits.probe_after)
    blocked = _blocked(world, conflict)
    wakes = _wakes(found, world.now)
    ready: list[str] = []
    for domain in found.due:
        at = ready_at(world.results.get(domain))
        if at is None or at <= world.now:
            ready.append(domain)
        else:
            wakes.append(at)
    share = max(0, spec.concurrency - found.slots)
    if blocked is not None or spec.suspend or world.collection.deleting:
        share = 0
    elif breaker is not None:
        share = 1 if not found.live and not found.unsettled and breaker.probe_at <= world.now else 0
        if ready:
            wakes.append(breaker.probe_at)
    elif len(found.backing_off) >= spec.concurrency:
        share = 0
    later = [at for at in wakes if at > world.now]
    return Outlook(world, found, breaker, blocked, tuple(ready[:share]), min(later, default=None))


def plan(outlook: Outlook, allowed: int) -> Plan:
    """Decide, given how many Jobs the scheduler allows this collection to start."""
    world, found = outlook.world, outlook.survey
    starts = []
    for domain in outlook.startable[: max(0, allowed)]:
        result = world.results.get(domain)
        run = (result.run if result else 0) + 1
        starts.append(Start(domain, run, not_before(result, world.collection, world.now)))
    return Plan(settle=found.settlements, start=tuple(starts), delete=_beyond_history(outlook))


def _wakes(found: Survey, now: datetime) -> list[datetime]:
    """When the world looks different although no event tells so."""
    wakes: list[datetime] = []
    for job in found.live:
        # Nothing else may happen while a pod is refused or finds no node.
        if not any(pod.started for pod in found.pods.get(job.uid, ())):
            wakes += (job.created + JOB_CONTROLLER_GRACE, job.created + CAPACITY_GRACE)
    if found.unsettled:
        wakes.append(now + timedelta(seconds=2))
    if found.next_refresh_at is not None:
        wakes.append(found.next_refresh_at)
    return wakes


def _blocked(world: World, conflict: str | None) -> str | None:
    if world.collection.spec_error is not None:
        return world.collection.spec_error
    fields = not_yet_honoured(world.collection.spec)
    if fields:
        return f"This version does not honour {', '.join(fields)} yet: remove it, nothing starts until then."
    if world.wanted.missing:
        return "; ".join(world.wanted.missing)
    return conflict


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
