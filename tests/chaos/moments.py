"""The moments at which something is killed: the steps of a domain's way, before and after each of them."""

from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """A step of one domain's way, in the order in which it goes through them."""

    COLLECTION_SEEN = "collection seen"
    JOB_CREATED = "Job created"
    POD_STARTED = "pod started"
    CREDITS_RESERVED = "credits reserved"
    PERMIT_GIVEN = "permit given"
    PAGE_ANSWERED = "page answered"
    PAGE_SAVED = "page saved"
    FILE_STORED = "document stored on a volume"
    HANDED_OVER = "document handed to the intake"
    DOCUMENT_LISTED = "DomainResult lists the document"
    """A first document is listed before its ConfigMaps are stored; a later one when they are."""
    CONFIG_MAP_STORED = "ConfigMap stored"
    OLD_DELETED = "old ConfigMap deleted"
    RECEIPT_WRITTEN = "receipt written"
    ENDED = "collector ended"
    RESULT_WRITTEN = "DomainResult written"
    JOB_DELETED = "Job deleted"
    STATUS_WRITTEN = "status written"


class Side(StrEnum):
    """Before a step is carried out; or after it, while nobody who waits for it knows."""

    BEFORE = "before"
    AFTER = "after"


class Fate(StrEnum):
    """What becomes of the call by which a moment was seen."""

    PASS = "pass"
    CUT = "cut"
    """The connection breaks: a call is not carried out, or its answer is lost."""
    TWICE = "twice"
    """The call is carried out twice, and the second answer is given."""


@dataclass(frozen=True)
class Moment:
    """Something that is about to happen, or has happened."""

    step: Step
    side: Side
    collection: str = ""
    domain: str = ""

    def __str__(self) -> str:
        return f"{self.side} {self.step} ({self.domain or self.collection})"


CALLS_OF_THE_OPERATOR = (
    Step.JOB_CREATED,
    Step.CREDITS_RESERVED,
    Step.DOCUMENT_LISTED,
    Step.CONFIG_MAP_STORED,
    Step.OLD_DELETED,
    Step.RESULT_WRITTEN,
    Step.JOB_DELETED,
    Step.STATUS_WRITTEN,
)
"""Steps that are one call of the operator to the API server."""

CALLS_OF_COLLECTORS = (Step.PERMIT_GIVEN, Step.HANDED_OVER)
"""Steps that are one call of a collector to the intake."""

ON_VOLUMES = (Step.PAGE_SAVED, Step.FILE_STORED, Step.CREDITS_RESERVED)
"""Steps that only the wave's collection on a volume, which has the budget, goes through."""

IN_CONFIG_MAPS = (
    Step.HANDED_OVER,
    Step.DOCUMENT_LISTED,
    Step.CONFIG_MAP_STORED,
    Step.OLD_DELETED,
)
"""Steps that only the wave's collection in ConfigMaps goes through."""

WHEN_AGAIN = (Step.OLD_DELETED,)
"""Steps that come only when a domain is collected a second time."""

NEVER_AGAIN = (Step.COLLECTION_SEEN,)
"""Steps that don't come then."""
