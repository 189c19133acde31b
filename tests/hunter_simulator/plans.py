"""What a key's account may spend: its plan, its billing periods, and the price of an answer."""

from calendar import monthrange
from datetime import UTC, date, datetime

import msgspec

ADDRESSES_PER_CREDIT = 10


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One account's plan (Hunter's API documentation, read 2026-11; the free plan: 50 credits, cap 10)."""

    name: str = "Growth"
    credits: float = 100_000
    """Credits of one billing period; fractions happen."""
    used_before: float = 0
    """Credits that something else had already used when the account begins; gone with its first period."""
    result_cap: int | None = None
    """Addresses of one search that the plan shows: limit + offset above it is refused. None: no cap."""
    reset_date: date | None = None
    """The day, UTC, on which a billing period ends at 00:00; later ones end on the same day of each month.
    None: the first day of the month after the account's beginning."""
    restricted: bool = False
    """The account has no subscription: every search ends with 429 restricted_account."""


class Period(msgspec.Struct, frozen=True):
    """One billing period of an account, numbered from 0, and the day on which it ends at 00:00 UTC."""

    number: int
    reset_date: date


def with_reset_date(plan: Plan, now: datetime) -> Plan:
    """Return the plan of an account that begins now, its reset date filled in."""
    if plan.reset_date is not None:
        return plan
    return msgspec.structs.replace(plan, reset_date=_months_later(now.astimezone(UTC).date().replace(day=1), 1))


def period_at(now: datetime, plan: Plan) -> Period:
    """Return the billing period that `now` falls into; everything before the first reset is period 0."""
    today = now.astimezone(UTC).date()
    first_reset = with_reset_date(plan, now).reset_date or today
    number = max(0, (today.year - first_reset.year) * 12 + today.month - first_reset.month)
    reset = _months_later(first_reset, number)
    if today >= reset:
        number += 1
        reset = _months_later(first_reset, number)
    return Period(number, reset)


def price(addresses: int) -> int:
    """Return the credits of one answer: 1 per 1 to 10 addresses, rounded up; nothing found costs nothing."""
    return -(-addresses // ADDRESSES_PER_CREDIT)


def _months_later(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
