"""Asks Hunter for one page until there is an answer: permit, request, and the one place that backs off."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator

import backoff
from backoff.types import Details

from novahunt_collector import answers
from novahunt_collector.errors import (
    CollectorError,
    QuotaUsedUpError,
    RetryableError,
    TooFastError,
    UnavailableError,
    UnclearRefusalError,
)
from novahunt_collector.hunter import HunterClient
from novahunt_collector.pace import Cost, Pace
from novahunt_collector.paging import Ask
from novahunt_collector.settings import Backoff
from novahunt_collector.tally import Tally
from novahunt_collector.waits import waits
from novahunt_contract import credits as prices
from novahunt_contract.intake import Progress

_log = logging.getLogger(__name__)


class Asker:
    """Asks for the pages of one domain, one after the other."""

    def __init__(
        self,
        domain: str,
        hunter: HunterClient,
        pace: Pace,
        *,
        tally: Tally,
        settings: Backoff,
        uniform: Callable[[float, float], float],
    ) -> None:
        """Take the parts.

        Args:
            domain: Whose pages.
            hunter: The client.
            pace: Lets each request go.
            tally: Counts them.
            settings: How long to wait between tries, and in all.
            uniform: Returns a random number between its two arguments.
        """
        self._domain = domain
        self._hunter = hunter
        self._pace = pace
        self._tally = tally
        self._settings = settings
        self._last: CollectorError | None = None
        # backoff's own jitter would fall below a Retry-After, and its own logger prints what errors hold.
        self._persistently = backoff.on_exception(
            lambda: waits(settings, uniform), RetryableError, jitter=None, logger=None, on_backoff=self._log_wait
        )(self._once)

    async def page(self, ask: Ask, progress: Progress) -> answers.Page:
        """Return the answered page.

        Args:
            ask: Which page.
            progress: How far the domain is, for the intake.

        Raises:
            CollectorError: one that asking again would not change, or the last one when all patience is spent.
        """
        self._last = None
        try:
            async with asyncio.timeout(self._settings.patience) as deadline:
                return await self._persistently(ask, progress, deadline)
        except TimeoutError:
            text = f"no answer within {self._settings.patience:g} s of trying; the last one was: {self._last}"
            raise UnavailableError(text) from None

    async def _once(self, ask: Ask, progress: Progress, deadline: asyncio.Timeout) -> answers.Page:
        await self._take(progress, deadline, most=prices.of_answer(ask.limit))
        self._tally.asked()
        try:
            page = await self._hunter.search(self._domain, ask)
        except asyncio.CancelledError:
            self._tally.lost(ask)
            raise
        except RetryableError as error:
            self._last = error
            if error.may_have_cost:
                self._tally.lost(ask)
            throttled = isinstance(error, TooFastError | UnclearRefusalError)
            await self._pace.failed(throttled=throttled, retry_after=error.retry_after)
            if isinstance(error, UnclearRefusalError):
                raise await self._meaning_of(error, progress, deadline) from None
            raise
        finally:
            self._pace.over()
        self._tally.received(ask, page.received)
        return page

    async def _meaning_of(
        self, error: UnclearRefusalError, progress: Progress, deadline: asyncio.Timeout
    ) -> CollectorError:
        """Ask the account page, which is free, whether pace or plan was meant."""
        await self._take(progress, deadline, most=0)
        try:
            left = await self._hunter.searches_left()
        except RetryableError as other:
            # Too fast is what can be waited for: nothing is given up that may come back.
            left = None
            await self._pace.failed(throttled=isinstance(other, TooFastError), retry_after=other.retry_after)
        finally:
            self._pace.over()
        if left is not None and left <= 0:
            return QuotaUsedUpError(f"the plan's allowance is used up, its account page says; {error}")
        return TooFastError(str(error), retry_after=error.retry_after)

    async def _take(self, progress: Progress, deadline: asyncio.Timeout, *, most: int) -> None:
        with _stopped(deadline):
            await self._pace.take(progress, Cost(most, self._tally.credits))

    def _log_wait(self, details: Details) -> None:
        ask: Ask = details["args"][0]
        milliseconds = round(details["wait"] * 1000)
        error = details["exception"]
        if isinstance(error, TooFastError):
            _log.warning(
                "hunter rate limited, backing off %dms for domain=%s page=%d", milliseconds, self._domain, ask.number
            )
        else:
            _log.warning(
                "%s; trying again in %dms for domain=%s page=%d", error, milliseconds, self._domain, ask.number
            )


@contextlib.contextmanager
def _stopped(deadline: asyncio.Timeout) -> Iterator[None]:
    """Stop a deadline's clock: waiting for one's turn is neither failing nor being throttled."""
    loop = asyncio.get_running_loop()
    when = deadline.when()
    left = None if when is None else when - loop.time()
    deadline.reschedule(None)
    try:
        yield
    finally:
        if not deadline.expired():
            deadline.reschedule(None if left is None else loop.time() + left)
