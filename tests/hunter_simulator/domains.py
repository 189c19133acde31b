"""Which domains the simulator knows, and what it holds for each."""

import re
from collections.abc import Mapping
from typing import Annotated

import idna
import msgspec

from hunter_simulator.listing import Listing
from hunter_simulator.people import MAX_SIZE

_SIZE_LABEL = re.compile(r"n(\d{1,5})\Z")
_NO_NAME = re.compile(r"[^a-z0-9]+")


class Domain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What Hunter knows of one domain."""

    size: Annotated[int, msgspec.Meta(ge=0, le=MAX_SIZE)] = 0
    """Addresses before any filter."""
    known: bool = True
    """False: Hunter never saw the domain; the answer holds nulls."""
    webmail: bool = False
    """A provider of private mailboxes; its addresses are never listed."""
    disposable: bool = False
    accept_all: bool = False
    refused: bool = False
    """Its owner asked Hunter to stop, or it has no MX record: 400 invalid_domain."""
    organization: str | None = None
    """The name by which the parameter `company` finds it; None: made from the domain's first label."""
    listing: Listing | None = None
    """None: the listing of the settings."""


_UNKNOWN = Domain(known=False)


def canonical(name: str) -> str | None:
    """Return the ASCII, lower-case form of a domain name, or None where the text is no domain name.

    As strict as a strict server: no URL, port, blank, trailing dot, IP number or single label.
    """
    try:
        ascii_name = idna.encode(name, uts46=True, std3_rules=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        return None
    labels = ascii_name.split(".")
    if len(labels) < 2 or "" in labels or labels[-1].isdigit():
        return None
    return ascii_name


def by_name(name: str) -> Domain:
    """Return what the name itself says: `n250.example` has 250 addresses, `webmail.…` is one; others are unknown."""
    label = name.partition(".")[0]
    if label == "webmail":
        return Domain(webmail=True)
    size = _SIZE_LABEL.match(label)
    if size and int(size[1]) <= MAX_SIZE:
        return Domain(size=int(size[1]))
    return _UNKNOWN


def organization_of(name: str, domain: Domain) -> str:
    """Return the organization's name as Hunter would show it."""
    return domain.organization or f"{name.partition('.')[0].replace('-', ' ').title()} (invented)"


def domain_of_company(company: str, domains: Mapping[str, Domain]) -> str:
    """Return the domain that a company's name leads to.

    A configured organization of that name, whatever its case; else the name's letters and digits below `.example`.
    """
    wanted = company.strip().casefold()
    for name, domain in domains.items():
        if domain.organization is not None and domain.organization.casefold() == wanted:
            return name
    return f"{_NO_NAME.sub('-', wanted).strip('-') or 'unknown'}.example"
