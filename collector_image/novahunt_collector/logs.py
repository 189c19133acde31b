"""Logging to standard error, as text or JSON lines; nothing of what errors and URLs hold gets into it."""

import contextlib
import contextvars
import logging
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple, TextIO

import msgspec

from novahunt_collector.errors import UsageError
from novahunt_contract import environment, times

domain_in_hand: contextvars.ContextVar[str | None] = contextvars.ContextVar("domain_in_hand", default=None)
"""The domain that log lines are about."""

TEXT = "text"
SHORT = "short"
"""Without time and, where nothing is amiss, without a level: for a person who is looking on."""

FORMATS = (TEXT, "json")
"""Those that can be chosen."""

WORKER = "[CollectionWorker]"
"""Begins the lines on a domain's beginning and end."""

SHOWN = "shown"
"""Attribute of a record that says nothing new where a display shows how each domain ends."""

PAUSE = "pause"
"""Attribute of a record that speaks of a wait before the next try: a Pause."""


class Pause(NamedTuple):
    """A wait before the next try."""

    seconds: float
    why: str


class Subject(NamedTuple):
    """What the lines of a whole process are about; None: nothing of that kind."""

    collection: str | None = None
    """Namespace and name, with a slash between them."""
    domain: str | None = None
    """The only one of the process; where there are several, see `domain_in_hand`."""
    run: int | None = None


@contextlib.contextmanager
def about(domain: str) -> Iterator[None]:
    """Let the lines that are written meanwhile be about a domain."""
    token = domain_in_hand.set(domain)
    try:
        yield
    finally:
        domain_in_hand.reset(token)


class _Line(msgspec.Struct, frozen=True, omit_defaults=True):
    time: str
    level: str
    message: str
    collection: str | None = None
    domain: str | None = None
    run: int | None = None


class LineFormatter(logging.Formatter):
    """One record, one line. Of an exception: its type and our lines, for its own text may hold anything."""

    def __init__(self, kind: str, subject: Subject = Subject()) -> None:  # noqa: B008 - it can't be changed
        super().__init__()
        self._kind = kind
        self._subject = subject

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        message = record.getMessage() + _trace(record)
        if self._kind == SHORT:
            level = "" if record.levelno < logging.WARNING else f"{record.levelname.lower()}: "
            return f"{level}{message}".replace("\n", " ")
        time = times.to_text(datetime.fromtimestamp(record.created, UTC))
        if self._kind == TEXT:
            return f"{time} {record.levelname} {message}".replace("\n", " ")
        line = _Line(
            time=time,
            level=record.levelname,
            message=message,
            collection=self._subject.collection,
            # Signals and timers are heard outside of what the domain in hand is known to.
            domain=domain_in_hand.get() or self._subject.domain,
            run=self._subject.run,
        )
        return msgspec.json.encode(line).decode()


def configure(kind: str, subject: Subject = Subject(), stream: TextIO | None = None) -> None:  # noqa: B008 - the same
    """Send every log record of the process to standard error.

    Args:
        kind: `text` or `json`; or `short`, which nobody can choose.
        subject: Named in JSON lines.
        stream: In place of standard error.

    Raises:
        UsageError: there is no such kind.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    known = kind in (*FORMATS, SHORT)
    handler.setFormatter(LineFormatter(kind if known else TEXT, subject))
    use(handler)
    logging.getLogger().setLevel(logging.INFO)
    quieten()
    if not known:
        raise UsageError(f"{environment.LOG_FORMAT} must be text or json: correct it, or unset it for text")


def use(handler: logging.Handler) -> None:
    """Send every record to this handler from now on, and to no other."""
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)


def only_warnings() -> None:
    """Say nothing but warnings and errors."""
    logging.getLogger().setLevel(logging.WARNING)


def quieten() -> None:
    """Silence the loggers that print URLs: httpx each request, httpcore each step, backoff each error."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpcore").setLevel(logging.WARNING)
    logging.getLogger("backoff").setLevel(logging.CRITICAL + 1)


def _trace(record: logging.LogRecord) -> str:
    if not record.exc_info or record.exc_info[0] is None:
        return ""
    kind, _, trace = record.exc_info
    places = "; ".join(f"{frame.name} at {frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(trace))
    return f" [{kind.__name__}: {places}]"
