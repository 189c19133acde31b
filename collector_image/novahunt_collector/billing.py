"""Tells which pages Hunter gives away because they were paid for earlier in the same billing period. Pure.

Hunter's API documentation (read 2026-11) says that the same request is charged once in a billing period. Periods are
taken for months that end on the account's reset date; in a longer one, more is free than is counted here.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

from novahunt_collector.tally import Page
from novahunt_contract import times
from novahunt_contract.document import Document

_LONGEST_PERIOD = timedelta(days=31)


def may_be_free(before: Document, *, search_hash: str, key: str, now: datetime) -> bool:
    """Tell whether it is worth asking Hunter when the billing period began.

    Args:
        before: What is stored.
        search_hash: Of the filters wanted now.
        key: Fingerprint of the key that is asked with now. Another one may be another account's, which pays again.
        now: UTC.
    """
    collected = _collected_at(before)
    same = before.search_hash == search_hash and before.key == key != "" and bool(before.pages)
    return same and before.total > 0 and collected is not None and now - collected <= _LONGEST_PERIOD


def free_pages(before: Document, *, reset: date) -> frozenset[Page]:
    """Return the pages of a stored document that are free to be asked for again.

    Args:
        before: What is stored, collected with the filters and the key that are used now.
        reset: The day on which the present billing period ends, at 00:00 UTC.
    """
    collected = _collected_at(before)
    if collected is None or collected < _month_before(reset):
        return frozenset()
    offsets = accumulate(before.pages, initial=0)
    return frozenset(Page(offset, limit) for offset, limit in zip(offsets, before.pages, strict=False))


def _collected_at(document: Document) -> datetime | None:
    try:
        return times.from_text(document.collected_at)
    except ValueError:
        return None


def _month_before(day: date) -> datetime:
    year, month = (day.year, day.month - 1) if day.month > 1 else (day.year - 1, 12)
    return datetime(year, month, min(day.day, monthrange(year, month)[1]), tzinfo=UTC)
