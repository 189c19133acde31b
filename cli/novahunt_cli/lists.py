"""Reads the domains that a person names: arguments, a text with one entry a line, or a column of a CSV. Pure."""

import csv
import io
from collections.abc import Iterable, Sequence

import msgspec

from novahunt_contract import domains, wanted
from novahunt_contract.wanted import Entry

_TITLES = ("domain", "website", "url")
"""Columns that hold domains, the best first."""

_SEPARATORS = ",;\t"


class UnreadableListError(ValueError):
    """A list that can't be read; the text names the place."""


class ReadList(msgspec.Struct, frozen=True):
    """A list's entries, and how it was read, for the person to see."""

    entries: tuple[Entry, ...]
    how: str


def of_arguments(arguments: Sequence[str]) -> tuple[Entry, ...]:
    """Return the entries of a command line."""
    return tuple(Entry(f"argument {number}", text) for number, text in enumerate(arguments, start=1))


def of_text(source: str, text: str) -> ReadList:
    """Return a list's entries: it is a CSV if its name says so, or if its first line is a header that we know.

    Raises:
        UnreadableListError: it looks like a CSV, and is none.
    """
    text = text.removeprefix("\ufeff")
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = next((sign for sign in _SEPARATORS if sign in first), ",")
    titles = [title.strip().strip('"').lower() for title in first.split(separator)]
    if source.lower().endswith(".csv") or any(title in _TITLES for title in titles):
        return _of_csv(source, text, separator)
    return ReadList(tuple(wanted.from_text(source, text)), f"{source}: one entry a line")


def _of_csv(source: str, text: str, separator: str) -> ReadList:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise UnreadableListError(f"{source} is no CSV, near line {reader.line_num}: {error}") from None
    if not rows:
        return ReadList((), f"{source}: it is empty")
    titles = [title.strip().lower() for title in rows[0][1]]
    column = next((titles.index(title) for title in _TITLES if title in titles), 0)
    has_header = any(title in titles for title in _TITLES) or not _is_domain(rows[0][1][0])
    body = rows[1:] if has_header else rows
    found = tuple(_entries(source, column, body))
    name = f"column {titles[column]!r}" if has_header else "the first column, no header"
    return ReadList(found, f"{source}: CSV, {name}")


def _entries(source: str, column: int, rows: Iterable[tuple[int, list[str]]]) -> Iterable[Entry]:
    for number, row in rows:
        text = row[column].strip() if column < len(row) else ""
        yield Entry(f"{source} line {number}", text)


def _is_domain(text: str) -> bool:
    try:
        domains.normalise(text)
    except domains.NotADomainError:
        return False
    return True


def repeated(entries: Sequence[Entry]) -> list[str]:
    """Return the places of entries that name a domain again, each with the place that named it first."""
    first: dict[str, str] = {}
    again = []
    for entry in entries:
        try:
            domain = domains.normalise(entry.text)
        except domains.NotADomainError:
            continue
        if domain in first:
            again.append(f"{entry.place} ({domain}, first in {first[domain]})")
        first.setdefault(domain, entry.place)
    return again
