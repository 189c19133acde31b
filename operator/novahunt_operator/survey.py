"""Sorts a collection's domains by their state: what runs, what is due, what is done, what must be settled."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Result
from novahunt_contract import times
from novahunt_contract.errands import Task
from novahunt_contract.intake import Progress
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_contract.wanted import Wanted
from novahunt_operator.account import Books, share_allows_more
from novahunt_operator.costs import Heard
from novahunt_operator.ends import Elsewhere, Ends, ends_of, merge
from novahunt_operator.hindrances import JOB_CONTROLLER_GRACE, GivenUp, given_up_for
from novahunt_operator.lists import NO_LISTS, Lists
from novahunt_operator.records import Errand, Job, Pod
from novahunt_operator.refresh import due_at, is_refreshed
from novahunt_operator.settle import SUPERSEDED, Lost, Others, give_up, settle


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All that a decision about one collection rests on."""

    collection: Collection
    wanted: Wanted
    jobs: Sequence[Job]
    """Jobs of a collection of this name; those of another owner UID are told apart here."""
    pods: Sequence[Pod]
    results: Mapping[str, Result]
    """By domain, those of domains that are not wanted any more included."""
    doomed: AbstractSet[str] = frozenset()
    """Domains whose record is not among them, because it is about to go with a deleted collection of this name."""
    progress: Mapping[str, Progress] = field(default_factory=dict)
    """What collectors reported last, by pod UID."""
    errands: Sequence[Errand] = ()
    """Jobs that are not for one domain, of a collection of this name."""
    given_up: Mapping[Task, GivenUp] = field(default_factory=dict)
    """The last errands whose Jobs were deleted because their pods could not start."""
    lists: Lists = NO_LISTS
    """The suppression lists that lie in ConfigMaps."""
    void: AbstractSet[str] = frozenset()
    """UIDs of Jobs whose record was deleted after they had been recorded: the domain is to be collected again."""
    books: Books = field(default_factory=Books)
    elsewhere: Elsewhere = field(default_factory=Elsewhere)
    """What other collections know of Hunter and of the key."""
    template_hash: str
    """Of the Job that would be built now, whatever the domain."""
    search_hash: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Settlement:
    """A run that has ended, and what to record of it."""

    job: Job
    before: Result | None
    """What was recorded when this was decided, from which the result is derived."""
    result: Result
    delete: bool = False
    """Whether the Job goes at once, because it never started."""


@dataclass(frozen=True, slots=True)
class Survey:
    """The domains of a collection by state; each wanted domain is in exactly one of the first five."""

    due: tuple[str, ...]
    """May start now, in the order of the lists; then those that are only refreshed, the oldest first."""
    held: tuple[str, ...]
    """Wait although due: a pod of an older run is still there, or an end is being settled."""
    running: tuple[Job, ...]
    backing_off: tuple[Job, ...]
    done: tuple[Result, ...]
    unlisted: tuple[Job, ...]
    """Live Jobs of domains that are not wanted any more."""
    settlements: tuple[Settlement, ...]
    settled: tuple[Job, ...]
    """Ended Jobs whose run is recorded: they may be deleted."""
    void: tuple[Job, ...]
    """Ended Jobs whose record was deleted: they must go before their domain runs again."""
    unsettled: tuple[Job, ...]
    """Ended Jobs whose receipt is waited for; they hold their slot, because it may open a breaker."""
    pods: Mapping[str, tuple[Pod, ...]]
    """By Job UID."""
    refreshing: Mapping[str, Result]
    """Of the domains that are due, held or have a Job: the last results of those that have an answer already."""
    ends: Ends
    """How the recorded runs ended, and those that are recorded now."""
    next_refresh_at: datetime | None
    """When the next of those that are done is due for its age."""

    @property
    def answered(self) -> tuple[Result, ...]:
        """The results of all domains that have an answer, or failed: the done ones, and those that are refreshed."""
        return (*self.done, *self.refreshing.values())

    @property
    def ended(self) -> int:
        """Domains without an answer whose run has ended and is not recorded yet."""
        ended = (*self.unsettled, *(settlement.job for settlement in self.settlements if not settlement.delete))
        return sum(job.domain not in self.refreshing for job in ended)

    @property
    def live(self) -> tuple[Job, ...]:
        """Jobs that have not ended, of wanted and of unlisted domains."""
        return (*self.running, *self.backing_off, *self.unlisted)

    @property
    def busy(self) -> frozenset[str]:
        """Domains with a run that is at work or not recorded."""
        ended = (settlement.job for settlement in self.settlements)
        return frozenset(job.domain for job in (*self.live, *self.unsettled, *ended))

    @property
    def slots(self) -> int:
        """Slots that are taken: by Jobs at work, and by ends that are not understood yet."""
        return sum(not job.backing_off for job in self.live) + len(self.unsettled)


