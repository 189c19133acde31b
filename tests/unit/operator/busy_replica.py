"""A replica's metrics without the replica: the parts that they are read from, and what makes each of them tell."""

import msgspec
from prometheus_client import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from builders import KEY, collection
from novahunt_api.clustermetrics import WatchAges
from novahunt_api.conditions import Condition
from novahunt_api.objects import Key
from novahunt_api.signs import Signs, Watched
from novahunt_api.statusobject import CollectionStatus, Credits, DomainCounts
from novahunt_contract.intake import Answered
from novahunt_operator.gauges import Gauges
from novahunt_operator.metrics import Metrics
from novahunt_operator.permits import Permits
from novahunt_operator.store import Store
from novahunt_operator.workqueue import WorkQueue


class Replica:
    """What one replica shows, and the parts that it is read from."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.store = Store()
        self.permits = Permits(15, 500, metrics=self.metrics, clock=lambda: 0.0)
        self.queue = WorkQueue[Key](self.metrics)
        self.signs = Signs(self.metrics.watch_restarted)
        self.active = True
        self.metrics.registry.register(
            Gauges(
                store=self.store,
                permits=self.permits,
                queue=self.queue,
                lease_held=lambda: self.active,
                working=lambda: self.active,
            )
        )
        self.metrics.registry.register(WatchAges(self.signs))

    def scrape(self) -> dict[str, Metric]:
        """Return the families as a Prometheus reads them, by the name that their series have."""
        text = generate_latest(self.metrics.registry).decode()
        families = list(text_string_to_metric_families(text))
        assert len({family.name for family in families}) == len(families), "a name is told twice"
        return {f"{one.name}_total" if one.type == "counter" else one.name: one for one in families}

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


def whole_status(**fields: object) -> CollectionStatus:
    counts = DomainCounts(total=15, waiting=5, running=4, backing_off=3, succeeded=2, failed=1, invalid=9)
    status = CollectionStatus(
        domains=counts,
        credits=Credits(used=40, reserved=10, limit=100),
        conditions=(
            Condition("Ready", "False", "Budget", "10 domains wait"),
            Condition("Stalled", "True", "Budget", "example.com waits"),
        ),
    )
    return msgspec.structs.replace(status, **fields)


async def busy() -> Replica:
    """Return a replica that has used each of its metrics."""
    replica = Replica()
    metrics = replica.metrics
    replica.store.put_collection(collection(status=whole_status()))
    await replica.permits.acquire("3fa9c0ffee", KEY, "pod", seconds=1)
    replica.permits.report("3fa9c0ffee", "a", Answered("1", throttled=True))
    replica.queue.add(KEY)
    replica.signs.expect(Watched("pods", "sales"))
    replica.signs.begin(Watched("pods", "sales"))
    replica.signs.begin(Watched("pods", "sales"))
    with metrics.api_call("GET", "/api/v1/namespaces/sales/configmaps/example.com") as call:
        call.code = 200
    metrics.jobs_started.labels("collect").inc()
    metrics.jobs_ended.labels("Collected", "Collected").inc()
    metrics.results_recorded.labels("Collected").inc()
    metrics.intake_requests.labels("GET", "/v1/documents/{domain}", 200).inc()
    metrics.plan_seconds.labels("look").observe(0.1)
    metrics.reconcile_errors.labels("ConflictError").inc()
    return replica
