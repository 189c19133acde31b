"""Makes one item of several with the same address: of pages that overlap, and of documents that name it both."""

from collections.abc import Iterable

import msgspec

from novahunt_contract.document import MAX_SOURCES, Item, Source


def merge(one: Item, other: Item) -> Item:
    """Return one item of two with the same address: the more confident one, with the newest sources of both."""
    # Among equals the fuller one, then any that does not depend on which came first.
    best = max(one, other, key=_rank)
    sources = newest((*one.sources, *other.sources))
    return msgspec.structs.replace(best, sources=sources, source=sources[0].uri if sources else None)


def _rank(item: Item) -> tuple[float, int, bytes]:
    """Sources don't count: those of a merged item tell what it was merged from."""
    bare = msgspec.structs.replace(item, sources=(), source=None)
    return item.confidence, _filled(item), msgspec.json.encode(bare)


def newest(sources: Iterable[Source]) -> tuple[Source, ...]:
    """Return up to five sources, newest first, each page once."""
    by_uri: dict[str, Source] = {}
    for source in sources:
        known = by_uri.get(source.uri)
        if known is None or _age_key(source) > _age_key(known):
            by_uri[source.uri] = source
    in_order = sorted(by_uri.values(), key=lambda source: source.uri)
    in_order.sort(key=_age_key, reverse=True)
    return tuple(in_order[:MAX_SOURCES])


def _age_key(source: Source) -> tuple[str, str, str]:
    """Dates of the form YYYY-MM-DD sort as text; a source without any date is the oldest."""
    seen, extracted = source.last_seen_on or "", source.extracted_on or ""
    return (seen or extracted, seen, extracted)


def _filled(item: Item) -> int:
    return sum(bool(value) for value in (item.name, item.title, item.type, item.department, item.seniority))
