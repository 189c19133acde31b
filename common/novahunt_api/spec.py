"""The typed form of a DomainCollection's spec; the CRD's schema has checked it and filled its defaults."""

from datetime import timedelta
from enum import StrEnum

import msgspec

from novahunt_api.durations import duration
from novahunt_contract.searchhash import Search

_ABSENT = msgspec.Raw(b"null")
"""msgspec reads `Raw | None` as None alone."""


class DeletionPolicy(StrEnum):
    """What happens to the results when their collection is deleted."""

    RETAIN = "Retain"
    DELETE = "Delete"


class Mode(StrEnum):
    """Collect addresses, or only estimate their number."""

    COLLECT = "Collect"
    ESTIMATE = "Estimate"


class KeyRef(msgspec.Struct, frozen=True):
    """A key of a ConfigMap or Secret in the collection's namespace."""

    name: str
    key: str


class SecretRef(msgspec.Struct, frozen=True):
    """The Secret that holds the Hunter key; collectors' pods read it, the operator never does."""

    name: str = "hunter-api-key"
    key: str = "HUNTER_API_KEY"


class DomainsSource(msgspec.Struct, frozen=True, rename="camel"):
    """A list of domains outside the object, one entry a line."""

    config_map_key_ref: KeyRef


class SuppressionSource(msgspec.Struct, frozen=True, rename="camel"):
    """A list of what is never stored: a key of a Secret, which only pods read, or of a ConfigMap."""

    secret_key_ref: KeyRef | None = None
    config_map_key_ref: KeyRef | None = None

    @property
    def name(self) -> str:
        """How people call it."""
        if self.config_map_key_ref is not None:
            return f"ConfigMap {self.config_map_key_ref.name}, {self.config_map_key_ref.key}"
        return f"Secret {self.secret_key_ref.name}, {self.secret_key_ref.key}" if self.secret_key_ref else ""


class Period(StrEnum):
    """What a budget is for."""

    LIFETIME = "Lifetime"
    """All that the collection ever spends."""
    MONTH = "Month"
    """Each calendar month, UTC."""


class Budget(msgspec.Struct, frozen=True, rename="camel"):
    """Credits that may be spent in a period; None: any number."""

    max_credits: int | None = None
    max_credits_per_domain: int | None = None
    period: Period = Period.LIFETIME


class Retry(msgspec.Struct, frozen=True, rename="camel"):
    """Attempts of one domain's Job, 1 or more."""

    max_attempts: int = 4


class VolumeStorage(msgspec.Struct, frozen=True, rename="camel"):
    """A folder on a claim; without a path it is named as the collection."""

    claim_name: str
    path: str | None = None


class Storage(msgspec.Struct, frozen=True, rename="camel"):
    """Where documents go; no volume means ConfigMaps."""

    persistent_volume_claim: VolumeStorage | None = None


class History(msgspec.Struct, frozen=True, rename="camel"):
    """Finished Jobs that are kept, the newest ones."""

    succeeded_jobs: int = 20
    failed_jobs: int = 50


class PodSecurityContext(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What a volume's owner may need of the pod's identity."""

    run_as_user: int | None = None
    run_as_group: int | None = None
    fs_group: int | None = None
    fs_group_change_policy: str | None = None
    supplemental_groups: tuple[int, ...] = ()


class JobTemplate(msgspec.Struct, frozen=True, rename="camel"):
    """What people may set on collectors' Jobs and pods; raw parts are the pod's own API, passed through."""

    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    service_account_name: str | None = None
    resources: msgspec.Raw = _ABSENT
    node_selector: dict[str, str] = {}
    tolerations: msgspec.Raw = _ABSENT
    affinity: msgspec.Raw = _ABSENT
    priority_class_name: str | None = None
    image_pull_secrets: msgspec.Raw = _ABSENT
    active_deadline_seconds: int | None = None
    pod_security_context: PodSecurityContext = PodSecurityContext()


class CollectionSpec(msgspec.Struct, frozen=True, rename="camel"):
    """What is wanted, as in `DomainCollection.spec`."""

    domains: tuple[str, ...] = ()
    domains_from: tuple[DomainsSource, ...] = ()
    api_key_secret_ref: SecretRef = SecretRef()
    search: Search = Search()
    page_size: int = 100
    max_results: int = 5000
    mode: Mode = Mode.COLLECT
    budget: Budget | None = None
    concurrency: int = 2
    retry: Retry = Retry()
    storage: Storage = Storage()
    deletion_policy: DeletionPolicy = DeletionPolicy.RETAIN
    refresh_after: str | None = None
    retention: str | None = None
    retry_failed: str | None = None
    recollect: str | None = None
    suspend: bool = False
    priority: int = 0
    ttl_seconds_after_finished: int | None = None
    suppression_from: tuple[SuppressionSource, ...] = ()
    history: History = History()
    job_template: JobTemplate = JobTemplate()

    @property
    def volume(self) -> VolumeStorage | None:
        """The claim that documents go to; None: ConfigMaps."""
        return self.storage.persistent_volume_claim

    @property
    def refresh_every(self) -> timedelta | None:
        """How long after its collection a domain is collected again; None: never for its age."""
        return duration(self.refresh_after) if self.refresh_after is not None else None
