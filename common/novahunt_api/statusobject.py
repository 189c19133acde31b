"""The typed form of `DomainCollection.status`: small, and never a list that grows with the domains."""

import msgspec

from novahunt_api.conditions import Condition

MAX_RUNNING = 20
MAX_FAILURES = 10


class DomainCounts(msgspec.Struct, frozen=True, rename="camel"):
    """Domains by state; waiting + running + backing off + succeeded + failed = total."""

    total: int = 0
    waiting: int = 0
    running: int = 0
    backing_off: int = 0
    succeeded: int = 0
    failed: int = 0
    invalid: int = 0
    """List entries that are no domain; not part of the total."""
    duplicate: int = 0
    """List entries that name a domain again; not part of the total."""
    older_search: int = 0
    """Results that were collected under another `spec.search`."""
    refreshing: int = 0
    """Of the succeeded and failed ones: due again by `spec.refreshAfter`, or running for it."""


class RunningDomain(msgspec.Struct, frozen=True):
    """A domain whose pod is at work; percent 0 to 100."""

    domain: str
    percent: int
    emails: int


class Failure(msgspec.Struct, frozen=True, omit_defaults=True):
    """A failed domain, or a list entry that is no domain (then `message` names source and line)."""

    reason: str
    message: str
    domain: str | None = None
    at: str | None = None


class Credits(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Hunter credits: used by all runs of this collection's domains, in the budget's period."""

    used: int = 0
    reserved: int = 0
    """Set aside for Jobs whose run is not settled."""
    limit: int | None = None
    """The budget's `maxCredits`."""
    period: str = ""
    """`YYYY-MM` in UTC where the budget's period is a month."""
    removed: int = 0
    """Part of `used` whose records are gone."""
    worst_case: int | None = None
    """What the collection can come to, when each domain that is not done has as many addresses as is allowed."""


class Handled(msgspec.Struct, frozen=True):
    """A wish that the operator has taken up, and when."""

    value: str
    at: str


class ResultsClaim(msgspec.Struct, frozen=True, rename="camel"):
    """The folder that the documents lie in."""

    claim_name: str
    path: str


class ResultsSelector(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The label selector of the ConfigMaps that hold the documents, and the bytes they take, may take and will."""

    selector: str
    bytes: int = 0
    max_bytes: int = 0
    expected_bytes: int = 0
    """0: there is no ground for it yet."""


class ResultsPlace(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Where this collection's documents are written."""

    persistent_volume_claim: ResultsClaim | None = None
    config_map: ResultsSelector | None = None


class Estimate(msgspec.Struct, frozen=True, omit_defaults=True):
    """What Hunter's free counts say of all domains."""

    emails: int = 0
    credits: int = 0
    domains: int = 0
    of: str = ""
    """Names the list and the wishes that it was made for."""
    at: str | None = None


class Sweep(msgspec.Struct, frozen=True, omit_defaults=True):
    """The last sweep."""

    at: str
    of: str = ""
    """Names the wishes that it was made for."""
    suppression: str = ""
    """Digest of the lists that it applied."""
    documents: int = 0
    emails: int = 0


class CollectionStatus(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What a DomainCollection says of itself."""

    observed_generation: int = 0
    """-1 by the schema, as long as the operator has not seen the object."""
    done: str = ""
    domains: DomainCounts | None = None
    progress: int | None = None
    running: tuple[RunningDomain, ...] = ()
    emails: int | None = None
    credits: Credits | None = None
    estimate: Estimate | None = None
    sweep: Sweep | None = None
    rate: str | None = None
    estimated_completion_time: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    next_refresh_at: str | None = None
    failures: tuple[Failure, ...] = ()
    retry_failed_handled: str | None = None
    recollect_handled: Handled | None = None
    results: ResultsPlace | None = None
    conditions: tuple[Condition, ...] = ()
