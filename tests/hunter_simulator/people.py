"""The truth: which invented addresses a domain has, derived from its name alone.

Person number i of a domain never depends on how many others there are, so the truth of a smaller size is the
beginning of the truth of a larger one.
"""

import unicodedata
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from math import gcd
from threading import Lock
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from hunter_simulator import vocabulary

MAX_SIZE = 25_000
"""The largest domain that can be asked for; the largest seen at Hunter had 23,693 addresses (a university)."""

AddressType = Literal["personal", "generic"]
VerificationStatus = Literal["valid", "accept_all", "unknown"]

_SURNAMES = tuple(start + end for start in vocabulary.SURNAME_STARTS for end in vocabulary.SURNAME_ENDS)
_NAME_PAIRS = len(vocabulary.FIRST_NAMES) * len(_SURNAMES)
_GENERIC_EVERY = 5
"""Every fifth address of a domain is a generic one, the very first included."""
_GROWING = Lock()
_NEWEST_DAY = date(2026, 11, 20).toordinal()
_SOURCE_HOSTS = ("{domain}", "www.{domain}", "blog.{domain}", "directory.example", "news.example")
_SOURCE_PAGES = ("about", "team", "contact", "press", "imprint", "jobs")


class Source(msgspec.Struct, frozen=True, gc=False):
    """One web page on which an address was seen."""

    domain: str
    uri: str
    extracted_on: str
    last_seen_on: str
    still_on_page: bool | None


class Verification(msgspec.Struct, frozen=True, gc=False):
    """What a check of the address said; always there, and mostly without content."""

    date: str | None = None
    status: VerificationStatus | None = None


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """One address in the form in which Hunter's domain-search returns it (Hunter's API documentation, read 2026-11)."""

    value: str
    type: AddressType
    confidence: int
    sources: tuple[Source, ...]
    first_name: str | None = None
    last_name: str | None = None
    position: str | None = None
    position_raw: str | UnsetType | None = UNSET
    seniority: vocabulary.Seniority | None = None
    department: str | None = None
    decision_maker: bool | UnsetType = UNSET
    linkedin: str | None = None
    twitter: str | None = None
    phone_number: str | None = None
    verification: Verification = Verification()
    source_type: str | UnsetType = UNSET
    crawler_build: dict[str, int] | UnsetType = UNSET
    """A key that no documentation names: Hunter adds keys from time to time, and a reader must survive it."""


class _Dice:
    """A supply of numbers that depend on nothing but a text; 512 bits, enough for one person."""

    __slots__ = ("_left",)

    def __init__(self, text: str) -> None:
        self._left = int.from_bytes(blake2b(text.encode(), digest_size=64).digest())

    def roll(self, sides: int) -> int:
        self._left, value = divmod(self._left, sides)
        return value


def truth(domain: str, size: int) -> tuple[Person, ...]:
    """Return the first `size` (0 to 25,000) invented people of a domain, given in its ASCII form.

    Raises:
        ValueError: the size is out of range.
    """
    if not 0 <= size <= MAX_SIZE:
        raise ValueError(f"a domain has 0 to {MAX_SIZE} addresses, not {size}")
    people = _people_so_far(domain)
    # A test may ask from another thread than the server's.
    with _GROWING:
        while len(people) < size:
            people.append(_person(domain, len(people)))
    return tuple(people[:size])


@lru_cache(maxsize=512)
def pattern_of(domain: str) -> str:
    """Return the pattern after which the personal addresses of a domain are built."""
    return vocabulary.ADDRESS_PATTERNS[_Dice(f"pattern/{domain}").roll(len(vocabulary.ADDRESS_PATTERNS))]


@lru_cache(maxsize=512)
def _people_so_far(_domain: str) -> list[Person]:
    """Return the list that holds what was invented for a domain until now, and grows."""
    return []


def _person(domain: str, index: int) -> Person:
    dice = _Dice(f"{domain}/{index}")
    generic, rest = divmod(index, _GENERIC_EVERY)
    if rest == 0:
        return _generic(domain, generic, dice)
    return _personal(domain, index - generic - 1, dice)


