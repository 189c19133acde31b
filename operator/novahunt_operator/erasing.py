"""Carries erasures out: keeps their Jobs while a collection is there, and lets them go when it is gone."""

import logging
from collections.abc import Set as AbstractSet
from datetime import datetime

import msgspec

from novahunt_api import names, paths, wire
from novahunt_api.cluster import JSON_PATCH, MERGE_PATCH, Cluster, ConflictError, NotFoundError
from novahunt_api.domaincollections import Collection, CollectionObject
from novahunt_api.domainresults import VolumePlace
from novahunt_api.objects import Key
from novahunt_api.spec import DeletionPolicy
from novahunt_contract.errands import Task
from novahunt_operator import erasure_jobs, parse
from novahunt_operator.actions import NameTakenError, create_job
from novahunt_operator.erasures import SETTLE, Step, doomed, folders, step, tells_of, upkeep
from novahunt_operator.metrics import Metrics
from novahunt_operator.recorder import Recorder
from novahunt_operator.records import Erasure
from novahunt_operator.settings import CollectorSettings
from novahunt_operator.store import Store

_AGAIN_SECONDS = 5.0
"""How soon an erasure that waits or works is looked at again, though no event comes."""

_log = logging.getLogger(__name__)


class Erasing:
    """Does what `erasures` decides; every step may be repeated after a crash."""

    def __init__(
        self, cluster: Cluster, store: Store, recorder: Recorder, settings: CollectorSettings, metrics: Metrics
    ) -> None:
        """Take what it acts with."""
        self._recorder = recorder
        self._cluster = cluster
        self._store = store
        self._settings = settings
        self._metrics = metrics
        self._idle_since: dict[str, datetime] = {}
        """By the erasure's UID: since when nothing is at work any more that it would have to wait for."""
        self._told: set[str] = set()
        """UIDs of failed erasures that were logged."""

    async def keep_up(self, collection: Collection, now: datetime, *, may_store: bool) -> None:
        """See that the Job is there that will erase what is about to be stored; and no other one.

        Args:
            collection: Is there.
            now: Names the Job.
            may_store: Whether its folder is its own.

        Raises:
            RefusedError: it is not taken; nothing may be stored.
            ApiError: it could not be made; nothing may be stored.
        """
        key = collection.key
        ours = [one for one in self._store.erasures_of(key).values() if one.owner_uid == collection.uid]
        if collection.spec.deletion_policy is not DeletionPolicy.DELETE and not ours:
            return
        gone = self.doomed(collection)
        known = self._store.results_of(key).items()
        results = [result.data for domain, result in known if domain not in gone]
        wanted = folders(collection, results)
        hashes = {place: erasure_jobs.template_hash(collection, place, self._settings) for place in wanted}
        decided = upkeep(collection, results, ours, hashes, may_store=may_store)
        dropped = {erasure.uid for erasure in decided.drop}
        for erasure in ours:
            if erasure.uid not in dropped and not erasure.deleting:
                await self._note(erasure)
        for place in decided.make:
            await self._make(collection, place, now)
        for erasure in decided.drop:
            await self._delete(erasure)

    def doomed(self, collection: Collection) -> AbstractSet[str]:
        """Return the domains whose record is no answer for it: that, or its file, is about to go."""
        ours = self._store.erasures_of(collection.key).values()
        orphans = [one for one in ours if one.owner_uid != collection.uid]
        return doomed(self._store.results_of(collection.key).values(), collection.uid, orphans)

    async def look_after(self, key: Key, now: datetime) -> float | None:
        """Bring the erasures of deleted collections of this name a step further.

        Returns in how many seconds to come again; None: there is nothing to do.
        """
        there = self._store.collection(key)
        orphans = [one for one in self._store.erasures_of(key).values() if there is None or one.owner_uid != there.uid]
        waits = [await self._step(erasure, now) for erasure in orphans if not erasure.deleting]
        return _AGAIN_SECONDS if any(waits) else None

    def orphans(self) -> list[Erasure]:
        """Return the erasures whose collection is gone."""
        found = []
        for erasure in self._store.erasures():
            there = self._store.collection(Key(erasure.key.namespace, erasure.collection))
            if there is None or there.uid != erasure.owner_uid:
                found.append(erasure)
        return found

    async def _step(self, erasure: Erasure, now: datetime) -> bool:
        """Do what comes next; tell whether something is waited for."""
        key = Key(erasure.key.namespace, erasure.collection)
        of_collection = list(self._store.pods_of(key).values())
        own = [pod for pod in of_collection if pod.job_uid == erasure.uid]
        jobs = [job for job in self._store.jobs() if job.key.namespace == key.namespace]
        next_step = step(erasure, own, jobs, of_collection)
        if next_step is Step.RELEASE:
            await self._release_when_idle(erasure, now)
            return True
        self._idle_since.pop(erasure.uid, None)
        extra = {"collection": str(key)}
        match next_step:
            case Step.DONE:
                _log.info("what was stored in %s of claim %s is erased", erasure.path, erasure.claim_name, extra=extra)
                await self._delete(erasure)
            case Step.CLAIM_GONE:
                _log.info("claim %s is gone: nothing is left to erase", erasure.claim_name, extra=extra)
                await self._delete(erasure)
            case Step.COPY:
                _log.warning(
                    "Job %s was not made by this operator for a collection that is gone: it is deleted, "
                    "and folder %s of claim %s stays as it is",
                    erasure.key.name,
                    erasure.path,
                    erasure.claim_name,
                    extra=extra,
                )
                await self._delete(erasure)
            case Step.FAILED if erasure.uid not in self._told:
                self._told.add(erasure.uid)
                _log.error(
                    "Job %s could not erase folder %s of claim %s: see its logs, then delete the Job",
                    erasure.key.name,
                    erasure.path,
                    erasure.claim_name,
                    extra=extra,
                )
        return next_step in (Step.WAIT, Step.WORKS)

    async def _release_when_idle(self, erasure: Erasure, now: datetime) -> None:
        since = self._idle_since.setdefault(erasure.uid, now)
        if now - since < SETTLE or not await self._is_gone(erasure) or not await self._is_idle(erasure):
            return
        # A record that is still there afterwards would be taken up, and its file is gone.
        for known in tuple(self._store.results_of(Key(erasure.key.namespace, erasure.collection)).values()):
            if tells_of(known, erasure):
                await self._recorder.give_away(known, erasure.owner_uid)
        change = [
            {"op": "test", "path": "/metadata/uid", "value": erasure.uid},
            {"op": "replace", "path": "/spec/suspend", "value": False},
        ]
        path = paths.jobs(erasure.key.namespace, erasure.key.name)
        try:
            data = await self._cluster.call("PATCH", path, body=change, content_type=JSON_PATCH)
        except NotFoundError:
            self._store.drop_erasure(erasure.key, erasure.uid)
            return
        self._keep(data)
        key = Key(erasure.key.namespace, erasure.collection)
        self._metrics.jobs_started.labels(Task.ERASE).inc()
        _log.info("erasing folder %s of claim %s", erasure.path, erasure.claim_name, extra={"collection": str(key)})

    async def _is_gone(self, erasure: Erasure) -> bool:
        """Ask the API server whether the collection is gone: what follows can't be undone."""
        path = paths.collections(erasure.key.namespace, erasure.collection)
        try:
            found = await self._cluster.get(path, CollectionObject)
        except NotFoundError:
            return True
        return found.metadata.uid != erasure.owner_uid

    async def _is_idle(self, erasure: Erasure) -> bool:
        """Ask the API server whether nobody can store any more: what is in memory may lag behind."""
        namespace = erasure.key.namespace
        query = {"labelSelector": f"{names.SELECTOR},{names.COLLECTION_LABEL}={erasure.collection}"}
        listed = await self._cluster.get(paths.jobs(namespace), wire.Page[wire.JobObject], query)
        pods = await self._cluster.get(paths.pods(namespace), wire.Page[wire.PodObject], query)
        jobs = [job for job in map(parse.job, listed.items) if job is not None]
        of_collection = [pod for pod in map(parse.pod, pods.items) if pod is not None]
        own = [pod for pod in of_collection if pod.job_uid == erasure.uid]
        return step(erasure, own, jobs, of_collection) is Step.RELEASE

    async def _make(self, collection: Collection, place: VolumePlace, now: datetime) -> None:
        body = erasure_jobs.build(collection, place, self._settings, now)
        # One of that name that is being deleted makes this be tried again.
        data = await create_job(self._cluster, body, "the Job that will erase")
        made = self._keep(data)
        if made is None:
            raise NameTakenError(body["metadata"]["name"])
        if made.deleting or made.owner_uid != collection.uid:
            raise ConflictError(409, "AlreadyExists", f"Job {body['metadata']['name']} is there and is another one")
        await self._note(made)

    async def _note(self, erasure: Erasure) -> None:
        """Write on the Job which one it is: a copy of it has another UID, and is never let go."""
        if erasure.is_genuine:
            return
        change = {"metadata": {"uid": erasure.uid, "annotations": {names.JOB_UID_ANNOTATION: erasure.uid}}}
        path = paths.jobs(erasure.key.namespace, erasure.key.name)
        self._keep(await self._cluster.call("PATCH", path, body=change, content_type=MERGE_PATCH))

    async def _delete(self, erasure: Erasure) -> None:
        if await self._cluster.delete(paths.jobs(erasure.key.namespace, erasure.key.name), uid=erasure.uid):
            self._store.drop_erasure(erasure.key, erasure.uid)

    def _keep(self, data: bytes) -> Erasure | None:
        made = parse.erasure(msgspec.json.decode(data, type=wire.JobObject))
        if made is not None:
            self._store.put_erasure(made)
        return made
