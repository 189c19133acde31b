"""Progress bars on a terminal, by rich: one for the domain in hand, one for all, and above them lines that stay."""

import contextlib
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from novahunt_collector import logs
from novahunt_collector.display import Display, counted
from novahunt_contract.intake import Progress as Reached
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_contract.receipt import Receipt

_REFRESHES_PER_SECOND = 5.0

_PATIENT_SECONDS = 1.0
"""A wait for one's turn that is shorter is not worth a word."""

_NARROWEST_NAME = 16
_WIDEST_NAME = 32
"""Columns for a domain's name; a longer one is cut on bars and whole where it stays."""

_LEFT_WIDTH = 16
"""Columns for how long it still takes, as in 12 min 45 s left."""


class _Sign(NamedTuple):
    text: str
    ascii: str
    style: str


_DONE = _Sign("✓", "+", "green")
_NOTHING = _Sign("–", "-", "dim")
_PARTLY = _Sign("✓", "+", "yellow")
_FAILED = _Sign("✗", "x", "red")
_STOPPED = _Sign("–", "-", "yellow")

_SIGNS = {
    Outcome.COLLECTED: _DONE,
    Outcome.EMPTY: _NOTHING,
    Outcome.TRUNCATED: _PARTLY,
    Outcome.FAILED: _FAILED,
    Outcome.PENDING: _FAILED,
}

_MINUTE = 60
_HOUR = 3600


