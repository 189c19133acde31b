"""What a DomainResult says of its stored document, and how that is taken back when the document is removed."""

import msgspec

from novahunt_api.domainresults import Result
from novahunt_contract.outcomes import Outcome, Reason

EXPIRED = "Expired"
"""Reason of a result whose document was removed for its age; beside those of `novahunt_contract.outcomes`."""

SUCCESS = frozenset({Outcome.COLLECTED, Outcome.EMPTY, Outcome.TRUNCATED})


def has_document(result: Result) -> bool:
    """Tell whether a document is stored."""
    return result.sha256 is not None and result.storage is not None


def in_config_maps(result: Result) -> bool:
    """Tell whether a document is stored in ConfigMaps."""
    return result.config_map_place is not None


def config_map_bytes(result: Result | None) -> int:
    """Return what a document takes in ConfigMaps; 0 where there is none, or it lies on a volume."""
    return result.stored_bytes if result is not None and in_config_maps(result) else 0


def forget(result: Result) -> Result:
    """Return the result without its document."""
    return msgspec.structs.replace(
        result,
        emails=0,
        reported=0,
        suppressed=0,
        suppression="",
        sha256=None,
        bytes=0,
        stored_bytes=0,
        collected_at=None,
        stored_at=None,
        storage=None,
        changed=None,
    )


def expire(result: Result, retention: str) -> Result:
    """Return the result of a domain whose document is removed for its age."""
    return _removed(result, EXPIRED, f"The document was removed after retention {retention}.")


def suppress(result: Result) -> Result:
    """Return the result of a domain whose document is removed because a suppression list names the domain."""
    message = "A suppression list names the domain; its document was removed."
    return _removed(result, Reason.SUPPRESSED, message)


def _removed(result: Result, reason: str, message: str) -> Result:
    forgotten = forget(result)
    if result.outcome not in SUCCESS:
        # Why the last run failed, or what it waits for, still holds.
        return forgotten
    return msgspec.structs.replace(forgotten, reason=str(reason), message=message)
