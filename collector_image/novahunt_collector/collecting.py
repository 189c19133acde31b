"""Collects one domain's addresses from Hunter, page after page."""

import logging

import msgspec

from novahunt_collector import answers, logs, paging
from novahunt_collector.asking import Asker
from novahunt_collector.checkpoint import Checkpoint, SavedPage
from novahunt_collector.errors import (
    BadRequestError,
    BudgetUsedUpError,
    DomainBudgetUsedUpError,
    PlanLimitError,
    StoppedError,
)
from novahunt_collector.items import Items, to_items
from novahunt_collector.stopping import INTERRUPTED, STORING_SECONDS, Stop, let_finish
from novahunt_collector.storage.interface import PageLog
from novahunt_collector.suppression import Lists, Sieve
from novahunt_collector.tally import Tally
from novahunt_contract.document import Item
from novahunt_contract.intake import Progress
from novahunt_contract.outcomes import Reason

_log = logging.getLogger(__name__)


class Collected(msgspec.Struct, frozen=True):
    """Everything that Hunter gave for a domain."""

    items: tuple[Item, ...]
    reported: int
    """Addresses that Hunter said it has."""
    truncated: Reason | None
    message: str
    """Why it was truncated, for people."""
    pages: tuple[int, ...]
    """The `limit` of each answered page, in their order."""
    suppressed: int
    """Addresses that a suppression list kept out."""
    key: str
    """Fingerprint of the key that all pages were asked with; empty: several, or not known."""


class Collecting:
    """One domain's pages, and how far they are."""

    def __init__(
        self,
        asker: Asker,
        limits: paging.Limits,
        tally: Tally,
        *,
        job_id: str,
        key: str,
        pages: PageLog | None,
        stop: Stop,
    ) -> None:
        """Take the parts.

        Args:
            asker: Asks for this domain's pages.
            limits: What may be asked for.
            tally: Counts what it costs.
            job_id: Names the run.
            key: Fingerprint of the key that it asks with.
            pages: Where each answered page is kept until the end; None: nowhere.
            stop: Whether a signal asked the process to end.
        """
        self._asker = asker
        self._limits = limits
        self._tally = tally
        self._job_id = job_id
        self._key = key
        self._log = pages
        self._stop = stop
        self._sieve = Sieve(Lists())
        self._items = Items()
        self._held_back = 0
        self._paging = paging.Progress()
        self._pages: list[int] = []
        self._keys: set[str] = set()
        """Of the pages, saved ones included."""
        self._counted = (0, 0)
        """Credits and requests up to the latest page."""

    def go_on_from(self, checkpoint: Checkpoint, lists: Lists) -> None:
        """Begin with what was saved, and with pages of the size that it was begun with.

        Args:
            checkpoint: Holds nothing that the lists name.
            lists: What of the pages to come must not be kept.
        """
        self._sieve = Sieve(lists)
        self._limits = self._limits._replace(page_size=checkpoint.header.page_size)
        for page in checkpoint.pages:
            own = page.credits if page.job_id == self._job_id else 0
            self._tally.took_over(credits=page.credits, requests=page.requests, of_this_run=own)
            self._take_in(page)

    async def run(self) -> Collected:
        """Ask until the rules of paging say that it is finished.

        Raises:
            CollectorError: as Asker.page; BadRequestError where Hunter contradicts itself about the plan;
                StorageFailedError where a page can't be kept; StoppedError after a signal.
        """
        while True:
            step = paging.next_step(self._paging, self._limits)
            if isinstance(step, paging.Finish):
                return self._finished(step)
            if self._stop.asked:
                raise StoppedError(INTERRUPTED)
            try:
                page = await self._asker.page(step, self.progress())
            except PlanLimitError as error:
                known = paging.after_plan_limit(self._paging, step, error.shown)
                if known is None:
                    raise BadRequestError(f"{error}, though no more was asked for") from None
                self._paging = known
                continue
            except (BudgetUsedUpError, DomainBudgetUsedUpError) as error:
                if error.left == 0 and self._would_be_lost() and isinstance(error, BudgetUsedUpError):
                    return self._finished(paging.Finish(Reason.BUDGET, str(error)))
                # With nothing to show for it, an end as truncated would take a stored document's place.
                if error.left == 0 and (isinstance(error, BudgetUsedUpError) or self._paging.pages == 0):
                    raise
                self._paging = paging.after_budget(self._paging, error.left)
                continue
            await self._keep(self._page(step, page))

    def _would_be_lost(self) -> bool:
        """Tell whether pages came that only this process holds, because the place to keep them failed."""
        has_come = self._counted != (0, 0)
        return has_come and self._log is not None and self._log.kept == 0

    def _page(self, ask: paging.Ask, answer: answers.Page) -> SavedPage:
        """Return what is kept of an answer, here and in a checkpoint."""
        held_back_before = self._sieve.held_back
        items = self._sieve.passed(to_items(answer.entries))
        held_back = self._sieve.held_back - held_back_before
        credits_before, requests_before = self._counted
        self._counted = (self._tally.credits, self._tally.requests)
        return SavedPage(
            number=ask.number,
            offset=ask.offset,
            limit=ask.limit,
            received=answer.received,
            results=answer.results,
            approximate=answer.approximate,
            # Those that are held back were new as well: a page full of them is no repeated one.
            new=self._items.unknown(items) + held_back,
            credits=self._tally.credits - credits_before,
            requests=self._tally.requests - requests_before,
            items=items,
            job_id=self._job_id,
            held_back=held_back,
            key=self._key,
        )

    async def _keep(self, page: SavedPage) -> None:
        if self._log is not None:
            await let_finish(self._log.append(page), self._stop, STORING_SECONDS)
        self._take_in(page)

    def _take_in(self, page: SavedPage) -> None:
        """Go on by a page, whether it was just answered or was saved: the same rules hold."""
        self._items.add(page.items)
        self._held_back += page.held_back
        self._pages.append(page.limit)
        self._keys.add(page.key)
        self._paging = paging.after_page(
            self._paging,
            paging.Ask(page.number, page.offset, page.limit),
            received=page.received,
            results=page.results,
            approximate=page.approximate,
            new=page.new,
        )

    def progress(self) -> Progress:
        """Return how far this domain is."""
        percent = paging.percent(self._paging, self._limits)
        return Progress(percent=percent, emails=len(self._items), requests=self._tally.requests)

    def _finished(self, finish: paging.Finish) -> Collected:
        if finish.truncated is not None:
            _log.warning(
                "truncated: %s (Hunter has %d)", finish.message, self._paging.results, extra={logs.SHOWN: True}
            )
        return Collected(
            items=self._items.in_order(),
            reported=self._paging.results,
            truncated=finish.truncated,
            message=finish.message,
            pages=tuple(self._pages),
            suppressed=self._held_back,
            key=self._key if self._keys == {self._key} else "",
        )
