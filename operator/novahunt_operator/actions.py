"""Carries a plan out: records ended runs, starts Jobs, deletes what is beyond history."""

import asyncio
import logging
from collections.abc import Awaitable, Iterable
from datetime import datetime

import msgspec

from novahunt_operator import jobs, parse, paths
from novahunt_operator.cluster import ApiError, Cluster, ConflictError
from novahunt_operator.planner import Plan, Start
from novahunt_operator.recorder import Recorder
from novahunt_operator.records import Collection, Job
from novahunt_operator.settings import CollectorSettings
from novahunt_operator.spec import DeletionPolicy
from novahunt_operator.store import Store
from novahunt_operator.survey import Settlement

_AT_ONCE = 10
"""Calls under way for one collection."""

_ADOPTED_AT_ONCE = 100
"""Results that are written anew in one go when a deletion policy has changed; then other work has its turn."""

_log = logging.getLogger(__name__)


class RefusedError(Exception):
    """The API server does not take our Jobs: quota, admission, or a field of the pod template."""


class Actions:
    """Does what plans say; every step may be repeated after a crash, and then finds what it did before."""

    def __init__(self, cluster: Cluster, store: Store, recorder: Recorder, settings: CollectorSettings) -> None:
        self._cluster = cluster
        self._store = store
        self._recorder = recorder
        self._settings = settings

    async def carry_out(self, collection: Collection, plan: Plan, now: datetime) -> None:
        """Do all of a plan.

        Raises:
            RefusedError: Jobs are not taken; the rest of the plan is done.
            ApiError: something else failed; what was not done is planned again.
        """
        # Results first: a Job may go only when its run is recorded.
        await _all(self._settle(collection, settlement) for settlement in plan.settle)
        await _all(self._start(collection, start, now) for start in plan.start)
        await _all(self._delete(job) for job in plan.delete)

    async def adopt(self, collection: Collection) -> bool:
        """Let recorded results follow a changed deletion policy, some at a time; tell whether there were any."""
        owner = collection.uid if collection.spec.deletion_policy is DeletionPolicy.DELETE else None
        found = [known for known in self._store.results_of(collection.key).values() if known.owner_uid != owner]
        await _all(self._recorder.write(collection, known.data) for known in found[:_ADOPTED_AT_ONCE])
        return bool(found)

    async def _settle(self, collection: Collection, settlement: Settlement) -> None:
        result = settlement.result
        await self._recorder.write(collection, result)
        _log.info(
            "run %d of %s ended: %s (%s), %d addresses, %d credits",
            result.run,
            result.domain,
            result.outcome,
            result.reason,
            result.emails,
            result.credits,
            extra={"collection": str(collection.key), "domain": result.domain},
        )
        if settlement.delete:
            await self._delete(settlement.job)

    async def _start(self, collection: Collection, start: Start, now: datetime) -> None:
        body = jobs.build(collection, start, self._settings, now)
        namespace = collection.key.namespace
        try:
            data = await self._cluster.call("POST", paths.jobs(namespace), body=body)
        except ConflictError:
            # A lost answer, or another replica: it is this very run if owner, run and life say so. One that has
            # ended is an older one, whose record was deleted.
            data = await self._cluster.call("GET", paths.jobs(namespace, body["metadata"]["name"]))
            job = parse.job(msgspec.json.decode(data))
            if job is None or job.owner_uid != collection.uid or job.run != start.run or job.deleting or job.end:
                raise
        except ApiError as error:
            if error.code in (400, 403, 422):
                raise RefusedError(f"The API server refuses collectors' Jobs: {error.message}") from None
            raise
        job = parse.job(msgspec.json.decode(data))
        if job is not None:
            self._store.put_job(job)
        _log.info(
            "run %d of %s started",
            start.run,
            start.domain,
            extra={"collection": str(collection.key), "domain": start.domain},
        )

    async def _delete(self, job: Job) -> None:
        gone = await self._cluster.delete(paths.jobs(job.key.namespace, job.key.name), uid=job.uid)
        if gone:
            # Its pods may live on for a while; they keep their domain occupied by themselves.
            self._store.drop_job(job.key, job.uid)


async def _all(calls: Iterable[Awaitable[object]]) -> None:
    """Await all calls, a few at once; the first error is raised when all have ended."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(call: Awaitable[object]) -> None:
        async with gate:
            await call

    results = await asyncio.gather(*(one(call) for call in calls), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
