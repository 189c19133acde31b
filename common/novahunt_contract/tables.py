"""Addresses as lines of a CSV table (RFC 4180) that is harmless to open in a spreadsheet."""

import re
import unicodedata
from collections.abc import Sequence

from novahunt_contract.document import Item

COLUMNS = (
    "email", "name", "title", "confidence", "source", "type", "department", "seniority", "verification",
    "first_seen", "last_seen",
)  # fmt: skip

_FORMULA_SIGNS = frozenset("=+-@\u2212")
"""What a spreadsheet takes for the beginning of a formula; the last one is the typographic minus."""

_BREAKS = re.compile(r"([;\t\r\n])")
"""Where a spreadsheet begins another cell: what separates cells in many countries' settings, and what ends a line.

Our quotes don't help there: to a reader that separates by one of these they stand inside a cell.
"""

_LEADING_BREAKS = ("\t", "\r", "\n")
"""Not to be at a cell's start at all (OWASP, "CSV Injection")."""

_UNSEEN = ("C", "Z")
"""Unicode's major classes that may be skipped before a formula is looked for: controls, marks of direction, blanks."""

_QUOTED = re.compile(r'[",;\t\r\n]')
"""What makes a cell stand in quotes; RFC 4180 asks it of all but semicolon and tab, and allows it for any."""


def header() -> str:
    """Return the first line."""
    return record(COLUMNS)


def line(item: Item) -> str:
    """Return an address's line."""
    return record(row(item))


def row(item: Item) -> tuple[str, ...]:
    """Return an address's cells in the order of COLUMNS, harmless; what is not known is empty.

    `first_seen` and `last_seen` are the earliest and the latest date on which Hunter saw it on one of its sources.
    """
    cells = (
        item.email,
        item.name,
        item.title,
        str(item.confidence),
        item.source,
        item.type,
        item.department,
        item.seniority,
        item.verification.status,
        min((source.extracted_on for source in item.sources if source.extracted_on), default=None),
        max((source.last_seen_on for source in item.sources if source.last_seen_on), default=None),
    )
    return tuple(harmless(cell or "") for cell in cells)


def harmless(cell: str) -> str:
    """Return a cell with an apostrophe before all that a spreadsheet would run as a formula.

    What websites publish ends in this table: a name may well be `=HYPERLINK(…)` (OWASP, "CSV Injection"), and a title
    `CEO;=1+1`, which is two cells where the semicolon separates.
    """
    before = "'" if cell.startswith(_LEADING_BREAKS) else ""
    return before + "".join(f"'{piece}" if _is_formula(piece) else piece for piece in _BREAKS.split(cell))


def record(cells: Sequence[object]) -> str:
    """Return one line of any table; the cells are taken as they are, None is empty."""
    return ",".join(_written("" if cell is None else str(cell)) for cell in cells) + "\r\n"


def _is_formula(text: str) -> bool:
    # Where another sign separates, a quote in the text may open a cell, and what follows it begins that one.
    seen = next((sign for sign in text if sign != '"' and not unicodedata.category(sign).startswith(_UNSEEN)), "")
    # NFKC makes full-width and small forms of a sign the sign itself, as spreadsheets do.
    return unicodedata.normalize("NFKC", seen)[:1] in _FORMULA_SIGNS


def _written(text: str) -> str:
    # csv.writer can't be told to quote for more signs than its own.
    quoted = text.replace('"', '""')
    return f'"{quoted}"' if _QUOTED.search(text) else text
