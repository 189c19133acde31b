"""Says when a domain's answer has grown old by `spec.refreshAfter`, so that it is collected again."""

import zlib
from datetime import datetime, timedelta
from functools import lru_cache

from novahunt_api.domainresults import Result
from novahunt_contract import times
from novahunt_contract.outcomes import Outcome
from novahunt_operator.settle import Lost

LONGEST_SPREAD = timedelta(hours=24)
"""Domains that were collected together don't all come back at once: each by its name, up to so much later."""

_SPREAD_PART = 10
"""And by no more than this part of the whole time."""

_SLOTS = 1024
"""Different delays."""


def due_at(result: Result, after: timedelta | None) -> datetime | None:
    """Return when a domain is to be collected again; None: not for its age.

    An answer ages from when it was collected, also where it was taken from storage. A failed run counts
    from its end, so that a domain whose refresh fails is not tried over and over.
    """
    failed = result.outcome is Outcome.FAILED
    since = result.ended_at if failed else result.collected_at or result.ended_at
    if after is None or since is None:
        return None
    return times.from_text(since) + _pause(result.domain, after)


def is_refreshed(result: Result, due: datetime | None, now: datetime) -> bool:
    """Tell whether a run that ended without an answer was one to refresh a document that is still there.

    Args:
        result: How it ended.
        due: When the document is to be refreshed.
        now: The time of the decision.
    """
    if result.outcome is not Outcome.PENDING or result.collected_at is None or due is None:
        return False
    # Where only the receipt was lost, the record may tell of the new document already.
    return due <= now or result.reason == Lost.RECEIPT_MISSING


def _pause(domain: str, after: timedelta) -> timedelta:
    """Return the time with a domain's own delay, the same for ever; the checksum is cheap and spreads evenly."""
    return _pauses(after)[zlib.crc32(domain.encode()) % _SLOTS]


@lru_cache(maxsize=32)
def _pauses(after: timedelta) -> tuple[timedelta, ...]:
    """Return all of them; ten thousand domains ask for theirs at each look."""
    longest = min(LONGEST_SPREAD, after / _SPREAD_PART)
    return tuple(after + longest * slot / _SLOTS for slot in range(_SLOTS))