class Bars(Display):
    """Bars at the bottom, what stays above; log lines go through the same console, so that nothing is garbled."""

    def __init__(self, stream: TextIO) -> None:
        """Take the terminal."""
        self._console = Console(file=stream)
        self._notice = _Notice()
        self._bars = Progress(console=self._console)
        self._in_hand: TaskID | None = None
        self._all: TaskID | None = None
        self._name_width = 0
        self._free = False
        self._ended = 0
        self._credits = 0
        self._emails = 0
        self._live: Live | None = None

    def open(self, names: Sequence[str]) -> None:
        """Show the bars, and take over the log."""
        longest = max(map(len, names))
        self._name_width = min(max(_NARROWEST_NAME, longest), _WIDEST_NAME)
        self._bars.columns = _columns(self._name_width)
        if len(names) > 1:
            self._all = self._bars.add_task(f"all {len(names):,}", total=len(names), detail="")
        logs.use(_ConsoleHandler(self._console, self._notice))
        self._show()

    def begun(self, name: str, *, free: bool = False) -> None:
        """Show a new bar for it."""
        self._clear_in_hand()
        self._free = free
        self._in_hand = self._bars.add_task(name, total=100, detail="")

    def asks(self, progress: Reached, spent: int) -> None:
        """Move both bars."""
        self._notice.waits_for_its_turn()
        if self._in_hand is not None:
            requests = counted(progress.requests, "request")
            detail = f"{requests}, {self._detail(progress.emails, spent)}"
            self._bars.update(self._in_hand, completed=progress.percent, detail=detail)
        self._move_all(progress.percent / 100, progress.emails, spent)

    def sends(self) -> None:
        """Take back that something is waited for."""
        self._notice.clear()

    def stops(self) -> None:
        """Say why it does not end at once."""
        self._notice.stops()

    def ended(self, receipt: Receipt) -> None:
        """Leave a line with the domain's end above the bars."""
        self._notice.clear()
        self._clear_in_hand()
        self._ended += 1
        self._emails += receipt.items
        self._credits += receipt.credits
        self._move_all(0.0, 0, 0)
        self._print(self._line(receipt))

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Take the bars away as long as something else is written, if that goes to a terminal as well."""
        if not (sys.stdout is not None and sys.stdout.isatty()):
            yield
            return
        self.close()
        try:
            yield
        finally:
            self._show()

    def say(self, text: str) -> None:
        """Leave a sentence above the bars, or where they were."""
        self._print(Text(text))

    def close(self) -> None:
        """Take the bars away, and show the cursor again."""
        if self._live is not None:
            with contextlib.suppress(OSError):
                self._live.stop()
            self._live = None

    def _show(self) -> None:
        # A new one each time: one that starts again would first erase as many lines as it had before.
        self._live = Live(
            console=self._console,
            get_renderable=self._render,
            refresh_per_second=_REFRESHES_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        with contextlib.suppress(OSError):
            self._live.start()

    def _print(self, text: Text) -> None:
        # Work that is paid for goes on when its terminal has gone.
        with contextlib.suppress(OSError):
            self._console.print(text, soft_wrap=True)

    def _render(self) -> RenderableType:
        shown = (self._in_hand, self._all)
        tasks = {task.id: task for task in self._bars.tasks}
        return Group(self._bars.make_tasks_table([tasks[one] for one in shown if one in tasks]), self._notice)

    def _clear_in_hand(self) -> None:
        if self._in_hand is not None:
            self._bars.remove_task(self._in_hand)
            self._in_hand = None

    def _move_all(self, fraction: float, emails: int, spent: int) -> None:
        if self._all is not None:
            detail = self._detail(self._emails + emails, self._credits + spent)
            self._bars.update(self._all, completed=self._ended + fraction, detail=detail)

    def _detail(self, emails: int, spent: int) -> str:
        addresses = counted(emails, "address", "es")
        return addresses if self._free else f"{addresses}, {counted(spent, 'credit')}"

    def _line(self, receipt: Receipt) -> Text:
        sign = _STOPPED if receipt.reason is Reason.INTERRUPTED else _SIGNS[receipt.outcome]
        shown = sign.ascii if self._console.options.ascii_only else sign.text
        return Text.assemble((shown, sign.style), f" {receipt.domain:<{self._name_width}}  ", _ending(receipt, sign))


class _Notice:
    """One line below the bars that says what is waited for; empty as long as nothing is."""

    def __init__(self) -> None:
        self._text = ""
        self._from = 0.0
        self._until: float | None = None
        self._stops = False

    def stops(self) -> None:
        self.pauses("stopping: what is under way and paid for is waited for", None)
        self._stops = True

    def waits_for_its_turn(self) -> None:
        if self._stops:
            return
        self._text, self._from, self._until = "waiting for its turn: the key's pace is used", time.monotonic(), None

    def pauses(self, text: str, seconds: float | None) -> None:
        if self._stops:
            return
        now = time.monotonic()
        self._text, self._from = text, now - _PATIENT_SECONDS
        self._until = None if seconds is None else now + seconds

    def clear(self) -> None:
        if not self._stops:
            self._text = ""

    def __rich__(self) -> Text:
        now = time.monotonic()
        if not self._text or now - self._from < _PATIENT_SECONDS:
            return Text("", end="")
        next_try = "" if self._until is None else f"; next try in {_duration(max(0.0, self._until - now))}"
        return Text(f"  {self._text}{next_try}", style="yellow", no_wrap=True, overflow="ellipsis")


class _ConsoleHandler(logging.Handler):
    """Prints warnings and errors above the bars; what bars and ends of domains show already is left out."""

    def __init__(self, console: Console, notice: _Notice) -> None:
        super().__init__(level=logging.WARNING)
        self.setFormatter(logs.LineFormatter(logs.SHORT))
        self._console = console
        self._notice = notice

    def emit(self, record: logging.LogRecord) -> None:
        """Print the record, or show it as what is waited for."""
        pause: logs.Pause | None = getattr(record, logs.PAUSE, None)
        if pause is not None:
            self._notice.pauses(pause.why, pause.seconds)
        elif not (record.getMessage().startswith(logs.WORKER) or hasattr(record, logs.SHOWN)):
            style = "red" if record.levelno >= logging.ERROR else "yellow"
            with contextlib.suppress(OSError):
                self._console.print(Text(self.format(record), style), soft_wrap=True)


class _Left(ProgressColumn):
    """How long it still takes, at the pace of the last half minute."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        """Return it in words; nothing while it is not known."""
        seconds = task.time_remaining
        return Text(f"{_duration(seconds)} left" if seconds else "", style="dim", no_wrap=True)


def _columns(name_width: int) -> tuple[ProgressColumn, ...]:
    name = Column(no_wrap=True, overflow="ellipsis", min_width=name_width + 2, max_width=name_width + 2)
    return (
        TextColumn("  {task.description}", markup=False, table_column=name),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f} %", table_column=Column(no_wrap=True, min_width=5)),
        _Left(table_column=Column(no_wrap=True, min_width=_LEFT_WIDTH)),
        TextColumn("{task.fields[detail]}", table_column=Column(no_wrap=True, overflow="ellipsis")),
    )


def _ending(receipt: Receipt, sign: _Sign) -> Text:
    """Return how a domain ended; numbers stand below each other."""
    if sign in (_FAILED, _STOPPED):
        return Text(receipt.message, sign.style)
    if sign is _NOTHING:
        return Text(receipt.message or "nothing published", "dim")
    cost = "from storage" if receipt.from_storage else f"{receipt.credits:>5,} credit{_s(receipt.credits)}"
    why = f"of {receipt.reported:,}" if sign is _PARTLY else ""
    if why and not receipt.from_storage:
        why += f": {receipt.message}"
    text = f"{receipt.items:>6,} address{_s(receipt.items, 'es'):<2}  {cost:<13}  {why}"
    return Text(text.rstrip())


def _s(number: int, plural: str = "s") -> str:
    return "" if number == 1 else plural


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole >= _HOUR:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"
    return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s" if whole >= _MINUTE else f"{whole} s"
