"""What every program in the cluster tells Prometheus: process, version, calls of the Kubernetes API, watches."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from novahunt_api import paths
from novahunt_api.cluster import ApiCall
from novahunt_api.signs import Signs
from novahunt_contract import __version__

NO_ANSWER = "none"
"""The code of a call that the API server did not answer."""

_CALL_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class ClusterMetrics:
    """A program's registry with what all have in it; their own counters come on top."""

    def __init__(self) -> None:
        # The time at which a series began is of no use here, and as many series again.
        disable_created_metrics()
        self.registry = registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        Info("novahunt_build", "The program's version.", registry=registry).info({"version": __version__})
        self._watch_restarts = Counter(
            "novahunt_watch_restarts",
            "Watches begun anew, most of them after their ordinary time.",
            ["resource"],
            registry=registry,
        )
        self._api_requests = Counter(
            "novahunt_kubernetes_requests",
            "Calls of the Kubernetes API, each try.",
            ["verb", "resource", "code"],
            registry=registry,
        )
        self._api_seconds = Histogram(
            "novahunt_kubernetes_request_duration_seconds",
            "How long calls of the Kubernetes API took; of a watch until it began.",
            ["verb", "resource"],
            buckets=_CALL_SECONDS,
            registry=registry,
        )

    @contextmanager
    def api_call(self, method: str, path: str, *, watching: bool = False) -> Iterator[ApiCall]:
        """Count and time one call of the Kubernetes API; it must be told the answer's code."""
        about = paths.target(path)
        verb = paths.verb(method, about, watching=watching)
        call, began = ApiCall(), time.monotonic()
        try:
            yield call
        finally:
            self._api_seconds.labels(verb, about.resource).observe(time.monotonic() - began)
            code = NO_ANSWER if call.code is None else str(call.code)
            self._api_requests.labels(verb, about.resource, code).inc()

    def watch_restarted(self, resource: str) -> None:
        """Count a watch that is begun anew."""
        self._watch_restarts.labels(resource).inc()


class WatchAges(Collector):
    """How long each kind's watches have been silent, read off at the moment of a scrape."""

    def __init__(self, signs: Signs) -> None:
        self._signs = signs

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return the gauge with its values."""
        ages: dict[str, float] = {}
        for watched, age in self._signs.ages().items():
            ages[watched.resource] = max(ages.get(watched.resource, 0.0), age)
        gauge = GaugeMetricFamily(
            "novahunt_watch_age_seconds",
            "Time since the API server last said anything on the most silent watch of a kind.",
            labels=["resource"],
        )
        for resource, age in ages.items():
            gauge.add_metric([resource], age)
        return [gauge]
