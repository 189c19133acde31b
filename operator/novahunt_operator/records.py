"""Compact typed records of the objects that the operator watches; everything else of them is dropped."""

from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from novahunt_api.domainresults import Result
from novahunt_api.objects import Key
from novahunt_contract.document import started_at
from novahunt_contract.errands import Task


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
    share: int | None = None
    """What the run may cost of its domain's share of the budget, as that was when the Job was made; None: any number.

    It stays the same through all attempts: a last page that is cut in another place is another request to Hunter, which
    is paid for beside the one before.
    """


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

    def is_recorded(self, result: Result | None) -> bool:
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
    created: datetime
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
