"""Asks Hunter for the pages of one domain, and counts what each try of each page costs."""

import logging
from collections.abc import Awaitable, Callable
from datetime import date

from novahunt_collector import answers
from novahunt_collector.errors import CollectorError, StoppedError
from novahunt_collector.hunter import HunterClient
from novahunt_collector.pace import Pace
from novahunt_collector.paging import Ask
from novahunt_collector.persistence import Persistence, Request
from novahunt_collector.settings import Backoff
from novahunt_collector.stopping import Stop, let_finish
from novahunt_collector.tally import Tally
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
        stop: Stop,
        grace: float,
    ) -> None:
        """Take the parts.

        Args:
            domain: Whose pages.
            hunter: The client.
            pace: Lets each request go.
            tally: Counts them.
            settings: How long to wait between tries, and in all.
            uniform: Returns a random number between its two arguments.
            stop: Whether a signal asked the process to end.
            grace: Seconds that an answer on its way then still has; 0 where it could not be saved.
        """
        self._domain = domain
        self._hunter = hunter
        self._tally = tally
        self._stop = stop
        self._grace = grace
        self._persistence = Persistence(hunter, pace, settings, uniform, stop)

    async def page(self, ask: Ask, progress: Progress) -> answers.Page:
        """Return the answered page.

        Args:
            ask: Which page.
            progress: How far the domain is, for the intake.

        Raises:
            CollectorError: one that asking again would not change, or the last one when all patience is spent.
        """
        return await self._persistence.answer(_PageRequest(self._domain, ask, self._tally, self._send), progress)

    async def account(self, progress: Progress) -> date | None:
        """Return the day on which the account page says that the billing period ends, None if it doesn't say.

        Free of charge.

        Raises:
            CollectorError: there is no answer.
        """
        return await self._persistence.answer(_AccountRequest(self._domain, self._hunter, self._tally), progress)

    async def reset_date(self, progress: Progress) -> date | None:
        """Return the day on which the key's billing period ends; None if it can't be told. Free of charge.

        Raises:
            StoppedError: a signal asked the process to end.
        """
        try:
            return await self.account(progress)
        except StoppedError:
            raise
        except CollectorError as error:
            # It only serves to count right; whatever is wrong will end the search by itself.
            _log.info("when the billing period ends is not known (%s)", error)
            return None

    async def _send(self, ask: Ask) -> answers.Page:
        return await let_finish(self._hunter.search(self._domain, ask), self._stop, self._grace)


class _PageRequest(Request[answers.Page]):
    """One page of a domain's addresses, which is paid for."""

    def __init__(self, domain: str, ask: Ask, tally: Tally, send: Callable[[Ask], Awaitable[answers.Page]]) -> None:
        self.domain = domain
        self.number = ask.number
        self._ask = ask
        self._tally = tally
        self._send = send

    async def send(self) -> answers.Page:
        self._tally.asked()
        page = await self._send(self._ask)
        self._tally.received(self._ask, page.received)
        return page

    def most(self) -> int:
        return self._tally.most(self._ask)

    def spent(self) -> int:
        return self._tally.spent

    def lost(self) -> None:
        self._tally.lost(self._ask)


class _AccountRequest(Request[date | None]):
    """The account page, of which the reset date is wanted."""

    number = 1

    def __init__(self, domain: str, hunter: HunterClient, tally: Tally) -> None:
        self.domain = domain
        self._hunter = hunter
        self._tally = tally

    async def send(self) -> date | None:
        return await self._hunter.reset_date()

    def spent(self) -> int:
        return self._tally.spent
