"""Hunter's answers to domain-search, email-count and account, read leniently: an address is all that an entry needs.

The shapes are those of Hunter's API documentation, read 2026-11. Keys come and go there, and most values
may be null. An answer of the expected types is read in one go by msgspec; any other goes through a
second, patient reading in which a value of a wrong type counts as missing.
"""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, NoReturn, TypeVar

import msgspec


class UnreadableAnswerError(ValueError):
    """Bytes that are no answer of Hunter; the text says why, and repeats nothing of them."""


class Source(msgspec.Struct, frozen=True):
    """A page on which Hunter saw an address."""

    uri: str | None = None
    extracted_on: str | None = None
    last_seen_on: str | None = None


class Verification(msgspec.Struct, frozen=True):
    """Hunter's own check of an address."""

    date: str | None = None
    status: str | None = None


class Entry(msgspec.Struct, frozen=True):
    """One address as Hunter gives it; confidence from 0 to 100."""

    value: str
    type: str | None = None
    confidence: int | float | None = None
    sources: list[Source] | None = None
    first_name: str | None = None
    last_name: str | None = None
    position: str | None = None
    seniority: str | None = None
    department: str | None = None
    linkedin: str | None = None
    twitter: str | None = None
    phone_number: str | None = None
    verification: Verification | None = None


class Page(msgspec.Struct, frozen=True):
    """One answered page of domain-search."""

    entries: tuple[Entry, ...]
    received: int
    """Entries that Hunter sent and counts, those without an address included."""
    results: int | None
    """Addresses that Hunter says it has."""
    approximate: bool
    """True: Hunter may have more than `results`."""


class EmailCount(msgspec.Struct, frozen=True):
    """How many addresses Hunter has for a domain; None where it doesn't say."""

    total: int
    personal: int | None
    generic: int | None


class Usage(msgspec.Struct, frozen=True):
    """What a billing period's allowance is, and what of it is used; credits can be fractions."""

    used: int | float | None = None
    available: int | float | None = None
    remaining: int | float | None = None

    def left(self) -> float | None:
        """Return what is left, or None if Hunter does not say."""
        if self.remaining is not None:
            return self.remaining
        if self.available is not None and self.used is not None:
            return self.available - self.used
        return None


class _Data(msgspec.Struct, frozen=True):
    emails: list[Entry] | None


class _Meta(msgspec.Struct, frozen=True):
    results: int | None = None
    results_approximate: bool | None = None


class _Answer(msgspec.Struct, frozen=True):
    data: _Data
    meta: _Meta | None = None


_Shape = TypeVar("_Shape", bound=msgspec.Struct)

_MOST_ADDRESSES = 10**12

_read_answer = msgspec.json.Decoder(_Answer).decode


def read_page(body: bytes) -> Page:
    """Read an answer to domain-search.

    Raises:
        UnreadableAnswerError: it is no JSON object with `data.emails` in it.
    """
    try:
        answer = _read_answer(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _read_patiently(body)
    entries = answer.data.emails or []
    return _page(tuple(entries), len(entries), answer.meta or _Meta())


def read_email_count(body: bytes) -> EmailCount:
    """Read an answer to email-count.

    Raises:
        UnreadableAnswerError: it is no JSON object with `data.total` in it, and the parts don't tell it either.
    """
    data = _member(_json_object(body), "data")
    total, personal, generic = (_number(data.get(name)) for name in ("total", "personal_emails", "generic_emails"))
    if total is None:
        if personal is None or generic is None:
            raise UnreadableAnswerError("the answer is JSON without a count of addresses")
        total = personal + generic
    return EmailCount(total=total, personal=personal, generic=generic)


def read_searches_left(body: bytes) -> float | None:
    """Return what an answer to account says is left of the billing period; None if it doesn't say.

    Credits count where the plan has them, else searches.

    Raises:
        UnreadableAnswerError: it is no JSON object with `data` in it.
    """
    requests = _member(_member(_json_object(body), "data"), "requests")
    for kind in ("credits", "searches"):
        left = _leniently(Usage, _member(requests, kind)).left()
        if left is not None:
            return left
    return None


def read_reset_date(body: bytes) -> date | None:
    """Return the day on which an answer to account says that the billing period ends; None if it doesn't say.

    Raises:
        UnreadableAnswerError: it is no JSON object with `data` in it.
    """
    text = _member(_json_object(body), "data").get("reset_date")
    try:
        return date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _page(entries: tuple[Entry, ...], received: int, meta: _Meta) -> Page:
    results = meta.results if meta.results is not None and meta.results >= 0 else None
    return Page(entries=entries, received=received, results=results, approximate=bool(meta.results_approximate))


def _read_patiently(body: bytes) -> Page:
    answer = _json_object(body)
    data = answer.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("emails", ()), list | None):
        raise UnreadableAnswerError("the answer is JSON without a list of addresses")
    raw = data["emails"] or []
    entries = tuple(_entry(entry) for entry in raw if isinstance(entry, dict) and _text(entry.get("value")))
    return _page(entries, len(raw), _leniently(_Meta, _member(answer, "meta")))


def _entry(raw: Mapping[str, object]) -> Entry:
    entry = _leniently(Entry, {**raw, "sources": None, "verification": None})
    sources = raw.get("sources")
    return msgspec.structs.replace(
        entry,
        sources=[_leniently(Source, source) for source in sources if isinstance(source, dict)]
        if isinstance(sources, list)
        else None,
        verification=_leniently(Verification, _member(raw, "verification")),
    )


def _leniently(shape: type[_Shape], raw: Mapping[str, object]) -> _Shape:
    """Build a shape of the values that fit; the others keep their defaults."""
    fitting: dict[str, Any] = {}
    for field in msgspec.structs.fields(shape):
        if field.name not in raw:
            continue
        value = raw[field.name]
        if isinstance(value, str):
            value = _text(value)
        try:
            fitting[field.name] = msgspec.convert(value, type=field.type)
        except msgspec.ValidationError:
            continue
    return shape(**fitting)


def _text(value: object) -> str | None:
    """Return text that can be stored: a lone surrogate, which JSON's escapes allow, is no character."""
    if not isinstance(value, str):
        return None
    try:
        value.encode()
    except UnicodeEncodeError:
        return None
    return value


def _number(value: object) -> int | None:
    """Return a count: a whole number, not negative, which True is not; and none that no world has addresses for."""
    return value if type(value) is int and 0 <= value <= _MOST_ADDRESSES else None


def _member(raw: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = raw.get(name)
    return value if isinstance(value, dict) else {}


def _json_object(body: bytes) -> Mapping[str, object]:
    try:
        value = json.loads(body.decode(errors="replace"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise UnreadableAnswerError("the answer is no JSON, or it is cut off") from None
    if not isinstance(value, dict) or not isinstance(value.get("data"), dict):
        raise UnreadableAnswerError("the answer is JSON without `data`")
    return value


def _refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python reads and JSON doesn't have."""
    raise ValueError(name)