def survey(world: World) -> Survey:
    """Sort the domains. Linear in domains, Jobs and pods."""
    pods, occupied = _pods(world)
    name = str(world.collection.key)
    ends = ends_of(name, world.results.values())
    jobs = _sort_jobs(world, pods, occupied, _others(world, ends))
    due: list[str] = []
    held: list[str] = []
    running: list[Job] = []
    backing_off: list[Job] = []
    done: list[Result] = []
    refreshing: dict[str, Result] = {}
    ages: dict[str, datetime] = {}
    next_refresh_at: datetime | None = None
    every = world.collection.spec.refresh_every
    for domain in world.wanted.domains:
        job = jobs.live.pop(domain, None)
        result = world.results.get(domain)
        old_at = due_at(result, every) if result is not None and every is not None else None
        answer = result if result is not None and _stands(result, world.collection, old_at, world.now) else None
        at_rest = job is None and domain not in jobs.ending and (old_at is None or old_at > world.now)
        if answer is not None and at_rest and answer.outcome is not Outcome.PENDING:
            done.append(answer)
            if old_at is not None and (next_refresh_at is None or old_at < next_refresh_at):
                next_refresh_at = old_at
            continue
        if answer is not None:
            refreshing[domain] = answer
        if job is not None:
            (backing_off if job.backing_off else running).append(job)
        elif domain in jobs.ending or domain in occupied:
            held.append(domain)
        elif answer is not None and old_at is not None:
            ages[domain] = old_at
        else:
            due.append(domain)
    return Survey(
        due=(*due, *sorted(ages, key=lambda domain: (ages[domain], domain))),
        held=tuple(held),
        running=tuple(running),
        backing_off=tuple(backing_off),
        done=tuple(done),
        unlisted=tuple(jobs.live.values()),
        settlements=tuple(jobs.settlements),
        settled=tuple(jobs.settled),
        void=tuple(jobs.void),
        unsettled=tuple(jobs.unsettled),
        pods=pods,
        refreshing=refreshing,
        ends=merge(ends, ends_of(name, (settlement.result for settlement in jobs.settlements))),
        next_refresh_at=next_refresh_at,
    )


@dataclass(slots=True)
class _Jobs:
    """A collection's own Jobs by what must be done about them."""

    others: Others
    live: dict[str, Job] = field(default_factory=dict)
    ending: set[str] = field(default_factory=set)
    settlements: list[Settlement] = field(default_factory=list)
    settled: list[Job] = field(default_factory=list)
    void: list[Job] = field(default_factory=list)
    unsettled: list[Job] = field(default_factory=list)


def _others(world: World, ends: Ends) -> Others:
    return Others(spoke_at=max(ends.spoke_at, world.elsewhere.everybody.spoke_at), stored_at=ends.stored_at)


def _sort_jobs(world: World, pods: Mapping[str, tuple[Pod, ...]], occupied: set[str], others: Others) -> _Jobs:
    """Sort the Jobs; a domain whose Job is not ours, or should be gone, is added to the occupied ones."""
    jobs = _Jobs(others)
    for job in world.jobs:
        result = world.results.get(job.domain)
        ours = job.owner_uid == world.collection.uid
        if ours and job.uid in world.void and job.end is not None:
            jobs.void.append(job)
            occupied.add(job.domain)
        elif not ours or job.is_recorded(result):
            if ours:
                jobs.settled.append(job)
            if job.end is None:
                occupied.add(job.domain)
        elif job.end is not None:
            jobs.ending.add(job.domain)
            _settle_one(world, job, pods.get(job.uid, ()), result, jobs)
        elif job.deleting:
            jobs.ending.add(job.domain)
        elif (dropped := _dropped(world, job, pods.get(job.uid, ()), result)) is not None:
            jobs.ending.add(job.domain)
            jobs.settlements.append(Settlement(job, result, dropped, delete=True))
        else:
            jobs.live[job.domain] = job
    return jobs


def _settle_one(world: World, job: Job, pods: tuple[Pod, ...], result: Result | None, jobs: _Jobs) -> None:
    settled = settle(
        job,
        pods,
        result,
        world.now,
        heard=_heard(world, job),
        others=jobs.others,
    )
    if settled is not None:
        jobs.settlements.append(Settlement(job, result, settled))
    else:
        jobs.unsettled.append(job)


