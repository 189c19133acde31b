"""Decides which page to ask for next, and when a domain is finished. Pure: no request is made here.

The rules: move on by the number asked; stop when a page is empty, or shorter than asked with all that Hunter
has seen, or at a cap; never trust `meta.results` alone. An offset limit bounds the number of pages.
"""

from typing import NamedTuple

import msgspec

from novahunt_contract.credits import ADDRESSES_PER_CREDIT
from novahunt_contract.outcomes import Reason

MOST_REPEATED_PAGES = 3
"""So many pages running without one new address mean that the offset is not heeded: stop paying for them."""


class Limits(NamedTuple):
    """What may be asked for; all in addresses."""

    page_size: int
    max_results: int
    max_offset: int


class Ask(NamedTuple):
    """The next request; pages are numbered from 1."""

    number: int
    offset: int
    limit: int


class Finish(NamedTuple):
    """No further request; `truncated` says why Hunter may have more, and None that it has not."""

    truncated: Reason | None
    message: str = ""


class Progress(msgspec.Struct, frozen=True):
    """How far the paging of one domain is."""

    pages: int = 0
    """Pages that were answered."""
    offset: int = 0
    """The next offset."""
    received: int = 0
    """Entries received, repeated ones included."""
    results: int = 0
    """Addresses that Hunter said it has, in its latest answer."""
    more: bool = True
    """False: the latest page was the last by the rules above."""
    understated: bool = False
    """True: Hunter called `results` approximate, and the latest page was full."""
    shown: int | None = None
    """Addresses that the plan shows, once Hunter has said so."""
    affordable: int | None = None
    """Addresses that the budget has credits for, once it has refused a page; an answered page makes it unknown."""
    repeated: int = 0
    """Pages running without a new address."""


def next_step(progress: Progress, limits: Limits) -> Ask | Finish:
    """Return what to do now."""
    if not progress.more:
        return Finish(None)
    if progress.repeated >= MOST_REPEATED_PAGES:
        return Finish(Reason.PLAN_LIMIT, f"Hunter gave {progress.repeated} pages without a new address; stopped there")
    cap = limits.max_results if progress.shown is None else min(limits.max_results, progress.shown)
    if progress.offset < cap and progress.offset <= limits.max_offset:
        # The last page asks only for what is still allowed, so nothing beyond it is paid.
        limit = min(limits.page_size, cap - progress.offset)
        if progress.affordable is not None:
            limit = min(limit, progress.affordable)
        if limit > 0:
            return Ask(progress.pages + 1, progress.offset, limit)
    # Before the first answer nothing is known: a plan that shows nothing is a limit, not an empty domain.
    if progress.pages > 0 and progress.results <= progress.offset and not progress.understated:
        return Finish(None)
    return _cut_off(progress, limits, cap)


def _cut_off(progress: Progress, limits: Limits, cap: int) -> Finish:
    if progress.affordable == 0:
        return Finish(Reason.DOMAIN_BUDGET, "the domain's share of the budget (maxCreditsPerDomain) is spent")
    if progress.offset < cap:
        return Finish(Reason.PLAN_LIMIT, f"Hunter gives no addresses beyond offset {limits.max_offset}")
    if cap == limits.max_results:
        return Finish(Reason.MAX_RESULTS, f"stopped at {cap} addresses, as HUNTER_MAX_COLLECT or maxResults says")
    return Finish(Reason.PLAN_LIMIT, f"the plan shows only the first {cap} addresses of a domain")


def after_page(
    progress: Progress, ask: Ask, *, received: int, results: int | None, approximate: bool, new: int
) -> Progress:
    """Return the progress after an answered page.

    Args:
        progress: Before the page.
        ask: What was asked for.
        received: Entries that came.
        results: Hunter's total; None if it gave none.
        approximate: Hunter says that the total is a lower bound.
        new: Addresses that were not seen on an earlier page.
    """
    total = results if results is not None else max(progress.results, ask.offset + received)
    short = received < ask.limit
    return msgspec.structs.replace(
        progress,
        pages=progress.pages + 1,
        offset=ask.offset + ask.limit,
        received=progress.received + received,
        # An empty page behind the end may well say 0: what was said before stays.
        results=total if received else max(total, progress.results),
        more=received > 0 and not (short and ask.offset + received >= total),
        understated=not short and (approximate or results is None),
        repeated=0 if new else progress.repeated + 1,
        affordable=None,
    )


def after_plan_limit(progress: Progress, ask: Ask, shown: int) -> Progress | None:
    """Return the progress after the plan refused a page, or None if what it says makes no sense.

    It makes no sense to refuse a page that lies within what the plan shows: asking again would never end.
    """
    if ask.offset + ask.limit <= shown:
        return None
    return msgspec.structs.replace(progress, shown=shown)


def after_budget(progress: Progress, credits_left: int) -> Progress:
    """Return the progress after the budget refused a page and said how many credits are left for this domain."""
    return msgspec.structs.replace(progress, affordable=credits_left * ADDRESSES_PER_CREDIT)


def percent(progress: Progress, limits: Limits) -> int:
    """Return 0 to 99: how much of what will be asked for is there."""
    goal = min(progress.results, limits.max_results, progress.shown or limits.max_results)
    return min(99, progress.offset * 100 // goal) if goal > 0 else 0
