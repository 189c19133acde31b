"""Finds the documents in ConfigMaps that have grown too old: the operator removes them itself, when they are due."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from novahunt_api.domainresults import Result
from novahunt_api.durations import duration
from novahunt_contract import times
from novahunt_operator.stored import expire, in_config_maps
from novahunt_operator.survey import World

AT_ONCE = 100
"""Documents removed in one go; then other work has its turn."""


@dataclass(frozen=True, slots=True)
class Removal:
    """A document that is too old, which goes."""

    before: Result
    """What was recorded when this was decided."""
    after: Result
    """The same without the document."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """What to remove now, and when the next document is too old."""

    removals: tuple[Removal, ...] = ()
    next_at: datetime | None = None


def look_at_retention(world: World, busy: AbstractSet[str]) -> Expiry:
    """Find them; a busy domain's run may be answering from its document, and comes later."""
    retention = world.collection.spec.retention
    if retention is None or world.collection.deleting:
        return Expiry()
    age = duration(retention)
    # Times are compared as text, which all have one form: a collection may have ten thousand of them.
    oldest = times.to_text(world.now - age)
    expired: list[Removal] = []
    next_collected: str | None = None
    for result in world.results.values():
        if result.collected_at is None or not in_config_maps(result):
            continue
        if result.collected_at <= oldest:
            if result.domain not in busy:
                expired.append(Removal(result, expire(result, retention)))
        elif next_collected is None or result.collected_at < next_collected:
            next_collected = result.collected_at
    expired.sort(key=lambda removal: removal.before.domain)
    next_at = times.from_text(next_collected) + age if next_collected is not None else None
    return Expiry(tuple(expired[:AT_ONCE]), world.now if len(expired) > AT_ONCE else next_at)
