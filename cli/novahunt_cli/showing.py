"""What tables show of collections and results: pure, one row for each."""

from collections.abc import Sequence
from datetime import datetime

from novahunt_api.conditions import ConditionType, find
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Result
from novahunt_contract import times

COLLECTION_COLUMNS = ("NAME", "READY", "STATUS", "DONE", "PROGRESS", "EMAILS", "CREDITS", "RATE", "ETA", "FAILED")
RESULT_COLUMNS = ("DOMAIN", "OUTCOME", "EMAILS", "CREDITS", "COLLECTED", "REASON")

_MINUTE = 60
_HOUR = 3600
_DAY = 86400


def collection_row(collection: Collection, now: datetime, *, with_namespace: bool) -> tuple[str, ...]:
    """Return a collection's cells, with its namespace in front where several are shown."""
    status = collection.status
    ready = find(status.conditions, ConditionType.READY)
    cells = (
        collection.key.name,
        ready.status if ready is not None else "",
        ready.reason if ready is not None else "",
        status.done,
        f"{status.progress}%" if status.progress is not None else "",
        f"{status.emails:,}" if status.emails is not None else "",
        f"{status.credits.used:,}" if status.credits is not None else "",
        status.rate or "",
        remaining(status.estimated_completion_time, now),
        str(status.domains.failed) if status.domains is not None else "",
    )
    return (collection.key.namespace, *cells) if with_namespace else cells


def result_row(result: Result, now: datetime) -> tuple[str, ...]:
    """Return a result's cells."""
    collected = ago(result.collected_at, now)
    return (
        result.domain,
        str(result.outcome),
        f"{result.emails:,}",
        f"{result.credits_total:,}",
        collected,
        result.reason,
    )


def totals(results: Sequence[Result]) -> str:
    """Return one sentence that sums results up."""
    emails = sum(result.emails for result in results)
    credits_ = sum(result.credits_total for result in results)
    failed = sum(result.outcome == "Failed" for result in results)
    return (
        f"{counted(len(results), 'domain')}, {counted(emails, 'address', 'es')}, {counted(credits_, 'credit')}"
        f", {failed:,} failed"
    )


def remaining(text: str | None, now: datetime) -> str:
    """Return how long it is until a time, as kubectl writes ages; empty for none and for the past."""
    moment = _moment(text)
    return "" if moment is None or moment <= now else span((moment - now).total_seconds())


def ago(text: str | None, now: datetime) -> str:
    """Return how long ago a time was; empty for none."""
    moment = _moment(text)
    return "" if moment is None else span(max(0.0, (now - moment).total_seconds()))


def span(seconds: float) -> str:
    """Return a time span in one or two units, as kubectl does: 45s, 3m12s, 2h, 5d."""
    whole = int(seconds)
    if whole < 2 * _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        rest = whole % _MINUTE
        return f"{whole // _MINUTE}m" + (f"{rest}s" if rest and whole < 10 * _MINUTE else "")
    if whole < 2 * _DAY:
        rest = whole % _HOUR // _MINUTE
        return f"{whole // _HOUR}h" + (f"{rest}m" if rest and whole < 8 * _HOUR else "")
    return f"{whole // _DAY}d"


def counted(number: int, noun: str, plural: str = "s") -> str:
    """Return a number with its noun: 1 address, 1,200 addresses."""
    return f"{number:,} {noun}{'' if number == 1 else plural}"


def _moment(text: str | None) -> datetime | None:
    try:
        return times.from_text(text) if text else None
    except ValueError:
        return None