def _dropped(world: World, job: Job, pods: tuple[Pod, ...], result: Result | None) -> Result | None:
    """Return what to record of a Job that can't start, and is not worth waiting for; None: it is."""
    if superseded(world, job, pods):
        reason, message = str(Lost.SUPERSEDED), SUPERSEDED
    elif (hindrance := given_up_for(job, pods, world.now, world.collection.spec.api_key_secret_ref.name)) is not None:
        reason, message = hindrance.reason, hindrance.message
    elif job.uid in world.books.given_up:
        # It is too late for its pod to start: the run may be recorded already, and only the answer lost.
        reason, message = str(Lost.SUPERSEDED), SUPERSEDED
    else:
        return None
    return give_up(job, pods, result, world.now, reason=reason, message=message, heard=_heard(world, job))


def _heard(world: World, job: Job) -> Heard:
    books = world.books
    return Heard(
        told=books.told.get(job.uid, {}), watched=job.uid in books.watched, repeats_charged=books.repeats_charged
    )


def is_due(result: Result, collection: Collection, now: datetime) -> bool:
    """Tell whether a domain with this result must run (again) under the collection's wishes, whatever its age."""
    spec = collection.spec
    if result.outcome is Outcome.PENDING:
        return True
    if spec.recollect is not None and result.recollect != spec.recollect:
        return True
    if result.outcome is Outcome.FAILED:
        return spec.retry_failed is not None and result.retry_failed != spec.retry_failed
    if result.reason == Reason.DOMAIN_BUDGET:
        return share_allows_more(spec, result, now)
    return result.reason == Reason.MAX_RESULTS and 0 < result.max_results < spec.max_results


def not_before(result: Result | None, collection: Collection, now: datetime) -> str | None:
    """Return the time from which on a stored document is fresh for the next run; None: any is.

    It is the same however often the run is repeated: what one of them has stored answers the next.
    """
    if result is None:
        return None
    old_at = due_at(result, collection.spec.refresh_every)
    refresh = times.to_text(old_at) if old_at is not None and old_at <= now else None
    further = _further_from(result, collection, now)
    return max(filter(None, (_recollect_from(result, collection, now), refresh, further)), default=None)


def _further_from(result: Result, collection: Collection, now: datetime) -> str | None:
    """Return what is later than the document of a domain that its share cut off, and that may cost more now.

    By itself the document would answer the run for ever: it was made under a share that was as large, and less of it
    was left.
    """
    cut_off = result.reason == Reason.DOMAIN_BUDGET and share_allows_more(collection.spec, result, now)
    if not cut_off or result.collected_at is None:
        return None
    return times.to_text(times.from_text(result.collected_at) + timedelta(milliseconds=1))


def _stands(result: Result, collection: Collection, old_at: datetime | None, now: datetime) -> bool:
    """Tell whether a domain has an answer under all wishes but the one to refresh it."""
    if not is_due(result, collection, now):
        return True
    if not is_refreshed(result, old_at, now):
        return False
    wish = _recollect_from(result, collection, now)
    return wish is None or wish <= (result.collected_at or "")


def _recollect_from(result: Result, collection: Collection, now: datetime) -> str | None:
    """Return when the wish to recollect was seen that a domain has not answered yet."""
    wish = collection.spec.recollect
    if wish is None:
        return None
    if result.recollect == wish and result.outcome not in (Outcome.PENDING, Outcome.FAILED):
        return None
    handled = collection.status.recollect_handled
    if handled is not None and handled.value == wish:
        return handled.at
    return times.to_text(now) if result.recollect != wish else None


def _pods(world: World) -> tuple[dict[str, tuple[Pod, ...]], set[str]]:
    """Group pods by Job, and name the domains for which a pod of a vanished Job is still alive."""
    grouped: dict[str, list[Pod]] = {}
    for pod in world.pods:
        grouped.setdefault(pod.job_uid, []).append(pod)
    known = {job.uid for job in world.jobs}
    occupied = {pod.domain for uid, pods in grouped.items() if uid not in known for pod in pods if not pod.finished}
    return {uid: tuple(pods) for uid, pods in grouped.items()}, occupied


def superseded(world: World, job: Job | Errand, pods: tuple[Pod, ...]) -> bool:
    """Tell whether a Job waits to start under settings that have changed since it was made."""
    if job.template_hash == world.template_hash or job.failed > 0:
        return False
    if not pods:
        # A quota or an admission policy refuses them; what was edited may be what it asked for.
        return job.active == 0 and world.now - job.created >= JOB_CONTROLLER_GRACE
    return not any(pod.started for pod in pods) and any(_stuck(pod) for pod in pods)


def _stuck(pod: Pod) -> bool:
    return bool(pod.unschedulable or (pod.waiting_reason and pod.waiting_reason not in PASSING))


PASSING = frozenset({"ContainerCreating", "PodInitializing"})
"""What a container that will soon start waits for."""
