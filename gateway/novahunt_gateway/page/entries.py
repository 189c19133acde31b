"""Reads what a person pastes or uploads, and says what would be collected and what it can cost. Pure."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress

import msgspec

from novahunt_contract import credits as prices
from novahunt_contract import domains, wanted

MAX_BYTES = 4 * 1024 * 1024
"""Of a pasted or uploaded list: 10,000 domains take a tenth of it."""
SHOWN = 100
"""Invalid entries that are named one by one."""
_HEADINGS = frozenset({"domain", "domains", "website", "websites", "url", "company domain", "company_domain", "web"})
_NAME_PARTS = re.compile(r"[^a-z0-9]+")
_MAX_NAME = 63


class UnreadableError(ValueError):
    """A file that is no list; the text says why."""


class Preview(msgspec.Struct, frozen=True):
    """What a list comes to, before anything starts."""

    domains: tuple[str, ...]
    invalid: tuple[wanted.Invalid, ...]
    """The first ones."""
    invalid_count: int
    duplicates: int
    repeated: tuple[tuple[str, int], ...]
    """The first domains that are named more than once, and how often."""
    worst_case: int
    """Credits, if each domain has as many addresses as one collection takes of it."""


def decoded(data: bytes) -> str:
    """Return a file's text. UnreadableError: it is too large, or no text."""
    if len(data) > MAX_BYTES:
        raise UnreadableError(f"The file is larger than {MAX_BYTES // 1024 // 1024} MiB.")
    if b"\0" in data and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableError("The file is no text: save the table as CSV, or the list as plain text.")
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableError("The file is not in UTF-8: save it so, and upload it again.") from None


def from_file(name: str, text: str) -> Iterable[wanted.Entry]:
    """Return a file's entries: of a CSV the column that its heading names, else the first; else one a line."""
    if not name.lower().endswith(".csv"):
        return wanted.from_text("file", text)
    return _from_table(text)


def _from_table(text: str) -> Iterable[wanted.Entry]:
    separator = max(",;\t", key=text.split("\n", 1)[0].count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise UnreadableError(f"The CSV can't be read: {error}.") from None
    column, start = 0, 0
    if lines:
        headings = [cell.strip().lower() for cell in lines[0]]
        named = [at for at, heading in enumerate(headings) if heading in _HEADINGS]
        if named:
            column, start = named[0], 1
    return [
        wanted.Entry(f"file row {number}", line[column].strip())
        for number, line in enumerate(lines[start:], start=start + 1)
        if len(line) > column and line[column].strip()
    ]


def preview(entries: Iterable[wanted.Entry], max_results: int, page_size: int) -> Preview:
    """Return what a list comes to."""
    given = tuple(entries)
    found = wanted.resolve(given)
    each = prices.of_domain(max_results, page_size)
    return Preview(
        domains=found.domains,
        invalid=found.invalid[:SHOWN],
        invalid_count=len(found.invalid),
        duplicates=found.duplicates,
        repeated=_repeated(given)[:SHOWN] if found.duplicates else (),
        worst_case=each * len(found.domains),
    )


def _repeated(entries: Iterable[wanted.Entry]) -> tuple[tuple[str, int], ...]:
    counted: Counter[str] = Counter()
    for entry in entries:
        with suppress(domains.NotADomainError):
            counted[domains.normalise(entry.text)] += 1
    return tuple((domain, times) for domain, times in counted.items() if times > 1)


def suggested_name(domains_: Sequence[str], stamp: str) -> str:
    """Return a name for a collection: of its one domain, or of the moment."""
    if len(domains_) != 1:
        return f"list-{stamp}"
    return f"collect-{_NAME_PARTS.sub('-', domains_[0])}"[:_MAX_NAME].rstrip("-")


def refused_name(name: str) -> str | None:
    """Return why a collection can't have that name; None: it can."""
    if re.fullmatch(r"[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?", name):
        return None
    return "Use 1 to 63 of a-z, 0-9, - and ., with a letter or digit at both ends."


def read_budget(text: str) -> int | None:
    """Return a budget in whole credits; None: it is none."""
    text = text.strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):  # noqa: PLR2004 - below the schema's limit
        return None
    return int(text) or None
