"""Which domains a collection wants: its lists brought to one form, with what had to be left out."""

import unicodedata
from collections.abc import Iterable, Sequence

import msgspec

from novahunt_contract import domains

MAX_DOMAINS = 10_000
"""Domains that one collection may name in all its lists together."""


class Entry(msgspec.Struct, frozen=True):
    """One entry of a list, and where it stands: `spec.domains[3]`, `ConfigMap leads, domains.txt line 12`."""

    place: str
    text: str


class Invalid(msgspec.Struct, frozen=True):
    """An entry that is no domain; `text` is None where it could be somebody's address."""

    place: str
    text: str | None
    reason: str


class Wanted(msgspec.Struct, frozen=True):
    """The domains to collect, in the order of the lists, and what was left out of them."""

    domains: tuple[str, ...] = ()
    invalid: tuple[Invalid, ...] = ()
    duplicates: int = 0
    missing: tuple[str, ...] = ()
    """Sources of `domainsFrom` that can't be read, each with what is wrong; nothing starts until they can."""


def listed(entries: Sequence[str]) -> Iterable[Entry]:
    """Return the entries of `spec.domains`."""
    return (Entry(f"spec.domains[{index}]", text) for index, text in enumerate(entries))


def from_text(source: str, text: str) -> Iterable[Entry]:
    """Return the entries of a list in text form, one a line."""
    return (Entry(f"{source} line {number}", entry) for number, entry in domains.read_list(text))


def resolve(entries: Iterable[Entry], missing: Sequence[str] = ()) -> Wanted:
    """Bring all entries to one form; the first one of each domain counts."""
    found: dict[str, None] = {}
    invalid: list[Invalid] = []
    duplicates = 0
    for entry in entries:
        try:
            domain = domains.normalise(entry.text)
        except domains.NotADomainError as error:
            # Other characters look like an @, and count as one.
            text = None if "@" in unicodedata.normalize("NFKC", entry.text) else entry.text[:80]
            invalid.append(Invalid(entry.place, text, str(error)))
            continue
        if domain in found:
            duplicates += 1
        elif len(found) >= MAX_DOMAINS:
            invalid.append(Invalid(entry.place, None, f"a collection holds at most {MAX_DOMAINS} domains"))
        else:
            found[domain] = None
    return Wanted(tuple(found), tuple(invalid), duplicates, tuple(missing))
