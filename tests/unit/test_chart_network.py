"""NetworkPolicies of the chart: each program speaks and listens only where it has to."""

import pytest

from novahunt_api.names import SELECTOR
from unit.chart import Helm, Json, names, of_kind

ON = ("networkPolicy.enabled=true",)
GATEWAY = ("gateway.enabled=true", "gateway.tokenSecretRef.name=the-token")


def policy(objects: list[Json], name: str) -> Json:
    (found,) = (one for one in of_kind(objects, "NetworkPolicy") if one["metadata"]["name"] == name)
    return dict(found["spec"])


def labels_of_pods(objects: list[Json], name: str) -> Json:
    (found,) = (one for one in of_kind(objects, "Deployment") if one["metadata"]["name"] == name)
    return dict(found["spec"]["template"]["metadata"]["labels"])


def test_there_are_none_until_they_are_asked_for(helm: Helm) -> None:
    assert names(helm.template(*GATEWAY), "NetworkPolicy") == []


def test_each_program_has_one_that_finds_its_pods_and_bounds_both_ways(helm: Helm) -> None:
    objects = helm.template(*ON, *GATEWAY)
    assert sorted(names(objects, "NetworkPolicy")) == [
        "nh-novahunt",
        "nh-novahunt-gateway",
        "nh-novahunt-selftest",
        "novahunt-nh-novahunt-collectors",
    ]
    for name in ("nh-novahunt", "nh-novahunt-gateway"):
        found = policy(objects, name)
        assert found["policyTypes"] == ["Ingress", "Egress"]
        assert found["podSelector"]["matchLabels"].items() <= labels_of_pods(objects, name).items()


def test_only_collectors_of_watched_namespaces_reach_the_intake(helm: Helm) -> None:
    found = policy(helm.template(*ON, "watchNamespaces={sales,leads}"), "nh-novahunt")
    (intake,) = (rule for rule in found["ingress"] if rule["ports"][0]["port"] == "intake")
    labels = dict(part.split("=") for part in SELECTOR.split(","))
    assert [peer["podSelector"]["matchLabels"] for peer in intake["from"]] == [labels, labels]
    spaces = [peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for peer in intake["from"]]
    assert spaces == ["sales", "leads"]


def test_collectors_are_called_by_nobody_and_reach_names_the_intake_and_hunter_alone(helm: Helm) -> None:
    objects = helm.template(*ON, "watchNamespaces={sales}", "networkPolicy.hunter.ports={3128}")
    found = policy(objects, "novahunt-nh-novahunt-collectors")
    assert found["podSelector"]["matchLabels"] == dict(part.split("=") for part in SELECTOR.split(","))
    assert "ingress" not in found
    assert [rule["ports"][0]["port"] for rule in found["egress"]] == [53, 8090, 3128]
    assert found["egress"][1]["to"][0]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "novahunt"
    }


def test_a_cluster_wide_operator_hears_collectors_of_all_namespaces(helm: Helm) -> None:
    objects = helm.template(*ON, "clusterWide=true")
    assert names(objects, "NetworkPolicy") == ["nh-novahunt", "nh-novahunt-selftest"]
    assert policy(objects, "nh-novahunt")["ingress"][0]["from"][0]["namespaceSelector"] == {}


def test_who_is_meant_can_be_narrowed(helm: Helm) -> None:
    objects = helm.template(
        *ON,
        *GATEWAY,
        "networkPolicy.apiServer.to[0].ipBlock.cidr=192.0.2.10/32",
        "networkPolicy.apiServer.ports={8443}",
        "networkPolicy.metrics.from[0].podSelector.matchLabels.app=prometheus",
        "networkPolicy.gateway.from[0].podSelector.matchLabels.app=ingress",
    )
    operator, gateway = policy(objects, "nh-novahunt"), policy(objects, "nh-novahunt-gateway")
    for found in (operator, gateway):
        assert found["egress"][-1] == {
            "ports": [{"port": 8443, "protocol": "TCP"}],
            "to": [{"ipBlock": {"cidr": "192.0.2.10/32"}}],
        }
        assert found["ingress"][-1]["from"][:-1] == [{"podSelector": {"matchLabels": {"app": "prometheus"}}}]
    assert gateway["ingress"][0]["from"] == [{"podSelector": {"matchLabels": {"app": "ingress"}}}]


@pytest.mark.parametrize("value", ["networkPolicy.enable=true", "networkPolicy.hunter.ports={}", "networkPolicy.dns=x"])
def test_what_means_nothing_is_refused(helm: Helm, value: str) -> None:
    assert "networkPolicy" in helm.refusal(*ON, value)


def test_operator_and_collectors_reach_where_spans_go_only_while_traces_are_on(helm: Helm) -> None:
    on = ("tracing.endpoint=http://spans.monitoring:14318", "tracing.port=14318")
    for more, wanted in (((), False), (on, True)):
        objects = helm.template(*ON, *more)
        for name in ("nh-novahunt", "novahunt-nh-novahunt-collectors"):
            ports = [port["port"] for rule in policy(objects, name)["egress"] for port in rule["ports"]]
            assert (14318 in ports) is wanted
        assert ("OTEL_EXPORTER_OTLP_ENDPOINT" in str(of_kind(objects, "Deployment"))) is wanted
