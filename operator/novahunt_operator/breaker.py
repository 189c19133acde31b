"""Tells, from how the last runs ended, whether starting more Jobs would only repeat a failure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from novahunt_contract import times
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_operator.records import Result
from novahunt_operator.settle import Lost

SHARED = frozenset(
    {
        Reason.KEY_REFUSED,
        Reason.QUOTA_EXHAUSTED,
        Reason.BAD_REQUEST,
        Reason.SUPPRESSION_LIST,
        Reason.THROTTLED,
    }
)
"""Reasons that hold for every domain of the collection alike."""

MAX_PAUSE = timedelta(minutes=1)
"""Longest pause before a single domain whose runs end without an answer comes back."""


class OpenBreaker(msgspec.Struct, frozen=True):
    """The last run that asked Hunter ended for a reason that would end any other run."""

    reason: str
    message: str
    since: datetime
    probe_at: datetime
    """When one Job may be started to see whether it is over."""


def find_open(results: Iterable[Result], probe_after: timedelta) -> OpenBreaker | None:
    """Return the breaker that is open, or None. The newest end decides: a success closes it."""
    newest: Result | None = None
    for result in results:
        if result.ended_at is None or result.reason in _TELLS_NOTHING:
            continue
        if newest is None or _order(result) > _order(newest):
            newest = result
    if newest is None or newest.ended_at is None:
        return None
    if newest.outcome is not Outcome.PENDING or newest.reason not in SHARED:
        return None
    since = times.from_text(newest.ended_at)
    return OpenBreaker(newest.reason, newest.message, since, since + probe_after)


def ready_at(result: Result | None) -> datetime | None:
    """Return when a domain whose last run ended without an answer may run again; None: now.

    The pause doubles with each run, from two seconds to a minute. A superseded run pauses nothing.
    """
    if result is None or result.ended_at is None or result.outcome is not Outcome.PENDING:
        return None
    if result.reason == Lost.SUPERSEDED or result.reason in SHARED:
        return None
    pause = min(timedelta(seconds=2 ** min(result.run, 6)), MAX_PAUSE)
    return times.from_text(result.ended_at) + pause


def _order(result: Result) -> tuple[str, bool, str]:
    """Ends of one second (Kubernetes tells no more of a Job's end) count alike in any order: an answer last."""
    return result.ended_at or "", result.outcome is not Outcome.PENDING, result.domain


_TELLS_NOTHING = frozenset({*Lost, Reason.BUDGET, Reason.STORAGE, Reason.INTERRUPTED, Reason.USAGE})
"""Ends that say nothing of whether Hunter would answer the next run."""
