"""Follows collections by a watch of the Kubernetes API, and tells when they have come to an end. No polling."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from enum import Enum
from typing import Any

import msgspec

from novahunt_api import domaincollections, paths, wire
from novahunt_api.cluster import Cluster, GoneError, UnavailableError
from novahunt_api.conditions import ConditionType
from novahunt_api.domaincollections import Collection
from novahunt_cli.exits import CommandError, Exit

Seen = Mapping[str, Collection]
"""Collections by `namespace/name`."""

_PAUSE_SECONDS = 1.0
"""Before a broken watch is begun anew."""

_OUTAGE_SECONDS = 180.0
"""How long the API server may be away while something is followed."""


class Ending(Enum):
    """How far a collection is, for one who waits."""

    OPEN = "open"
    DONE = "done"
    SOME_FAILED = "some failed"
    SUSPENDED = "suspended"
    STALLED = "stalled"


def ending(collection: Collection) -> Ending:
    """Tell how far it is; what the operator says of an older generation does not count."""
    status = collection.status
    found = {condition.type: condition for condition in status.conditions if condition.status == "True"}
    if status.observed_generation < collection.generation:
        return Ending.OPEN
    if collection.is_ready:
        failed = status.domains.failed if status.domains is not None else 0
        return Ending.SOME_FAILED if failed else Ending.DONE
    if ConditionType.STALLED in found:
        return Ending.STALLED
    running = status.domains.running if status.domains is not None else 0
    if ConditionType.SUSPENDED in found and not running:
        return Ending.SUSPENDED
    return Ending.OPEN


CODES = {
    Ending.DONE: Exit.DONE,
    Ending.SOME_FAILED: Exit.SOME_FAILED,
    Ending.SUSPENDED: Exit.DONE,
    Ending.STALLED: Exit.STALLED,
}


async def follow(cluster: Cluster, namespace: str | None, name: str | None) -> AsyncGenerator[Seen]:
    """Yield all collections that are meant, at first and after each change, for as long as it is asked.

    Raises:
        CommandError: the one that is named is not there, or goes away.
    """
    path = paths.collections(namespace)
    query = {"fieldSelector": f"metadata.name={name}"} if name is not None else {}
    patience = 0.0
    while True:
        page = await _list(cluster, path, query, patience)
        # At first a person wants to know at once; later a restart of the API server should end no waiting.
        patience = _OUTAGE_SECONDS
        seen = {_key(one): one for one in map(domaincollections.read, page.items)}
        if name is not None and not seen:
            raise CommandError(
                f"there is no collection {name} in namespace {namespace}: see `novahunt status -A`", Exit.NOT_FOUND
            )
        yield seen
        version = page.metadata.resource_version
        try:
            async for event in cluster.watch(path, {**query, "resourceVersion": version}):
                if event.type == "BOOKMARK":
                    continue
                if event.type == "ERROR":
                    # The version is forgotten: begin anew.
                    break
                changed = domaincollections.read(msgspec.json.decode(event.object))
                if event.type == "DELETED":
                    if name is not None:
                        raise CommandError(f"collection {name} was deleted meanwhile", Exit.NOT_FOUND)
                    seen.pop(_key(changed), None)
                else:
                    seen[_key(changed)] = changed
                yield seen
        except (GoneError, UnavailableError):
            await asyncio.sleep(_PAUSE_SECONDS)


async def _list(cluster: Cluster, path: str, query: Mapping[str, str], patience: float) -> wire.Page[dict[str, Any]]:
    clock = asyncio.get_running_loop()
    deadline = clock.time() + patience
    while True:
        try:
            return await cluster.get(path, wire.Page[dict[str, Any]], query)
        except UnavailableError:
            if clock.time() >= deadline:
                raise
            await asyncio.sleep(_PAUSE_SECONDS)


async def until(
    cluster: Cluster, namespace: str | None, name: str | None, seconds: float | None
) -> AsyncGenerator[Seen]:
    """Follow for so many seconds at most; None: for ever.

    Raises:
        CommandError: the time is over; or as `follow`.
    """
    clock = asyncio.get_running_loop()
    deadline = None if seconds is None else clock.time() + seconds
    stream = follow(cluster, namespace, name)
    try:
        while True:
            async with asyncio.timeout_at(deadline):
                seen = await anext(stream)
            yield seen
    except TimeoutError:
        again = f"`novahunt watch {name or ''}`".replace(" `", "`")
        raise CommandError(
            f"not done after {seconds:g} seconds; it goes on without being watched, and {again} shows it again",
            Exit.TIMEOUT,
        ) from None
    finally:
        await stream.aclose()


async def until_ended(
    cluster: Cluster, namespace: str, name: str, show: Callable[[Seen], None], seconds: float | None
) -> Collection:
    """Follow one collection until it ends, suspends or stalls, and return it as it is then.

    Args:
        cluster: The connection.
        namespace: Its namespace.
        name: Its name.
        show: Called with what is seen, each time.
        seconds: How long at most; None: for ever.

    Raises:
        CommandError: it took longer, is not there, or goes away.
    """
    async with aclosing(until(cluster, namespace, name, seconds)) as stream:
        async for seen in stream:
            show(seen)
            last = next(iter(seen.values()))
            if ending(last) is not Ending.OPEN:
                return last
    raise AssertionError("a watch without an end has ended")


def _key(collection: Collection) -> str:
    return f"{collection.key.namespace}/{collection.key.name}"
