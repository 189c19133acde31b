"""Brings one collection a step further: looks, plans, acts, reports, and says when to come again."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from novahunt_api.cluster import ApiError, UnavailableError
from novahunt_api.domaincollections import Collection
from novahunt_api.objects import Key
from novahunt_api.waiting import Wait
from novahunt_contract.errands import Task
from novahunt_contract.searchhash import search_hash
from novahunt_contract.wanted import Wanted
from novahunt_operator import erasures
from novahunt_operator.actions import Actions, RefusedError
from novahunt_operator.breaker import Scope
from novahunt_operator.conflicts import Conflict, storage_conflict
from novahunt_operator.erasing import Erasing
from novahunt_operator.hindrances import GivenUp
from novahunt_operator.jobs import template_hash
from novahunt_operator.ledger import Ledger
from novahunt_operator.lifetime import removal_at
from novahunt_operator.lists import NO_LISTS, REREAD_SECONDS, Lists
from novahunt_operator.metrics import Metrics
from novahunt_operator.noticeboard import KeyReference, NoticeBoard
from novahunt_operator.permits import Permits
from novahunt_operator.planner import Demand, Limits, Outlook, Plan, look, plan
from novahunt_operator.progress import ProgressBoard
from novahunt_operator.refusals import Faults, Refusals
from novahunt_operator.reporter import Reporter
from novahunt_operator.scheduler import Scheduler
from novahunt_operator.settings import Settings
from novahunt_operator.sources import Sources
from novahunt_operator.status import compute, recollect_handled
from novahunt_operator.store import Store
from novahunt_operator.suppression import Suppression, follows
from novahunt_operator.survey import World
from novahunt_operator.waits import Scheduling, find_wait
from novahunt_operator.workqueue import WorkQueue

_GATHER_SECONDS = 0.05
"""Changes are gathered for so long before they are looked at."""

_REST = 50.0
"""Rest between two looks, as a multiple of the last one's processor time: large collections are looked at less often.

Ten thousand domains take about 8 ms: they are looked at two or three times a second while their Jobs end all the time,
and at once while few do. On a busy machine a look takes longer and costs no more.
"""

_PASSING_SECONDS = 5.0
"""How soon a folder is looked at again in which another collection's documents are being erased."""

_REFUSED_SECONDS = 15.0
"""How long after a refused Job the next one is tried."""


def utc_now() -> datetime:
    """Return the time that decisions are made with."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a Job could not be made, and until when (monotonic clock) none is tried."""

    message: str = ""
    reason: Wait = Wait.CLUSTER_CAPACITY
    until: float = 0.0


