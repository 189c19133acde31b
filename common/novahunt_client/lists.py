"""Reads lists of domains that people write, paste or save from a spreadsheet, and tells what is named again. Pure."""

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import Literal

import msgspec

from novahunt_contract import domains, wanted
from novahunt_contract.wanted import Entry

HEADINGS = ("domain", "domains", "company domain", "website", "websites", "web", "url")
"""Of columns that hold domains, the best first. Case does not count; blanks, hyphens and underscores are alike."""

Counted = Literal["line", "row"]
"""How a table's entries are found again: by the line of an editor, or by the row of a spreadsheet."""

MAX_ENTRIES = 50_000
"""Of one list: beside a collection's domains that leaves room for four times as many that are none or named again."""

_EMPTY_ROWS = 1000
"""Above the first row of a table: it is looked for once for each separator."""
_SEPARATORS = ",;\t"
_BLANKS = re.compile(r"[\s_-]+")


class UnreadableListError(ValueError):
    """A list that can't be read; the text says why, and follows the list's name."""


class ReadList(msgspec.Struct, frozen=True):
    """A list's entries, and how it was read, for the person to see."""

    entries: tuple[Entry, ...]
    how: str


class Repeat(msgspec.Struct, frozen=True):
    """An entry that names a domain again."""

    place: str
    domain: str
    first: str
    """The place that named it first."""


def decoded(data: bytes) -> str:
    """Return a file's text: UTF-8 with or without a mark, or UTF-16 with one, as spreadsheets save it.

    Raises:
        UnreadableListError: it is a spreadsheet's own format, an archive, or text in another encoding.
    """
    is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if b"\0" in data and not is_wide:
        raise UnreadableListError("it is no text: save the table as CSV, or the list as plain text")
    try:
        return data.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableListError("it is no UTF-8 text: save it as UTF-8") from None


def read(text: str, source: str, *, file_name: str = "", counted: Counted = "line") -> ReadList:
    """Return a list's entries, one a line; or a table's, if its file is named so or its first row has a known heading.

    Args:
        text: Of the list; a mark of byte order does not count.
        source: What entries' places begin with.
        file_name: `.csv` at its end makes it a table.
        counted: What a table's entries are counted by.

    Raises:
        UnreadableListError: it looks like a table, and is none; or it has more than MAX_ENTRIES entries.
    """
    text = text.removeprefix("\ufeff")
    first_rows = {separator: _first_row(text, separator) for separator in _SEPARATORS}
    known = (separator for separator, cells in first_rows.items() if _known(cells) is not None)
    separator = next(known, None)
    if separator is None:
        if not file_name.lower().endswith(".csv"):
            return ReadList(_bounded(wanted.from_text(source, text)), f"{source}: one entry a line")
        separator = max(first_rows, key=lambda one: len(first_rows[one]))
    return _of_table(text, separator, source, counted)


def repeats(entries: Iterable[Entry]) -> tuple[Repeat, ...]:
    """Return the entries that name a domain again: as many as `wanted.resolve` counts as duplicates."""
    first: dict[str, str] = {}
    again = []
    for entry in entries:
        domain = _domain(entry.text)
        if domain is None:
            continue
        if domain in first:
            again.append(Repeat(entry.place, domain, first[domain]))
        elif len(first) < wanted.MAX_DOMAINS:
            first[domain] = entry.place
    return tuple(again)


def _first_row(text: str, separator: str) -> Sequence[str]:
    """Return the first row that is not empty; none, if the text is no table with this separator."""
    rows = islice(csv.reader(_lines(text), delimiter=separator), _EMPTY_ROWS + 1)
    try:
        return next((cells for cells in rows if any(map(str.strip, cells))), ())
    except csv.Error:
        return ()


def _of_table(text: str, separator: str, source: str, counted: Counted) -> ReadList:
    reader = csv.reader(_lines(text), delimiter=separator)
    numbered = ((reader.line_num if counted == "line" else row, cells) for row, cells in enumerate(reader, start=1))
    rows = ((number, cells) for number, cells in numbered if any(map(str.strip, cells)))
    try:
        first = next(rows, None)
        if first is None:
            return ReadList((), f"{source}: it is empty")
        known = _known(first[1])
        column = known or 0
        heading = first[1][column].strip()
        has_heading = known is not None or _could_be_a_heading(heading)
        body = rows if has_heading else chain([first], rows)
        entries = _bounded(Entry(f"{source} {counted} {number}", _cell(cells, column)) for number, cells in body)
    except csv.Error as error:
        raise UnreadableListError(f"it is no CSV, near line {reader.line_num}: {error}") from None
    how = f"column {heading.lower()!r}" if has_heading else "the first column, no header"
    return ReadList(entries, f"{source}: CSV, {how}")


def _bounded(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    found = tuple(islice(entries, MAX_ENTRIES + 1))
    if len(found) > MAX_ENTRIES:
        held = f"a collection holds {wanted.MAX_DOMAINS:,} domains"
        raise UnreadableListError(f"it has more than {MAX_ENTRIES:,} entries, and {held}: divide it")
    return found


def _lines(text: str) -> Iterable[str]:
    return io.StringIO(text, newline="")


def _known(cells: Sequence[str]) -> int | None:
    """Return which column has the best of the known headings; None: none has."""
    found = [_BLANKS.sub(" ", cell).strip().lower() for cell in cells]
    ranked = [(HEADINGS.index(heading), column) for column, heading in enumerate(found) if heading in HEADINGS]
    return min(ranked)[1] if ranked else None


def _could_be_a_heading(text: str) -> bool:
    # Somebody's address is an entry to be named as invalid, and other characters look like an @.
    return _domain(text) is None and "@" not in unicodedata.normalize("NFKC", text)


def _cell(cells: Sequence[str], column: int) -> str:
    return cells[column].strip() if column < len(cells) else ""


def _domain(text: str) -> str | None:
    try:
        return domains.normalise(text)
    except domains.NotADomainError:
        return None
