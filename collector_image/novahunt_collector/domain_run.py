"""One domain's way through: storage, Hunter, document, receipt, whatever happens in between."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from novahunt_collector import billing, receipts, resuming, tracing
from novahunt_collector.asking import Asker
from novahunt_collector.changes import changed
from novahunt_collector.checkpoint import Checkpoint, Header
from novahunt_collector.collecting import Collecting
from novahunt_collector.diagnosis import NO_DIAGNOSIS, Diagnosis, diagnose
from novahunt_collector.errors import (
    BudgetUsedUpError,
    ClaimedError,
    CollectorError,
    DomainRefusedError,
    PlanReducedError,
    StoppedError,
    StorageFailedError,
    reason_of,
)
from novahunt_collector.freshness import is_fresh
from novahunt_collector.hunter import HunterClient
from novahunt_collector.pace import Pace
from novahunt_collector.paging import Limits
from novahunt_collector.replacing import plan_shows_less
from novahunt_collector.settings import Settings
from novahunt_collector.stopping import ANSWER_SECONDS, INTERRUPTED, STORING_SECONDS, Stop, let_finish
from novahunt_collector.storage.interface import Kept, Storage
from novahunt_collector.suppression import Lists, without_listed
from novahunt_collector.suppression_files import SuppressionFiles
from novahunt_collector.tally import Tally
from novahunt_contract import keys, times
from novahunt_contract.document import Document
from novahunt_contract.intake import Progress
from novahunt_contract.outcomes import Reason
from novahunt_contract.receipt import Receipt
from novahunt_contract.searchhash import search_hash

_log = logging.getLogger(__name__)

CLOCK_SKEW = timedelta(minutes=5)
"""By so much the clocks of two nodes may differ."""

_T = TypeVar("_T")


class Tools(NamedTuple):
    """What a run works with; one set a process."""

    settings: Settings
    hunter: HunterClient
    pace: Pace
    storage: Storage
    now: Callable[[], datetime]
    """UTC."""
    uniform: Callable[[float, float], float]
    """Returns a random number between its two arguments."""
    stop: Stop
    suppression: SuppressionFiles


class DomainRun:
    """One run of one domain."""

    def __init__(self, domain: str, tools: Tools, *, again: bool) -> None:
        """Take the parts.

        Args:
            domain: In its one form.
            tools: The process's.
            again: Ask Hunter even if a fresh document is there.
        """
        self._domain = domain
        self._tools = tools
        self._again = again
        self._tally = Tally(repeats_charged=tools.settings.hunter.repeats_charged)
        self._started = tools.now()
        settings = tools.settings
        job_id = settings.job_id or f"collect-{domain}-{times.to_milliseconds(self._started)}"
        key = keys.fingerprint(settings.hunter.api_key)
        self.name = receipts.RunName(domain=domain, run=settings.run, job_id=job_id, key=key)
        self._pages = tools.storage.pages(domain)
        self._asker = self._new_asker()
        self._collecting = self._new_collecting()

    async def run(self) -> Receipt:
        """Return how it ended; nothing is raised but what ends the whole process.

        A cancellation is an ending as well: its receipt says Interrupted.
        """
        _log.info("[CollectionWorker] Processing job %s for domain: %s", self.name.job_id, self._domain)
        try:
            return await self._ended()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
            stopped = StoppedError(INTERRUPTED)
            return self.failed(reason_of(stopped), str(stopped))
        except Exception as error:  # noqa: BLE001 - whatever it is, the receipt must say that it happened
            _log.exception("a defect of the collector")
            return self.failed(reason_of(error), f"a defect of the collector ({type(error).__name__})")

    async def finish(self, receipt: Receipt) -> None:
        """Tell the intake the end; the receipt is written before, for this may take seconds."""
        progress = self._collecting.progress()
        if receipt.sha256 is not None:
            progress = Progress(percent=100, emails=receipt.items, requests=self._tally.requests)
        unfinished = receipt.sha256 is None
        await self._tools.pace.finish(progress, spent=self._tally.spent, stopping=unfinished)

    def failed(self, reason: Reason, message: str, diagnosis: Diagnosis = NO_DIAGNOSIS) -> Receipt:
        """Return the receipt of a run that ends now without an answer, and log so."""
        if diagnosis.reset_date is not None:
            message = f"{message}; its next billing period begins on {diagnosis.reset_date}"
        kept = self._pages.kept if self._pages is not None else 0
        if kept:
            saved = "1 page is saved" if kept == 1 else f"{kept} pages are saved"
            message = f"{message}; {saved}, and the next run goes on from there"
        _log.error("[CollectionWorker] Job %s failed for %s: %s", self.name.job_id, self._domain, message)
        return receipts.of_failure(self.name, reason, message, self._tally, diagnosis)

    async def _ended(self) -> Receipt:
        """Return the receipt of a run that no signal cuts short."""
        try:
            receipt = await self._answered()
        except CollectorError as error:
            diagnosis = await diagnose(error, self._asker, self._collecting.progress())
            return self.failed(reason_of(error), str(error), diagnosis)
        _log.info("[CollectionWorker] Successfully completed job %s for %s", self.name.job_id, self._domain)
        return receipt

    async def _answered(self) -> Receipt:
        storage, settings = self._tools.storage, self._tools.settings
        lists = await self._tools.suppression.read()
        if lists.name_domain(self._domain):
            return await self._suppressed(lists)
        await storage.prepare(self._domain)
        before = await storage.load(self._domain)
        header = self._header()
        oldest = resuming.oldest(settings.not_before, header, before.document if before is not None else None)
        found = await resuming.find(self._pages, header, oldest, lists, again=self._again)
        if before is not None and not self._again and self._answers(before.document, found):
            return await self._from_storage(before, lists)
        try:
            await self._know_what_is_paid(before.document if before is not None else None)
            document, message = await self._collect(await resuming.begin(self._pages, header, found), lists)
        except (DomainRefusedError, ClaimedError) as error:
            # With 451 Hunter does not say which address is meant, so the whole document goes.
            if await storage.remove(self._domain):
                raise type(error)(f"{error}; what was stored for it is removed") from None
            raise
        return await self._stored(document, before, message)

    async def _stored(self, document: Document, before: Kept | None, message: str) -> Receipt:
        """Store what was collected, held to the lists of now: collecting takes time, in which some may be added."""
        lists = await self._tools.suppression.read()
        if lists.name_domain(self._domain):
            return await self._suppressed(lists)
        left = without_listed(document, lists, document.stored_at)
        if before is not None and plan_shows_less(left, before.document):
            # With these pages the next run would end here again, where what is stored answers it.
            await self._drop_pages()
            kept_back = await self._held_to_lists(before, lists)
            stay = f"the {kept_back.total} that were collected at {before.document.collected_at} stay"
            raise PlanReducedError(f"{message}; {stay}")
        with tracing.span("store", addresses=left.total):
            kept = await self._let_finish(self._tools.storage.store(left))
        if kept is None:
            return await self._overtaken()
        await self._drop_pages()
        self._log_stored(kept)
        if left.truncated == Reason.BUDGET:
            raise BudgetUsedUpError(f"{message}; what came until then is in {kept.place}")
        return receipts.of_document(
            self.name,
            kept,
            self._tally,
            message=message,
            from_storage=False,
            suppression=lists.digest,
            changed=changed(before.document, left) if before is not None else None,
        )

    async def _held_to_lists(self, before: Kept, lists: Lists) -> Document:
        """Remove from a document that stays what the lists name by now, and return what is left."""
        if self._tools.settings.intake is not None:
            # In a cluster a sweep does, and has the record tell of what is left.
            return before.document
        left = without_listed(before.document, lists, times.to_text(self._tools.now()))
        if left is not before.document:
            await self._let_finish(self._tools.storage.confirm(before, left, self.name.run))
        return left

    async def _from_storage(self, before: Kept, lists: Lists) -> Receipt:
        """Answer with what is stored, held to the lists of now."""
        if before.document.job_id == self.name.job_id:
            # An attempt before this one stored it and was killed before anybody read its receipt.
            paid = before.document
            own = paid.credits if paid.run_credits is None else paid.run_credits
            self._tally.took_over(credits=paid.credits, requests=paid.requests, of_this_run=own)
        left = without_listed(before.document, lists, times.to_text(self._tools.now()))
        kept = await self._let_finish(self._tools.storage.confirm(before, left, self.name.run))
        if kept is None:
            return await self._overtaken()
        await self._drop_pages()
        message = f"answered from storage: collected at {before.document.collected_at} with the same filters"
        hint = "" if self._tools.settings.intake else " (--again asks Hunter anew)"
        _log.info("%s, in %s; Hunter was not asked%s", message, kept.place, hint)
        return receipts.of_document(
            self.name,
            kept,
            self._tally,
            message=message,
            from_storage=True,
            suppression=lists.digest,
            changed=changed(before.document, left) if left is not before.document else None,
        )

    async def _suppressed(self, lists: Lists) -> Receipt:
        """End without asking, or without storing what came, and forget what is stored."""
        message = "a suppression list names the domain: nothing is stored for it"
        if await self._let_finish(self._tools.storage.remove(self._domain)):
            message = f"{message} any more"
        _log.info("%s: %s", self._domain, message)
        return receipts.of_suppressed(self.name, self._tally, message=message, suppression=lists.digest)

    def _answers(self, document: Document, found: Checkpoint | None) -> bool:
        """Tell whether a document is the answer: it is fresh, and nobody has begun to collect again since."""
        settings = self._tools.settings
        begun_since = found is not None and found.header.started > document.collected_at
        return not begun_since and is_fresh(
            document,
            search_hash=search_hash(settings.search),
            not_before=settings.not_before,
            max_results=settings.hunter.max_results,
            max_credits=settings.domain_credits,
        )

    async def _collect(self, begun: Checkpoint, lists: Lists) -> tuple[Document, str]:
        """Return the document, and why it is truncated if it is."""
        settings = self._tools.settings
        self._collecting.go_on_from(begun, lists)
        collected = await self._collecting.run()
        document = Document(
            domain=self._domain,
            items=collected.items,
            total=len(collected.items),
            stored_at=times.to_text(self._tools.now()),
            # The beginning: a wish for newer addresses that comes while we ask is not met by what came before it.
            collected_at=begun.header.started,
            job_id=self.name.job_id,
            collection=settings.collection,
            run=settings.run,
            reported=collected.reported,
            truncated=collected.truncated,
            max_results=settings.hunter.max_results,
            max_credits=settings.domain_credits or 0,
            search_hash=begun.header.search_hash,
            credits=self._tally.credits + self._tally.credits_saved,
            run_credits=self._tally.spent,
            requests=self._tally.requests + self._tally.requests_saved,
            page_size=begun.header.page_size,
            pages=collected.pages,
            suppressed=collected.suppressed,
            key=collected.key,
        )
        return document, collected.message

    async def _know_what_is_paid(self, before: Document | None) -> None:
        """Find out which pages were paid for in this billing period already, so that they are not counted again."""
        hunter = self._tools.settings.hunter
        wanted = search_hash(self._tools.settings.search)
        if before is None or hunter.repeats_charged:
            return
        if billing.may_be_free(before, search_hash=wanted, key=self.name.key, now=self._tools.now()):
            reset = await self._asker.reset_date(self._collecting.progress())
            if reset is not None:
                self._tally.know_paid(billing.free_pages(before, reset=reset))

    def _header(self) -> Header:
        """Return what a collection that begins now would say of its pages."""
        settings = self._tools.settings
        now = self._tools.now()
        if settings.not_before is not None and now < settings.not_before <= now + CLOCK_SKEW:
            # What is asked for now answers the wish, even if this clock is behind the one that gave its time.
            now = settings.not_before
        return Header(
            domain=self._domain,
            search_hash=search_hash(settings.search),
            page_size=settings.hunter.page_size,
            started=times.to_text(now),
        )

    async def _drop_pages(self) -> None:
        """Remove the saved pages: the document is durable. What fails here is no reason to collect again."""
        if self._pages is None:
            return
        try:
            await self._let_finish(self._pages.remove())
        except StorageFailedError as error:
            _log.warning("the pages of the finished run are still there: %s", error)

    async def _overtaken(self) -> Receipt:
        """End quietly: a later run's document is there, and it is the domain's answer."""
        message = "a later run has stored its document already; this run's is dropped"
        _log.warning("%s", message)
        kept = await self._tools.storage.load(self._domain)
        if kept is None:
            raise StoppedError(f"{message}, and can't be read")
        await self._drop_pages()
        # Which lists that run was held to is for its own receipt to say.
        return receipts.of_document(self.name, kept, self._tally, message=message, from_storage=False, suppression="")

    def _log_stored(self, kept: Kept) -> None:
        _log.info(
            "stored %d addresses of %s in %s (%d credits, %d requests)",
            kept.document.total, self._domain, kept.place, self._tally.credits, self._tally.requests,
        )  # fmt: skip

    def _new_asker(self) -> Asker:
        tools = self._tools
        return Asker(
            self._domain,
            tools.hunter,
            tools.pace,
            tally=self._tally,
            settings=tools.settings.backoff,
            uniform=tools.uniform,
            stop=tools.stop,
            grace=ANSWER_SECONDS if self._pages is not None else 0.0,
        )

    def _new_collecting(self) -> Collecting:
        tools = self._tools
        hunter = tools.settings.hunter
        limits = Limits(hunter.page_size, hunter.max_results, hunter.max_offset)
        return Collecting(
            self._asker,
            limits,
            self._tally,
            job_id=self.name.job_id,
            key=self.name.key,
            pages=self._pages,
            stop=tools.stop,
        )

    async def _let_finish(self, work: Coroutine[object, object, _T]) -> _T:
        return await let_finish(work, self._tools.stop, STORING_SECONDS)