class Reconciler:
    """Works on one collection at a time per key; the queue sees to that."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: Store,
        sources: Sources,
        suppression: Suppression,
        scheduler: Scheduler,
        actions: Actions,
        reporter: Reporter,
        permits: Permits,
        ledger: Ledger,
        progress: ProgressBoard,
        notices: NoticeBoard,
        erasing: Erasing,
        queue: WorkQueue[Key],
        metrics: Metrics,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Take the parts that it leads."""
        self._settings = settings
        self._store = store
        self._sources = sources
        self._suppression = suppression
        self._scheduler = scheduler
        self._actions = actions
        self._reporter = reporter
        self._permits = permits
        self._ledger = ledger
        self._progress = progress
        self._notices = notices
        self._erasing = erasing
        self._queue = queue
        self._metrics = metrics
        self._now = now
        self._limits = Limits(
            probe_after=settings.probe_after,
            sweep_every=settings.sweep_every,
            max_config_map_bytes=settings.max_config_map_bytes,
        )
        self._rested_at: dict[Key, float] = {}
        """When the rest after the last look is over, on the monotonic clock."""
        self._refused: dict[Key, _Refusal] = {}
        """Why a Job could not be made, for collections whose last one could not."""
        self._refusals = Refusals()
        self._given_up: dict[Key, Mapping[Task, GivenUp]] = {}
        """The last errands that were given up, which leave no Job behind."""

    def notify(self, key: Key) -> None:
        """Take that a collection's world has changed; a burst of changes is looked at once."""
        self._queue.add(key, max(_GATHER_SECONDS, self._rested_at.get(key, 0.0) - time.monotonic()))

    async def reconcile(self, key: Key) -> None:
        """Bring a collection a step further.

        A call that fails keeps neither the others from being made nor the status from being written: it may be refused
        for good, and the status is where people look for that.

        Raises:
            ApiError: the first call that failed.
        """
        faults = Faults(lambda: self._queue.progressed(key))
        with faults.noted():
            again = await self._erasing.look_after(key, self._now())
            if again is not None:
                self._queue.add(key, again)
        collection = self._store.collection(key)
        if collection is None:
            self._forget(key)
        else:
            await self._further(collection, faults)
        faults.raise_first()

    async def _further(self, collection: Collection, faults: Faults) -> None:
        key = collection.key
        with faults.noted():
            await self._ledger.look_up(key)
        wanted = await self._sources.wanted(collection)
        lists = await self._suppression.lists(collection)
        began = time.thread_time()
        outlook = self._look(collection, wanted, lists)
        self._rested_at[key] = time.monotonic() + _REST * (time.thread_time() - began)
        if not await self._wish_is_recorded(outlook):
            return
        # First the Jobs that erase, then the records, whichever way a policy has changed. Deleted between the two, a
        # collection to be retained has lost records, not files; one to be deleted loses its files, and the erasure
        # sees to the records. The other order would erase retained files, or keep files that should go.
        kept = False
        with faults.noted():
            kept = await self._keep_erasures(outlook)
        with faults.noted():
            if kept and not outlook.world.doomed and await self._actions.adopt(collection):
                self._queue.add(key)
        acted = await self._act(outlook, faults, kept=kept)
        self._refusals.take(key, faults)
        self._come_again(outlook, failed=bool(faults.all))
        too_early = self._reporter.too_early(key)
        if too_early > 0:
            self._queue.add(key, too_early)
            return
        if acted:
            # What was just done shows in the store already; the status should not be behind it.
            outlook = self._look(self._store.collection(key) or collection, wanted, lists)
            self._scheduler.tell(key, self._demand(outlook, kept=kept))
            self._come_again(outlook, failed=bool(faults.all))
        await self._report(outlook)
        await self._remove_in_time(key)

    async def prepare(self, key: Key) -> None:
        """Tell the scheduler what a collection runs and wants, before any collection may start a Job."""
        collection = self._store.collection(key)
        if collection is None:
            return
        try:
            wanted, lists = await self._sources.wanted(collection), await self._suppression.lists(collection)
        except UnavailableError:
            raise
        except ApiError as error:
            # One collection's lists must not keep all others from being worked on; what runs of it counts.
            wanted, lists = Wanted((), missing=(error.message,)), NO_LISTS
        self._scheduler.tell(key, self._look(collection, wanted, lists).demand)

    async def _wish_is_recorded(self, outlook: Outlook) -> bool:
        """See that a new recollect wish is in the status, with its time, before a Job runs under it.

        Otherwise a run that is repeated after a crash would take a later time, and pay again.
        """
        collection = outlook.world.collection
        handled = recollect_handled(collection.status, collection.spec.recollect, outlook.world.now)
        if handled == collection.status.recollect_handled:
            return True
        if await self._report(outlook):
            self._queue.add(collection.key)
        return False

    def _demand(self, outlook: Outlook, *, kept: bool) -> Demand:
        """What it would start; nothing while its Jobs are refused, so that others have the slots."""
        demand = outlook.demand
        may_start = kept and not self._is_refused(outlook.world.collection.key)
        return demand if may_start else replace(demand, starts=0, errands=0)

    def _is_refused(self, key: Key) -> bool:
        refused = self._refused.get(key)
        return refused is not None and refused.until > time.monotonic()

    def _look(self, collection: Collection, wanted: Wanted, lists: Lists) -> Outlook:
        key = collection.key
        secret = collection.spec.api_key_secret_ref
        reference = KeyReference(key.namespace, secret.name, secret.key)
        doomed = self._erasing.doomed(collection)
        known = self._store.results_of(key).items()
        world = World(
            collection=collection,
            wanted=wanted,
            jobs=tuple(self._store.jobs_of(key).values()),
            errands=tuple(self._store.errands_of(key).values()),
            given_up=self._given_up.get(key, {}),
            lists=lists,
            pods=tuple(self._store.pods_of(key).values()),
            results={domain: result.data for domain, result in known if domain not in doomed},
            doomed=doomed,
            progress=self._progress.get(),
            void=self._store.void,
            books=self._ledger.books(key),
            elsewhere=self._notices.elsewhere(key, reference),
            template_hash=template_hash(collection, self._settings.collector),
            search_hash=search_hash(collection.spec.search),
            now=self._now(),
        )
        with self._metrics.plan_seconds.labels("look").time():
            outlook = look(world, self._limits, self._conflict(collection) or erasures.going(doomed))
        self._given_up[key] = outlook.errands.given_up
        self._exchange_notices(outlook, reference)
        return outlook

    def _conflict(self, collection: Collection) -> Conflict | None:
        """Return why the collection may not use its folder; None: it may."""
        older = storage_conflict(collection, self._store.collections())
        return older or erasures.conflict(collection, self._erasing.orphans())

    def _exchange_notices(self, outlook: Outlook, reference: KeyReference) -> None:
        """Tell the other collections how Hunter and the key fare; those that wait for just that look again."""
        key, found, breaker = outlook.world.collection.key, outlook.survey, outlook.breaker
        self._notices.wait(key, waits=breaker is not None and breaker.scope is not Scope.COLLECTION)
        live = len(found.live) + len(found.unsettled)
        if self._notices.tell(key, reference, outlook.world.template_hash, found.ends, live):
            self._wake_waiting(key)

    async def _keep_erasures(self, outlook: Outlook) -> bool:
        """See that what is about to be stored will be erased one day; False: it won't, so nothing may be stored."""
        collection = outlook.world.collection
        try:
            await self._erasing.keep_up(collection, outlook.world.now, may_store=outlook.conflict is None)
        except RefusedError as error:
            self._refuse(collection.key, error)
            return False
        return True

    def _refuse(self, key: Key, error: RefusedError) -> None:
        self._refused[key] = _Refusal(str(error), error.reason, time.monotonic() + _REFUSED_SECONDS)

    async def _act(self, outlook: Outlook, faults: Faults, *, kept: bool) -> bool:
        """Plan and carry out; tell whether anything was done."""
        collection, now = outlook.world.collection, outlook.world.now
        key = collection.key
        if self._scheduler.tell(key, self._demand(outlook, kept=kept)):
            self._wake_others(key)
        allowed = allowed_errands = 0
        if kept and not self._is_refused(key):
            allowed, allowed_errands = self._scheduler.allowed(key, now), self._scheduler.allowed_errands(key)
        # From here to the promise nothing else runs, so no credit is promised twice.
        with self._metrics.plan_seconds.labels("plan").time():
            decided = plan(outlook, allowed, self._ledger.available(collection), allowed_errands=allowed_errands)
        decided = replace(decided, settle=self._ledger.give_up(decided.settle, outlook.world.books))
        self._ledger.hold(collection, decided.start)
        self._notices.promise(key, len(decided.start))
        for _ in decided.start:
            self._scheduler.started(key, now)
        for _ in decided.start_errands:
            self._scheduler.errand_started(key, now)
        try:
            done = await self._carry_out(outlook, decided, faults, kept=kept)
        finally:
            self._ledger.release(collection, decided.start)
        if decided.acts and done:
            # A recorded Job may be deleted now, a slot may be free; what follows by itself is gathered with it.
            self.notify(key)
        return decided.acts

    async def _carry_out(self, outlook: Outlook, decided: Plan, faults: Faults, *, kept: bool) -> bool:
        """Carry out, and keep whether Jobs are refused; tell whether nothing else failed."""
        key = outlook.world.collection.key
        hungry = outlook.startable or outlook.errands.startable
        taken = kept and (decided.start or decided.start_errands or not hungry)
        failed: ApiError | None = None
        try:
            await self._actions.carry_out(outlook.world.collection, decided, outlook.world.now)
        except RefusedError as error:
            self._refuse(key, error)
            taken, failed = False, error.beside
        except ApiError as error:
            failed = error
        if taken:
            self._refused.pop(key, None)
        if failed is not None:
            # What is left is planned again after the queue's pause; no sooner, for it may be refused for good.
            faults.all.append(failed)
        return failed is None

    async def _remove_in_time(self, key: Key) -> None:
        """Delete the collection when it has been finished for as long as it wishes."""
        collection = self._store.collection(key)
        at = removal_at(collection) if collection is not None else None
        if collection is None or at is None:
            return
        left = (at - self._now()).total_seconds()
        if left > 0:
            self._queue.add(key, left)
        else:
            await self._actions.remove(collection)

    def _come_again(self, outlook: Outlook, *, failed: bool) -> None:
        """See that time alone brings it back; what should have been done by now is left to the queue if it failed."""
        key, now = outlook.world.collection.key, outlook.world.now
        if self._is_refused(key):
            # Each look takes the key from the queue: whatever it came for, the pause must end with another one.
            self._queue.add(key, self._refused[key].until - time.monotonic())
        if outlook.wake_at is not None and (outlook.wake_at > now or not failed):
            self._queue.add(key, (outlook.wake_at - now).total_seconds())
        if outlook.startable:
            next_start = self._scheduler.limit.next_at(now)
            if next_start > now:
                self._queue.add(key, (next_start - now).total_seconds())
        if outlook.world.collection.spec.domains_from or follows(outlook.world.collection):
            self._queue.add(key, REREAD_SECONDS)
        if outlook.conflict is not None and outlook.conflict.passes:
            # It is another collection's Job that ends it.
            self._queue.add(key, _PASSING_SECONDS)

    async def _report(self, outlook: Outlook) -> bool:
        """Write the status; False when it is too early, and the collection comes again for it."""
        collection, now = outlook.world.collection, outlook.world.now
        limit = self._scheduler.limit
        next_start = limit.next_at(now)
        refused = self._refused.get(collection.key)
        if refused is None:
            refused = _Refusal(self._refusals.of(collection.key), Wait.API_REFUSED)
        scheduling = Scheduling(
            concurrency=self._scheduler.concurrency,
            running=self._scheduler.running,
            next_start_at=next_start if next_start > now else None,
            starts_per_interval=self._settings.max_starts,
            interval_seconds=self._settings.start_interval.total_seconds(),
            refusal=refused.message,
            refused_for=refused.reason,
        )
        with self._metrics.plan_seconds.labels("status").time():
            status = compute(outlook, find_wait(outlook, scheduling, self._permits.pace_of(collection.key)))
        later = await self._reporter.report(collection, status)
        if later is not None:
            self._queue.add(collection.key, later)
        elif not outlook.survey.void:
            self._store.count_lost(collection.key, outlook.world.books.lost)
        return later is None

    def _forget(self, key: Key) -> None:
        self._scheduler.forget(key)
        self._notices.forget(key)
        self._sources.forget(key)
        self._suppression.forget(key)
        self._reporter.forget(key)
        self._refused.pop(key, None)
        self._refusals.forget(key)
        self._rested_at.pop(key, None)
        self._given_up.pop(key, None)
        self._wake_others(key)
        self._wake_waiting(key)

    def _wake_others(self, key: Key) -> None:
        """Look at the collections that may take a slot which this one left."""
        for other in self._scheduler.hungry(but=key):
            self._queue.add(other)

    def _wake_waiting(self, key: Key) -> None:
        """Look at the collections that wait for news of Hunter or of their key."""
        for other in self._notices.waiting(but=key):
            self._queue.add(other)
