"""The rules by which kstatus, and so Flux, reads an object that is of no kind it knows.

Read in sigs.k8s.io/cli-utils, pkg/kstatus/status (status.go and generic.go), in 2026-11. Their order matters.
"""

from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """What kstatus says of an object that is there."""

    IN_PROGRESS = "InProgress"
    CURRENT = "Current"
    FAILED = "Failed"
    TERMINATING = "Terminating"


def compute(obj: dict[str, Any]) -> Status:
    """Return the status of an object."""
    if obj["metadata"].get("deletionTimestamp"):
        return Status.TERMINATING
    status = obj.get("status", {})
    generation, observed = obj["metadata"].get("generation"), status.get("observedGeneration")
    if generation is not None and observed is not None and observed != generation:
        return Status.IN_PROGRESS
    conditions = status.get("conditions", ())
    for condition in conditions:
        if condition["type"] == "Reconciling" and condition["status"] == "True":
            return Status.IN_PROGRESS
        if condition["type"] == "Stalled" and condition["status"] == "True":
            return Status.FAILED
    for condition in conditions:
        if condition["type"] == "Ready" and condition["status"] in {"True", "False", "Unknown"}:
            return Status.CURRENT if condition["status"] == "True" else Status.IN_PROGRESS
    return Status.CURRENT
