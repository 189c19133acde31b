"""Addresses as lines of a CSV table (RFC 4180) that is harmless to open in a spreadsheet."""

import csv
import io
import unicodedata
from collections.abc import Sequence

from novahunt_contract.document import Item

COLUMNS = (
    "email", "name", "title", "confidence", "source", "type", "department", "seniority", "verification",
    "first_seen", "last_seen",
)  # fmt: skip

_FORMULA_SIGNS = frozenset("=+-@\u2212")
"""What a spreadsheet takes for the beginning of a formula; the last one is the typographic minus."""

_CELL_ENDS = ("\t", "\r", "\n")
"""At a cell's start these may end it, and what follows would begin another one."""

_UNSEEN = ("C", "Z")
"""Unicode's major classes that may be skipped before a formula is looked for: controls, marks of direction, blanks."""


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
    """Return a cell with an apostrophe before it if a spreadsheet would run it as a formula.

    What websites publish ends in this table: a name may well be `=HYPERLINK(…)` (OWASP, "CSV Injection").
    """
    if cell.startswith(_CELL_ENDS):
        return f"'{cell}"
    seen = next((sign for sign in cell if not unicodedata.category(sign).startswith(_UNSEEN)), "")
    # NFKC makes full-width and small forms of a sign the sign itself, as spreadsheets do.
    return f"'{cell}" if unicodedata.normalize("NFKC", seen)[:1] in _FORMULA_SIGNS else cell


def record(cells: Sequence[object]) -> str:
    """Return one line of any table; the cells are taken as they are."""
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerow(cells)
    return written.getvalue()
