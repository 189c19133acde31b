"""What a person on a terminal sees of a process that works on several domains, one after the other."""

import contextlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO

import msgspec

from novahunt_contract import environment
from novahunt_contract.intake import Progress
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_contract.receipt import Receipt

_log = logging.getLogger(__name__)


class Display:
    """The plain one: log lines tell what happens, and a last one sums it up."""

    def open(self, names: Sequence[str]) -> None:
        """Begin; these are taken in hand in turn."""

    def begun(self, name: str, *, free: bool = False) -> None:
        """Show that one of them, mostly a domain, is in hand now; `free`: it costs nothing."""

    def asks(self, progress: Progress, spent: int) -> None:
        """Show how far what is in hand is, and the credits it has cost; a request waits for its turn."""

    def sends(self) -> None:
        """Show that a request is under way."""

    def stops(self) -> None:
        """Show that a signal was heard; the end may still take seconds."""

    def ended(self, receipt: Receipt) -> None:
        """Show how the domain in hand ended."""

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Keep the terminal free for what is written to standard output meanwhile."""
        yield

    def say(self, text: str) -> None:
        """Show a sentence that stays."""
        _log.info("%s", text)

    def close(self) -> None:
        """Give the terminal back; may be called again."""


class Totals(msgspec.Struct):
    """What became of the domains of a process."""

    wanted: int
    collected: int = 0
    empty: int = 0
    truncated: int = 0
    failed: int = 0
    stopped: int = 0
    addresses: int = 0
    credits: int = 0

    def add(self, receipt: Receipt) -> None:
        """Count a domain that has ended."""
        if receipt.reason is Reason.INTERRUPTED:
            self.stopped += 1
        elif receipt.outcome is Outcome.COLLECTED:
            self.collected += 1
        elif receipt.outcome is Outcome.EMPTY:
            self.empty += 1
        elif receipt.outcome is Outcome.TRUNCATED:
            self.truncated += 1
        else:
            self.failed += 1
        self.addresses += receipt.items
        self.credits += receipt.credits

    @property
    def untried(self) -> int:
        """Domains that were not taken in hand."""
        return self.wanted - self.collected - self.empty - self.truncated - self.failed - self.stopped

    def sentence(self) -> str:
        """Return what became of all of them, for people."""
        named = (
            (self.collected, "collected"),
            (self.empty, "empty"),
            (self.truncated, "truncated"),
            (self.failed, "failed"),
            (self.stopped, "stopped"),
            (self.untried, "not tried"),
        )
        became = ", ".join(f"{number:,} {word}" for number, word in named if number)
        got = f"{counted(self.addresses, 'address', 'es')}, {counted(self.credits, 'credit')}"
        return f"{counted(self.wanted, 'domain')}: {became}; {got}"


def counted(number: int, noun: str, plural: str = "s") -> str:
    """Return a number with its noun: 1 address, 1,200 addresses."""
    return f"{number:,} {noun}{'' if number == 1 else plural}"


def of_terminal(stream: TextIO | None, environ: Mapping[str, str]) -> Display:
    """Return bars where standard error is a terminal that can show them, else the plain display.

    Bars need rich, which the collector's image does not hold.
    """
    can_move = environ.get("TERM", "") not in ("", "dumb")
    if stream is None or not stream.isatty() or not can_move or environ.get(environment.LOG_FORMAT, "text") != "text":
        return Display()
    try:
        from novahunt_collector.progress_bars import Bars
    except ImportError:
        return Display()
    return Bars(stream)
