"""Makes a collection's manifest from what a person asked for. Pure."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from novahunt_api import names

_NO_NAME = re.compile(r"[^a-z0-9]+")
_NAME = re.compile(r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?")
_MAX_FIRST = 40
"""Characters of the first domain; more would make no name more readable."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """The common fields of a collection; None and empty: the schema's default."""

    mode: str | None = None
    budget: int | None = None
    budget_per_domain: int | None = None
    budget_period: str | None = None
    max_results: int | None = None
    page_size: int | None = None
    concurrency: int | None = None
    priority: int | None = None
    storage_claim: str | None = None
    storage_path: str | None = None
    search_type: str | None = None
    seniority: tuple[str, ...] = ()
    department: tuple[str, ...] = ()
    required_field: tuple[str, ...] = ()
    verification: tuple[str, ...] = ()
    key_secret: str | None = None
    refresh_after: str | None = None
    retention: str | None = None
    deletion_policy: str | None = None
    suppression_secret: str | None = None
    suppression_config_map: str | None = None
    suspend: bool = False


def manifest(name: str, namespace: str, domains: Sequence[str], wish: Wish) -> dict[str, Any]:
    """Return a DomainCollection; a Secret or list is named `NAME` or `NAME/KEY`."""
    budget = _set(maxCredits=wish.budget, maxCreditsPerDomain=wish.budget_per_domain, period=wish.budget_period)
    search = _set(
        type=wish.search_type,
        seniority=list(wish.seniority),
        department=list(wish.department),
        requiredFields=list(wish.required_field),
        verificationStatus=list(wish.verification),
    )
    claim = _set(claimName=wish.storage_claim, path=wish.storage_path)
    lists = [
        {kind: key_ref(ref, "list.txt")}
        for kind, ref in (("secretKeyRef", wish.suppression_secret), ("configMapKeyRef", wish.suppression_config_map))
        if ref
    ]
    spec = _set(
        domains=list(domains),
        mode=wish.mode,
        search=search,
        pageSize=wish.page_size,
        maxResults=wish.max_results,
        budget=budget,
        concurrency=wish.concurrency,
        priority=wish.priority,
        apiKeySecretRef=key_ref(wish.key_secret, "HUNTER_API_KEY") if wish.key_secret else None,
        storage={"persistentVolumeClaim": claim} if claim else None,
        deletionPolicy=wish.deletion_policy,
        refreshAfter=wish.refresh_after,
        retention=wish.retention,
        suppressionFrom=lists,
        suspend=wish.suspend or None,
    )
    return {
        "apiVersion": names.API_VERSION,
        "kind": "DomainCollection",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


def key_ref(text: str, default_key: str) -> dict[str, str]:
    """Return the reference that `NAME` or `NAME/KEY` means."""
    name, _, key = text.partition("/")
    return {"name": name, "key": key or default_key}


def readable_name(domains: Sequence[str], stamp: str, prefix: str = "") -> str:
    """Return a name that tells the first domain, how many more there are, and when: `example-com-and-11-1123-0930`.

    `stamp` and `prefix` hold small letters, digits and hyphens. The domain is cut where the name would be longer than
    the schema allows (63 characters).
    """
    more = f"-and-{len(domains) - 1}" if len(domains) > 1 else ""
    room = names.MAX_LABEL - len(f"{prefix}{more}-{stamp}")
    first = _NO_NAME.sub("-", domains[0])[: min(_MAX_FIRST, room)].strip("-")
    return f"{prefix}{first}{more}-{stamp}"


def is_name(text: str) -> bool:
    """Tell whether a collection may have this name; a domain in its one form may be a name as well, a URL never is."""
    return _NAME.fullmatch(text) is not None


def _set(**fields: Any) -> dict[str, Any]:
    """Return the fields that are set; 0 is set."""
    return {name: value for name, value in fields.items() if value is not None and value not in ([], {}, ())}
