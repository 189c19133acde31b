"""Puts the operator together: waits for the lease, learns what there is, then watches and works until stopped."""

import asyncio
import contextlib
import logging
import ssl
import time
from datetime import UTC, datetime, timedelta

from novahunt_api import wire
from novahunt_api.cluster import ApiError, Cluster
from novahunt_api.clustermetrics import WatchAges
from novahunt_api.domaincollections import CollectionObject
from novahunt_api.objects import Key
from novahunt_api.signs import Signs
from novahunt_api.watches import Watch
from novahunt_contract.document import started_at
from novahunt_operator.actions import Actions
from novahunt_operator.certificates import Certificates
from novahunt_operator.documents import Documents
from novahunt_operator.erasing import Erasing
from novahunt_operator.events import Events
from novahunt_operator.gauges import Gauges
from novahunt_operator.health import Health
from novahunt_operator.intake import Intake
from novahunt_operator.lease import Lease
from novahunt_operator.ledger import Ledger
from novahunt_operator.leftovers import Leftovers
from novahunt_operator.metrics import Metrics
from novahunt_operator.noticeboard import NoticeBoard
from novahunt_operator.permits import Permits
from novahunt_operator.progress import ProgressBoard
from novahunt_operator.reconciler import Reconciler
from novahunt_operator.recorder import Recorder
from novahunt_operator.records import Errand, Job
from novahunt_operator.reporter import Reporter
from novahunt_operator.running import served, stop_on_signals, unless
from novahunt_operator.scheduler import Scheduler, StartLimit
from novahunt_operator.settings import Settings
from novahunt_operator.sources import Sources
from novahunt_operator.store import Store
from novahunt_operator.suppression import Suppression
from novahunt_operator.sweeping import Sweeping
from novahunt_operator.territory import Territory
from novahunt_operator.tokens import Tokens
from novahunt_operator.tracing import Traces
from novahunt_operator.watches import (
    AnyWatch,
    CollectionFeed,
    JobFeed,
    PodFeed,
    ResultFeed,
    collection_watch,
    job_watch,
    pod_watch,
    result_watch,
)
from novahunt_operator.workqueue import WorkQueue

_WORKERS = 4
_INVENTORY_SECONDS = 120.0
_FIRST_INVENTORY_SECONDS = 5.0
"""After the start: what a crash has left over in ConfigMaps is looked for with it."""

_MINUTE = timedelta(minutes=1)
_STOP_SECONDS = 5.0

_log = logging.getLogger(__name__)


