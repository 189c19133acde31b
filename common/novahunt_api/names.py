"""Names of the API group, and of the labels and annotations on what the operator makes."""

import hashlib

GROUP = "novahunt.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
COLLECTIONS = "domaincollections"
RESULTS = "domainresults"

MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
MANAGED_BY = "novahunt"
COMPONENT_LABEL = "app.kubernetes.io/component"
COLLECTOR = "collector"
DOCUMENT = "document"
NAME_LABEL = "app.kubernetes.io/name"
APP_NAME = "novahunt-collector"

COLLECTION_LABEL = f"{GROUP}/collection"
DOMAIN_LABEL = f"{GROUP}/domain"
"""Only where the domain fits into a label value (63 characters)."""
DOMAIN_HASH_LABEL = f"{GROUP}/domain-hash"

DOMAIN_ANNOTATION = f"{GROUP}/domain"
RUN_ANNOTATION = f"{GROUP}/run"
JOB_ID_ANNOTATION = f"{GROUP}/job-id"
RETRY_FAILED_ANNOTATION = f"{GROUP}/retry-failed"
RECOLLECT_ANNOTATION = f"{GROUP}/recollect"
SEARCH_HASH_ANNOTATION = f"{GROUP}/search-hash"
MAX_RESULTS_ANNOTATION = f"{GROUP}/max-results"
CLAIM_ANNOTATION = f"{GROUP}/claim"
PATH_ANNOTATION = f"{GROUP}/path"
CREDITS_ANNOTATION = f"{GROUP}/credits"
"""What is set aside for a Job, as JSON of `records.Reservation`."""
MAX_CREDITS_ANNOTATION = f"{GROUP}/max-credits"
TEMPLATE_HASH_ANNOTATION = f"{GROUP}/template-hash"

TASK_ANNOTATION = f"{GROUP}/task"
"""On an errand's Job: what it is for."""
OF_ANNOTATION = f"{GROUP}/of"
"""On an errand's Job: names the wishes that it was made for."""
ATTEMPT_ANNOTATION = f"{GROUP}/attempt"
COUNTS_ANNOTATION = f"{GROUP}/counts"
"""On an estimate's Job: what it counted, once that was read from its receipt."""

COLLECTION_UID_ANNOTATION = f"{GROUP}/collection-uid"
"""On an erasure's Job, which has no owner: whose documents it erases."""

JOB_UID_ANNOTATION = f"{GROUP}/job-uid"
"""On an erasure's Job: its own UID, noted after it was made. A copy from a backup has another one."""

SWEEP_ANNOTATION = f"{GROUP}/sweep"
"""On a DomainCollection: any new value asks for a sweep at once."""

REQUEST_ID_ANNOTATION = f"{GROUP}/request-id"
"""On what a client creates: the id of that one call, so that its repeat knows the object for its own."""

SELECTOR = f"{MANAGED_BY_LABEL}={MANAGED_BY},{COMPONENT_LABEL}={COLLECTOR}"
"""Selects the Jobs and pods of collectors, on the server's side."""

MAX_LABEL = 63
"""Characters of a label value, and of a Job's name (its pods are labelled with it)."""

_HASH_LENGTH = 12


def job_name(collection: str, collection_uid: str, domain: str, run: int) -> str:
    """Return the one name that a run's Job has, whoever creates it and however often."""
    return _shortened(collection, f"{collection_uid}/{domain}/{run}")


def errand_name(collection: str, collection_uid: str, errand: str) -> str:
    """Return the one name that an errand's attempt has; no domain begins with a slash, so no run's Job has it."""
    return _shortened(collection, f"{collection_uid}//{errand}")


def result_name(collection: str, domain: str) -> str:
    """Return the name of a domain's DomainResult; a collection made again finds it under the same name."""
    return _shortened(collection, f"{collection}/{domain}")


def document_name(result: str, sha256: str, part: int) -> str:
    """Return the name of the ConfigMap that holds a document's part (from 0)."""
    return f"{result}-{sha256[:_HASH_LENGTH]}-{part}"


def domain_hash(domain: str) -> str:
    """Return the label value that selects a domain's objects, whatever the domain's length."""
    return hashlib.sha256(domain.encode()).hexdigest()[:_HASH_LENGTH]


def _shortened(collection: str, identity: str) -> str:
    suffix = hashlib.sha256(identity.encode()).hexdigest()[:_HASH_LENGTH]
    prefix = collection.replace(".", "-")[: MAX_LABEL - _HASH_LENGTH - 1].rstrip("-")
    return f"{prefix}-{suffix}"
