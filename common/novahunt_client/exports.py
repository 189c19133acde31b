"""Writes the addresses of one or many documents as a table or as JSON, each address once, in little memory."""

from collections import Counter
from collections.abc import AsyncIterator
from enum import StrEnum
from hashlib import blake2b

import msgspec

from novahunt_client.documents import Documents
from novahunt_contract import tables
from novahunt_contract.document import Document, Item
from novahunt_contract.merging import merge


class Form(StrEnum):
    """What an export is written as, all in UTF-8."""

    CSV = "csv"
    """A table by RFC 4180, harmless to open in a spreadsheet."""
    JSONL = "jsonl"
    """An object a line: the address, and the domain that it was found for."""
    JSON = "json"
    """An array of the same objects."""

    @property
    def media(self) -> str:
        """The media type."""
        return _MEDIA[self]


_MEDIA = {
    Form.CSV: "text/csv; charset=utf-8",
    Form.JSONL: "application/jsonl; charset=utf-8",
    Form.JSON: "application/json",
}


class Found(msgspec.Struct, frozen=True):
    """An address, and the domain that it was found for."""

    domain: str
    item: Item


async def export(addresses: AsyncIterator[Found], form: Form) -> AsyncIterator[bytes]:
    """Yield the pieces of an export."""
    if form is Form.CSV:
        yield tables.header().encode()
        async for found in addresses:
            yield tables.line(found.item).encode()
    elif form is Form.JSONL:
        async for found in addresses:
            yield _object(found) + b"\n"
    else:
        before = b"[\n"
        async for found in addresses:
            yield before + _object(found)
            before = b",\n"
        yield b"\n]\n" if before == b",\n" else b"[]\n"


async def merged(documents: Documents) -> AsyncIterator[Found]:
    """Yield each address once, document by document; those of several documents come last. Errors: of reading them.

    The documents are gone through twice, and only digests of addresses that are not of their document's own domain
    are kept, and what may stand in a second document. What changes between the two may be told as it was or as it is.
    """
    domains = documents.domains
    if len(domains) == 1:
        async for document in documents.each():
            for item in document.items:
                yield Found(document.domain, item)
        return
    foreign: Counter[bytes] = Counter()
    async for document in documents.each():
        foreign.update(_foreign(document))
        # Else it would stay until the next one is whole beside it.
        del document
    shared: dict[str, Found] = {}
    async for document in documents.each():
        for item in document.items:
            if _may_be_elsewhere(document.domain, item, domains, foreign):
                _add(shared, Found(document.domain, item))
            else:
                yield Found(document.domain, item)
        del document
    for email in sorted(shared):
        yield shared[email]


def _foreign(document: Document) -> list[bytes]:
    return [_digest(item.email) for item in document.items if _host(item) != document.domain]


def _may_be_elsewhere(domain: str, item: Item, domains: frozenset[str], foreign: Counter[bytes]) -> bool:
    """Tell whether another document may hold the address: only one document is of its own domain."""
    times = foreign[_digest(item.email)]
    return times > 0 if _host(item) == domain else times > 1 or _host(item) in domains


def _add(shared: dict[str, Found], new: Found) -> None:
    known = shared.get(new.item.email)
    if known is None:
        shared[new.item.email] = new
        return
    # It is best known as an address of its own domain.
    domain = new.domain if _host(new.item) == new.domain else known.domain
    shared[new.item.email] = Found(domain, merge(known.item, new.item))


def _host(item: Item) -> str:
    return item.email.rpartition("@")[2]


def _digest(email: str) -> bytes:
    return blake2b(email.encode(), digest_size=8).digest()


def _object(found: Found) -> bytes:
    return msgspec.json.encode({"domain": found.domain, **msgspec.to_builtins(found.item)})
