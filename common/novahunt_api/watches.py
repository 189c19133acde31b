"""Lists and watches objects of one kind: paged, compact, and endless."""

import asyncio
import logging
import random
from collections.abc import Container, Iterable
from typing import Generic, Protocol, TypeVar

import msgspec

from novahunt_api import paths, wire
from novahunt_api.cluster import ApiError, Cluster, GoneError, error_of
from novahunt_api.objects import Key
from novahunt_api.signs import Signs, Watched

PAGE = 500
"""Objects per page of a list."""

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


class Known(Protocol):
    """An object that is kept, by what tells whether a list should have held it."""

    @property
    def key(self) -> Key:
        """Its namespace and name."""

    @property
    def uid(self) -> str:
        """Which one it is."""

    @property
    def resource_version(self) -> int:
        """Which state of it is kept."""


Kept = TypeVar("Kept", bound=Known)


def missed(known: Iterable[Kept], namespace: str | None, uids: Container[str], version: int) -> list[Kept]:
    """Return the known objects that are gone, because a list of this version did not hold them.

    Args:
        known: What is kept, of any namespace.
        namespace: That the list was of; None: of all.
        uids: Those that it held.
        version: Its own. What is newer than the list stays: an own write may have come between.
    """
    return [
        one
        for one in known
        if one.uid not in uids and namespace in (None, one.key.namespace) and one.resource_version <= version
    ]


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
        page: int = PAGE,
    ) -> None:
        """Take what is watched and who is told.

        Args:
            cluster: The connection.
            path: Of the list.
            namespace: That it is of; None: of all.
            item: What its objects are read as.
            feed: What is told.
            signs: What hears each sign of life.
            selector: Of labels; empty: all.
            page: Objects per page of a list: fewer, where one may be large.
        """
        self._cluster = cluster
        self._signs = signs
        self.watched = Watched(paths.target(path).resource, namespace)
        self._path = path
        self._namespace = namespace
        self._item = item
        self._feed = feed
        self._selector = {"labelSelector": selector} if selector else {}
        self._limit = str(page)
        self._listing = asyncio.Lock()
        """Held while a list is read: of two at once, the older could bring back what the newer did not hold."""
        self._gone_meanwhile: set[str] = set()
        """UIDs of what the running watch saw deleted while a list was read."""
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

    async def list_anew(self) -> None:
        """List all again beside the running watch: what a late answer to a call of our own has brought back, goes.

        Raises:
            ApiError: no list could be had.
        """
        while True:
            try:
                await self._list()
            except GoneError:
                # The pages took longer than the server remembers the version that they are of: some minutes.
                continue
            return

    async def _list(self) -> str:
        query = {**self._selector, "limit": self._limit}
        uids: set[str] = set()
        async with self._listing:
            self._gone_meanwhile.clear()
            while True:
                page = await self._cluster.get(self._path, wire.Page[msgspec.Raw], query)
                self._signs.heard(self.watched)
                uids.update(self._keep(data) for data in page.items)
                if not page.metadata.continue_:
                    self._feed.only(self._namespace, uids, int(page.metadata.resource_version))
                    return page.metadata.resource_version
                query["continue"] = page.metadata.continue_

    def _keep(self, data: msgspec.Raw) -> str:
        """Keep an object of a list, and return its UID.

        All pages show what there was when the first was asked for: what has been deleted since must not come back.
        """
        uid = msgspec.json.decode(data, type=wire.Versioned).metadata.uid
        return uid if uid in self._gone_meanwhile else self._feed.seen(msgspec.json.decode(data, type=self._item))

    def _take(self, event: wire.WatchEvent) -> str:
        self._signs.heard(self.watched)
        if event.type == "ERROR":
            status = msgspec.json.decode(event.object, type=wire.StatusObject)
            raise error_of(status.code, bytes(event.object))
        identity = msgspec.json.decode(event.object, type=wire.Versioned).metadata
        if event.type != "BOOKMARK":
            item = msgspec.json.decode(event.object, type=self._item)
            if event.type == "DELETED":
                if self._listing.locked():
                    self._gone_meanwhile.add(identity.uid)
                self._feed.gone(item)
            else:
                self._feed.seen(item)
        return identity.resource_version
