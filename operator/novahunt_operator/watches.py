"""Lists and watches pods and DomainResults into the store: paged, compact, and endless.

kopf would keep each object whole; 50,000 results cost it 750 MiB (measured with kopf 1.45.2).
"""

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import msgspec

from novahunt_api import domainresults, names, paths, wire
from novahunt_api.cluster import ApiError, Cluster, GoneError, error_of
from novahunt_api.domainresults import ResultObject, StoredResult
from novahunt_api.objects import Key
from novahunt_operator import parse
from novahunt_operator.records import Pod
from novahunt_operator.signs import Signs, Watched
from novahunt_operator.store import Store

PAGE = 500
_FIRST_PAUSE_SECONDS = 0.5
_MAX_PAUSE_SECONDS = 30.0

_log = logging.getLogger(__name__)

Wire = TypeVar("Wire")
Seen_contra = TypeVar("Seen_contra", contravariant=True)


class Feed(Protocol[Seen_contra]):
    """What a watch does with what it sees; each method returns nothing and never fails."""

    def seen(self, item: Seen_contra) -> str:
        """Keep an object and return its UID."""

    def gone(self, item: Seen_contra) -> None:
        """Forget an object."""

    def only(self, namespace: str | None, uids: set[str], version: int) -> None:
        """Forget all objects of the namespace (None: of all) that a list of this version did not hold.

        What is newer than the list stays: an own write may have come between.
        """


class Watch(Generic[Wire]):
    """One kind in one namespace (None: in all), kept up to date for ever."""

    def __init__(
        self,
        cluster: Cluster,
        path: str,
        *,
        namespace: str | None,
        item: type[Wire],
        feed: Feed[Wire],
        signs: Signs,
        selector: str = "",
    ) -> None:
        self._cluster = cluster
        self._signs = signs
        self.watched = Watched(paths.target(path).resource, namespace)
        self._path = path
        self._namespace = namespace
        self._page: type[wire.Page[Wire]] = wire.Page[item]  # type: ignore[valid-type]
        self._item = item
        self._feed = feed
        self._selector = {"labelSelector": selector} if selector else {}
        self.listed = asyncio.Event()
        """Set once the first list is complete."""

    async def run(self) -> None:
        """Watch until cancelled; faults are waited out with jitter, and what was missed is listed again."""
        version = ""
        pause = _FIRST_PAUSE_SECONDS
        self._signs.expect(self.watched)
        while True:
            try:
                if not version:
                    version = await self._list()
                    self.listed.set()
                self._signs.begin(self.watched)
                async for event in self._cluster.watch(self._path, {**self._selector, "resourceVersion": version}):
                    version = self._take(event)
                    pause = _FIRST_PAUSE_SECONDS
            except GoneError:
                version = ""
            except (ApiError, msgspec.MsgspecError) as error:
                _log.warning("watch of %s: %s; again in at most %.1f s", self._path, error, pause)
                version = "" if isinstance(error, msgspec.MsgspecError) else version
                await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - jitter
                pause = min(_MAX_PAUSE_SECONDS, pause * 2)

    async def _list(self) -> str:
        query = {**self._selector, "limit": str(PAGE)}
        uids: set[str] = set()
        while True:
            page = await self._cluster.get(self._path, self._page, query)
            uids.update(self._feed.seen(item) for item in page.items)
            self._signs.heard(self.watched)
            if not page.metadata.continue_:
                self._feed.only(self._namespace, uids, int(page.metadata.resource_version))
                return page.metadata.resource_version
            query["continue"] = page.metadata.continue_

    def _take(self, event: wire.WatchEvent) -> str:
        self._signs.heard(self.watched)
        if event.type == "ERROR":
            status = msgspec.json.decode(event.object, type=wire.StatusObject)
            raise error_of(status.code, bytes(event.object))
        if event.type != "BOOKMARK":
            item = msgspec.json.decode(event.object, type=self._item)
            if event.type == "DELETED":
                self._feed.gone(item)
            else:
                self._feed.seen(item)
        return msgspec.json.decode(event.object, type=wire.Bookmark).metadata.resource_version


Notify = Callable[[Key], None]
"""Called with the collection whose world has changed."""


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
        for pod in [pod for pod in self._store.pods() if pod.uid not in uids]:
            if namespace in (None, pod.key.namespace) and pod.resource_version <= version:
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
        for result in [result for result in self._store.results() if result.uid not in uids]:
            if namespace in (None, result.key.namespace) and result.resource_version <= version:
                self._forget(result)

    def _forget(self, result: StoredResult) -> None:
        self._store.lose_result(result.key, result.uid)
        collection = Key(result.key.namespace, result.data.collection)
        self._store.void_jobs(collection, result.data.domain, result.data.run)
        self._tell(result)

    def _tell(self, result: StoredResult) -> None:
        self._notify(Key(result.key.namespace, result.data.collection))


def pod_watch(cluster: Cluster, namespace: str | None, feed: PodFeed, signs: Signs) -> Watch[wire.PodObject]:
    """Return the watch of collectors' pods."""
    path, item, selector = paths.pods(namespace), wire.PodObject, names.SELECTOR
    return Watch(cluster, path, namespace=namespace, item=item, feed=feed, signs=signs, selector=selector)


def result_watch(cluster: Cluster, namespace: str | None, feed: ResultFeed, signs: Signs) -> Watch[ResultObject]:
    """Return the watch of DomainResults."""
    path, item = paths.results(namespace), ResultObject
    return Watch(cluster, path, namespace=namespace, item=item, feed=feed, signs=signs)
