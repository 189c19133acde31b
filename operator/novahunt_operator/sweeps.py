"""Decides when what is stored must be swept: held against the suppression lists, and against the retention.

A sweep is due when the wishes have changed, when a day has passed, or when a document is held against other lists than
the last sweep applied: a run stored it since, or kept the sweep from it and then failed. Documents in ConfigMaps that
are too old need none: see `retention`.
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
from novahunt_operator.settle import Lost
from novahunt_operator.stored import SUCCESS, has_document, in_config_maps
from novahunt_operator.survey import World

_SECOND = len("2026-11-24T12:00:00")
"""Kubernetes tells the end of a Job in whole seconds."""

_RARELY = timedelta(hours=1)
"""So often at most a sweep follows runs that failed, had begun after the last one, and may have kept it out."""

_WITHOUT_RECEIPT = frozenset(Lost) - {Lost.SUPERSEDED}
"""Ends of runs that may have stored their document all the same."""


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
    due_at = _due_at(world, last, of, every, _end_of(last, errands)) if last is not None else world.now
    if due_at > world.now:
        return SweepLook(last, live=live, needed=needed, due_at=due_at)
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


def _end_of(last: Sweep, errands: Iterable[Errand]) -> datetime | None:
    """Return when a sweep was over; None: its Job is gone, or there was none."""
    ended = (errand.ended_at for errand in errands if times.to_text(errand.began) == last.at)
    found = next((at for at in ended if at is not None), None)
    return found + timedelta(seconds=1) if found is not None else None


def _due_at(world: World, last: Sweep, of: str, every: timedelta, ended: datetime | None) -> datetime:
    """Return when the next sweep is due after the last one, which may be over already; `every` after it at the latest.

    Args:
        world: All that is known of the collection.
        last: The last sweep.
        of: What sweeps depend on now.
        every: How often one is made though nothing has changed.
        ended: When the last one was over, by the end of its Job; None: that is not known.
    """
    began = times.from_text(last.at)
    if last.of != of:
        return began
    results = world.results.values() if world.collection.spec.suppression_from else ()
    since = [result for result in results if has_document(result) and (result.ended_at or "") >= last.at[:_SECOND]]
    told = [result for result in since if _tells(result) or started_at(result.job_id) <= times.to_milliseconds(began)]
    if _outdated(last, told):
        return began
    # Whether these kept the sweep out is not known. While a key is refused, such a run ends every minute.
    if ended is not None:
        since = [result for result in since if started_at(result.job_id) <= times.to_milliseconds(ended)]
    return began + (min(every, _RARELY) if _outdated(last, [*told, *since]) else every)


def _tells(result: Result) -> bool:
    """Tell whether a run may have stored a document: its receipt says so, or there is none that says otherwise."""
    return result.outcome in SUCCESS or result.reason in _WITHOUT_RECEIPT


def _outdated(last: Sweep, results: Iterable[Result]) -> bool:
    """Tell whether these documents may be held against other lists than a sweep applied that had begun before."""
    milliseconds = times.to_milliseconds(times.from_text(last.at))
    digests = {last.suppression} - {""}
    for result in results:
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
