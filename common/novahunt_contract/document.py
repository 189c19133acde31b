"""The stored document: everything collected for one domain, as it lies on a volume or in ConfigMaps."""

import hashlib

import msgspec

MAX_SOURCES = 5
"""Sources kept for one address: the newest ones."""


class InvalidDocumentError(ValueError):
    """Bytes that are no stored document of ours; the text says what is wrong, without their content."""


class Source(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A page on which Hunter saw the address; dates are `YYYY-MM-DD` as Hunter gives them."""

    uri: str
    extracted_on: str | None = None
    last_seen_on: str | None = None


class Verification(msgspec.Struct, frozen=True, omit_defaults=True):
    """Hunter's own check of the address."""

    status: str | None = None
    date: str | None = None


class Item(msgspec.Struct, frozen=True, rename="camel"):
    """One address. The first five keys are fixed; `confidence` runs from 0 to 1."""

    email: str
    name: str | None
    title: str | None
    confidence: float
    source: str | None
    type: str | None = None
    sources: tuple[Source, ...] = ()
    verification: Verification = Verification()
    department: str | None = None
    seniority: str | None = None
    phone_number: str | None = None
    linkedin: str | None = None
    twitter: str | None = None


class Document(msgspec.Struct, frozen=True, rename="camel"):
    """All addresses of one domain. The first six keys are fixed; times are UTC text with milliseconds."""

    domain: str
    items: tuple[Item, ...]
    total: int
    stored_at: str
    collected_at: str
    job_id: str
    collection: str | None = None
    run: int = 1
    reported: int = 0
    """Addresses that Hunter said it has (`meta.results`)."""
    truncated: str | None = None
    """Why fewer were stored than Hunter has: `MaxResults`, `PlanLimit`, `DomainBudget`, `Budget`; None: all were."""
    max_results: int = 0
    """The cap under which it was collected, in addresses; 0: not known."""
    max_credits: int = 0
    """The domain's share of the budget under which it was collected, in credits; 0: there was none."""
    search_hash: str = ""
    credits: int = 0
    """Credits that the pages of this document cost by Hunter's rule."""
    run_credits: int | None = None
    """Part of them: what the run that stored it paid, all its attempts together; None: not known."""
    requests: int = 0
    page_size: int = 0
    """Addresses of a full page; 0: not known."""
    pages: tuple[int, ...] = ()
    """The `limit` of each answered page in order; their sums are the offsets. What Hunter may give away if repeated."""
    suppressed: int = 0
    """Addresses that Hunter gave and a suppression list kept out."""
    key: str = ""
    """Fingerprint of the Hunter key that all its pages were asked with; empty: several, or not known."""


def file_name(domain: str) -> str:
    """Return the document's file name, which is also its key in a ConfigMap."""
    return f"{domain}.json"


def encode(document: Document) -> bytes:
    """Return the document as UTF-8 JSON, one byte form for one content."""
    return msgspec.json.encode(document)


def decode(data: bytes) -> Document:
    """Read a document; unknown keys are ignored.

    Raises:
        InvalidDocumentError: the bytes are not JSON of that shape, or the total is not the number of items.
    """
    try:
        document = msgspec.json.decode(data, type=Document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # msgspec names the place and the expected type, never the value.
        raise InvalidDocumentError(f"it is no stored document: {error}") from None
    if document.total != len(document.items):
        raise InvalidDocumentError(f"it says {document.total} items and holds {len(document.items)}")
    return document


def started_at(job_id: str) -> int:
    """Return the milliseconds at which a run started, out of its `collect-<domain>-<milliseconds>`; 0: not told."""
    milliseconds = job_id.rpartition("-")[2]
    return int(milliseconds) if milliseconds.isascii() and milliseconds.isdigit() else 0


def supersedes(new: Document, old: Document) -> bool:
    """Tell whether a document may replace the stored one: a lower run that started earlier may not.

    Runs are counted in the DomainResult, so they begin at 1 again when that was deleted; then the
    later start tells the newer run.
    """
    return new.run >= old.run or started_at(new.job_id) > started_at(old.job_id)


def digest(data: bytes) -> str:
    """Return the sha256 of a document's bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
