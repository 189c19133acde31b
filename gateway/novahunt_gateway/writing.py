"""Makes and changes collections for callers, so that however many ask at once, one thing is done."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from novahunt_api import creating, domaincollections, names, paths
from novahunt_api.cluster import MERGE_PATCH, ApiError, Cluster, ConflictError, NotFoundError, UnavailableError
from novahunt_api.domaincollections import Collection
from novahunt_api.objects import Key
from novahunt_api.spec import Mode
from novahunt_contract import domains, times
from novahunt_gateway import jobs
from novahunt_gateway.errors import BusyError, RefusedError, TakenError
from novahunt_gateway.jobs import Job
from novahunt_gateway.objects import Objects

MADE_BY_LABEL = f"{names.GROUP}/made-by"
MADE_BY = "gateway"

_TRIES = 5

_SPELLINGS = 20
"""In which the list of a job may write its domain; nobody needs more."""


class Writing:
    """What callers may change. None of it logs a domain's addresses or a token."""

    def __init__(
        self, cluster: Cluster, objects: Objects, defaults: Mapping[str, Any], now: Callable[[], datetime]
    ) -> None:
        """Take the fields that a single domain's collection has beside its domain, and the time."""
        self._cluster = cluster
        self._objects = objects
        self._defaults = defaults
        self._now = now

    async def collect(self, namespace: str, domain: str) -> Job:
        """See that a domain is being collected, and return its job; one that is under way is that one.

        Raises:
            TakenError, RefusedError, BusyError: it is not.
        """
        key = Key(namespace, jobs.collection_name(domain))
        found = self._objects.collection(key)
        for _ in range(_TRIES):
            if found is None:
                found, is_new = await self._made(key, domain)
                if is_new:
                    return self._job(found, domain)
            if not jobs.is_wish(found.spec.recollect) or _own(key.name, found.spec.domains) != domain:
                raise TakenError(f"collection {key.name} is somebody's own: it is not changed")
            if found.spec.mode is Mode.ESTIMATE:
                raise TakenError(f"collection {key.name} only estimates: let it collect first")
            if found.deleting:
                raise BusyError(f"collection {key.name} is being deleted: try again in a moment")
            job = self._job(found, domain)
            if not job.state.ended:
                return job
            again = await self._asked_again(found)
            if again is not None:
                return self._job(again, domain)
            # Another caller was first: what stands there now is the same job for both.
            found = await self._read(key)
        raise BusyError(f"collection {key.name} is being changed by others: try again")

    async def make(self, key: Key, entries: Sequence[str], wishes: Mapping[str, Any]) -> Collection:
        """Make a collection; one that has a domain's own name is that domain's job, whoever asks for it.

        Raises:
            TakenError: there is one of that name.
            RefusedError: the API server does not take it.
            BusyError: not now, or not before somebody has made the namespace or installed the kinds.
        """
        own = _own(key.name, entries)
        if own is not None:
            entries = (own,)
            wishes = {**self._defaults, "recollect": self._wish(), **wishes}
        body = _body(key, {**wishes, "domains": entries})
        try:
            raw = await _asked(creating.create(self._cluster, paths.collections(key.namespace), body))
        except ConflictError:
            raise TakenError(f"there is a collection {key.name}") from None
        except NotFoundError as error:
            place = f"no namespace {key.namespace}, or no DomainCollections"
            raise BusyError(f"Kubernetes knows {place}: tell who runs this gateway ({error.message})") from None
        return self._kept(raw)

    async def change(self, key: Key, wishes: Mapping[str, Any]) -> Collection:
        """Merge fields into a collection's spec.

        Raises:
            RefusedError: the API server does not take it, or the collection is gone.
            BusyError: not now.
        """
        try:
            return self._kept(await self._call("PATCH", paths.collections(key.namespace, key.name), {"spec": wishes}))
        except (NotFoundError, ConflictError) as error:
            raise RefusedError(error.message) from None

    async def _made(self, key: Key, domain: str) -> tuple[Collection, bool]:
        """Return a domain's collection, and whether it was made just now."""
        try:
            made = await self.make(key, (domain,), {})
        except TakenError:
            found = await self._read(key)
            if found is None:
                raise BusyError(f"collection {key.name} is being deleted: try again in a moment") from None
            return found, False
        return made, True

    async def _asked_again(self, found: Collection) -> Collection | None:
        """Have a domain collected again; None: the collection was changed since it was seen."""
        metadata = {"uid": found.uid, "resourceVersion": str(found.resource_version)}
        change = {"metadata": metadata, "spec": {"recollect": self._wish()}}
        try:
            return self._kept(await self._call("PATCH", paths.collections(found.key.namespace, found.key.name), change))
        except (ConflictError, NotFoundError):
            return None

    async def _read(self, key: Key) -> Collection | None:
        try:
            return self._kept(await self._call("GET", paths.collections(key.namespace, key.name), None))
        except NotFoundError:
            return None

    async def _call(self, method: str, path: str, body: object) -> bytes:
        kind = MERGE_PATCH if method == "PATCH" else "application/json"
        return await _asked(self._cluster.call(method, path, body=body, content_type=kind))

    def _kept(self, raw: bytes) -> Collection:
        found = domaincollections.read(msgspec.json.decode(raw))
        self._objects.put_collection(found)
        return found

    def _job(self, found: Collection, domain: str) -> Job:
        # What was read or answered is newer than what is kept, or the same.
        standing = self._objects.standing(found.key, domain)
        return jobs.job_of(msgspec.structs.replace(standing, collection=found, is_listed=True))

    def _wish(self) -> str:
        return str(times.to_milliseconds(self._now()))


async def _asked(call: Awaitable[bytes]) -> bytes:
    """Return the answer to a call of the API server; what is not there or in the way is for the caller to judge."""
    try:
        return await call
    except (ConflictError, NotFoundError):
        raise
    except UnavailableError:
        raise BusyError("Kubernetes does not answer: try again") from None
    except ApiError as error:
        raise RefusedError(error.message) from None


def _own(name: str, entries: Sequence[str]) -> str | None:
    """Return the domain whose job a collection of this name and list is, in its one form; None: it is no job.

    It takes milliseconds whatever the list is, for everybody waits meanwhile: a long entry alone may take one.
    """
    if not name.startswith(jobs.PREFIX):
        return None
    spellings = tuple(dict.fromkeys(entries))
    if not 0 < len(spellings) <= _SPELLINGS:
        return None
    try:
        domain = domains.normalise(spellings[0])
        is_own = jobs.collection_name(domain) == name and all(domains.normalise(one) == domain for one in spellings)
    except domains.NotADomainError:
        return None
    return domain if is_own else None


def _body(key: Key, spec: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {"name": key.name, "namespace": key.namespace, "labels": {MADE_BY_LABEL: MADE_BY}}
    return {"apiVersion": names.API_VERSION, "kind": "DomainCollection", "metadata": metadata, "spec": spec}
