"""What the chart gives to Prometheus, Grafana and whoever drains nodes, rendered by the cluster tool's Helm."""

import json
from typing import Any

import pytest
import yaml

from alerts.expressions import DASHBOARD, RULES
from unit.chart import Helm, Json, names, of_kind

GATEWAY = ("gateway.enabled=true", "gateway.tokenSecretRef.name=the-token")
MONITORS = ("serviceMonitor.enabled=true",)
ALERTS = ("prometheusRule.enabled=true",)
PICTURE = ("dashboard.enabled=true",)
BUDGETS = ("podDisruptionBudget.enabled=true", "gateway.podDisruptionBudget.enabled=true")


def one(objects: list[Json], kind: str, name: str = "") -> Json:
    (found,) = (value for value in of_kind(objects, kind) if name in ("", value["metadata"]["name"]))
    return found


def scraped(objects: list[Json], monitor: Json) -> set[tuple[str, str, Any]]:
    """Return name, port's name and target of the Services' ports that a ServiceMonitor picks, as Prometheus does."""
    spec = monitor["spec"]
    return {
        (service["metadata"]["name"], port["name"], port["targetPort"])
        for service in of_kind(objects, "Service")
        if service["metadata"]["namespace"] in spec["namespaceSelector"]["matchNames"]
        and spec["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        for endpoint in spec["endpoints"]
        for port in service["spec"]["ports"]
        if port["name"] == endpoint["port"]
    }


def test_there_is_none_of_it_until_it_is_asked_for(helm: Helm) -> None:
    kinds = {value["kind"] for value in helm.template(*GATEWAY)}
    assert not kinds & {"ServiceMonitor", "PrometheusRule", "ConfigMap", "PodDisruptionBudget"}


def test_each_program_is_scraped_at_its_port_for_metrics_and_nowhere_else(helm: Helm) -> None:
    objects = helm.template(*MONITORS, *GATEWAY, "watchNamespaces={sales}", "gateway.tls.secretName=ours")
    operator = one(objects, "ServiceMonitor", "nh-novahunt-metrics")
    gateway = one(objects, "ServiceMonitor", "nh-novahunt-gateway-metrics")
    assert scraped(objects, operator) == {("nh-novahunt-metrics", "metrics", "health")}
    assert scraped(objects, gateway) == {("nh-novahunt-gateway-metrics", "metrics", "health")}
    assert (operator["metadata"]["namespace"], gateway["metadata"]["namespace"]) == ("novahunt", "sales")


def test_without_a_gateway_only_the_operator_is_scraped(helm: Helm) -> None:
    assert names(helm.template(*MONITORS), "ServiceMonitor") == ["nh-novahunt-metrics"]


def test_a_collections_namespace_is_not_taken_for_the_pods(helm: Helm) -> None:
    (endpoint,) = one(helm.template(*MONITORS), "ServiceMonitor")["spec"]["endpoints"]
    assert endpoint == {"port": "metrics", "path": "/metrics", "honorLabels": True}


def test_how_it_is_scraped_can_be_told(helm: Helm) -> None:
    objects = helm.template(
        *MONITORS,
        *GATEWAY,
        "serviceMonitor.labels.release=prometheus",
        "serviceMonitor.interval=30s",
        "serviceMonitor.scrapeTimeout=10s",
        "serviceMonitor.relabelings[0].targetLabel=cluster",
        "serviceMonitor.relabelings[0].replacement=east",
        "serviceMonitor.metricRelabelings[0].action=drop",
        "serviceMonitor.metricRelabelings[0].regex=python_.*",
    )
    for monitor in of_kind(objects, "ServiceMonitor"):
        assert monitor["metadata"]["labels"]["release"] == "prometheus"
        (endpoint,) = monitor["spec"]["endpoints"]
        assert (endpoint["interval"], endpoint["scrapeTimeout"]) == ("30s", "10s")
        assert endpoint["relabelings"] == [{"targetLabel": "cluster", "replacement": "east"}]
        assert endpoint["metricRelabelings"] == [{"action": "drop", "regex": "python_.*"}]
    assert len(of_kind(objects, "ServiceMonitor")) == 2


def test_the_alerts_are_those_of_the_file(helm: Helm) -> None:
    rule = one(helm.template(*ALERTS, "prometheusRule.labels.release=prometheus"), "PrometheusRule", "nh-novahunt")
    assert rule["spec"] == yaml.safe_load(RULES.read_text("utf-8"))
    assert rule["metadata"]["labels"]["release"] == "prometheus"


def test_alerts_lead_to_where_the_runbooks_are_published(helm: Helm) -> None:
    page = "https://wiki.example.com/novahunt"
    rule = one(helm.template(*ALERTS, f"prometheusRule.runbooks={page}"), "PrometheusRule")
    links = [alert["annotations"]["runbook_url"] for group in rule["spec"]["groups"] for alert in group["rules"]]
    assert links
    assert all(link.startswith(f"{page}#") for link in links)


def test_the_dashboard_is_that_of_the_file_and_found_by_the_label_of_grafanas_sidecar(helm: Helm) -> None:
    found = one(helm.template(*PICTURE), "ConfigMap", "nh-novahunt-dashboard")
    assert json.loads(found["data"]["novahunt.json"]) == json.loads(DASHBOARD.read_text("utf-8"))
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert (found["metadata"]["namespace"], "annotations" in found["metadata"]) == ("novahunt", False)


def test_where_the_dashboard_is_looked_for_can_be_told(helm: Helm) -> None:
    objects = helm.template(
        *PICTURE,
        "dashboard.namespace=monitoring",
        "dashboard.labels.grafana_dashboard=yes-please",
        "dashboard.labels.team=sales",
        "dashboard.annotations.grafana_folder=NovaHunt",
    )
    found = one(objects, "ConfigMap")["metadata"]
    assert found["namespace"] == "monitoring"
    assert (found["labels"]["grafana_dashboard"], found["labels"]["team"]) == ("yes-please", "sales")
    assert found["annotations"] == {"grafana_folder": "NovaHunt"}


def test_each_budget_for_disruptions_finds_the_pods_of_its_own_program(helm: Helm) -> None:
    objects = helm.template(*BUDGETS, *GATEWAY)
    pods = {
        value["metadata"]["name"]: value["spec"]["template"]["metadata"]["labels"]
        for value in of_kind(objects, "Deployment")
    }
    for name in ("nh-novahunt", "nh-novahunt-gateway"):
        spec = one(objects, "PodDisruptionBudget", name)["spec"]
        selector = spec.pop("selector")["matchLabels"]
        assert [pod for pod, labels in pods.items() if selector.items() <= labels.items()] == [name]
        assert spec == {"maxUnavailable": 1, "unhealthyPodEvictionPolicy": "AlwaysAllow"}
    assert names(helm.template(*BUDGETS), "PodDisruptionBudget") == ["nh-novahunt"]


def test_a_part_of_the_pods_may_go_at_once(helm: Helm) -> None:
    objects = helm.template(*BUDGETS, *GATEWAY, "podDisruptionBudget.maxUnavailable=50%")
    assert one(objects, "PodDisruptionBudget", "nh-novahunt")["spec"]["maxUnavailable"] == "50%"
    assert one(objects, "PodDisruptionBudget", "nh-novahunt-gateway")["spec"]["maxUnavailable"] == 1


def test_every_object_carries_the_standard_labels(helm: Helm) -> None:
    objects = helm.template(*MONITORS, *ALERTS, *PICTURE, *BUDGETS, *GATEWAY, "commonLabels.team=sales")
    for value in objects:
        assert value["metadata"]["labels"]["app.kubernetes.io/part-of"] == "novahunt"
        assert value["metadata"]["labels"]["team"] == "sales"


def test_long_names_stay_within_what_kubernetes_takes(helm: Helm) -> None:
    objects = helm.template(*MONITORS, *ALERTS, *PICTURE, *BUDGETS, *GATEWAY, release="r" * 53)
    kinds = ("ServiceMonitor", "PrometheusRule", "PodDisruptionBudget")
    assert all(len(name) <= 63 for kind in kinds for name in names(objects, kind))


@pytest.mark.parametrize(
    "value",
    [
        "serviceMonitor.enable=true",
        "serviceMonitor.interval=often",
        "serviceMonitor.relabelings=x",
        "prometheusRule.rules={}",
        "prometheusRule.runbooks=",
        "dashboard.label=x",
        "podDisruptionBudget.minAvailable=1",
        "podDisruptionBudget.maxUnavailable=0",
        "podDisruptionBudget.maxUnavailable=half",
        "gateway.podDisruptionBudget.maxUnavailable=0",
    ],
)
def test_what_means_nothing_is_refused(helm: Helm, value: str) -> None:
    assert value.split(".")[-2] in helm.refusal(*GATEWAY, value)
