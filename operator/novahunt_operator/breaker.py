"""Tells, from how the last runs ended, whether starting more Jobs would only repeat a failure."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from novahunt_api.domainresults import Result
from novahunt_contract import times
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_operator.ends import (
    ENOUGH,
    IN_A_ROW,
    OF_THE_KEY,
    OF_THE_POD,
    OF_THE_WISHES,
    SHARED,
    Elsewhere,
    Ends,
    Failure,
    Wishes,
    merge,
)
from novahunt_operator.settle import Lost

MAX_PAUSE: Final = timedelta(minutes=1)
"""Longest pause before a single domain whose runs end without an answer comes back."""

MOST_PAUSES: Final = 5
"""A Job whose pod can't start holds a slot for a minute: the pause between two grows to so many times the first."""

OUTAGE: Final = timedelta(minutes=10)
"""Hunter may be away for so long before a person is called."""

RARELY: Final = 60
"""What only a person or a date is expected to end is probed so many times more rarely; a plan may be raised."""


class Scope(StrEnum):
    """Whom a breaker holds for."""

    COLLECTION = "collection"
    KEY = "key"
    HUNTER = "hunter"


class OpenBreaker(msgspec.Struct, frozen=True):
    """The last run that could tell ended for a reason that would end any other run."""

    reason: str
    message: str
    since: datetime
    """When the first of the runs in a row ended."""
    probe_at: datetime
    """When one Job may be started to see whether it is over."""
    scope: Scope = Scope.COLLECTION
    probing: bool = False
    """Whether another collection has a Job at work that will tell."""

    @property
    def needs_person_at(self) -> datetime | None:
        """When a person should look at it; None: never, it passes by itself."""
        if self.reason == Reason.THROTTLED:
            return None
        return self.since + (OUTAGE if self.reason == Reason.HUNTER_UNAVAILABLE else timedelta(0))


def find_open(own: Ends, elsewhere: Elsewhere, wishes: Wishes, probe_after: timedelta) -> OpenBreaker | None:
    """Return the breaker that is open, or None. The newest failure counts that nothing newer has disproved.

    Args:
        own: How the collection's runs ended.
        elsewhere: What others know.
        wishes: What a run would be made under now.
        probe_after: How long after a failure one Job may find out whether it is over.
    """
    key = merge(own, elsewhere.same_key)
    everybody = merge(own, elsewhere.everybody)
    found: list[tuple[Failure, datetime, Scope]] = []
    refused = key.newest(OF_THE_KEY)
    if refused is not None and refused.at > max(key.answered_at, _newest_at(key, Reason.BAD_REQUEST)):
        found.append((refused, times.from_text(refused.at), Scope.KEY))
    wrong = own.newest(OF_THE_WISHES)
    if wrong is not None and wrong.at > own.answered_at:
        found.append((wrong, times.from_text(wrong.at), Scope.COLLECTION))
    kept_out = own.newest(OF_THE_POD)
    if kept_out is not None and kept_out.at > own.started_at:
        found.append((kept_out, times.from_text(kept_out.since), Scope.COLLECTION))
    for reason, ends, closed_at, scope in (
        (Reason.HUNTER_UNAVAILABLE, everybody, everybody.spoke_at, Scope.HUNTER),
        (Reason.STORAGE, own, own.stored_at, Scope.COLLECTION),
    ):
        row = [failure for failure in ends.failures.get(reason, ()) if failure.at > closed_at]
        if sum(failure.in_a_row for failure in row) >= ENOUGH:
            found.append((row[0], min(times.from_text(failure.since) for failure in row), scope))
    if not found:
        return None
    failure, since, scope = max(found, key=lambda one: (one[0].at, one[0].source))
    mine = failure in own.failures.get(failure.reason, ())
    live = {Scope.COLLECTION: 0, Scope.KEY: elsewhere.same_key_live, Scope.HUNTER: elsewhere.live}[scope]
    return OpenBreaker(
        reason=failure.reason,
        message=failure.message,
        since=since,
        probe_at=_probe_at(failure, probe_after, edited=mine and failure.wishes != wishes),
        scope=scope,
        probing=live > 0,
    )


def ready_at(result: Result | None) -> datetime | None:
    """Return when a domain whose last run ended without an answer may run again; None: now.

    The pause doubles with each run, from two seconds to a minute. A superseded run pauses nothing, and where a
    breaker may open it decides.
    """
    if result is None or result.ended_at is None or result.outcome is not Outcome.PENDING:
        return None
    if result.reason == Lost.SUPERSEDED or result.reason in SHARED | OF_THE_POD:
        return None
    runs = result.in_a_row if result.reason in IN_A_ROW else result.run
    pause = min(timedelta(seconds=2 ** min(max(1, runs), 6)), MAX_PAUSE)
    return times.from_text(result.ended_at) + pause


def _newest_at(ends: Ends, reason: Reason) -> str:
    found = ends.newest((reason,))
    return found.at if found is not None else ""


def _probe_at(failure: Failure, probe_after: timedelta, *, edited: bool) -> datetime:
    """Return when to see whether it is over: at once where what may have caused it was edited."""
    ended = times.from_text(failure.at)
    if edited:
        return ended
    if failure.reason in {Reason.BAD_REQUEST, Reason.USAGE}:
        return ended + RARELY * probe_after
    if failure.reason in OF_THE_POD:
        return ended + probe_after * min(failure.in_a_row, MOST_PAUSES)
    if failure.reason == Reason.QUOTA_EXHAUSTED:
        reset = _midnight(failure.reset_date)
        if reset is not None and reset > ended:
            return min(reset, ended + RARELY * probe_after)
    return ended + probe_after


def _midnight(day: str) -> datetime | None:
    """Return the beginning of a day, UTC; None if it is none."""
    try:
        return datetime.combine(date.fromisoformat(day), time(), UTC)
    except ValueError:
        return None
