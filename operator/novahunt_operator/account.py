"""What a collection has spent, has set aside and may still spend, by its budget's rules. Pure."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Result
from novahunt_api.spec import Budget, CollectionSpec, Period
from novahunt_contract import credits as prices
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_operator.records import Job


class Account(msgspec.Struct, frozen=True):
    """A collection's credits in its budget's period."""

    used: int
    """By all settled runs; it never falls within a period."""
    removed: int
    """Part of it whose records are gone."""
    reserved: int
    """Set aside for runs that are not settled; each counts in full."""
    limit: int | None
    """None: there is none."""
    period: str
    """`YYYY-MM` in UTC, or empty for the whole life."""

    @property
    def available(self) -> int | None:
        """What may still be set aside; None: any number."""
        return None if self.limit is None else max(0, self.limit - self.used - self.reserved)


@dataclass(frozen=True, slots=True)
class Books:
    """What the operator's memory knows of a collection's credits, beside what is recorded."""

    told: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """What collectors told the intake that they had spent or were about to, by Job UID and pod UID."""
    watched: AbstractSet[str] = frozenset()
    """UIDs of the Jobs that this process has made: it has heard of all that their pods could spend."""
    given_up: AbstractSet[str] = frozenset()
    """UIDs of the Jobs whose pods get no credits any more, because their runs are being recorded as not begun."""
    lost: tuple[Job | Result, ...] = ()
    """Unsettled Jobs and results that were deleted since the status was written last."""
    holds: Mapping[str, int] = field(default_factory=dict)
    """Credits promised to Jobs that do not show them yet, by the Jobs' names."""
    repeats_charged: bool = False


def account(
    collection: Collection,
    jobs: Iterable[Job],
    results: Mapping[str, Result],
    books: Books,
    now: datetime,
    *,
    void: AbstractSet[str] = frozenset(),
) -> Account:
    """Return the account.

    Args:
        collection: Whose.
        jobs: All that are known under its name.
        results: Its domains' records, those of domains that are not wanted any more included.
        books: What is in memory.
        now: Decides which month it is.
        void: UIDs of Jobs whose record was deleted: what they cost counts as removed.
    """
    budget = collection.spec.budget or Budget()
    period = period_of(budget, now)
    recorded = sum(spent(result, period) for result in results.values())
    known = collection.status.credits
    gone = removed = sum(_lost(one, books, period) for one in books.lost)
    if known is not None and known.period == period:
        # Whatever was deleted while nobody watched: what was shown as used stays used.
        gone = max(known.removed + removed, known.used - recorded)
    return Account(
        used=recorded + gone,
        removed=gone,
        reserved=_reserved(collection, jobs, results, books.holds, void),
        limit=budget.max_credits,
        period=period,
    )


def period_of(budget: Budget, now: datetime) -> str:
    """Return the budget's period: a month, or empty for the whole life."""
    return month_of(now) if budget.period is Period.MONTH else ""


def spent(result: Result | None, period: str) -> int:
    """Return what a domain has cost in a period."""
    if result is None:
        return 0
    if period:
        return result.credits_month if result.month == period else 0
    return result.credits_total


def price_to_start(spec: CollectionSpec, result: Result | None) -> int:
    """Return the credits without which starting a domain is of no use.

    A run that the budget stopped begins again at its first page where nothing was saved; with no more than it
    had then it would only stop there again.
    """
    first = prices.of_answer(min(spec.page_size, spec.max_results))
    stopped = result is not None and result.outcome is Outcome.PENDING and result.reason == Reason.BUDGET
    return first + result.credits if result is not None and stopped and spec.volume is None else first


def share_left(spec: CollectionSpec, result: Result | None, now: datetime) -> int | None:
    """Return what a domain may still cost by its share of the budget, 0 or more; None: any number."""
    budget = spec.budget
    if budget is None or budget.max_credits_per_domain is None:
        return None
    return max(0, budget.max_credits_per_domain - spent(result, period_of(budget, now)))


def share_is_spent(spec: CollectionSpec, result: Result | None, now: datetime) -> bool:
    """Tell whether a run could not get beyond what is stored with what the domain may still cost."""
    left = share_left(spec, result, now)
    stored = prices.of_domain(result.emails, spec.page_size) if result is not None else 0
    # A document that a shorter one would replace is worth more than the attempt.
    return left is not None and left < max(1, stored)


def share_allows_more(spec: CollectionSpec, result: Result, now: datetime) -> bool:
    """Tell whether a domain that its share of the budget cut off could get further now than it did then."""
    left = share_left(spec, result, now)
    # What a suppression list kept out was paid for as well.
    return left is None or left > prices.of_domain(result.emails + result.suppressed, spec.page_size)


def month_of(moment: datetime) -> str:
    """Return the calendar month, `YYYY-MM` in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m}"


def month_ends(now: datetime) -> datetime:
    """Return the first moment of the next calendar month, UTC."""
    start = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return start.replace(year=start.year + 1, month=1) if start.month == 12 else start.replace(month=start.month + 1)  # noqa: PLR2004 - December


def _lost(record: Job | Result, books: Books, period: str) -> int:
    """Return what a deleted record stood for; of a Job whose run was never settled, the most that it may have cost."""
    if isinstance(record, Result):
        return spent(record, period)
    if record.reservation is not None:
        return record.reservation.reserved
    return sum(books.told.get(record.uid, {}).values())


def _reserved(
    collection: Collection,
    jobs: Iterable[Job],
    results: Mapping[str, Result],
    holds: Mapping[str, int],
    void: AbstractSet[str],
) -> int:
    reserved = dict(holds)
    for job in jobs:
        if job.owner_uid != collection.uid:
            continue
        if job.is_recorded(results.get(job.domain)) or job.uid in void:
            # What a call whose answer was lost may have set aside goes with its run.
            reserved.pop(job.key.name, None)
        elif job.reservation is not None:
            reserved[job.key.name] = max(job.reservation.reserved, holds.get(job.key.name, 0))
    return sum(reserved.values())
