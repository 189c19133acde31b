"""The errand of an estimate: Hunter's free counts for many domains, and what collecting them would cost."""

import logging
from collections.abc import Mapping, Sequence

import msgspec

from novahunt_collector import domain_lists, logs
from novahunt_collector import settings as configuration
from novahunt_collector.answers import EmailCount
from novahunt_collector.assembly import open_tools
from novahunt_collector.counts import REFUSED, SUPPRESSED, Count, CountOutput, Wish, counted, nothing
from novahunt_collector.display import Display
from novahunt_collector.display import counted as numbered
from novahunt_collector.errand import Errand
from novahunt_collector.errors import ClaimedError, DomainRefusedError, UsageError
from novahunt_collector.hunter import HunterClient
from novahunt_collector.persistence import Persistence, Request
from novahunt_collector.settings import Settings
from novahunt_collector.suppression_files import SuppressionFiles
from novahunt_contract import environment
from novahunt_contract.errands import MAX_ESTIMATED, ErrandReceipt, Task
from novahunt_contract.intake import Progress
from novahunt_contract.outcomes import Reason
from novahunt_contract.searchhash import Search

_log = logging.getLogger(__name__)


class CountRequest(Request[EmailCount]):
    """One domain's count, which is free."""

    number = 1

    def __init__(self, domain: str, hunter: HunterClient) -> None:
        self.domain = domain
        self.tries = 0
        self._hunter = hunter

    async def send(self) -> EmailCount:
        """Ask for it once."""
        self.tries += 1
        return await self._hunter.email_count(self.domain)


class Estimating(Errand):
    """Asks for the counts of domains in turn and adds them up."""

    def __init__(
        self,
        settings: Settings,
        domains: Sequence[str],
        *,
        display: Display | None = None,
        output: CountOutput | None = None,
    ) -> None:
        """Take what to count, and where to show it.

        Args:
            settings: The process's.
            domains: In their one form.
            display: Of a person's terminal.
            output: Where each domain's count goes; None: only the sum is told, in the receipt.
        """
        self._settings = settings
        self._domains = domains
        self._display = display or Display()
        self._output = output
        hunter = settings.hunter
        self._wish = Wish(hunter.max_results, hunter.page_size, settings.search.type)
        self._title = numbered(len(domains), "domain")
        self._counted = 0
        self._emails = 0
        self._credits = 0
        self._requests = 0

    async def run(self) -> str:
        """Count all domains."""
        lists = await SuppressionFiles(self._settings.suppression, self._settings.storage_patience).read()
        self._display.open([self._title])
        self._display.begun(self._title, free=True)
        try:
            async with open_tools(self._settings, self._display) as tools:
                persistence = Persistence(tools.hunter, tools.pace, self._settings.backoff, tools.uniform, tools.stop)
                try:
                    for domain in self._domains:
                        logs.domain_in_hand.set(domain)
                        if lists.name_domain(domain):
                            self._add(nothing(domain, SUPPRESSED))
                        else:
                            self._add(await self._count(CountRequest(domain, tools.hunter), persistence))
                finally:
                    await tools.pace.finish(self._progress(), spent=0, stopping=False)
        finally:
            self._display.close()
            if self._output is not None:
                self._output.close()
                if _filters_that_hunter_does_not_count(self._settings.search):
                    self._display.say("Hunter's counts know no filter but the type: with others set it is fewer.")
        return (
            f"{numbered(self._counted, 'domain')}: {numbered(self._emails, 'address', 'es')} to collect, "
            f"{numbered(self._credits, 'credit')} at most"
        )

    def receipt(self, reason: Reason, message: str) -> ErrandReceipt:
        """Return what was counted until now."""
        return ErrandReceipt(
            task=Task.ESTIMATE,
            job_id=self._settings.job_id or "",
            reason=reason,
            message=message,
            domains=self._counted,
            emails=self._emails,
            credits=self._credits,
            requests=self._requests,
        )

    async def _count(self, request: CountRequest, persistence: Persistence) -> Count:
        try:
            return counted(request.domain, await persistence.answer(request, self._progress()), self._wish)
        except (DomainRefusedError, ClaimedError) as error:
            # It would end so when it is collected, and cost nothing.
            _log.warning("%s counts as 0 addresses: %s", request.domain, error, extra={logs.SHOWN: True})
            return nothing(request.domain, REFUSED)
        finally:
            self._requests += request.tries

    def _add(self, count: Count) -> None:
        self._counted += 1
        self._emails += count.emails
        self._credits += count.credits
        if self._output is not None:
            with self._display.aside():
                self._output.add(count)

    def _progress(self) -> Progress:
        percent = self._counted * 100 // len(self._domains)
        return Progress(percent=percent, emails=self._emails, requests=self._requests)


def _filters_that_hunter_does_not_count(search: Search) -> bool:
    return msgspec.structs.replace(search, type=None) != Search()


def of_environment(environ: Mapping[str, str]) -> Estimating:
    """Return the estimate that the operator asks for.

    Raises:
        UsageError: a setting can't be used, or there are no domains, wrong ones or too many.
        KeyRefusedError: the key can't be one.
    """
    domains = domain_lists.normalised(domain_lists.of_text(environment.DOMAINS, environ.get(environment.DOMAINS, "")))
    if not 0 < len(domains) <= MAX_ESTIMATED:
        raise UsageError(f"{environment.DOMAINS} must hold 1 to {MAX_ESTIMATED} domains, one a line: set it")
    return Estimating(configuration.read(environ), domains)
