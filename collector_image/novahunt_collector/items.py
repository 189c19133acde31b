"""Turns Hunter's entries into the items that are stored: one per address, in one order, whatever order they came in."""

import re
from collections.abc import Iterable

from novahunt_collector import answers
from novahunt_contract.document import Item, Source, Verification
from novahunt_contract.merging import merge, newest

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)")
_HIGHEST_CONFIDENCE = 100


class Items:
    """The addresses of one domain, gathered page by page. The order of the pages makes no difference."""

    def __init__(self) -> None:
        self._by_address: dict[str, Item] = {}

    def __len__(self) -> int:
        return len(self._by_address)

    def unknown(self, items: Iterable[Item]) -> int:
        """Return how many of a page's addresses were on no page before."""
        return len({item.email for item in items} - self._by_address.keys())

    def add(self, items: Iterable[Item]) -> None:
        """Take a page's items in."""
        for item in items:
            known = self._by_address.get(item.email)
            self._by_address[item.email] = item if known is None else merge(known, item)

    def in_order(self) -> tuple[Item, ...]:
        """Return the items: highest confidence first, then by address."""
        return tuple(sorted(self._by_address.values(), key=lambda item: (-item.confidence, item.email)))


def to_items(entries: Iterable[answers.Entry]) -> tuple[Item, ...]:
    """Return a page's entries as items, those without an address left out."""
    return tuple(item for item in map(to_item, entries) if item is not None)


def to_item(entry: answers.Entry) -> Item | None:
    """Return an entry as an item, or None if its address is blank."""
    email = entry.value.strip().lower()
    if not email:
        return None
    sources = newest(source for source in map(_source, entry.sources or ()) if source is not None)
    verification = entry.verification or answers.Verification()
    return Item(
        email=email,
        name=" ".join(part for part in (_words(entry.first_name), _words(entry.last_name)) if part) or None,
        title=_words(entry.position),
        confidence=min(max(entry.confidence or 0, 0), _HIGHEST_CONFIDENCE) / _HIGHEST_CONFIDENCE,
        source=sources[0].uri if sources else None,
        type=_words(entry.type),
        sources=sources,
        verification=Verification(status=_words(verification.status), date=_date(verification.date)),
        department=_words(entry.department),
        seniority=_words(entry.seniority),
        phone_number=_words(entry.phone_number),
        linkedin=_words(entry.linkedin),
        twitter=_words(entry.twitter),
    )


def _source(source: answers.Source) -> Source | None:
    uri = _words(source.uri)
    if uri is None:
        return None
    return Source(uri=uri, extracted_on=_date(source.extracted_on), last_seen_on=_date(source.last_seen_on))


def _words(text: str | None) -> str | None:
    return " ".join(text.split()) or None if text else None


def _date(text: str | None) -> str | None:
    found = _DATE.match(text.strip()) if text else None
    return found[0] if found else None
