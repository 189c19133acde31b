"""Reads the domains of a command line and of list files; all that is wrong with them is said at once."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import NamedTuple

from novahunt_collector.errors import UsageError
from novahunt_contract import domains

STANDARD_INPUT = "-"
"""In place of a file's name."""
SIGNAL_SECONDS = 0.1
"""How long a signal may go unheard while a list is read."""


class Entry(NamedTuple):
    """What somebody wrote as a domain, and where; it may be anything, a person's address as well."""

    place: str
    text: str


def of_arguments(arguments: Sequence[str]) -> Iterator[Entry]:
    """Yield the entries of a command line."""
    for number, text in enumerate(arguments, start=1):
        yield Entry(f"argument {number}", text)


def of_files(names: Sequence[str]) -> Iterator[Entry]:
    """Yield the entries of files with one domain a line; `#` starts a comment, `-` is standard input.

    Raises:
        UsageError: a file can't be read, or is no text.
    """
    for name in names:
        place = "standard input" if name == STANDARD_INPUT else name
        for number, text in domains.read_list(_text_of(name, place)):
            yield Entry(f"{place} line {number}", text)


def of_text(place: str, text: str) -> Iterator[Entry]:
    """Yield the entries of a text of the same form."""
    for number, entry in domains.read_list(text):
        yield Entry(f"{place} line {number}", entry)


def normalised(entries: Iterable[Entry]) -> tuple[str, ...]:
    """Return the entries' domains in their one form and in order, each once.

    Raises:
        UsageError: some are no domains; the text names the place of each and repeats none of them.
    """
    found: dict[str, None] = {}
    wrong: list[str] = []
    for entry in entries:
        try:
            found[domains.normalise(entry.text)] = None
        except domains.NotADomainError as error:
            wrong.append(f"{entry.place} is no domain: {error}")
    if not wrong:
        return tuple(found)
    if len(wrong) == 1:
        raise UsageError(f"{wrong[0]}. Give a domain such as example.com")
    remedy = f"{len(wrong)} entries are no domains: correct or remove them; nothing was asked of Hunter"
    raise UsageError("\n".join([*wrong, remedy]))


def _text_of(name: str, place: str) -> str:
    try:
        # Lists saved by a spreadsheet begin with a byte order mark.
        return _read(name).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{place} is no UTF-8 text (byte {error.start + 1}): save it as UTF-8") from None
    except (OSError, ValueError, AttributeError) as error:
        # A process without standard input has None in its place.
        reason = error.strerror if isinstance(error, OSError) else type(error).__name__
        raise UsageError(f"{place} can't be read ({reason}): name a file with one domain a line") from None


def _read(name: str) -> bytes:
    """Return all that a file or standard input holds; a pipe's writer may take for ever.

    In a thread: Python hears a signal between two instructions of the main thread alone, and one that comes just
    before that thread waits for a pipe would be heard after the pipe's end.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        reading = pool.submit(_read_at_once, name)
        while not wait([reading], timeout=SIGNAL_SECONDS).done:
            pass
        return reading.result()


def _read_at_once(name: str) -> bytes:
    if name == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    with open(name, "rb") as file:  # noqa: PTH123 - a file of another kind than regular ones will do as well
        return file.read()
