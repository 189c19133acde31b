"""Collects one domain's addresses from Hunter, page after page."""

import logging

import msgspec

from novahunt_collector import logs, paging
from novahunt_collector.asking import Asker
from novahunt_collector.errors import BadRequestError, BudgetUsedUpError, DomainBudgetUsedUpError, PlanLimitError
from novahunt_collector.items import Items, to_items
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


class Collecting:
    """One domain's pages, and how far they are."""

    def __init__(self, asker: Asker, limits: paging.Limits, tally: Tally) -> None:
        self._asker = asker
        self._limits = limits
        self._tally = tally
        self._items = Items()
        self._paging = paging.Progress()

    async def run(self) -> Collected:
        """Ask until the rules of paging say that it is finished.

        Raises:
            CollectorError: as Asker.page; or BadRequestError where Hunter contradicts itself about the plan.
        """
        while True:
            step = paging.next_step(self._paging, self._limits)
            if isinstance(step, paging.Finish):
                return self._finished(step)
            try:
                page = await self._asker.page(step, self.progress())
            except PlanLimitError as error:
                known = paging.after_plan_limit(self._paging, step, error.shown)
                if known is None:
                    raise BadRequestError(f"{error}, though no more was asked for") from None
                self._paging = known
                continue
            except (BudgetUsedUpError, DomainBudgetUsedUpError) as error:
                # With nothing to show for it, an end as truncated would take a stored document's place.
                if error.left == 0 and (isinstance(error, BudgetUsedUpError) or self._paging.pages == 0):
                    raise
                self._paging = paging.after_budget(self._paging, error.left)
                continue
            new = self._items.add(to_items(page.entries))
            self._paging = paging.after_page(
                self._paging,
                step,
                received=page.received,
                results=page.results,
                approximate=page.approximate,
                new=new,
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
        )
