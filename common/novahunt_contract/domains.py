"""Brings what people write as a company domain to the one form that names it everywhere."""

import io
import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

import idna

MAX_ENTRY_LENGTH = 2048
"""Characters of one list entry that are looked at (the limit of the CRD's schema)."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_DOTS = ".\u3002\uff0e\uff61"
"""All characters that IDNA takes for a dot (UTS 46, section 2.3)."""

_LABEL = r"(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN = re.compile(rf"(?!.{{254}})(?:{_LABEL}\.)+{_LABEL}")
"""Names that IDNA leaves as they are; most are, and IDNA takes fifty times as long to say so."""


class NotADomainError(ValueError):
    """An entry that names no domain; its text is the reason, and never repeats the entry."""


def normalise(entry: str) -> str:
    """Return the one form of a domain: lower case, IDNA A-labels, no `www.`, no trailing dot.

    Accepts a bare domain, a URL, upper case, a port and internationalised names (UTS 46).
    Subdomains other than a leading `www.` stay. The answer has 3 to 253 characters.

    Raises:
        NotADomainError: the entry is empty, an address, an IP number, a single label, or no valid name.
    """
    text = entry.strip()
    if not text:
        raise NotADomainError("the entry is empty")
    if len(text) > MAX_ENTRY_LENGTH:
        raise NotADomainError(f"the entry is longer than {MAX_ENTRY_LENGTH} characters")
    if "@" in text:
        raise NotADomainError("it holds an @: give the domain alone, without an address or a user name")
    name = host_name(_host_of(text))
    while name.startswith("www.") and name.count(".") > 1:
        name = name.removeprefix("www.")
    return name


def host_name(host: str) -> str:
    """Return the one form of a host alone: lower case, IDNA A-labels, no trailing dot; `www.` stays.

    Raises:
        NotADomainError: it is an IP number, a single label, or no valid name.
    """
    host = host.rstrip(_DOTS).lower()
    if _is_ip(host):
        raise NotADomainError("it is an IP number, not a domain")
    # The last label may have been of characters that UTS 46 drops, such as zero-width ones out of a copied table.
    name = _to_ascii(host).rstrip(".")
    labels = name.split(".")
    if len(labels) < 2:  # noqa: PLR2004 - a domain is a name below a top level
        raise NotADomainError("it is a single label: a domain has at least one dot")
    if labels[-1].isdigit():
        raise NotADomainError("its last label is a number")
    return name


def read_list(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, entry) of a list with one entry a line; `#` starts a comment."""
    # Line ends are \r\n, \r and \n, as editors count; str.splitlines knows more, and the numbers would not be theirs.
    for number, line in enumerate(io.StringIO(text, newline=None), start=1):
        entry = line.split("#", 1)[0].strip()
        if entry:
            yield number, entry


def _host_of(text: str) -> str:
    """Cut scheme, port, path and query off."""
    if _PLAIN.fullmatch(text.lower()):
        return text
    try:
        parts = urlsplit(text if _SCHEME.match(text) else f"//{text.removeprefix('//')}")
        host = parts.hostname
    except ValueError:
        raise NotADomainError("it can't be read as a domain or URL") from None
    if not host:
        raise NotADomainError("it holds no host name")
    return host


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _to_ascii(host: str) -> str:
    if _PLAIN.fullmatch(host):
        return host
    try:
        return idna.encode(host, uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError, OverflowError):
        # Some labels that begin with xn-- stand for numbers that no machine can hold.
        # idna's own message repeats the label, which may be somebody's name.
        raise NotADomainError("it is no valid domain name (letters, digits and inner hyphens, 63 a label)") from None
