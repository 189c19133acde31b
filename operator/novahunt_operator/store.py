"""What the operator knows of the cluster: a cache in memory, fed by watches and by its own writes."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType

from novahunt_operator.records import Collection, Job, Key, Pod, StoredResult

_NO_PODS: Mapping[str, Pod] = MappingProxyType({})
_NO_JOBS: Mapping[Key, Job] = MappingProxyType({})
_NO_RESULTS: Mapping[str, StoredResult] = MappingProxyType({})


class Store:
    """Records by the questions that are asked of them.

    A record is replaced only by one with a higher resource version, so that a late event never hides
    what a call of our own has answered. (Versions can be compared: Kubernetes KEP-5504.)
    """

    def __init__(self) -> None:
        self._collections: dict[Key, Collection] = {}
        self._jobs: dict[Key, Job] = {}
        self._jobs_of: dict[Key, dict[Key, Job]] = {}
        self._job_by_uid: dict[str, Key] = {}
        self._void: set[str] = set()
        self._pods: dict[str, Pod] = {}
        self._pods_of: dict[Key, dict[str, Pod]] = {}
        self._results: dict[Key, StoredResult] = {}
        self._results_of: dict[Key, dict[str, StoredResult]] = {}

    # Collections

    def put_collection(self, new: Collection) -> None:
        """Keep a collection."""
        old = self._collections.get(new.key)
        if old is None or old.resource_version <= new.resource_version:
            self._collections[new.key] = new

    def drop_collection(self, key: Key, uid: str) -> None:
        """Forget a collection that is deleted; another one of the same name stays."""
        old = self._collections.get(key)
        if old is not None and old.uid == uid:
            del self._collections[key]

    def collection(self, key: Key) -> Collection | None:
        """Return a collection, or None."""
        return self._collections.get(key)

    def collections(self) -> Iterable[Collection]:
        """All collections."""
        return self._collections.values()

    # Jobs

    def put_job(self, new: Job) -> None:
        """Keep a Job."""
        old = self._jobs.get(new.key)
        if old is not None and old.resource_version > new.resource_version:
            return
        if old is not None:
            self.drop_job(old.key, old.uid)
        self._jobs[new.key] = new
        self._job_by_uid[new.uid] = new.key
        self._jobs_of.setdefault(Key(new.key.namespace, new.collection), {})[new.key] = new

    def drop_job(self, key: Key, uid: str) -> None:
        """Forget a Job that is deleted."""
        old = self._jobs.get(key)
        if old is None or old.uid != uid:
            return
        del self._jobs[key]
        self._job_by_uid.pop(uid, None)
        self._void.discard(uid)
        of = self._jobs_of[Key(key.namespace, old.collection)]
        of.pop(key, None)
        if not of:
            del self._jobs_of[Key(key.namespace, old.collection)]

    def jobs_of(self, collection: Key) -> Mapping[Key, Job]:
        """Jobs whose owner has this name; its UID is the caller's to check."""
        return self._jobs_of.get(collection, _NO_JOBS)

    def job_by_uid(self, uid: str) -> Job | None:
        """Return the Job with a UID, or None."""
        key = self._job_by_uid.get(uid)
        return self._jobs.get(key) if key is not None else None

    def void_jobs(self, collection: Key, domain: str, run: int) -> None:
        """Take that the record of a domain's runs up to this one was deleted: their Jobs must not restore it."""
        self._void |= {job.uid for job in self.jobs_of(collection).values() if job.domain == domain and job.run <= run}

    @property
    def void(self) -> AbstractSet[str]:
        """UIDs of Jobs whose record was deleted after they had been recorded."""
        return self._void

    def jobs(self) -> Iterable[Job]:
        """All Jobs."""
        return self._jobs.values()

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
        self._results_of.setdefault(Key(new.key.namespace, new.data.collection), {})[new.data.domain] = new

    def drop_result(self, key: Key, uid: str) -> None:
        """Forget a DomainResult that is deleted."""
        old = self._results.get(key)
        if old is None or old.uid != uid:
            return
        del self._results[key]
        of = self._results_of.get(Key(key.namespace, old.data.collection), {})
        # A person may have restored a second one of the same domain under another name.
        if of.get(old.data.domain) is old:
            del of[old.data.domain]
        if not of:
            self._results_of.pop(Key(key.namespace, old.data.collection), None)

    def results_of(self, collection: Key) -> Mapping[str, StoredResult]:
        """Results of a collection of this name, by domain."""
        return self._results_of.get(collection, _NO_RESULTS)

    def results(self) -> Iterable[StoredResult]:
        """All results."""
        return self._results.values()
