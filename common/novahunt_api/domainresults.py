"""DomainResult as NovaHunt's programs read it: how a domain's last run ended."""

import msgspec

from novahunt_api import wire
from novahunt_api.objects import Key
from novahunt_contract.outcomes import Outcome
from novahunt_contract.receipt import Changed, ConfigMapPlace


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

    @property
    def volume_place(self) -> VolumePlace | None:
        """The folder that its document lies in; None: it lies on no volume, or there is none."""
        return self.storage.persistent_volume_claim if self.storage is not None else None

    @property
    def config_map_place(self) -> ConfigMapPlace | None:
        """The ConfigMaps that its document lies in; None: it lies in none, or there is none."""
        return self.storage.config_map if self.storage is not None else None


class ResultObject(Result, frozen=True, rename="camel", kw_only=True):
    """A DomainResult: its data stands beside its metadata."""

    metadata: wire.Meta


class StoredResult(msgspec.Struct, frozen=True):
    """A DomainResult as last seen."""

    key: Key
    uid: str
    resource_version: int
    data: Result
    owner_uid: str | None = None
    """The collection that takes it along when it is deleted; None: it is retained."""


def read(found: ResultObject) -> StoredResult:
    """Read a DomainResult."""
    fields = {name: getattr(found, name) for name in Result.__struct_fields__}
    return StoredResult(
        key=wire.key(found.metadata),
        uid=found.metadata.uid,
        resource_version=int(found.metadata.resource_version),
        data=Result(**fields),
        owner_uid=found.metadata.controller.uid if found.metadata.controller is not None else None,
    )
