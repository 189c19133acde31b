"""Posts Kubernetes Events, on transitions of a collection's conditions only."""

import hashlib
import logging
from datetime import UTC, datetime

from novahunt_operator import names, paths
from novahunt_operator.cluster import ApiError, Cluster
from novahunt_operator.conditions import Condition, ConditionType, find
from novahunt_operator.records import Collection
from novahunt_operator.statusobject import CollectionStatus

_MAX_NOTE = 1000
"""Characters; the API refuses a note above 1,024 bytes."""

_log = logging.getLogger(__name__)


def transitions(old: CollectionStatus, new: CollectionStatus) -> list[Condition]:
    """Return the new conditions that tell something which the old status did not."""
    told = []
    for wanted in (ConditionType.READY, ConditionType.STALLED):
        now, before = find(new.conditions, wanted), find(old.conditions, wanted)
        stalled = wanted is ConditionType.READY and find(new.conditions, ConditionType.STALLED) is not None
        if now is None or stalled:
            continue
        if before is None or (before.status, before.reason) != (now.status, now.reason):
            told.append(now)
    return told


class Events:
    """The poster. An Event that can't be posted is dropped: the status says the same."""

    def __init__(self, cluster: Cluster, identity: str) -> None:
        self._cluster = cluster
        self._identity = identity

    async def post(self, collection: Collection, condition: Condition) -> None:
        """Post one Event about a collection."""
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        suffix = hashlib.sha256(f"{collection.uid}{condition.reason}{now}".encode()).hexdigest()[:12]
        body = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": f"{collection.key.name}.{suffix}", "namespace": collection.key.namespace},
            "eventTime": now,
            "type": "Warning" if condition.type == ConditionType.STALLED else "Normal",
            "reason": condition.reason,
            "action": "Reconcile",
            "note": condition.message[:_MAX_NOTE],
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
            await self._cluster.call("POST", paths.events(collection.key.namespace), body=body)
        except ApiError as error:
            _log.info("an event about %s was not posted: %s", collection.key, error)
