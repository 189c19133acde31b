"""The gateway's metrics: the page about metrics tells the same."""

import re

from cluster.control_plane import ROOT
from novahunt_gateway.metrics import GatewayMetrics


def test_the_page_about_metrics_tells_the_same() -> None:
    metrics = GatewayMetrics()
    metrics.requests.labels("GET", "/", "200").inc()
    metrics.seconds.labels("/").observe(1)
    own = {
        (
            f"{family.name}_total" if family.type == "counter" else family.name,
            family.type,
            tuple(family.samples[0].labels),
        )
        for family in metrics.registry.collect()
        if family.name.startswith("novahunt_gateway_")
    }
    row = re.compile(r"^\| `(novahunt_gateway_\w+)` \| (\w+) \|([^|]*)\|", re.MULTILINE)
    found = row.findall((ROOT / "docs/metrics.md").read_text("utf-8"))
    assert {(name, kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in found} == {
        (name, kind, tuple(label for label in labels if label != "le")) for name, kind, labels in own
    }
