"""Carries a plan out: records ended runs, starts Jobs, deletes what is beyond history."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any

import msgspec

from novahunt_api import names, paths, wire
from novahunt_api.cluster import MERGE_PATCH, ApiError, Cluster, ConflictError, NotFoundError
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import StoredResult
from novahunt_api.objects import Key
from novahunt_api.spec import DeletionPolicy
from novahunt_api.subject import about
from novahunt_api.waiting import Wait
from novahunt_contract.errands import Task
from novahunt_operator import errand_jobs, jobs, parse
from novahunt_operator.errands import ErrandStart
from novahunt_operator.estimates import Recording
from novahunt_operator.metrics import Metrics
from novahunt_operator.planner import Plan, Start
from novahunt_operator.recorder import Recorder
from novahunt_operator.records import Errand, Job
from novahunt_operator.retention import Removal
from novahunt_operator.settings import CollectorSettings
from novahunt_operator.store import Store
from novahunt_operator.survey import Settlement
from novahunt_operator.tracing import Traces

_AT_ONCE = 20
"""Calls under way for one collection."""

_ADOPTED_AT_ONCE = 100
"""Results that are written anew in one go when a deletion policy has changed; then other work has its turn."""

_log = logging.getLogger(__name__)


class RefusedError(Exception):
    """A Job can't be made, for as long as nobody does something about it."""

    reason = Wait.CLUSTER_CAPACITY
    """The API server does not take it: quota, admission, or a field of the pod template."""
    beside: ApiError | None = None
    """What else failed while the same plan was carried out."""


class NameTakenError(RefusedError):
    """Something that the operator did not make has the Job's name."""

    reason = Wait.NAME_TAKEN

    def __init__(self, name: str) -> None:
        """Take the name of the foreign Job."""
        super().__init__(
            f"Job {name} was not made by NovaHunt, which needs its name: delete it, or rename it where it comes from."
        )


async def create_job(cluster: Cluster, body: dict[str, Any], what: str) -> bytes:
    """Create a Job, or return the one of that name that is there: a lost answer's, or another replica's.

    Args:
        cluster: Where.
        body: The Job.
        what: Names it for people.

    Raises:
        RefusedError: the API server does not take it.
        ApiError: it could not be made.
    """
    namespace, name = body["metadata"]["namespace"], body["metadata"]["name"]
    try:
        return await cluster.call("POST", paths.jobs(namespace), body=body)
    except ConflictError:
        return await cluster.call("GET", paths.jobs(namespace, name))
    except ApiError as error:
        if error.code in (400, 403, 422):
            raise RefusedError(f"The API server refuses {what}: {error.message}") from None
        raise


