"""Posts Kubernetes Events: on transitions of conditions, on sweeps that changed something, on room that gets scarce."""

import hashlib
import logging
from datetime import UTC, datetime

import msgspec

from novahunt_api import names, paths
from novahunt_api.cluster import ApiError, Cluster
from novahunt_api.conditions import Condition, ConditionType, find
from novahunt_api.domaincollections import Collection
from novahunt_api.statusobject import CollectionStatus, ResultsSelector, Sweep
from novahunt_operator.room import scarcity

_MAX_NOTE = 1000
"""Characters; the API refuses a note above 1,024 bytes."""

_SECONDS = 5.0
"""For one Event. Its collection and a worker wait meanwhile, and the API server may limit Events by themselves."""

_log = logging.getLogger(__name__)


class Note(msgspec.Struct, frozen=True):
    """What an Event tells."""

    reason: str
    message: str
    warning: bool = False
    once: str = ""
    """Not empty: an Event of this reason with the same text here is posted once, as long as it is kept (an hour)."""


def transitions(old: CollectionStatus, new: CollectionStatus) -> list[Note]:
    """Return what the new status tells and the old one did not."""
    told = []
    for wanted in (ConditionType.READY, ConditionType.STALLED):
        now, before = find(new.conditions, wanted), find(old.conditions, wanted)
        if now is None or (wanted is ConditionType.READY and _is_stalled(now, new)):
            continue
        if before is None or (before.status, before.reason) != (now.status, now.reason):
            told.append(Note(now.reason, now.message, warning=wanted is ConditionType.STALLED))
    sweep = new.sweep
    if sweep is not None and sweep != old.sweep and (sweep.documents or _has_other_lists(old.sweep, sweep)):
        message = f"{sweep.emails} addresses were removed; {sweep.documents} documents were changed or removed."
        told.append(Note("Swept", message))
    room = _scarce(new)
    if room is not None and _scarce(old) is None:
        message = scarcity(room.expected_bytes, room.max_bytes)
        # What is expected moves with every document, and may cross the limit more than once.
        told.append(Note("StorageScarce", message, warning=True, once=str(room.max_bytes)))
    return told


def _scarce(status: CollectionStatus) -> ResultsSelector | None:
    """Return the room in ConfigMaps where more is expected to be needed than there is."""
    room = status.results.config_map if status.results is not None else None
    return room if room is not None and room.expected_bytes > room.max_bytes else None


def _is_stalled(ready: Condition, status: CollectionStatus) -> bool:
    """Whether Stalled tells the same."""
    stalled = find(status.conditions, ConditionType.STALLED)
    return stalled is not None and stalled.reason == ready.reason


def _has_other_lists(old: Sweep | None, new: Sweep) -> bool:
    return bool(new.suppression) and (old is None or old.suppression != new.suppression)


class Events:
    """The poster. An Event that can't be posted is dropped: the status says the same."""

    def __init__(self, cluster: Cluster, identity: str) -> None:
        self._cluster = cluster
        self._identity = identity

    async def post(self, collection: Collection, note: Note) -> None:
        """Post one Event about a collection."""
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        suffix = hashlib.sha256(f"{collection.uid}{note.reason}{note.once or now}".encode()).hexdigest()[:12]
        body = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": f"{collection.key.name}.{suffix}", "namespace": collection.key.namespace},
            "eventTime": now,
            "type": "Warning" if note.warning else "Normal",
            "reason": note.reason,
            "action": "Reconcile",
            "note": note.message[:_MAX_NOTE],
            "regarding": {
                "apiVersion": names.API_VERSION,
                "kind": "DomainCollection",
                "name": collection.key.name,
                "namespace": collection.key.namespace,
                "uid": collection.uid,
            },
            "reportingController": f"{names.GROUP}/operator",
            "reportingInstance": self._identity[:128],
        }
        try:
            path = paths.events(collection.key.namespace)
            await self._cluster.write_or_drop("POST", path, body=body, seconds=_SECONDS)
        except ApiError as error:
            extra = {"collection": str(collection.key)}
            _log.info("an event about %s was not posted: %s", collection.key, error, extra=extra)
