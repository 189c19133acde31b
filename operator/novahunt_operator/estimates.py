"""Plans an estimate: which domains are counted together, which counts are still to be had, and what they come to."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from novahunt_api.spec import CollectionSpec
from novahunt_api.statusobject import Estimate
from novahunt_contract import times
from novahunt_contract.errands import MAX_ESTIMATED, Task
from novahunt_operator.ends import SHARED
from novahunt_operator.errands import ErrandStart, Pods, Setback, Standing, stand
from novahunt_operator.givenup import setback_of
from novahunt_operator.records import Counts, Errand
from novahunt_operator.survey import World

MAX_TEXT = 60 * 1024
"""Bytes of the domains of one estimate: they travel in one environment variable, which Linux limits to 128 KiB."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Domains that one Job counts."""

    domains: tuple[str, ...]
    of: str
    """Names them and the wishes that their counts depend on."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Counts to note on the Job that found them."""

    errand: Errand
    counts: Counts


@dataclass(frozen=True, slots=True)
class EstimateLook:
    """How far an estimate is, in domains, and what it needs."""

    of: str
    waiting: int = 0
    running: int = 0
    backing_off: int = 0
    counted: int = 0
    percent: int = 0
    """Whole, 0 to 100; 100 only when it is complete."""
    result: Estimate | None = None
    """What the status shows: the estimate that was asked for once it is complete, else the one before."""
    complete: bool = False
    ready: tuple[ErrandStart, ...] = ()
    """May start now, in the order of the list."""
    record: tuple[Recording, ...] = ()
    unread: tuple[Errand, ...] = ()
    setbacks: tuple[Setback, ...] = ()
    needed: frozenset[str] = frozenset()
    """UIDs of Jobs that must stay until the status holds the estimate."""


def chunks(domains: Iterable[str], spec: CollectionSpec) -> tuple[Chunk, ...]:
    """Divide the domains; the same ones under the same wishes always come to the same chunks."""
    wishes = [spec.max_results, spec.page_size, spec.search.type]
    return tuple(Chunk(part, _digest([*wishes, *part])) for part in _parts(sorted(domains)))


def look_at_estimate(world: World, ours: Sequence[Errand], pods: Pods, first_pause: timedelta) -> EstimateLook:
    """Tell how far the estimate is, from the Jobs that are there; the status holds it once it is complete.

    While a part of the list is away, nobody knows what is to be counted: what was found and what is at work stays.
    """
    if world.wanted.missing:
        at_work = frozenset(errand.uid for errand in ours if errand.task is Task.ESTIMATE)
        waiting = len(world.wanted.domains)
        return EstimateLook("", waiting, result=world.collection.status.estimate, needed=at_work)
    wanted = chunks(world.wanted.domains, world.collection.spec)
    of = _digest([chunk.of for chunk in wanted])
    total = len(world.wanted.domains)
    known = world.collection.status.estimate
    if known is not None and known.of == of:
        return EstimateLook(of, counted=total, percent=100, result=known, complete=True)
    by_of: dict[str, list[Errand]] = {}
    for errand in ours:
        if errand.task is Task.ESTIMATE:
            by_of.setdefault(errand.of, []).append(errand)
    found = _Sums(setback_of(Task.ESTIMATE, world.given_up.get(Task.ESTIMATE), first_pause))
    for chunk in wanted:
        attempts = by_of.get(chunk.of, [])
        noted = next((errand for errand in attempts if errand.counts is not None), None)
        if noted is not None and noted.counts is not None:
            found.note(chunk, noted, noted.counts)
        else:
            found.add(world, chunk, stand(attempts, pods, world.now, first_pause), pods)
    complete = found.counted == total
    return EstimateLook(
        of,
        waiting=found.waiting,
        running=found.running,
        backing_off=found.backing_off,
        counted=found.counted,
        percent=100 if complete else min(99, (found.counted * 100 + found.hundredths) // total),
        result=found.estimate(of, times.to_text(world.now)) if complete else known,
        complete=complete,
        ready=found.startable(world.now),
        record=tuple(found.record),
        unread=tuple(found.unread),
        setbacks=tuple(found.setbacks),
        needed=frozenset(found.needed),
    )


class _Sums:
    """Domains by state, and what the counted ones come to."""

    def __init__(self, given_up: Setback | None) -> None:
        """Take what keeps the pods of any part from starting."""
        self.waiting = self.running = self.backing_off = self.counted = self.hundredths = 0
        self.emails = self.credits = 0
        self.ready: list[ErrandStart] = []
        self.record: list[Recording] = []
        self.unread: list[Errand] = []
        self.given_up = given_up
        self.setbacks = [given_up] if given_up is not None else []
        self.needed: set[str] = set()

    def note(self, chunk: Chunk, errand: Errand, counts: Counts) -> None:
        self.needed.add(errand.uid)
        self.counted += len(chunk.domains)
        self.emails += counts.emails
        self.credits += counts.credits

    def add(self, world: World, chunk: Chunk, standing: Standing, pods: Pods) -> None:
        size = len(chunk.domains)
        self.needed |= standing.needed
        if standing.live is not None and standing.live.backing_off:
            self.backing_off += size
        elif standing.live is not None:
            self.running += size
            self.hundredths += size * _percent(world, standing.live, pods)
        elif standing.unread is not None or standing.done is not None:
            # It has ended, and is counted once its counts are noted on it.
            self.running += size
            self.hundredths += size * 100
        else:
            self.waiting += size
        if standing.unread is not None:
            self.unread.append(standing.unread)
        if standing.done is not None:
            errand, receipt = standing.done
            self.record.append(Recording(errand, Counts(receipt.domains, receipt.emails, receipt.credits)))
        if standing.setback is not None:
            self.setbacks.append(standing.setback)
        if standing.may_start(world.now):
            self.ready.append(ErrandStart(Task.ESTIMATE, chunk.of, standing.attempts + 1, chunk.domains))

    def startable(self, now: datetime) -> tuple[ErrandStart, ...]:
        """While a reason holds that would end any other Job too, one at a time finds out whether it is over."""
        shared = [setback.again_at for setback in self.setbacks if setback.reason in SHARED]
        waits = [min(shared)] if shared else []
        if self.given_up is not None:
            waits.append(self.given_up.again_at)
        if not waits:
            return tuple(self.ready)
        if self.running or self.backing_off or max(waits) > now:
            return ()
        return tuple(sorted(self.ready, key=lambda start: start.attempt, reverse=True)[:1])

    def estimate(self, of: str, at: str) -> Estimate:
        return Estimate(emails=self.emails, credits=self.credits, domains=self.counted, of=of, at=at)


def _percent(world: World, errand: Errand, pods: Pods) -> int:
    reported = (world.progress.get(pod.uid) for pod in pods.get(errand.uid, ()) if not pod.finished)
    return max((max(0, min(100, one.percent)) for one in reported if one is not None), default=0)


def _parts(domains: Sequence[str]) -> Iterator[tuple[str, ...]]:
    part: list[str] = []
    size = 0
    for domain in domains:
        if part and (len(part) >= MAX_ESTIMATED or size + len(domain) + 1 > MAX_TEXT):
            yield tuple(part)
            part, size = [], 0
        part.append(domain)
        size += len(domain) + 1
    if part:
        yield tuple(part)


def _digest(parts: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
