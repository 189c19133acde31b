"""The pace of a collector with an operator: permits from the intake, and the static share while it can't be reached."""

import asyncio
import logging
from collections.abc import Callable

import msgspec

from novahunt_collector.errors import (
    BudgetUsedUpError,
    CollectorError,
    DomainBudgetUsedUpError,
    IntakeRefusedError,
)
from novahunt_collector.intake_link import Busy, IntakeLink, Unreachable
from novahunt_collector.pace import Cost, Pace
from novahunt_collector.permits import MINUTE_SECONDS, Permits
from novahunt_collector.windows import Windows
from novahunt_contract import intake as contract

_log = logging.getLogger(__name__)

HOLD_MARGIN_SECONDS = 10.0
"""Beyond the time for which the intake holds a call open."""

FINISH_SECONDS = 3.0
"""The last report must not delay the end: what it would give back expires by itself."""


class IntakePace(Pace):
    """Asks for a permit before each request, and tells in the same call how the last one ended.

    While no address of the intake can be reached, the static share of the environment holds, and the
    intake is tried again every `pause` or so. Others may have had permits for all that Hunter takes in
    a minute, so the share begins a minute after the intake was heard last, or the process began.
    """

    def __init__(
        self,
        link: IntakeLink,
        permits: Permits,
        windows: Windows,
        *,
        clock: Callable[[], float],
        uniform: Callable[[float, float], float],
        pause: float,
        budget: bool = False,
    ) -> None:
        """Take the parts.

        Args:
            link: The way to the intake.
            permits: The book-keeping.
            windows: The static share.
            clock: Seconds, monotonic.
            uniform: Returns a random number between its two arguments.
            pause: Seconds between two tries, in the middle.
            budget: Never ask Hunter without the intake's word on what it may cost.
        """
        self._link = link
        self._permits = permits
        self._windows = windows
        self._clock = clock
        self._uniform = uniform
        self._pause = pause
        self._budget = budget
        self._spent = 0
        """As last told by a caller; reports of failures repeat it."""
        self._alone_until: float | None = None
        """While the intake can't be reached: when to try it again."""
        self._heard_at = clock()
        """When the intake was heard last; a process that begins without it knows as little of others' permits."""
        self._refused = False

    async def take(self, progress: contract.Progress, cost: Cost) -> None:
        """Wait for a permit, or for the static share while the intake is away.

        Raises:
            IntakeRefusedError: the intake doesn't accept this pod, or not what it says.
            BudgetUsedUpError: the collection's budget has not enough left.
            DomainBudgetUsedUpError: the domain's share of it has not.
        """
        self._spent = cost.spent
        while True:
            now = self._clock()
            if self._alone_until is not None and now < self._alone_until:
                free_in = max(self._windows.wait(now), self._until_share(now))
                if self._budget and cost.most:
                    free_in = self._alone_until - now
                elif free_in <= 0:
                    self._permits.sent_alone(now)
                    break
                await asyncio.sleep(min(free_in, self._alone_until - now))
                continue
            seconds = await self._ask(
                progress, wanted=True, most=cost.most, read_seconds=contract.HOLD_SECONDS + HOLD_MARGIN_SECONDS
            )
            if self._permits.usable(self._clock()):
                break
            await asyncio.sleep(seconds)
        # The static share knows of every request, so it holds from the first one without intake.
        self._windows.sent(self._clock())

    def over(self) -> None:
        """Keep for the next call that the permit was used."""
        self._windows.answered(self._clock())
        self._permits.used()

    async def failed(self, *, throttled: bool, retry_after: float | None) -> None:
        """Tell the intake at once: it slows the whole key down."""
        self._windows.answered(self._clock())
        self._permits.used(throttled=throttled, retry_after=retry_after)
        if self._permits.owes_report and self._alone_until is None:
            # One try only: what is not heard now goes with the next call.
            await self._ask(None, wanted=False, read_seconds=HOLD_MARGIN_SECONDS)

    async def finish(self, progress: contract.Progress, *, spent: int, stopping: bool) -> None:
        """Report the end, within three seconds or not at all."""
        self._spent = spent
        if self._refused:
            return
        try:
            async with asyncio.timeout(FINISH_SECONDS):
                await self._ask(progress, wanted=False, read_seconds=FINISH_SECONDS, stopping=stopping)
        except (TimeoutError, CollectorError) as error:
            _log.info(
                "the operator's intake did not hear of the end (%s); permits expire by themselves", type(error).__name__
            )

    def _until_share(self, now: float) -> float:
        """Return the seconds until what was permitted to others has left Hunter's windows."""
        return self._heard_at + MINUTE_SECONDS - now

    async def _ask(
        self,
        progress: contract.Progress | None,
        *,
        wanted: bool,
        read_seconds: float,
        most: int = 0,
        stopping: bool = False,
    ) -> float:
        """Make one call; return the seconds to wait before the next one."""
        call = self._permits.call(progress, wanted=wanted, most=most, spent=self._spent, stopping=stopping)
        try:
            reply = await self._link.call(
                "POST",
                contract.PERMITS,
                content=msgspec.json.encode(call),
                headers={"Content-Type": "application/json"},
                read_seconds=read_seconds,
            )
        except IntakeRefusedError:
            self._refused = True
            raise
        if isinstance(reply, Unreachable):
            pause = self._uniform(0.5, 1.5) * self._pause
            if self._alone_until is None:
                then = "waiting for it" if self._budget else "going on at the static share of the rate"
                _log.warning("the operator's intake can't be reached: %s", then)
            self._alone_until = self._clock() + pause
            return 0.0
        if self._alone_until is not None:
            _log.info("the operator's intake answers again")
            self._alone_until = None
        if isinstance(reply, Busy):
            return max(reply.retry_after or 0.0, self._uniform(0.5, 1.5) * self._pause)
        answer = _read(reply.status, reply.body)
        if answer is None:
            self._refused = True
            raise IntakeRefusedError(f"the operator's intake does not understand this collector: {reply.sentence()}")
        self._heard_at = self._clock()
        self._permits.heard(call, answer, self._heard_at)
        if answer.refused is contract.BudgetWord.DOMAIN:
            raise DomainBudgetUsedUpError(
                f"{answer.credits_left} credits are left of budget.maxCreditsPerDomain", left=answer.credits_left
            )
        if answer.refused is contract.BudgetWord.COLLECTION:
            raise BudgetUsedUpError(
                f"the next page can cost {most} credits, and the collection's budget has {answer.credits_left} left"
            )
        return answer.retry_after_seconds if answer.permit is None else 0.0


def _read(status: int, body: bytes) -> contract.PermitAnswer | None:
    try:
        return msgspec.json.decode(body, type=contract.PermitAnswer) if status == 200 else None  # noqa: PLR2004 - OK
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
