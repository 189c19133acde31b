"""Puts the operator together: waits for the lease, learns what there is, then watches and works until stopped."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import kopf
from aiohttp import web

from novahunt_api import names, wire
from novahunt_api.cluster import ApiError, Cluster
from novahunt_api.domainresults import ResultObject
from novahunt_api.objects import Key
from novahunt_api.signs import Signs, Watched
from novahunt_api.watches import Watch
from novahunt_contract.document import started_at
from novahunt_operator import handlers
from novahunt_operator.actions import Actions
from novahunt_operator.documents import Documents
from novahunt_operator.erasing import Erasing
from novahunt_operator.events import Events
from novahunt_operator.gauges import Gauges
from novahunt_operator.health import Health
from novahunt_operator.intake import Intake
from novahunt_operator.inventory import Inventory
from novahunt_operator.kopfsession import KopfSessions
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
from novahunt_operator.scheduler import Scheduler, StartLimit
from novahunt_operator.settings import Settings
from novahunt_operator.sources import Sources
from novahunt_operator.store import Store
from novahunt_operator.suppression import Suppression
from novahunt_operator.sweeping import Sweeping
from novahunt_operator.tokens import Tokens
from novahunt_operator.watches import PodFeed, ResultFeed, pod_watch, result_watch
from novahunt_operator.workqueue import WorkQueue

_WORKERS = 4
_INVENTORY_SECONDS = 120.0
_SECOND_INVENTORY_SECONDS = 5.0
"""After the start: what was deleted between the first inventory and kopf's first list is told by no event."""

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
        self._lease = Lease(cluster, settings.own_namespace, settings.lease_name, settings.identity)
        self._signs = Signs(metrics.watch_restarted)
        self._kopf_sessions = KopfSessions(self._signs, metrics)
        self._scheduler = Scheduler(
            settings.collector.concurrency, StartLimit(settings.max_starts, settings.start_interval)
        )
        self._permits = Permits(
            settings.collector.requests_per_second, settings.collector.requests_per_minute, metrics=metrics
        )
        self._ledger = Ledger(
            cluster, self._store, repeats_charged=settings.collector.repeats_charged, now=lambda: datetime.now(UTC)
        )
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
        self._inventory = Inventory(cluster, self._store, settings.namespaces)
        self._leftovers = Leftovers(cluster, self._store, recorder, settings.namespaces)
        self._working = False
        self._began = time.monotonic()
        self._watches: list[Watch[wire.PodObject] | Watch[ResultObject]] = []
        gauges = Gauges(
            store=self._store,
            permits=self._permits,
            queue=self._queue,
            signs=self._signs,
            lease_held=lambda: self._lease.held,
            working=lambda: self._working and self._lease.held,
        )
        metrics.registry.register(gauges)
        self._health = Health(
            signs=self._signs, queue=self._queue, not_ready=self._not_ready, metrics=metrics.handler()
        )

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT.

        Raises:
            ExceptionGroup: the lease was lost, or a part ended that must not; the process should end and start anew.
        """
        stop = asyncio.Event()
        _stop_on_signals(stop)
        async with (
            _served(self._health.application(), self._settings.health_port),
            _served(self._intake.application(), self._settings.intake_port),
        ):
            try:
                if await _unless(stop, self._lease.acquire()):
                    await self._lead(stop)
            finally:
                self._working = False
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_STOP_SECONDS):
                        await self._lease.release()

    async def _lead(self, stop: asyncio.Event) -> None:
        """Work as the active replica until told to stop."""
        self._cluster.may_write = lambda: self._lease.held
        notify = self._reconciler.notify
        pods, results = PodFeed(self._store, notify), ResultFeed(self._store, notify)
        namespaces: tuple[str | None, ...] = self._settings.namespaces or (None,)
        self._watches = [
            *(pod_watch(self._cluster, namespace, pods, self._signs) for namespace in namespaces),
            *(result_watch(self._cluster, namespace, results, self._signs) for namespace in namespaces),
        ]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._lease.keep())]
            tasks += [group.create_task(watch.run()) for watch in self._watches]
            tasks.append(group.create_task(self._work(stop)))
            await stop.wait()
            _log.info("stopping")
            for task in tasks:
                task.cancel()

    async def _work(self, stop: asyncio.Event) -> None:
        for watch in self._watches:
            await watch.listed.wait()
        known = await self._inventory.refresh()
        self._remember_the_past()
        for key in known:
            await self._reconciler.prepare(key)
        self._working = True
        for key in known:
            self._queue.add(key)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._queue.run(_WORKERS, self._reconciler.reconcile))
            group.create_task(self._take_inventory())
            group.create_task(self._watch_with_kopf(stop))

    def _not_ready(self) -> str:
        """Say what this replica waits for before it could serve; nothing when it could, or stands by."""
        if self._working or self._lease.stands_by:
            return ""
        seconds = time.monotonic() - self._began
        if not self._lease.held:
            return f"the Lease could not be taken or read for {seconds:.0f} s"
        missing = [str(watch.watched) for watch in self._watches if not watch.listed.is_set()]
        lists = ", ".join(missing) or "collections and Jobs"
        return f"started {seconds:.0f} s ago, and the first list is not complete: {lists}"

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
        """Find, from time to time, what events have missed."""
        pause = _SECOND_INVENTORY_SECONDS
        while True:
            await asyncio.sleep(pause)
            pause = _INVENTORY_SECONDS
            try:
                changed = await self._inventory.refresh()
            except ApiError as error:
                _log.warning("the inventory failed: %s", error)
                continue
            self._progress.keep_only({pod.uid for pod in self._store.pods()})
            self._ledger.keep_only(
                {job.uid for job in self._store.jobs()}, {known.key for known in self._store.collections()}
            )
            for key in changed:
                self._queue.add(key)
            try:
                await self._leftovers.clear()
            except ApiError as error:
                _log.warning("ConfigMaps that no result lists could not be looked for: %s", error)

    async def _watch_with_kopf(self, stop: asyncio.Event) -> None:
        for namespace in self._settings.namespaces or (None,):
            self._signs.expect(Watched(names.COLLECTIONS, namespace))
            self._signs.expect(Watched("jobs", namespace))
        started = asyncio.Event()
        take_back = asyncio.create_task(_take_signals_back(started, stop))
        await kopf.operator(
            registry=handlers.registry(self._store, self._reconciler.notify, self._kopf_sessions),
            settings=handlers.settings(),
            namespaces=self._settings.namespaces,
            clusterwide=not self._settings.namespaces,
            standalone=True,
            # kopf would ask for the user's name, and a container's numeric user has none.
            identity=self._settings.identity,  # type: ignore[arg-type]
            ready_flag=started,
            stop_flag=stop,
        )
        take_back.cancel()
        # Nothing but a stop ends kopf without an error.
        stop.set()


def _stop_on_signals(stop: asyncio.Event) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)


async def _take_signals_back(kopf_started: asyncio.Event, stop: asyncio.Event) -> None:
    """Replace kopf's own signal handlers when it has set them: they fail on a second signal."""
    await kopf_started.wait()
    _stop_on_signals(stop)


def _start_of(job_id: str) -> datetime | None:
    milliseconds = started_at(job_id)
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Await the work, unless told to stop before; tell whether it was done."""
    task = asyncio.ensure_future(work)
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not task.done():
        task.cancel()
        return False
    await task
    return True


@contextlib.asynccontextmanager
async def _served(application: web.Application, port: int) -> AsyncIterator[None]:
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        # All addresses: the kubelet's probes and the collectors come from outside the pod.
        await web.TCPSite(runner, None, port).start()
        yield
    finally:
        await runner.cleanup()
