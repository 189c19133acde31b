"""Writes documents as one table, as lines of JSON, or as JSON. Pure."""

from collections.abc import Iterable, Iterator

import msgspec

from novahunt_contract import tables
from novahunt_contract.document import Document

FORMATS = ("csv", "jsonl", "json")


def text_of(documents: Iterable[Document], form: str) -> Iterator[str]:
    """Yield the pieces of an export.

    Args:
        documents: In the order in which they are written.
        form: `csv`, an address a line, its domain first; `jsonl`, the same as JSON; `json`, an array of documents.
    """
    if form == "csv":
        yield tables.record(("domain", *tables.COLUMNS))
        for document in documents:
            yield from (tables.record((document.domain, *tables.row(item))) for item in document.items)
    elif form == "jsonl":
        for document in documents:
            for item in document.items:
                line = {"domain": document.domain, **msgspec.to_builtins(item)}
                yield msgspec.json.encode(line).decode() + "\n"
    else:
        for number, document in enumerate(documents):
            yield ("[\n" if not number else ",\n") + msgspec.json.encode(document).decode()
        yield "\n]\n"
