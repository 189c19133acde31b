"""What collectors and the operator's intake say to each other over HTTP.

Every call carries `Authorization: Bearer` with a projected service-account token of the audience below.
Answers other than 2xx hold an `Error`. 401: the token is not accepted. 403: this pod is not (or no
longer) a collector of ours; stop. 409: a later run has stored its document; stop. 413: too large.
507: there is no room for the document (the collection's limit in ConfigMaps, or the namespace's quota); stop, its
sentence says what to do.
503 with Retry-After: not the active replica, or the pod is not known yet; try the next address, then again.
"""

from enum import StrEnum

import msgspec

from novahunt_contract.receipt import ConfigMapPlace

AUDIENCE = "novahunt-intake"
"""Audience of the tokens that collectors show."""

PERMITS = "/v1/permits"
"""POST PermitCall → PermitAnswer. Held open for up to `HOLD_SECONDS` while no permit is free."""

DOCUMENT = "/v1/document"
"""PUT a stored document (JSON, Content-Encoding gzip allowed) → Stored. GET → 200 the document, or 404.

Both speak of the domain of the caller's own Job.
"""

DOCUMENTS = "/v1/documents"
"""For sweeps. GET → `Listing` of the domains whose documents lie in ConfigMaps.
GET `/v1/documents/<domain>` → 200 that document, or 404. PUT the same path: what is left of it → `Stored`.
409: a run of that domain is under way, or has stored another document since; leave this one alone. Its run applies the
lists itself, and the operator starts another sweep where they were older ones.
"""

SWEPT = "/v1/swept"
"""POST `Swept` → 200: recorded. For sweeps; called before a volume's document is replaced or removed, so that a
crash between the two is found by the next sweep; for ConfigMaps it removes the document itself. 409: as above.
"""

HOLD_SECONDS = 20.0
PERMIT_SECONDS = 1.0
"""A permit may be used for this long after the call that got it was answered; later it must be given back."""

MAX_DOCUMENT_BYTES = 64 * 1024 * 1024
"""Of the uncompressed document."""


class Progress(msgspec.Struct, frozen=True):
    """How far a collector is with its domain: percent 0 to 100, addresses and requests so far."""

    percent: int
    emails: int
    requests: int


class Answered(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What became of a permit: used and answered, used and throttled by Hunter, or not used."""

    permit: str
    throttled: bool = False
    unused: bool = False
    retry_after_seconds: float | None = None
    """Hunter's Retry-After, if it gave one."""


class PermitCall(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Reports the last permit's end and the progress, and asks for the next permit; one call a page does."""

    fingerprint: str
    """The key's, see `keys.fingerprint`."""
    wanted: bool = True
    answered: Answered | None = None
    alone: int = 0
    """Requests of the last minute that were sent without a permit, because no intake could be reached."""
    progress: Progress | None = None
    credits: int = 0
    """The most that the request asked for can cost; 0: it is free of charge."""
    spent: int = 0
    """What the run has cost so far as this process knows: its answers, lost ones in full, and what earlier attempts of
    the run paid for the pages that were taken from a checkpoint."""
    stopping: bool = False
    """The process ends before its domain is finished: what is reserved beyond `spent` may be given back."""


class BudgetWord(StrEnum):
    """Whose credits are spent."""

    COLLECTION = "Budget"
    DOMAIN = "DomainBudget"


class PermitAnswer(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A permit for one request to Hunter, or None: ask again, at the earliest after `retry_after_seconds`."""

    permit: str | None = None
    retry_after_seconds: float = 0.0
    refused: BudgetWord | None = None
    """Set: there is no permit, because the request could cost more than this budget has left."""
    credits_left: int = 0
    """With `refused`: what that budget has left, 0 or more, and fewer than were asked for."""


class Stored(msgspec.Struct, frozen=True, rename="camel"):
    """Where the document lies now; it is durable when this answer is sent."""

    config_map: ConfigMapPlace
    sha256: str
    bytes: int
    stored_at: str


class Listing(msgspec.Struct, frozen=True):
    """Domains in their one form."""

    domains: tuple[str, ...]


class Swept(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What a sweep leaves of one domain's document."""

    domain: str
    removed: bool = False
    """True: nothing; the other fields are then those of an empty document."""
    emails: int = 0
    sha256: str = ""
    bytes: int = 0
    stored_at: str = ""
    expired: bool = False
    """With `removed`: for its age, not for a suppression list."""


class Error(msgspec.Struct, frozen=True):
    """Why a call was not answered, in one sentence for people."""

    error: str
