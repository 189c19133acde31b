"""Decides when what is stored must be swept: held against the suppression lists, and against the retention.

A sweep is due when the wishes have changed, when a day has passed, or when a run stored a document under other lists
than the last sweep applied. Documents in ConfigMaps that are too old need none: see `retention`.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from novahunt_api.domainresults import Result
from novahunt_api.statusobject import Sweep
from novahunt_contract import times
from novahunt_contract.document import started_at
from novahunt_contract.errands import ErrandReceipt, Task
from novahunt_operator.errands import ErrandStart, Pods, Setback, stand, success
from novahunt_operator.givenup import setback_of
from novahunt_operator.records import Errand
from novahunt_operator.stored import has_document, in_config_maps
from novahunt_operator.survey import World

_SECOND = len("2026-11-24T12:00:00")
"""Kubernetes tells the end of a Job in whole seconds."""


@dataclass(frozen=True, slots=True)
class SweepLook:
    """What the last sweep was, and what the next one needs."""

    last: Sweep | None
    """What the status shows."""
    ready: tuple[ErrandStart, ...] = ()
    live: tuple[Errand, ...] = ()
    unread: tuple[Errand, ...] = ()
    setbacks: tuple[Setback, ...] = ()
    needed: frozenset[str] = frozenset()
    """UIDs of Jobs that must stay: they count the attempts, or the status does not show them yet."""
    due_at: datetime | None = None
    """When time alone makes the next one due."""


def wishes(world: World) -> str:
    """Name what a sweep depends on; empty: nothing asks for sweeps."""
    spec = world.collection.spec
    if not spec.suppression_from and spec.retention is None:
        return ""
    parts = [spec.suppression_from, world.lists.digests, spec.retention, spec.storage, world.collection.sweep_wish]
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:16]


def look_at_sweeps(
    world: World, ours: Sequence[Errand], pods: Pods, *, every: timedelta, first_pause: timedelta, hindered: bool
) -> SweepLook:
    """Tell what the status should show of sweeps, and whether one must start.

    Args:
        world: All that is known of the collection.
        ours: Its errands.
        pods: Their pods.
        every: How often a sweep is made though nothing has changed.
        first_pause: Between the first attempt that fails and the second.
        hindered: Whether none may start now.
    """
    errands = [errand for errand in ours if errand.task is Task.SWEEP]
    shown = world.collection.status.sweep
    since = errands if shown is None else [errand for errand in errands if times.to_text(errand.began) > shown.at]
    last, needed = _last(shown, since, pods)
    live = tuple(errand for errand in errands if errand.end is None)
    of = wishes(world)
    if not of or world.collection.deleting:
        return SweepLook(last, live=live, needed=needed)
    if last is not None and not _is_due(world, last, of, every):
        return SweepLook(last, live=live, needed=needed, due_at=times.from_text(last.at) + every)
    if hindered or world.lists.missing:
        return SweepLook(last, live=live, needed=needed)
    if not live and not _anything(world):
        done = Sweep(at=times.to_text(world.now), of=of)
        return SweepLook(done, needed=needed, due_at=world.now + every)
    standing = stand([errand for errand in since if errand.of == of], pods, world.now, first_pause)
    given_up = world.given_up.get(Task.SWEEP)
    if given_up is not None and given_up.of == of:
        standing = replace(standing, setback=setback_of(Task.SWEEP, given_up, first_pause))
    start = ErrandStart(Task.SWEEP, of, standing.attempts + 1, after=shown.at if shown is not None else "")
    may_start = standing.may_start(world.now) and not live and not _orphans(world)
    return SweepLook(
        last,
        ready=(start,) if may_start else (),
        live=live,
        unread=(standing.unread,) if standing.unread is not None else (),
        setbacks=(standing.setback,) if standing.setback is not None else (),
        needed=needed | standing.needed,
    )


def _last(shown: Sweep | None, since: Iterable[Errand], pods: Pods) -> tuple[Sweep | None, frozenset[str]]:
    """The newest sweep that succeeded, and its Job's UID: that must stay until the status shows it."""
    found, needed = shown, frozenset[str]()
    for errand in since:
        receipt = success(errand, pods.get(errand.uid, ()))
        began = times.to_text(errand.began)
        if receipt is not None and (found is None or began > found.at):
            found, needed = _of(errand, receipt, began), frozenset({errand.uid})
    return found, needed


def _of(errand: Errand, receipt: ErrandReceipt, began: str) -> Sweep:
    return Sweep(
        at=began,
        of=errand.of,
        suppression=receipt.suppression,
        documents=receipt.changed + receipt.removed,
        emails=receipt.emails,
    )


def _is_due(world: World, last: Sweep, of: str, every: timedelta) -> bool:
    if last.of != of or world.now >= times.from_text(last.at) + every:
        return True
    return bool(world.collection.spec.suppression_from) and _outdated(last, world.results.values())


def _outdated(last: Sweep, results: Iterable[Result]) -> bool:
    """Tell whether a run that ended since the last sweep stored under other lists than that one applied."""
    began, milliseconds = last.at[:_SECOND], times.to_milliseconds(times.from_text(last.at))
    digests = {last.suppression} - {""}
    for result in results:
        if not has_document(result) or (result.ended_at or "")[:_SECOND] < began:
            continue
        if result.suppression:
            digests.add(result.suppression)
        elif last.suppression:
            return True
        if not last.suppression and started_at(result.job_id) <= milliseconds:
            # Nothing was stored when that sweep was put down as done, and this run had begun under older lists.
            return True
    return len(digests) > 1


def _anything(world: World) -> bool:
    """Tell whether there may be anything to sweep; a volume may hold files that no record tells of."""
    spec = world.collection.spec
    if spec.volume is not None:
        return True
    return bool(spec.suppression_from) and any(in_config_maps(result) for result in world.results.values())


def _orphans(world: World) -> bool:
    """Tell whether a pod of an errand's Job that was deleted is still at work."""
    known = {errand.uid for errand in world.errands}
    return any(not pod.domain and not pod.finished and pod.job_uid not in known for pod in world.pods)
