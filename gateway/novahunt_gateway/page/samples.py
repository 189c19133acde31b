"""The recent past of each collection, kept in memory for the chart: bounded, whole, and gone with the process."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from novahunt_api.domaincollections import Collection

MOST = 120
"""Samples of a collection; then every second one goes, and the next ones are taken half as often."""
FIRST_PAUSE = timedelta(seconds=5)


class Sample(msgspec.Struct, frozen=True):
    """A collection at one moment."""

    at: datetime
    credits: int
    ended: int
    """Domains that have succeeded or failed."""


class Ring:
    """The samples of one collection: of its whole time here, the finer the shorter that is."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.pause = FIRST_PAUSE

    def take(self, sample: Sample) -> None:
        """Keep a sample, unless the last one is too fresh."""
        if self.samples and sample.at - self.samples[-1].at < self.pause:
            return
        self.samples.append(sample)
        if len(self.samples) > MOST:
            self.samples = self.samples[::2]
            self.pause *= 2


class Samples:
    """The rings of all collections that are there."""

    def __init__(self) -> None:
        self._rings: dict[str, Ring] = {}

    def take(self, collections: Iterable[Collection], now: datetime) -> None:
        """Take a sample of each collection, and forget those that are gone."""
        rings: dict[str, Ring] = {}
        for collection in collections:
            rings[collection.uid] = ring = self._rings.get(collection.uid) or Ring()
            ring.take(sample_of(collection, now))
        self._rings = rings

    def of(self, uid: str) -> tuple[Sample, ...]:
        """Return a collection's samples, the oldest first."""
        ring = self._rings.get(uid)
        return tuple(ring.samples) if ring is not None else ()


def sample_of(collection: Collection, now: datetime) -> Sample:
    """Return what the chart keeps of a collection's status."""
    counts, spent = collection.status.domains, collection.status.credits
    ended = counts.succeeded + counts.failed if counts is not None else 0
    return Sample(now, spent.used if spent is not None else 0, ended)
