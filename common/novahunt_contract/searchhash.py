"""The search hash: tells whether a stored document answers the search that is wanted now."""

import hashlib
import json

import msgspec

VERSION = 1
"""Part of the hash: a change of the canonical form makes every older hash different."""


class Search(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"):
    """Hunter's filters, as in `spec.search`; what is not set is not sent.

    An unknown one is refused: a search without it would cost more than what was asked for.
    """

    type: str | None = None
    seniority: tuple[str, ...] = ()
    department: tuple[str, ...] = ()
    required_fields: tuple[str, ...] = ()
    verification_status: tuple[str, ...] = ()


def search_hash(search: Search) -> str:
    """Return `v1-` and 16 hexadecimal digits over the fields that are set; order and case don't matter."""
    fields: dict[str, list[str]] = {}
    for name, value in msgspec.structs.asdict(search).items():
        values = (value,) if isinstance(value, str) else (value or ())
        canonical = sorted({entry.strip().lower() for entry in values})
        if canonical:
            fields[name] = canonical
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return f"v{VERSION}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
