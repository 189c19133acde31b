"""Tells when a finished collection is removed for its `ttlSecondsAfterFinished`. Pure."""

from datetime import datetime, timedelta

from novahunt_api.conditions import ConditionType, find
from novahunt_api.domaincollections import Collection
from novahunt_contract import times


def removal_at(collection: Collection) -> datetime | None:
    """Return when the collection is to be deleted; None: not as it is now.

    What its status shows decides, because that survives a restart: an edit that the status does not answer yet
    keeps it. A collection that took up finished results was not finished before it was made.
    """
    ttl, status = collection.spec.ttl_seconds_after_finished, collection.status
    ready = find(status.conditions, ConditionType.READY)
    finished = ready is not None and ready.status == "True" and status.completed_at is not None
    if ttl is None or collection.deleting or not finished or status.observed_generation != collection.generation:
        return None
    return max(times.from_text(status.completed_at or ""), collection.created) + timedelta(seconds=ttl)
