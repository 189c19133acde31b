"""Asks Hunter until there is an answer: permit, request, and the one place that backs off."""

import abc
import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import backoff
from backoff.types import Details

from novahunt_collector import logs, tracing
from novahunt_collector.errors import (
    CollectorError,
    KeyRefusedError,
    QuotaUsedUpError,
    RetryableError,
    StoppedError,
    TooFastError,
    UnavailableError,
    UnclearRefusalError,
)
from novahunt_collector.hunter import HunterClient
from novahunt_collector.pace import Cost, Pace
from novahunt_collector.settings import Backoff
from novahunt_collector.stopping import INTERRUPTED, Stop
from novahunt_collector.waits import waits
from novahunt_contract.intake import Progress

_log = logging.getLogger(__name__)

_Answer = TypeVar("_Answer")


class Request(abc.ABC, Generic[_Answer]):
    """Something to ask Hunter for, as often as needed, and what each try is counted as."""

    domain: str
    number: int
    """Of the page, from 1."""

    @abc.abstractmethod
    async def send(self) -> _Answer:
        """Ask once, and count it.

        Raises:
            CollectorError: there is no answer.
        """

    def most(self) -> int:
        """Return the credits that the next try can add to those that are spent; 0: it is free of charge."""
        return 0

    def spent(self) -> int:
        """Return the credits that the domain has cost in this process."""
        return 0

    def lost(self) -> None:
        """Count a try that was sent, that may have been charged, and whose answer did not come."""


class Persistence:
    """Asks for one thing after the other; waits and tries again where that helps."""

    def __init__(
        self,
        hunter: HunterClient,
        pace: Pace,
        settings: Backoff,
        uniform: Callable[[float, float], float],
        stop: Stop,
    ) -> None:
        """Take the parts.

        Args:
            hunter: For the account page.
            pace: Lets each request go.
            settings: How long to wait between tries, and in all.
            uniform: Returns a random number between its two arguments.
            stop: Whether a signal asked the process to end: then nothing is tried again.
        """
        self._hunter = hunter
        self._pace = pace
        self._patience = settings.patience
        self._stop = stop
        self._last: CollectorError | None = None
        # backoff's own jitter would fall below a Retry-After, and its own logger prints what errors hold.
        self._persistently = backoff.on_exception(
            lambda: waits(settings, uniform), RetryableError, jitter=None, logger=None, on_backoff=_log_wait
        )(self._once)

    async def answer(self, request: Request[_Answer], progress: Progress) -> _Answer:
        """Return the answer to a request.

        Args:
            request: What to ask for.
            progress: How far the work is, for the intake.

        Raises:
            CollectorError: one that asking again would not change, or the last one when all patience is spent.
        """
        self._last = None
        try:
            async with asyncio.timeout(self._patience) as deadline:
                return await self._persistently(request, progress, deadline)
        except TimeoutError:
            text = f"no answer within {self._patience:g} s of trying; the last one was: {self._last}"
            raise (TooFastError if _is_throttle(self._last) else UnavailableError)(text) from None

    async def _once(self, request: Request[_Answer], progress: Progress, deadline: asyncio.Timeout) -> _Answer:
        await self._take(request, progress, deadline, most=request.most())
        try:
            with tracing.span("page request", page=request.number):
                return await request.send()
        except asyncio.CancelledError:
            request.lost()
            raise
        except RetryableError as error:
            self._last = error
            if error.may_have_cost:
                request.lost()
            if self._stop.asked:
                raise StoppedError(INTERRUPTED) from None
            throttled = _is_throttle(error)
            await self._pace.failed(throttled=throttled, retry_after=error.retry_after)
            if isinstance(error, UnclearRefusalError):
                raise await self._meaning_of(error, request, progress, deadline) from None
            raise
        finally:
            self._pace.over()

    async def _meaning_of(
        self, error: UnclearRefusalError, request: Request[_Answer], progress: Progress, deadline: asyncio.Timeout
    ) -> CollectorError:
        """Ask the account page, which is free, whether pace or plan was meant."""
        await self._take(request, progress, deadline, most=0)
        try:
            left = await self._hunter.searches_left()
        except (KeyRefusedError, QuotaUsedUpError):
            # These say more of the key than the refusal did.
            raise
        except CollectorError as other:
            # Too fast is what can be waited for: nothing is given up that may come back. A proxy may know of
            # domain-search alone.
            left = None
            throttled = _is_throttle(other)
            retry_after = other.retry_after if isinstance(other, RetryableError) else None
            await self._pace.failed(throttled=throttled, retry_after=retry_after)
        finally:
            self._pace.over()
        if left is not None and left <= 0:
            return QuotaUsedUpError(f"the plan's allowance is used up, its account page says; {error}")
        return TooFastError(str(error), retry_after=error.retry_after)

    async def _take(
        self, request: Request[_Answer], progress: Progress, deadline: asyncio.Timeout, *, most: int
    ) -> None:
        with _stopped(deadline), tracing.span("wait for permit"):
            await self._pace.take(progress, Cost(most, request.spent()))


def _is_throttle(error: CollectorError | None) -> bool:
    return isinstance(error, TooFastError | UnclearRefusalError)


def _log_wait(details: Details) -> None:
    request: Request[object] = details["args"][0]
    error = details["exception"]
    milliseconds = round(details["wait"] * 1000)
    # On a terminal the wait is shown as it runs, in place of the line.
    more = {logs.PAUSE: logs.Pause(details["wait"], str(error))}
    if isinstance(error, TooFastError):
        _log.warning(
            "hunter rate limited, backing off %dms for domain=%s page=%d",
            milliseconds, request.domain, request.number, extra=more,
        )  # fmt: skip
    else:
        _log.warning(
            "%s; trying again in %dms for domain=%s page=%d",
            error, milliseconds, request.domain, request.number, extra=more,
        )  # fmt: skip


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
