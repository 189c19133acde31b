"""Reads what a person pastes or uploads, and says what would be collected and what it can cost. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from novahunt_client import lists
from novahunt_client.lists import ReadList, UnreadableListError
from novahunt_contract import credits as prices
from novahunt_contract import wanted
from novahunt_gateway import jobs

MAX_BYTES = 4 * 1024 * 1024
"""Of a pasted or uploaded list: 10,000 domains take a tenth of it."""
SHOWN = 100
"""Invalid entries that are named one by one."""


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


def from_file(name: str, data: bytes) -> ReadList:
    """Return an uploaded file's entries; those of a table by their rows, because people see it in a spreadsheet.

    Raises:
        UnreadableListError: it is too large, or no list.
    """
    if len(data) > MAX_BYTES:
        raise UnreadableListError(f"it is larger than {MAX_BYTES // 1024 // 1024} MiB")
    return lists.read(lists.decoded(data), "file", file_name=name, counted="row")


def preview(entries: Iterable[wanted.Entry], max_results: int, page_size: int) -> Preview:
    """Return what a list comes to."""
    given = tuple(entries)
    found = wanted.resolve(given)
    again = Counter[str]()
    if found.duplicates:
        again.update(repeat.domain for repeat in lists.repeats(given))
    each = prices.of_domain(max_results, page_size)
    return Preview(
        domains=found.domains,
        invalid=found.invalid[:SHOWN],
        invalid_count=len(found.invalid),
        duplicates=found.duplicates,
        repeated=tuple((domain, times + 1) for domain, times in again.items())[:SHOWN],
        worst_case=each * len(found.domains),
    )


def suggested_name(domains: Sequence[str], stamp: str) -> str:
    """Return a name for a collection: its one domain's own, as the REST calls name it, or one of the moment."""
    return jobs.collection_name(domains[0]) if len(domains) == 1 else f"list-{stamp}"


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