def _generic(domain: str, number: int, dice: _Dice) -> Person:
    round_number, word_number = divmod(number, len(vocabulary.GENERIC_WORDS))
    word = vocabulary.GENERIC_WORDS[word_number]
    return Person(
        value=f"{word}{_region(round_number)}@{domain}",
        type="generic",
        confidence=50 + dice.roll(51),
        department=vocabulary.GENERIC_DEPARTMENTS.get(word),
        verification=_verification(dice),
        sources=_sources(domain, dice),
    )


def _region(round_number: int) -> str:
    if round_number == 0:
        return ""
    lap, region = divmod(round_number - 1, len(vocabulary.REGIONS))
    return f"-{vocabulary.REGIONS[region]}{lap + 1 if lap else ''}"


def _personal(domain: str, number: int, dice: _Dice) -> Person:
    first, last = _name(domain, number)
    local = pattern_of(domain).format(first=_folded(first), last=_folded(last))
    department = None if dice.roll(5) == 0 else vocabulary.DEPARTMENTS[dice.roll(len(vocabulary.DEPARTMENTS))]
    seniority = None if dice.roll(4) == 0 else vocabulary.SENIORITIES[dice.roll(3)]
    position = None
    if department is not None and dice.roll(6):
        choices = vocabulary.POSITIONS[department]
        position = choices[dice.roll(len(choices))]
    named = dice.roll(12) != 0
    return Person(
        value=f"{local}@{domain}",
        type="personal",
        confidence=dice.roll(101),
        first_name=first if named else None,
        last_name=last if named else None,
        position=position,
        position_raw=(position and position.upper()) if dice.roll(3) == 0 else UNSET,
        seniority=seniority,
        department=department,
        decision_maker=seniority == "executive" if dice.roll(3) else UNSET,
        linkedin=f"https://social.example/in/{local}" if dice.roll(3) == 0 else None,
        twitter=f"invented_{number}" if dice.roll(9) == 0 else None,
        # 555-0100 to 555-0199 are set aside for fiction.
        phone_number=f"+1 202 555 01{dice.roll(100):02}" if dice.roll(10) == 0 else None,
        source_type="page" if dice.roll(4) == 0 else UNSET,
        crawler_build={"major": 7, "minor": dice.roll(10)} if dice.roll(7) == 0 else UNSET,
        verification=_verification(dice),
        sources=_sources(domain, dice),
    )


@lru_cache(maxsize=512)
def _stride(domain: str) -> tuple[int, int]:
    """Return (step, start) of this domain's walk through all pairs of names; it visits each pair once."""
    dice = _Dice(f"names/{domain}")
    step = 1 + dice.roll(_NAME_PAIRS - 1)
    while gcd(step, _NAME_PAIRS) != 1:
        step += 1
    return step, dice.roll(_NAME_PAIRS)


def _name(domain: str, number: int) -> tuple[str, str]:
    step, start = _stride(domain)
    first, last = divmod((start + step * number) % _NAME_PAIRS, len(_SURNAMES))
    return vocabulary.FIRST_NAMES[first], _SURNAMES[last]


@lru_cache(maxsize=1024)
def _folded(name: str) -> str:
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()


def _verification(dice: _Dice) -> Verification:
    roll = dice.roll(100)
    if roll < 70:
        return Verification()
    day = date.fromordinal(_NEWEST_DAY - dice.roll(400)).isoformat()
    if roll < 90:
        return Verification(day, "valid")
    return Verification(day, "accept_all" if roll < 96 else "unknown")


def _sources(domain: str, dice: _Dice) -> tuple[Source, ...]:
    """Return 1 to 20 sources, mostly one; the newest last seen comes first."""
    roll = dice.roll(100)
    count = 1 if roll < 60 else 2 + dice.roll(3) if roll < 95 else 5 + dice.roll(16)
    last_seen = _NEWEST_DAY - dice.roll(300)
    age = 1 + dice.roll(1000)
    start = dice.roll(1000)
    found = []
    for number in range(count):
        host = _SOURCE_HOSTS[(start + number) % len(_SOURCE_HOSTS)].format(domain=domain)
        page = _SOURCE_PAGES[(start + number) % len(_SOURCE_PAGES)]
        seen = last_seen - 17 * number
        found.append(
            Source(
                domain=host,
                uri=f"https://{host}/{page}/{start + number}",
                extracted_on=date.fromordinal(seen - age).isoformat(),
                last_seen_on=date.fromordinal(seen).isoformat(),
                still_on_page=(True, False, None)[(start + number) % 3],
            )
        )
    return tuple(found)
