"""What a person gets to see of a process's domains: each one's end, its addresses if wished, and a last sentence."""

import asyncio

from novahunt_collector.arguments import Arguments
from novahunt_collector.display import Display, Totals
from novahunt_collector.output import Output, frame_of, of_document
from novahunt_collector.storage.interface import Storage
from novahunt_contract import tables
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_contract.receipt import Receipt

_WITH_DOCUMENT = (Outcome.COLLECTED, Outcome.EMPTY, Outcome.TRUNCATED)


class Presentation:
    """Shows the domains of one process, in turn."""

    def __init__(self, wanted: Arguments, display: Display) -> None:
        """Take what was asked for, and the person's terminal."""
        self._wanted = wanted
        self._totals = Totals(len(wanted.domains))
        self._display = display
        self._output = None if wanted.output is None else Output(frame_of(wanted.output, tables.header()))

    def open(self) -> None:
        """Begin."""
        self._display.open(self._wanted.domains)

    def begun(self, domain: str) -> None:
        """Show that a domain is in hand."""
        self._display.begun(domain)

    async def ended(self, receipt: Receipt, storage: Storage) -> None:
        """Show a domain's end, and write its addresses if they are wished for.

        Raises:
            CollectorError: standard output can't be written; or the document, which was there, can't be read.
        """
        self._totals.add(receipt)
        self._display.ended(receipt)
        if self._output is None or self._wanted.output is None:
            return
        if receipt.outcome not in _WITH_DOCUMENT and receipt.reason is not Reason.BUDGET:
            return
        kept = await storage.load(receipt.domain)
        # A budget that ended the run leaves the document of an earlier one, unless what came could not be saved.
        if kept is not None and (receipt.outcome in _WITH_DOCUMENT or kept.document.truncated == Reason.BUDGET):
            with self._display.aside():
                # In a thread: a reader may be slow, and a signal must be heard meanwhile.
                await asyncio.to_thread(self._output.add, of_document(self._wanted.output, kept.document))

    async def close(self, *, stopped: bool) -> None:
        """Write what is left, and sum up.

        Args:
            stopped: A signal ended it.

        Raises:
            CollectorError: standard output could not be finished.
        """
        self._display.close()
        # In a Job nobody waits for a last sentence.
        if self._wanted.by_person:
            if stopped and (self._totals.stopped or self._totals.untried):
                how = "The same command without --again" if self._wanted.again else "The same command"
                self._display.say(f"Stopped. {how} continues where it stopped.")
            self._display.say(self._totals.sentence())
        if self._output is not None:
            await asyncio.to_thread(self._output.close)
