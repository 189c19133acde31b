"""What the operator knows of the cluster: a cache in memory, fed by watches and by its own writes."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Generic, TypeVar

from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Result, StoredResult
from novahunt_api.objects import Key
from novahunt_operator.records import Erasure, Errand, Job, Pod
from novahunt_operator.stored import config_map_bytes

_NO_PODS: Mapping[str, Pod] = MappingProxyType({})
_NO_RESULTS: Mapping[str, StoredResult] = MappingProxyType({})

Made = TypeVar("Made", Job, Errand, Erasure)


class _Made(Generic[Made]):
    """Jobs that the operator made, of one sort: by name, by UID and by collection."""

    def __init__(self) -> None:
        self.all: dict[Key, Made] = {}
        self._key_of: dict[str, Key] = {}
        self._of: dict[Key, dict[Key, Made]] = {}

    def put(self, new: Made) -> None:
        old = self.all.get(new.key)
        if old is not None and old.resource_version > new.resource_version:
            return
        if old is not None:
            self.drop(old.key, old.uid)
        self.all[new.key] = new
        self._key_of[new.uid] = new.key
        self._of.setdefault(Key(new.key.namespace, new.collection), {})[new.key] = new

    def drop(self, key: Key, uid: str) -> bool:
        old = self.all.get(key)
        if old is None or old.uid != uid:
            return False
        del self.all[key]
        self._key_of.pop(uid, None)
        collection = Key(key.namespace, old.collection)
        del self._of[collection][key]
        if not self._of[collection]:
            del self._of[collection]
        return True

    def of(self, collection: Key) -> Mapping[Key, Made]:
        return self._of.get(collection, MappingProxyType({}))

    def by_uid(self, uid: str) -> Made | None:
        key = self._key_of.get(uid)
        return self.all.get(key) if key is not None else None


class Store:
    """Records by the questions that are asked of them.

    A record is replaced only by one with a higher resource version, so that a late event never hides
    what a call of our own has answered. (Versions can be compared: Kubernetes KEP-5504.)
    """

    def __init__(self) -> None:
        self._collections: dict[Key, Collection] = {}
        self._jobs: _Made[Job] = _Made()
        self._void: set[str] = set()
        self._errands: _Made[Errand] = _Made()
        self._erasures: _Made[Erasure] = _Made()
        self._pods: dict[str, Pod] = {}
        self._pods_of: dict[Key, dict[str, Pod]] = {}
        self._results: dict[Key, StoredResult] = {}
        self._results_of: dict[Key, dict[str, StoredResult]] = {}
        self._in_config_maps: Counter[Key] = Counter()
        self._lost: dict[Key, tuple[Job | Result, ...]] = {}

    # Collections

    def put_collection(self, new: Collection) -> None:
        """Keep a collection."""
        old = self._collections.get(new.key)
        if old is None or old.resource_version <= new.resource_version:
            self._collections[new.key] = new
            if old is not None and old.uid != new.uid:
                # What the one before had spent is not this one's.
                self._lost.pop(new.key, None)

    def drop_collection(self, key: Key, uid: str) -> None:
        """Forget a collection that is deleted; another one of the same name stays."""
        old = self._collections.get(key)
        if old is not None and old.uid == uid:
            del self._collections[key]
            self._lost.pop(key, None)

    def collection(self, key: Key) -> Collection | None:
        """Return a collection, or None."""
        return self._collections.get(key)

    def collections(self) -> Iterable[Collection]:
        """All collections."""
        return self._collections.values()

    # Jobs

    def put_job(self, new: Job) -> None:
        """Keep a Job."""
        self._jobs.put(new)

    def drop_job(self, key: Key, uid: str) -> None:
        """Forget a Job that is deleted."""
        if self._jobs.drop(key, uid):
            self._void.discard(uid)

    def lose_job(self, key: Key, uid: str) -> None:
        """Forget a Job that was deleted by somebody else; if its run was never settled, its credits are missed."""
        job = self._jobs.all.get(key)
        if job is None or job.uid != uid:
            return
        collection = Key(key.namespace, job.collection)
        result = self.results_of(collection).get(job.domain)
        settled = uid in self._void or (result is not None and result.data.run >= job.run)
        if not settled:
            self._miss(collection, job, job.owner_uid)
        self.drop_job(key, uid)

    def jobs_of(self, collection: Key) -> Mapping[Key, Job]:
        """Jobs whose owner has this name; its UID is the caller's to check."""
        return self._jobs.of(collection)

    def job_by_uid(self, uid: str) -> Job | None:
        """Return the Job with a UID, or None."""
        return self._jobs.by_uid(uid)

    def void_jobs(self, collection: Key, domain: str, run: int) -> None:
        """Take that the record of a domain's runs up to this one was deleted: their Jobs must not restore it."""
        self._void |= {job.uid for job in self.jobs_of(collection).values() if job.domain == domain and job.run <= run}

    @property
    def void(self) -> AbstractSet[str]:
        """UIDs of Jobs whose record was deleted after they had been recorded."""
        return self._void

    def jobs(self) -> Iterable[Job]:
        """All Jobs."""
        return self._jobs.all.values()

    # Errands

    def put_errand(self, new: Errand) -> None:
        """Keep an errand's Job."""
        self._errands.put(new)

    def drop_errand(self, key: Key, uid: str) -> None:
        """Forget an errand's Job that is deleted."""
        self._errands.drop(key, uid)

    def errands_of(self, collection: Key) -> Mapping[Key, Errand]:
        """Errands whose owner has this name; its UID is the caller's to check."""
        return self._errands.of(collection)

    def errand_by_uid(self, uid: str) -> Errand | None:
        """Return the errand whose Job has a UID, or None."""
        return self._errands.by_uid(uid)

    def errands(self) -> Iterable[Errand]:
        """All errands."""
        return self._errands.all.values()

    # Erasures

    def put_erasure(self, new: Erasure) -> None:
        """Keep an erasure's Job."""
        self._erasures.put(new)

    def drop_erasure(self, key: Key, uid: str) -> None:
        """Forget an erasure's Job that is deleted."""
        self._erasures.drop(key, uid)

    def erasures_of(self, collection: Key) -> Mapping[Key, Erasure]:
        """Erasures for collections of this name; whose UID is the caller's to check."""
        return self._erasures.of(collection)

    def erasures(self) -> Iterable[Erasure]:
        """All erasures."""
        return self._erasures.all.values()

    # Jobs of any kind

    def put_made(self, new: Job | Errand | Erasure) -> None:
        """Keep a Job of any kind."""
        match new:
            case Job():
                self.put_job(new)
            case Errand():
                self.put_errand(new)
            case Erasure():
                self.put_erasure(new)

    def lose_made(self, old: Job | Errand | Erasure) -> None:
        """Forget a Job of any kind that was deleted by somebody else."""
        match old:
            case Job():
                self.lose_job(old.key, old.uid)
            case Errand():
                self.drop_errand(old.key, old.uid)
            case Erasure():
                self.drop_erasure(old.key, old.uid)

    def made(self) -> Iterable[Job | Errand | Erasure]:
        """All Jobs of all kinds."""
        return (*self.jobs(), *self.errands(), *self.erasures())

    # Pods

    def put_pod(self, new: Pod) -> None:
        """Keep a pod."""
        old = self._pods.get(new.uid)
        if old is not None and old.resource_version > new.resource_version:
            return
        self.drop_pod(new.uid)
        self._pods[new.uid] = new
        self._pods_of.setdefault(Key(new.key.namespace, new.collection), {})[new.uid] = new

    def drop_pod(self, uid: str) -> None:
        """Forget a pod that is deleted."""
        old = self._pods.pop(uid, None)
        if old is None:
            return
        collection = Key(old.key.namespace, old.collection)
        of = self._pods_of[collection]
        of.pop(uid, None)
        if not of:
            del self._pods_of[collection]

    def pod(self, uid: str) -> Pod | None:
        """Return the pod with a UID, or None."""
        return self._pods.get(uid)

    def pods_of(self, collection: Key) -> Mapping[str, Pod]:
        """Pods of a collection of this name, by UID."""
        return self._pods_of.get(collection, _NO_PODS)

    def pods(self) -> Iterable[Pod]:
        """All pods."""
        return self._pods.values()

    # Results

    def put_result(self, new: StoredResult) -> None:
        """Keep a DomainResult."""
        old = self._results.get(new.key)
        if old is not None and old.resource_version > new.resource_version:
            return
        if old is not None:
            self.drop_result(old.key, old.uid)
        self._results[new.key] = new
        self._in_config_maps[Key(new.key.namespace, new.data.collection)] += config_map_bytes(new.data)
        self._results_of.setdefault(Key(new.key.namespace, new.data.collection), {})[new.data.domain] = new

    def drop_result(self, key: Key, uid: str) -> None:
        """Forget a DomainResult that is deleted."""
        old = self._results.get(key)
        if old is None or old.uid != uid:
            return
        del self._results[key]
        collection = Key(key.namespace, old.data.collection)
        self._in_config_maps[collection] -= config_map_bytes(old.data)
        of = self._results_of.get(collection, {})
        # A person may have restored a second one of the same domain under another name.
        if of.get(old.data.domain) is old:
            del of[old.data.domain]
        if not of:
            self._results_of.pop(collection, None)
        if not self._in_config_maps[collection]:
            del self._in_config_maps[collection]

    def lose_result(self, key: Key, uid: str) -> None:
        """Forget a DomainResult that was deleted by somebody else; its credits are missed.

        Those of one that has gone with its collection are not: they are no matter of the next of that name.
        """
        old = self._results.get(key)
        if old is not None and old.uid == uid:
            self._miss(Key(key.namespace, old.data.collection), old.data, old.owner_uid)
        self.drop_result(key, uid)

    def lost_of(self, collection: Key) -> tuple[Job | Result, ...]:
        """Unsettled Jobs and results of a collection that were deleted, and that its status does not count yet."""
        return self._lost.get(collection, ())

    def count_lost(self, collection: Key, counted: Sequence[Job | Result]) -> None:
        """Take that the status counts these."""
        left = tuple(one for one in self.lost_of(collection) if one not in counted)
        if left:
            self._lost[collection] = left
        else:
            self._lost.pop(collection, None)

    def _miss(self, key: Key, record: Job | Result, owner_uid: str | None) -> None:
        """Keep a lost record for its collection; without one there is nobody to whom it could matter."""
        collection = self._collections.get(key)
        if collection is not None and not collection.deleting and owner_uid in (None, collection.uid):
            self._lost[key] = (*self.lost_of(key), record)

    def results_of(self, collection: Key) -> Mapping[str, StoredResult]:
        """Results of a collection of this name, by domain."""
        return self._results_of.get(collection, _NO_RESULTS)

    def in_config_maps(self, collection: Key) -> int:
        """Bytes that the documents of a collection of this name take in ConfigMaps."""
        return self._in_config_maps[collection]

    def results(self) -> Iterable[StoredResult]:
        """All results."""
        return self._results.values()
