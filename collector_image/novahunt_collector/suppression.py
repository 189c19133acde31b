"""Suppression lists: what people asked never to be stored, in one form, and what of a document they name. Pure."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

import msgspec

from novahunt_contract import domains
from novahunt_contract.document import Document, Item

_DIGEST_LENGTH = 32
"""Hexadecimal digits."""

_LOCAL_PART = re.compile(r'[^\s\x00-\x1f\x7f"(),:;<>@\[\\\]*]+')
"""RFC 5321's and 6531's characters. No quoted ones, which nobody publishes, and no `*`, which is meant for all."""

_WILDCARD = re.compile(r"[%?]+")
"""A whole part of these stands for all addresses in other programs; here it would name none."""

_FORMAT_CHARACTER = "Cf"
"""Unicode's category of what can't be seen, such as zero-width spaces from a copied table."""


class NotAnEntryError(ValueError):
    """A line that is neither an address nor a domain; its text is the reason, and never repeats the line."""


class Lists(msgspec.Struct, frozen=True):
    """All entries of all lists, each in its one form."""

    entries: frozenset[str] = frozenset()
    digest: str = ""
    """Names the entries, whatever their order and spelling; empty: there are no lists."""

    def name_domain(self, domain: str) -> bool:
        """Tell whether a domain, in its one form, or one above it is listed: it is not to be collected at all."""
        return any(above in self.entries for above in _upwards(domain))

    def name_address(self, address: str) -> bool:
        """Tell whether an address is listed, or its domain, or all addresses of that."""
        if not self.entries:
            return False
        local, host = _parts(address)
        return f"{local}@{host}" in self.entries or any(
            above in self.entries or f"@{above}" in self.entries for above in _upwards(host)
        )


def lists_of(entries: Iterable[str]) -> Lists:
    """Return lists of folded entries, with their digest."""
    whole = frozenset(entries)
    text = hashlib.sha256(b"novahunt suppression lists 1\n")
    for entry in sorted(whole):
        text.update(entry.encode() + b"\n")
    return Lists(whole, text.hexdigest()[:_DIGEST_LENGTH])


def fold(entry: str) -> str:
    """Return the one form of an address, of `@domain` or of a domain.

    Raises:
        NotAnEntryError: it is none of them.
    """
    text = unicodedata.normalize("NFKC", entry.strip())
    if "@" not in text:
        return _domain(entry)
    local, _, host = text.rpartition("@")
    local = _fold_local(local)
    if local and (not _LOCAL_PART.fullmatch(local) or _WILDCARD.fullmatch(local)):
        raise NotAnEntryError("what stands before the @ is no part of an address; @domain names all addresses there")
    try:
        return f"{local}@{domains.host_name(host.strip())}"
    except domains.NotADomainError as error:
        raise NotAnEntryError(f"what follows the @ is no domain: {error}") from None


class Sieve:
    """Holds items back that the lists name, and counts their addresses, each once."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists
        self._held_back: set[str] = set()

    @property
    def held_back(self) -> int:
        """Return the number of addresses that were held back."""
        return len(self._held_back)

    def passed(self, items: Iterable[Item]) -> tuple[Item, ...]:
        """Return the items that may be stored, in their order."""
        passed = []
        for item in items:
            if self._lists.name_address(item.email):
                self._held_back.add(item.email)
            else:
                passed.append(item)
        return tuple(passed)


def without_listed(document: Document, lists: Lists, stored_at: str) -> Document:
    """Return what is left of a document; the very same one if the lists name nothing of it.

    Args:
        document: What is, or would be, stored.
        lists: What must not be.
        stored_at: For the document that is left.
    """
    sieve = Sieve(lists)
    items = sieve.passed(document.items)
    if len(items) == len(document.items):
        return document
    return msgspec.structs.replace(
        document,
        items=items,
        total=len(items),
        stored_at=stored_at,
        suppressed=document.suppressed + len(document.items) - len(items),
    )


def _domain(entry: str) -> str:
    try:
        return domains.normalise(entry)
    except domains.NotADomainError as error:
        raise NotAnEntryError(f"it is no address, no @domain and no domain: {error}") from None


def _parts(address: str) -> tuple[str, str]:
    """Return both parts of an address in their one form; Hunter's may be such as no list could hold."""
    local, _, host = unicodedata.normalize("NFKC", address.strip()).rpartition("@")
    return _fold_local(local), _fold_host(host.strip())


@lru_cache(maxsize=256)
def _fold_host(host: str) -> str:
    try:
        return domains.host_name(host)
    except domains.NotADomainError:
        # A label that is none, such as one with an underscore, must not hide the domains above it.
        return ".".join(_fold_label(label) for label in host.lower().split("."))


def _fold_label(label: str) -> str:
    try:
        return domains.host_name(f"{label}.example").removesuffix(".example")
    except domains.NotADomainError:
        return label


def _fold_local(local: str) -> str:
    """Case doesn't matter to any mail server that people have an address at, though RFC 5321 would allow it to."""
    if local.isascii():
        return local.lower()
    visible = "".join(character for character in local if unicodedata.category(character) != _FORMAT_CHARACTER)
    # Some letters meet others only in upper case: that of a dotless i is the usual I.
    folded = unicodedata.normalize("NFKC", visible.upper().casefold())
    # A few characters have another form only once they are folded.
    return folded if folded == local else _fold_local(folded)


def _upwards(host: str) -> Iterator[str]:
    """Yield a host and all that is above it, but for the top level."""
    while "." in host:
        yield host
        _, _, host = host.partition(".")
