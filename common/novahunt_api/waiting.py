"""The reasons of the Waiting and Stalled conditions."""

from enum import StrEnum


class Wait(StrEnum):
    """What a collection, or one of its Jobs, waits for."""

    RATE_LIMIT = "RateLimit"
    BUDGET = "Budget"
    QUOTA_EXHAUSTED = "QuotaExhausted"
    KEY_REFUSED = "KeyRefused"
    KEY_MISSING = "KeyMissing"
    BAD_REQUEST = "BadRequest"
    SUPPRESSION_LIST = "SuppressionList"
    HUNTER_UNAVAILABLE = "HunterUnavailable"
    CONCURRENCY = "Concurrency"
    JOB_RATE = "JobRate"
    STORAGE = "Storage"
    STORAGE_CONFLICT = "StorageConflict"
    CLUSTER_CAPACITY = "ClusterCapacity"
    IMAGE_PULL = "ImagePull"
    POD_REFUSED = "PodRefused"
    NAME_TAKEN = "NameTaken"
    API_REFUSED = "ApiRefused"
    JOB_CONTROLLER = "JobController"
    SUSPENDED = "Suspended"
    DOMAINS_MISSING = "DomainsMissing"
    INVALID_SPEC = "InvalidSpec"
    RETRY_PAUSE = "RetryPause"
    JOB_FAILED = "JobFailed"