class Operator:
    """One replica."""

    def __init__(self, settings: Settings, cluster: Cluster, metrics: Metrics) -> None:
        """Take the settings, a connection, and what counts."""
        self._settings = settings
        self._cluster = cluster
        self._store = Store()
        self._progress = ProgressBoard()
        self._queue: WorkQueue[Key] = WorkQueue(metrics)
        self._certificates = (
            Certificates(cluster, settings.own_namespace, settings.certificate, settings.collector.trust)
            if settings.certificate is not None
            else None
        )
        self._lease = Lease(cluster, settings.own_namespace, settings.lease_name, settings.identity)
        self._signs = Signs(metrics.watch_restarted)
        self._scheduler = Scheduler(
            settings.collector.concurrency, StartLimit(settings.max_starts, settings.start_interval)
        )
        self._permits = Permits(
            settings.collector.requests_per_second,
            settings.collector.requests_per_minute,
            metrics=metrics,
            # Milliseconds: with a key at most some requests a second are made, so the process before is behind that.
            last_permit=lambda: time.time_ns() // 1_000_000,
        )
        self._ledger = Ledger(
            cluster, self._store, repeats_charged=settings.collector.repeats_charged, now=lambda: datetime.now(UTC)
        )
        self._traces = Traces(on=bool(settings.collector.traces_endpoint))
        recorder = Recorder(cluster, self._store, metrics)
        self._reconciler = Reconciler(
            settings=settings,
            store=self._store,
            sources=Sources(cluster),
            suppression=Suppression(cluster),
            scheduler=self._scheduler,
            actions=Actions(
                cluster,
                self._store,
                recorder,
                settings.collector,
                metrics=metrics,
                progressed=self._queue.progressed,
                traces=self._traces,
            ),
            reporter=Reporter(cluster, self._store, Events(cluster, settings.identity), metrics),
            permits=self._permits,
            ledger=self._ledger,
            progress=self._progress,
            notices=NoticeBoard(),
            erasing=Erasing(cluster, self._store, recorder, settings.collector, metrics),
            queue=self._queue,
            metrics=metrics,
        )
        documents = Documents(cluster, self._store, recorder, settings.max_config_map_bytes)
        self._intake = Intake(
            store=self._store,
            tokens=Tokens(cluster),
            permits=self._permits,
            documents=documents,
            sweeping=Sweeping(self._store, recorder, documents),
            ledger=self._ledger,
            progress=self._progress,
            metrics=metrics,
            active=lambda: self._working and self._lease.held,
            progressed=self._reconciler.notify,
        )
        self._territory = Territory(cluster, settings.namespaces)
        self._leftovers = Leftovers(cluster, self._store, recorder, self._territory)
        self._working = False
        self._began = time.monotonic()
        self._watches: list[AnyWatch] = []
        self._listed_anew: list[Watch[CollectionObject] | Watch[wire.JobObject]] = []
        gauges = Gauges(
            store=self._store,
            permits=self._permits,
            queue=self._queue,
            lease_held=lambda: self._lease.held,
            working=lambda: self._working and self._lease.held,
        )
        metrics.registry.register(gauges)
        metrics.registry.register(WatchAges(self._signs))
        self._health = Health(
            signs=self._signs, queue=self._queue, not_ready=self._not_ready, metrics=metrics.handler()
        )

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT.

        Raises:
            ExceptionGroup: the lease was lost, or a part ended that must not; the process should end and start anew.
        """
        stop = asyncio.Event()
        stop_on_signals(stop)
        async with served(self._health.application(), self._settings.health_port):
            if self._certificates is None:
                await self._serve(stop)
            elif await unless(stop, self._certificates.load()):
                async with asyncio.TaskGroup() as group:
                    keeping = group.create_task(self._certificates.keep())
                    await self._serve(stop, self._certificates.context)
                    keeping.cancel()

    async def _serve(self, stop: asyncio.Event, tls: ssl.SSLContext | None = None) -> None:
        """Answer collectors, and lead while this replica holds the lease, until told to stop."""
        async with served(self._intake.application(), self._settings.intake_port, tls):
            try:
                if await unless(stop, self._territory.explore()) and await unless(stop, self._lease.acquire()):
                    await self._lead(stop)
            finally:
                self._working = False
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_STOP_SECONDS):
                        await self._lease.release()
                await asyncio.to_thread(self._traces.close)

    async def _lead(self, stop: asyncio.Event) -> None:
        """Work as the active replica until told to stop."""
        self._cluster.may_write = lambda: self._lease.held
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._lease.keep()), group.create_task(self._work())]
            await stop.wait()
            _log.info("stopping")
            for task in tasks:
                task.cancel()

    async def _work(self) -> None:
        """Watch and work wherever this replica may."""
        # It may have stood by for days: the watches of a namespace that was deleted meanwhile would never be listed.
        await self._territory.explore()
        self._make_watches()
        async with asyncio.TaskGroup() as group:
            for watch in self._watches:
                group.create_task(watch.run())
            group.create_task(self._territory.until_one_is_back())
            for watch in self._watches:
                await watch.listed.wait()
            known = self._known()
            self._remember_the_past()
            # At once: a list that the API server does not hand out takes as long as the client's patience.
            async with asyncio.TaskGroup() as preparing:
                for key in known:
                    preparing.create_task(self._reconciler.prepare(key))
            self._working = True
            for key in known:
                self._queue.add(key)
            group.create_task(self._queue.run(_WORKERS, self._reconciler.reconcile))
            group.create_task(self._take_inventory())

    def _make_watches(self) -> None:
        notify = self._reconciler.notify
        collections, jobs = CollectionFeed(self._store, notify), JobFeed(self._store, notify)
        pods, results = PodFeed(self._store, notify), ResultFeed(self._store, notify)
        namespaces = self._territory.namespaces
        self._listed_anew = [
            *(collection_watch(self._cluster, namespace, collections, self._signs) for namespace in namespaces),
            *(job_watch(self._cluster, namespace, jobs, self._signs) for namespace in namespaces),
        ]
        self._watches = [
            *self._listed_anew,
            *(pod_watch(self._cluster, namespace, pods, self._signs) for namespace in namespaces),
            *(result_watch(self._cluster, namespace, results, self._signs) for namespace in namespaces),
        ]

    def _known(self) -> set[Key]:
        """Return the collections that there are, or of which a Job is left."""
        left = {Key(made.key.namespace, made.collection) for made in self._store.made()}
        return left | {collection.key for collection in self._store.collections()}

    def _not_ready(self) -> str:
        """Say what this replica waits for before it could serve; nothing when it could, or stands by."""
        if self._working or self._lease.stands_by:
            return ""
        seconds = time.monotonic() - self._began
        trouble = (self._certificates.trouble if self._certificates is not None else "") or self._territory.trouble
        if trouble:
            return f"started {seconds:.0f} s ago, and {trouble}"
        if not self._lease.held:
            return f"the Lease could not be taken or read for {seconds:.0f} s"
        missing = [str(watch.watched) for watch in self._watches if not watch.listed.is_set()]
        lacking = f"the first list is not complete: {', '.join(missing)}" if missing else "the lists are being read"
        return f"started {seconds:.0f} s ago, and {lacking}"

    def _remember_the_past(self) -> None:
        """Rebuild from the Jobs what was started lately, and whether collectors may have asked Hunter."""
        now = datetime.now(UTC)
        jobs = list(self._store.jobs())
        # A Job's identity holds its start in milliseconds; the results have it when the Job is deleted already.
        identities = {job.job_id for job in jobs} | {result.data.job_id for result in self._store.results()}
        for start in sorted(filter(None, map(_start_of, identities))):
            self._scheduler.limit.record(start)
        asking: list[Job | Errand] = [*jobs, *self._store.errands()]
        if any(job.end is None or job.ended_at is None or now - job.ended_at < _MINUTE for job in asking):
            self._permits.assume_used(until=time.monotonic() + _MINUTE.total_seconds())

    async def _take_inventory(self) -> None:
        """Find, from time to time, what events and answers have missed or brought back, and look at all collections."""
        pause = _FIRST_INVENTORY_SECONDS
        while True:
            await asyncio.sleep(pause)
            pause = _INVENTORY_SECONDS
            try:
                for watch in self._listed_anew:
                    await watch.list_anew()
            except ApiError as error:
                _log.warning("the inventory failed: %s", error)
                continue
            self._progress.keep_only({pod.uid for pod in self._store.pods()})
            self._ledger.keep_only(
                {job.uid for job in self._store.jobs()}, {known.key for known in self._store.collections()}
            )
            for key in self._known():
                self._queue.add(key)
            try:
                await self._leftovers.clear()
            except ApiError as error:
                _log.warning("ConfigMaps that no result lists could not be looked for: %s", error)


def _start_of(job_id: str) -> datetime | None:
    milliseconds = started_at(job_id)
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