class Actions:
    """Does what plans say; every step may be repeated after a crash, and then finds what it did before."""

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        recorder: Recorder,
        settings: CollectorSettings,
        *,
        metrics: Metrics,
        progressed: Callable[[Key], None],
        traces: Traces | None = None,
    ) -> None:
        """Take what it acts with; `progressed` is told after each step that work on the collection does not hang."""
        self._traces = traces or Traces()
        self._metrics = metrics
        self._progressed = progressed
        self._cluster = cluster
        self._store = store
        self._recorder = recorder
        self._settings = settings

    async def carry_out(self, collection: Collection, plan: Plan, now: datetime) -> None:
        """Do all of a plan.

        Raises:
            RefusedError: Jobs are not taken; the rest of the plan is done, but for what it names beside.
            ApiError: something else failed, and no Job was refused; what was not done is planned again.
        """
        # None waits for another: what is deleted was recorded before, and no domain starts whose end is recorded now.
        # A slot that waits for other domains' calls is a Job later for each call.
        await self._all(
            collection.key,
            (
                *(self._settle(collection, settlement) for settlement in plan.settle),
                *(self._start_errand(collection, start, now) for start in plan.start_errands),
                *(self._start(collection, start, now) for start in plan.start),
                *(self._expire(collection, removal) for removal in plan.expire),
                *(self._record_counts(recording) for recording in plan.record_counts),
                *(self._delete(job) for job in plan.delete),
                *(self._delete(errand) for errand in plan.delete_errands),
            ),
        )

    async def adopt(self, collection: Collection) -> bool:
        """Let recorded results follow a changed deletion policy, some at a time; tell whether there were any.

        What belongs to a collection that is gone is left alone: it goes with that one.
        """
        if collection.deleting or collection.spec_error is not None:
            return False
        known_by_domain = self._store.results_of(collection.key).items()
        found = [domain for domain, known in known_by_domain if _is_to_be_adopted(known, collection)]
        await self._all(collection.key, (self._adopt(collection, domain) for domain in found[:_ADOPTED_AT_ONCE]))
        return bool(found)

    async def _adopt(self, collection: Collection, domain: str) -> None:
        """Write a record anew, as it is now that its turn has come: others may have written it meanwhile."""
        known = self._store.results_of(collection.key).get(domain)
        if known is not None and _is_to_be_adopted(known, collection):
            await self._recorder.write(collection, known.data, before=known.data)

    async def _settle(self, collection: Collection, settlement: Settlement) -> None:
        result = settlement.result
        with about(collection.key, result.domain, result.run):
            await self._recorder.write(collection, result, before=settlement.before)
            self._metrics.jobs_ended.labels(result.outcome, result.reason).inc()
            name = str(collection.key)
            self._traces.recorded(settlement.job, collection=name, outcome=result.outcome, reason=result.reason)
            _log.info(
                "run %d of %s ended: %s (%s), %d addresses, %d credits",
                result.run,
                result.domain,
                result.outcome,
                result.reason,
                result.emails,
                result.credits,
            )
            if settlement.delete:
                await self._delete(settlement.job)

    async def _start(self, collection: Collection, start: Start, now: datetime) -> None:
        body = jobs.build(collection, start, self._settings, now)
        with about(collection.key, start.domain, start.run):
            await self._create(collection, body)
            self._metrics.jobs_started.labels(Task.COLLECT).inc()
            _log.info("run %d of %s started", start.run, start.domain)

    async def _create(self, collection: Collection, body: dict[str, Any]) -> None:
        """Create a Job, whose name tells which run or errand it is, and keep it."""
        made = _read(await create_job(self._cluster, body, "collectors' Jobs"))
        if made is None:
            raise NameTakenError(body["metadata"]["name"])
        if made.owner_uid != collection.uid or made.deleting or made.end is not None:
            # One that has ended is an older one, whose record was deleted.
            raise ConflictError(409, "AlreadyExists", f"Job {body['metadata']['name']} is there and is another one")
        self._store.put_made(made)

    async def _expire(self, collection: Collection, removal: Removal) -> None:
        result = removal.after
        with about(collection.key, result.domain, result.run):
            await self._recorder.write(collection, result, before=removal.before)
            _log.info("the document of %s was removed for its age", result.domain)

    async def _record_counts(self, recording: Recording) -> None:
        errand = recording.errand
        counts = msgspec.json.encode(recording.counts).decode()
        # With the UID, a Job of the same name that was made since is not taken for this one.
        change = {"metadata": {"uid": errand.uid, "annotations": {names.COUNTS_ANNOTATION: counts}}}
        path = paths.jobs(errand.key.namespace, errand.key.name)
        try:
            data = await self._cluster.call("PATCH", path, body=change, content_type=MERGE_PATCH)
        except NotFoundError:
            self._store.drop_errand(errand.key, errand.uid)
            return
        noted = _read(data)
        if noted is not None:
            self._store.put_made(noted)

    async def _start_errand(self, collection: Collection, start: ErrandStart, now: datetime) -> None:
        body = errand_jobs.build(collection, start, self._settings, now)
        await self._create(collection, body)
        self._metrics.jobs_started.labels(start.task).inc()
        _log.info("%s started, attempt %d", start.task, start.attempt, extra={"collection": str(collection.key)})

    async def remove(self, collection: Collection) -> None:
        """Delete a collection that has been finished for long enough, unless it was edited meanwhile.

        Its Jobs go with it, and its results where its deletion policy says so.
        """
        path = paths.collections(collection.key.namespace, collection.key.name)
        await self._cluster.delete(path, uid=collection.uid, resource_version=collection.resource_version)
        seconds = collection.spec.ttl_seconds_after_finished
        _log.info("deleted, %d s after it was finished", seconds, extra={"collection": str(collection.key)})

    async def _delete(self, job: Job | Errand) -> None:
        gone = await self._cluster.delete(paths.jobs(job.key.namespace, job.key.name), uid=job.uid)
        if gone:
            # Its pods may live on for a while; they keep their domain occupied by themselves.
            self._store.drop_job(job.key, job.uid)
            self._store.drop_errand(job.key, job.uid)

    async def _all(self, key: Key, calls: Iterable[Awaitable[object]]) -> None:
        """Await all calls for a collection, a few at once; when all have ended, raise the first error.

        A refused Job goes before other answers of the API server, and takes the first of them along: it says that no
        Job should be tried for a while, and would be tried at every look behind a record that is refused for good.
        """
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(call: Awaitable[object]) -> None:
            async with gate:
                try:
                    await call
                finally:
                    self._progressed(key)

        results = await asyncio.gather(*(one(call) for call in calls), return_exceptions=True)
        errors = [result for result in results if isinstance(result, BaseException)]
        refused = next((error for error in errors if isinstance(error, RefusedError)), None)
        other = next((error for error in errors if not isinstance(error, RefusedError)), None)
        if refused is not None and (other is None or isinstance(other, ApiError)):
            refused.beside = other
            raise refused
        if other is not None:
            raise other


def _is_to_be_adopted(known: StoredResult, collection: Collection) -> bool:
    """Whether a record has not the owner yet that the deletion policy asks for, and is the collection's to write."""
    owner = collection.uid if collection.spec.deletion_policy is DeletionPolicy.DELETE else None
    return known.owner_uid in (None, collection.uid) and known.owner_uid != owner


def _read(data: bytes) -> Job | Errand | None:
    read = msgspec.json.decode(data, type=wire.JobObject)
    return parse.job(read) or parse.errand(read)
