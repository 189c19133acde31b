"""Translates kopf's events into updates of the store and keys in the queue; kopf itself writes nothing."""

import itertools
import logging
import random
from collections.abc import Callable, Iterator
from typing import Any

import kopf
import msgspec

from novahunt_api import domaincollections, names
from novahunt_api.objects import Key
from novahunt_operator import parse
from novahunt_operator.kopfsession import KopfSessions
from novahunt_operator.store import Store

_log = logging.getLogger(__name__)

_PAGE = 100
"""Objects per page of the first list: a DomainCollection may have 300 KB."""


class _Endless:
    """Pauses between a watch's reconnections: with jitter, for as long as the outage lasts."""

    def __iter__(self) -> Iterator[float]:
        for number in itertools.count():
            yield random.uniform(0.5, min(30.0, 2.0 ** min(number, 5)))  # noqa: S311 - jitter


class _NoDiffBase(kopf.DiffBaseStorage):
    """Copies and keeps nothing. kopf's own copies each object whole, though `on.event` never looks at a difference."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        """Return nothing to compare."""
        return {}

    def fetch(self, **_: Any) -> None:
        """Find nothing."""

    def store(self, **_: Any) -> None:
        """Store nothing."""


class _NoProgress(kopf.ProgressStorage):
    """The same for handlers' progress: `on.event` has none."""

    def fetch(self, **_: Any) -> None:
        """Find nothing."""

    def store(self, **_: Any) -> None:
        """Store nothing."""

    def purge(self, **_: Any) -> None:
        """Remove nothing."""

    def touch(self, **_: Any) -> None:
        """Touch nothing."""

    def clear(self, *, essence: kopf.BodyEssence) -> kopf.BodyEssence:
        """Return what `_NoDiffBase` built."""
        return essence


def settings() -> kopf.OperatorSettings:
    """Return kopf's settings: it watches what is named, posts nothing, and never gives a watch up."""
    found = kopf.OperatorSettings()
    found.peering.standalone = True
    found.scanning.disabled = True
    found.posting.enabled = False
    found.watching.chunk_size = _PAGE
    found.watching.label_selectors["jobs.batch"] = names.SELECTOR
    found.networking.error_backoffs = _Endless()
    found.persistence.diffbase_storage = _NoDiffBase()
    found.persistence.progress_storage = _NoProgress()
    return found


def registry(store: Store, changed: Callable[[Key], None], sessions: KopfSessions) -> kopf.OperatorRegistry:
    """Return the handlers; `changed` is told the collection whose world has changed.

    They are coroutines because kopf runs plain functions in threads, where neither store nor queue may be touched.
    """
    handlers = kopf.OperatorRegistry()

    @kopf.on.login(registry=handlers)
    async def login(**kwargs: Any) -> kopf.AiohttpSession | None:
        found = kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)
        return sessions.open(found) if found is not None else None

    # Coroutines, for kopf calls others in threads of their own, and the store and the queue belong to the loop.
    @kopf.on.event(names.GROUP, names.VERSION, names.COLLECTIONS, registry=handlers)
    async def collection_event(event: kopf.RawEvent, **_: Any) -> None:
        try:
            collection = domaincollections.read(event["object"])
        except msgspec.ValidationError as error:
            _log.error("a DomainCollection can't be read: %s", error)
            return
        if event["type"] == "DELETED":
            store.drop_collection(collection.key, collection.uid)
        else:
            store.put_collection(collection)
        changed(collection.key)

    @kopf.on.event("batch", "v1", "jobs", registry=handlers)
    async def job_event(event: kopf.RawEvent, **_: Any) -> None:
        deleted = event["type"] == "DELETED"
        made = parse.made(event["object"])
        if made is None:
            return
        store.lose_made(made) if deleted else store.put_made(made)
        changed(Key(made.key.namespace, made.collection))

    del login, collection_event, job_event
    return handlers
