"""What the operator counts and times, for Prometheus; docs/metrics.md tells what each number means.

No label holds a domain, an address or a key: values are words of ours, names of collections, or a key's first digits.
"""

from aiohttp.typedefs import Handler
from prometheus_client import Counter, Histogram
from prometheus_client.aiohttp import make_aiohttp_handler

from novahunt_api.clustermetrics import ClusterMetrics

_KEY_DIGITS = 4
"""Of a fingerprint; as many as the status shows."""

_PLAN_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_WORK_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_PERMIT_SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 20)


class Metrics(ClusterMetrics):
    """All counters and histograms, in a registry of their own."""

    def __init__(self) -> None:
        super().__init__()
        registry = self.registry
        self.jobs_started = Counter(
            "novahunt_jobs_started", "Jobs created, by what they do.", ["task"], registry=registry
        )
        self.jobs_ended = Counter(
            "novahunt_jobs_ended", "Ended Jobs of domains that were recorded.", ["outcome", "reason"], registry=registry
        )
        self.results_recorded = Counter(
            "novahunt_results_recorded", "DomainResults written, first and again.", ["outcome"], registry=registry
        )
        self.status_writes = Counter("novahunt_status_writes", "Statuses of collections written.", registry=registry)
        self.permits_granted = Counter(
            "novahunt_permits_granted", "Permits for one request to Hunter each.", ["key"], registry=registry
        )
        self.hunter_requests = Counter(
            "novahunt_hunter_requests",
            "Requests to Hunter that collectors have told the end of, throttled ones included.",
            ["key"],
            registry=registry,
        )
        self.hunter_throttles = Counter(
            "novahunt_hunter_throttles", "Requests to Hunter that it throttled.", ["key"], registry=registry
        )
        self.permit_seconds = Histogram(
            "novahunt_permit_wait_seconds",
            "How long calls for a permit waited, by whether they got one.",
            ["result"],
            buckets=_PERMIT_SECONDS,
            registry=registry,
        )
        self.plan_seconds = Histogram(
            "novahunt_plan_duration_seconds",
            "How long it took to decide about one collection, by step.",
            ["step"],
            buckets=_PLAN_SECONDS,
            registry=registry,
        )
        self.reconcile_seconds = Histogram(
            "novahunt_reconcile_duration_seconds",
            "How long one round of work on a collection took, calls included.",
            buckets=_WORK_SECONDS,
            registry=registry,
        )
        self.reconcile_errors = Counter(
            "novahunt_reconcile_errors", "Rounds of work that failed, by kind of error.", ["error"], registry=registry
        )
        self.queue_adds = Counter(
            "novahunt_workqueue_adds", "Keys made due, or due sooner, in the work queue.", registry=registry
        )
        self.queue_retries = Counter(
            "novahunt_workqueue_retries", "Keys made due again after a failure.", registry=registry
        )
        self.intake_requests = Counter(
            "novahunt_intake_requests", "Calls of collectors.", ["method", "route", "code"], registry=registry
        )

    def handler(self) -> Handler:
        """Return what answers `/metrics`: Prometheus' text or OpenMetrics, as it is asked for."""
        return make_aiohttp_handler(self.registry)


def key_label(fingerprint: str) -> str:
    """Return what a key is called in labels: its fingerprint's first digits, as in the status."""
    return fingerprint[:_KEY_DIGITS]
