"""What is read off at the moment of a scrape: collections' statuses, keys, the work queue, the Lease.

Nothing is kept for it, so the series of a collection that is gone, or of a replica that stands by, are gone too.
"""

from collections.abc import Callable, Iterable

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from novahunt_api.conditions import Condition, ConditionType
from novahunt_api.domaincollections import Collection
from novahunt_api.objects import Key
from novahunt_operator.metrics import key_label
from novahunt_operator.permits import Permits
from novahunt_operator.store import Store
from novahunt_operator.workqueue import WorkQueue

_COLLECTION = ["namespace", "collection"]


class Gauges(Collector):
    """Reads the gauges of one replica."""

    def __init__(
        self,
        *,
        store: Store,
        permits: Permits,
        queue: WorkQueue[Key],
        lease_held: Callable[[], bool],
        working: Callable[[], bool],
    ) -> None:
        """Take what is read; `working` tells whether this replica knows and speaks for the collections."""
        self._store = store
        self._permits = permits
        self._queue = queue
        self._lease_held = lease_held
        self._working = working

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return all gauges with their values."""
        families = _Families()
        if self._working():
            for collection in self._store.collections():
                families.add_collection(collection)
        families.add_keys(self._permits)
        families.add_queue(self._queue)
        families.lease_held.add_metric([], self._lease_held())
        return vars(families).values()

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Return all gauges without values; the registry looks for names that are taken."""
        return vars(_Families()).values()


class _Families:
    """The gauges of one scrape, each an attribute."""

    def __init__(self) -> None:
        self.domains = GaugeMetricFamily(
            "novahunt_collection_domains",
            "Domains of a collection by state; over the states they add up to all.",
            labels=[*_COLLECTION, "state"],
        )
        self.used = GaugeMetricFamily(
            "novahunt_collection_used_credits",
            "Hunter credits that a collection has used, in its budget's period.",
            labels=_COLLECTION,
        )
        self.reserved = GaugeMetricFamily(
            "novahunt_collection_reserved_credits",
            "Hunter credits set aside for a collection's Jobs that are not recorded yet.",
            labels=_COLLECTION,
        )
        self.budget = GaugeMetricFamily(
            "novahunt_collection_budget_credits",
            "Hunter credits that a collection's budget allows; none where it has no limit.",
            labels=_COLLECTION,
        )
        self.conditions = GaugeMetricFamily(
            "novahunt_collection_condition",
            "Whether a condition of a collection is true.",
            labels=[*_COLLECTION, "condition"],
        )
        self.reasons = GaugeMetricFamily(
            "novahunt_collection_waiting_reason",
            "1 for the reason for which a collection waits; none while it waits for nothing.",
            labels=[*_COLLECTION, "reason"],
        )
        self.waiting = GaugeMetricFamily(
            "novahunt_collectors_waiting", "Collectors that wait for a permit.", labels=["key"]
        )
        self.pace = GaugeMetricFamily(
            "novahunt_key_pace_ratio",
            "Part of a key's pace that is left since Hunter last throttled; 1 is the whole.",
            labels=["key"],
        )
        self.depth = GaugeMetricFamily(
            "novahunt_workqueue_depth", "Collections that are due and not worked on yet.", labels=[]
        )
        self.oldest = GaugeMetricFamily(
            "novahunt_workqueue_oldest_seconds", "How long the first of them has been due.", labels=[]
        )
        self.longest = GaugeMetricFamily(
            "novahunt_workqueue_longest_running_seconds", "How long the longest work under way has taken.", labels=[]
        )
        self.lease_held = GaugeMetricFamily("novahunt_lease_held", "Whether this replica is the active one.", labels=[])

    def add_collection(self, collection: Collection) -> None:
        names, status = [collection.key.namespace, collection.key.name], collection.status
        counts = status.domains
        if counts is not None:
            self.domains.add_metric([*names, "waiting"], counts.waiting)
            self.domains.add_metric([*names, "running"], counts.running)
            self.domains.add_metric([*names, "backingOff"], counts.backing_off)
            self.domains.add_metric([*names, "succeeded"], counts.succeeded)
            self.domains.add_metric([*names, "failed"], counts.failed)
        if status.credits is not None:
            self.used.add_metric(names, status.credits.used)
            self.reserved.add_metric(names, status.credits.reserved)
            if status.credits.limit is not None:
                self.budget.add_metric(names, status.credits.limit)
        true = {condition.type: condition for condition in status.conditions if condition.status == "True"}
        for kind in ConditionType:
            self.conditions.add_metric([*names, kind], kind in true)
        waits: Condition | None = true.get(ConditionType.WAITING) or true.get(ConditionType.STALLED)
        if waits is not None:
            self.reasons.add_metric([*names, waits.reason], 1)

    def add_keys(self, permits: Permits) -> None:
        waiting: dict[str, int] = {}
        pace: dict[str, float] = {}
        # Two keys may begin with the same digits, and a series may be told once only.
        for key in permits.states():
            label = key_label(key.fingerprint)
            waiting[label] = waiting.get(label, 0) + key.waiting
            pace[label] = min(pace.get(label, 1.0), key.pace)
        for label, number in waiting.items():
            self.waiting.add_metric([label], number)
            self.pace.add_metric([label], pace[label])

    def add_queue(self, queue: WorkQueue[Key]) -> None:
        backlog = queue.backlog()
        self.depth.add_metric([], backlog.depth)
        self.oldest.add_metric([], backlog.oldest_seconds)
        self.longest.add_metric([], backlog.longest_seconds)
