"""Watches collections, Jobs, pods and DomainResults into the store, as compact records."""

from collections.abc import Callable

from novahunt_api import domaincollections, domainresults, names, paths, wire
from novahunt_api.cluster import Cluster
from novahunt_api.domaincollections import Collection, CollectionObject
from novahunt_api.domainresults import ResultObject, StoredResult
from novahunt_api.objects import Key
from novahunt_api.signs import Signs
from novahunt_api.watches import Watch, missed
from novahunt_operator import parse
from novahunt_operator.records import Erasure, Errand, Job, Pod
from novahunt_operator.store import Store

Notify = Callable[[Key], None]
"""Called with the collection whose world has changed."""

AnyWatch = Watch[CollectionObject] | Watch[wire.JobObject] | Watch[wire.PodObject] | Watch[ResultObject]

_COLLECTIONS_PAGE = 50
"""A DomainCollection may have 300 KB."""


class CollectionFeed:
    """DomainCollections."""

    def __init__(self, store: Store, notify: Notify) -> None:
        self._store = store
        self._notify = notify

    def seen(self, item: CollectionObject) -> str:
        """Keep a collection."""
        collection = domaincollections.of(item)
        self._store.put_collection(collection)
        self._notify(collection.key)
        return collection.uid

    def gone(self, item: CollectionObject) -> None:
        """Forget a collection."""
        self._forget(domaincollections.of(item))

    def only(self, namespace: str | None, uids: set[str], version: int) -> None:
        """Forget the collections that are not among these."""
        for collection in missed(self._store.collections(), namespace, uids, version):
            self._forget(collection)

    def _forget(self, collection: Collection) -> None:
        self._store.drop_collection(collection.key, collection.uid)
        self._notify(collection.key)


class JobFeed:
    """Jobs that the operator made, of any kind."""

    def __init__(self, store: Store, notify: Notify) -> None:
        self._store = store
        self._notify = notify

    def seen(self, item: wire.JobObject) -> str:
        """Keep a Job."""
        made = parse.made(item)
        if made is not None:
            self._store.put_made(made)
            self._tell(made)
        return item.metadata.uid

    def gone(self, item: wire.JobObject) -> None:
        """Forget a Job; one that the operator deleted itself is forgotten already."""
        made = parse.made(item)
        if made is not None:
            self._forget(made)

    def only(self, namespace: str | None, uids: set[str], version: int) -> None:
        """Forget the Jobs that are not among these."""
        for made in missed(self._store.made(), namespace, uids, version):
            self._forget(made)

    def _forget(self, made: Job | Errand | Erasure) -> None:
        self._store.lose_made(made)
        self._tell(made)

    def _tell(self, made: Job | Errand | Erasure) -> None:
        self._notify(Key(made.key.namespace, made.collection))


class PodFeed:
    """Collectors' pods."""

    def __init__(self, store: Store, notify: Notify) -> None:
        self._store = store
        self._notify = notify

    def seen(self, item: wire.PodObject) -> str:
        """Keep a pod."""
        pod = parse.pod(item)
        if pod is not None:
            self._store.put_pod(pod)
            self._tell(pod)
        return item.metadata.uid

    def gone(self, item: wire.PodObject) -> None:
        """Forget a pod."""
        pod = self._store.pod(item.metadata.uid)
        if pod is not None:
            self._store.drop_pod(pod.uid)
            self._tell(pod)

    def only(self, namespace: str | None, uids: set[str], version: int) -> None:
        """Forget the pods that are not among these."""
        for pod in missed(self._store.pods(), namespace, uids, version):
            self._store.drop_pod(pod.uid)
            self._tell(pod)

    def _tell(self, pod: Pod) -> None:
        self._notify(Key(pod.key.namespace, pod.collection))


class ResultFeed:
    """DomainResults."""

    def __init__(self, store: Store, notify: Notify) -> None:
        self._store = store
        self._notify = notify

    def seen(self, item: ResultObject) -> str:
        """Keep a result."""
        result = domainresults.read(item)
        self._store.put_result(result)
        self._tell(result)
        return result.uid

    def gone(self, item: ResultObject) -> None:
        """Forget a result."""
        self._forget(domainresults.read(item))

    def only(self, namespace: str | None, uids: set[str], version: int) -> None:
        """Forget the results that are not among these."""
        for result in missed(self._store.results(), namespace, uids, version):
            self._forget(result)

    def _forget(self, result: StoredResult) -> None:
        self._store.lose_result(result.key, result.uid)
        collection = Key(result.key.namespace, result.data.collection)
        self._store.void_jobs(collection, result.data.domain, result.data.run)
        self._tell(result)

    def _tell(self, result: StoredResult) -> None:
        self._notify(Key(result.key.namespace, result.data.collection))


def collection_watch(
    cluster: Cluster, namespace: str | None, feed: CollectionFeed, signs: Signs
) -> Watch[CollectionObject]:
    """Return the watch of DomainCollections."""
    path, item, page = paths.collections(namespace), CollectionObject, _COLLECTIONS_PAGE
    return Watch(cluster, path, namespace=namespace, item=item, feed=feed, signs=signs, page=page)


def job_watch(cluster: Cluster, namespace: str | None, feed: JobFeed, signs: Signs) -> Watch[wire.JobObject]:
    """Return the watch of the operator's Jobs."""
    path, item, selector = paths.jobs(namespace), wire.JobObject, names.SELECTOR
    return Watch(cluster, path, namespace=namespace, item=item, feed=feed, signs=signs, selector=selector)


def pod_watch(cluster: Cluster, namespace: str | None, feed: PodFeed, signs: Signs) -> Watch[wire.PodObject]:
    """Return the watch of collectors' pods."""
    path, item, selector = paths.pods(namespace), wire.PodObject, names.SELECTOR
    return Watch(cluster, path, namespace=namespace, item=item, feed=feed, signs=signs, selector=selector)


def result_watch(cluster: Cluster, namespace: str | None, feed: ResultFeed, signs: Signs) -> Watch[ResultObject]:
    """Return the watch of DomainResults."""
    path, item = paths.results(namespace), ResultObject
    return Watch(cluster, path, namespace=namespace, item=item, feed=feed, signs=signs)
