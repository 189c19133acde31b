"""Compact typed records of the objects that the operator watches; everything else of them is dropped."""

from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from novahunt_contract.document import started_at
from novahunt_contract.errands import Task
from novahunt_contract.outcomes import Outcome
from novahunt_contract.receipt import Changed, ConfigMapPlace
from novahunt_operator.spec import CollectionSpec
from novahunt_operator.statusobject import CollectionStatus


class Key(msgspec.Struct, frozen=True, order=True):
    """Names a namespaced object."""

    namespace: str
    name: str

    def __str__(self) -> str:
        """Return `namespace/name`, as kubectl and logs show it."""
        return f"{self.namespace}/{self.name}"


class Collection(msgspec.Struct, frozen=True):
    """A DomainCollection as last seen."""

    key: Key
    uid: str
    generation: int
    resource_version: int
    created: datetime
    deleting: bool
    spec: CollectionSpec
    status: CollectionStatus
    spec_error: str | None = None
    """Why the spec can't be read (an object older than its schema); then `spec` is all defaults."""
    sweep_wish: str = ""
    """The value of the annotation that asks for a sweep."""


class JobEnd(StrEnum):
    """The condition that ended a Job."""

    COMPLETE = "Complete"
    FAILED = "Failed"


class Reservation(msgspec.Struct, frozen=True, omit_defaults=True):
    """Credits set aside for a Job, as they are recorded on it before a request may cost them."""

    reserved: int
    """For all its attempts together."""
    pod: str = ""
    """UID of the pod that asked last; kept only where repeats are charged."""
    lost: int = 0
    """Part of it that attempts before that pod's have spent and left nothing to show for."""


class MadeJob(msgspec.Struct, frozen=True):
    """A Job of the collector image that the operator made, as last seen."""

    key: Key
    uid: str
    resource_version: int
    owner_uid: str
    collection: str
    job_id: str
    created: datetime
    deleting: bool
    taken_up: bool
    """Whether the Job controller has looked at it: then it has asked for a pod."""
    active: int
    failed: int
    end: JobEnd | None
    end_reason: str
    end_message: str
    ended_at: datetime | None
    template_hash: str

    @property
    def backing_off(self) -> bool:
        """Whether the Job waits between two attempts and so holds no slot."""
        return self.end is None and self.active == 0 and self.failed > 0


class Job(MadeJob, frozen=True):
    """The Job of one run of one domain."""

    domain: str
    run: int
    retry_failed: str | None
    recollect: str | None
    search_hash: str
    max_results: int
    claim_name: str | None
    path: str | None
    max_credits: int = 0
    """`budget.maxCreditsPerDomain` that it was made under; 0: there was none."""
    reservation: Reservation | None = None
    """None: there is no budget."""

    def is_recorded(self, result: "Result | None") -> bool:
        """Tell whether a domain's record says already how this run ended."""
        return result is not None and result.run >= self.run


class Counts(msgspec.Struct, frozen=True):
    """What an estimate's Job counted, as it is recorded on that Job."""

    domains: int
    emails: int
    credits: int


class Errand(MadeJob, frozen=True):
    """A Job that does something for a whole collection, not for one of its domains."""

    task: Task
    of: str
    """Names the wishes that it was made for."""
    attempt: int
    """From 1, over Jobs of the same wishes."""
    counts: Counts | None

    @property
    def began(self) -> datetime:
        """When the operator made it, by the operator's own clock."""
        return datetime.fromtimestamp(started_at(self.job_id) / 1000, UTC)


class Erasure(MadeJob, frozen=True):
    """The Job that erases a collection's documents from a folder: suspended as long as the collection is there.

    It has no owner; `owner_uid` is that of the collection.
    """

    claim_name: str
    path: str
    suspended: bool
    noted_uid: str = ""
    """Its own UID as the operator noted it; empty: not yet."""

    @property
    def is_genuine(self) -> bool:
        """Whether it is the very Job that was made before documents were stored, and no copy from a backup."""
        return self.noted_uid == self.uid


class Pod(msgspec.Struct, frozen=True):
    """A collector's pod as last seen."""

    key: Key
    uid: str
    resource_version: int
    job_uid: str
    collection: str
    domain: str
    """Empty: it is an errand's."""
    phase: str
    deleting: bool
    started: bool
    """Whether its container has run."""
    finished: bool
    exit_code: int | None
    end_reason: str
    """Kubernetes' word for the container's or pod's end: OOMKilled, Evicted, Error, Completed."""
    termination_message: str
    waiting_reason: str
    waiting_message: str
    unschedulable: str
    """The scheduler's message while it finds no node; empty otherwise."""


class VolumePlace(msgspec.Struct, frozen=True, rename="camel"):
    """A folder on a claim."""

    claim_name: str
    path: str


class Place(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Where a document lies; both may be absent when there is none."""

    persistent_volume_claim: VolumePlace | None = None
    config_map: ConfigMapPlace | None = None


class Result(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The data of a DomainResult: how a domain's last run ended, under which wishes, what it cost in all.

    `run` 0 says that no run has ended yet: the intake made the object to own a document.
    """

    domain: str
    collection: str
    run: int
    outcome: Outcome
    reason: str = ""
    message: str = ""
    emails: int = 0
    """Addresses stored. Not `items`, which Go clients take for a list's."""
    reported: int = 0
    credits: int = 0
    credits_total: int = 0
    month: str = ""
    """`YYYY-MM` (UTC) that `credits_month` speaks of: the one in which the last run that cost anything ended."""
    credits_month: int = 0
    requests: int = 0
    attempts: int = 0
    job_id: str = ""
    search_hash: str = ""
    max_results: int = 0
    max_credits: int = 0
    """`budget.maxCreditsPerDomain` that the run was made under; 0: there was none."""
    suppressed: int = 0
    suppression: str = ""
    """Digest of the suppression lists that the document was stored under."""
    retry_failed: str | None = None
    recollect: str | None = None
    collected_at: str | None = None
    stored_at: str | None = None
    ended_at: str | None = None
    sha256: str | None = None
    bytes: int = 0
    stored_bytes: int = 0
    """What the document takes in ConfigMaps, after packing; 0 on a volume."""
    refused_bytes: int = 0
    """What the last document would have taken, which the intake refused because the collection's limit was reached."""
    changed: Changed | None = None
    storage: Place | None = None
    key: str = ""
    """Fingerprint of the Hunter key that the last run used."""
    template_hash: str = ""
    """Names what the last run's Job was made from, beside its domain."""
    in_a_row: int = 0
    """Runs one after the other, the last one included, that ended without an answer for the same reason."""
    since: str | None = None
    """When the first of them ended."""
    reset_date: str = ""
    """Of a used-up plan: the day on which it goes on, YYYY-MM-DD."""


class StoredResult(msgspec.Struct, frozen=True):
    """A DomainResult as last seen."""

    key: Key
    uid: str
    resource_version: int
    data: Result
    owner_uid: str | None = None
    """The collection that takes it along when it is deleted; None: it is retained."""
