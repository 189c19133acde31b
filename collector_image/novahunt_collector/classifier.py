"""The one table from what Hunter answers to what it means.

Hunter's published convention is the reverse of the usual one: 403 = slow down, 429 = the plan is used up.
Its newer client treats 429 as slow-down and 402 as used up (both read 2026-11). The table is right in both.
"""

import re
from collections.abc import Callable, Container
from typing import NamedTuple

from novahunt_collector.errors import (
    AnswerLostError,
    BadRequestError,
    ClaimedError,
    ClientRefusedError,
    CollectorError,
    DomainRefusedError,
    KeyRefusedError,
    PlanLimitError,
    QuotaUsedUpError,
    RetryableError,
    TooFastError,
    UnavailableError,
    UnclearRefusalError,
)
from novahunt_collector.refusals import Refusal

_QUOTA_WORDS = re.compile(r"billing period|usage limit|\bplan\b|\bquota\b|\bupgrad", re.IGNORECASE)
_PACE_WORDS = re.compile(r"per[ -]second|per[ -]minute|rate[ -]limit", re.IGNORECASE)
_GATEWAY_GAVE_UP = (502, 504, 520, 524)
"""A gateway that says so can't know whether Hunter carried the search out (RFC 9110; Cloudflare's documentation)."""

_PLAN_SHOWS = re.compile(r"limited to ([0-9][0-9,. ]{0,12}) email address", re.IGNORECASE)


def _always(_: Refusal) -> bool:
    return True


def _from_hunter(refusal: Refusal) -> bool:
    return refusal.from_hunter


def _named(identifier: str) -> Callable[[Refusal], bool]:
    return lambda refusal: refusal.identifier == identifier


def _speaks_of_plan(refusal: Refusal) -> bool:
    return bool(_QUOTA_WORDS.search(refusal.details)) and not _PACE_WORDS.search(refusal.details)


def _speaks_of_pace(refusal: Refusal) -> bool:
    says_pace = bool(_PACE_WORDS.search(refusal.details)) or refusal.retry_after is not None
    return says_pace and not _QUOTA_WORDS.search(refusal.details)


def _plan_shows_fewer(refusal: Refusal) -> bool:
    return refusal.identifier == "pagination_error" and shown_by_plan(refusal.details) is not None


class Row(NamedTuple):
    """What is seen, and what it means."""

    statuses: Container[int]
    when: Callable[[Refusal], bool]
    means: type[CollectorError]
    text: str


def _only(status: int) -> range:
    return range(status, status + 1)


TABLE = (
    Row(_only(402), _always, QuotaUsedUpError, "the plan's allowance is used up"),
    Row(_only(403), _from_hunter, TooFastError, "Hunter asks to slow down"),
    Row(_only(403), _always, ClientRefusedError, "something in front of Hunter refuses this client"),
    Row(_only(429), _named("restricted_account"), KeyRefusedError, "the key's account has no subscription"),
    Row(_only(429), _speaks_of_plan, QuotaUsedUpError, "the plan's allowance is used up"),
    Row(_only(429), _speaks_of_pace, TooFastError, "Hunter asks to slow down"),
    # Nothing said, or both at once: the account page decides.
    Row(_only(429), _always, UnclearRefusalError, "Hunter refuses without saying whether for pace or plan"),
    Row(_GATEWAY_GAVE_UP, _always, AnswerLostError, "something in front of Hunter waited in vain for its answer"),
    Row(range(500, 600), _always, UnavailableError, "Hunter is unavailable"),
    Row(_only(400), _plan_shows_fewer, PlanLimitError, "the plan shows only the first addresses of a domain"),
    Row(_only(400), _named("invalid_domain"), DomainRefusedError, "no such domain, or its owner asked Hunter to stop"),
    Row(_only(401), _always, KeyRefusedError, "Hunter does not accept the key"),
    Row(_only(451), _always, ClaimedError, "a person asked Hunter to be left alone"),
    # A wrong limit, wrong filters, anything else of ours: among them `pagination_error` on the limit itself.
    Row(range(400, 500), _always, BadRequestError, "Hunter refuses the request; check the search filters"),
    Row(range(300, 400), _always, ClientRefusedError, "a redirect is not followed; check HUNTER_BASE_URL"),
    Row(range(600), _always, AnswerLostError, "the answer is none of Hunter's"),
)  # fmt: skip
"""Read from above, the first row that fits counts. The last one fits everything."""


def classify(refusal: Refusal) -> CollectorError:
    """Return the error that an answer other than 200 stands for."""
    for row in TABLE:
        if refusal.status in row.statuses and row.when(refusal):
            return _error(row, refusal)
    return UnavailableError(f"the answer has the status {refusal.status}, which HTTP does not know")


def shown_by_plan(details: str) -> int | None:
    """Return N of Hunter's "limited to N email addresses on your current plan"; None in other words."""
    found = _PLAN_SHOWS.search(details)
    digits = re.sub(r"[^0-9]", "", found[1]) if found else ""
    return int(digits) if digits else None


def _error(row: Row, refusal: Refusal) -> CollectorError:
    seen = f"HTTP {refusal.status}, {refusal.identifier}" if refusal.identifier else f"HTTP {refusal.status}"
    text = f"{row.text} ({seen})"
    if issubclass(row.means, PlanLimitError):
        return row.means(text, shown=shown_by_plan(refusal.details) or 0)
    if issubclass(row.means, RetryableError):
        return row.means(text, retry_after=refusal.retry_after)
    return row.means(text)
