"""What a run has cost so far, by Hunter's rules; it outlives whatever ends the run."""

from collections.abc import Set as AbstractSet
from typing import NamedTuple

from novahunt_collector.paging import Ask
from novahunt_contract import credits as prices


class Page(NamedTuple):
    """What makes two requests for one domain the same one, besides the filters."""

    offset: int
    limit: int


class Tally:
    """Counts one domain's requests and credits.

    Hunter gives a repeated request away within a billing period (its API documentation, read 2026-11),
    so an answer that was lost on the way is paid for once, when it is asked for again.
    """

    def __init__(self, *, repeats_charged: bool = False) -> None:
        """Take whether each repetition counts as paid anew (`HUNTER_REPEATS_CHARGED`)."""
        self.requests = 0
        """Every HTTP request to domain-search, answered or not."""
        self.requests_saved = 0
        """The same, of earlier runs, for the pages that were taken over from them."""
        self.credits_saved = 0
        """What those pages cost."""
        self.credits_earlier = 0
        """Part of it: what earlier attempts of this very run paid."""
        self._repeats_charged = repeats_charged
        self._answered = 0
        self._lost: dict[Page, int] = {}
        self._free: AbstractSet[Page] = frozenset()

    @property
    def credits(self) -> int:
        """What the answers cost, and the most that lost ones may have cost."""
        return self._answered + sum(self._lost.values())

    @property
    def spent(self) -> int:
        """What this run has cost so far, as far as this process knows."""
        return self.credits + self.credits_earlier

    def most(self, ask: Ask) -> int:
        """Return the most that asking for a page can add to `credits`: what was lost is counted already.

        A page that is taken for paid is not counted as free here: a budget holds even where that is a mistake.
        """
        counted = 0 if self._repeats_charged else self._lost.get(Page(ask.offset, ask.limit), 0)
        return prices.of_answer(ask.limit) - counted

    def know_paid(self, pages: AbstractSet[Page]) -> None:
        """Take pages that were paid for in this billing period already, by an earlier run."""
        if not self._repeats_charged:
            self._free = pages

    def took_over(self, *, credits: int, requests: int, of_this_run: int) -> None:  # noqa: A002 - Hunter's word for money
        """Count pages that an earlier attempt or run got, and paid for.

        Args:
            credits: What they cost.
            requests: How many they took.
            of_this_run: Part of the credits: what earlier attempts of this very run paid.
        """
        self.credits_earlier += of_this_run
        self.credits_saved += credits
        self.requests_saved += requests

    def asked(self) -> None:
        """Count a request that is about to be sent."""
        self.requests += 1

    def received(self, ask: Ask, addresses: int) -> None:
        """Count what an answered page costs: each answer is rounded up by itself."""
        page = Page(ask.offset, ask.limit)
        if not self._repeats_charged:
            self._lost.pop(page, None)
        if page not in self._free:
            self._answered += prices.of_answer(addresses)

    def lost(self, ask: Ask) -> None:
        """Count a request that was sent and whose answer, which may have been charged, did not come."""
        page = Page(ask.offset, ask.limit)
        if page not in self._free:
            before = self._lost.get(page, 0) if self._repeats_charged else 0
            self._lost[page] = before + prices.of_answer(ask.limit)
