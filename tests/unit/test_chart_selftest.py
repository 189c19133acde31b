"""What `helm test` makes of the chart: a pod of its own that may look, and that NetworkPolicies let through."""

from typing import Any

from unit.chart import Helm, Json, of_kind

GATEWAY = ("gateway.enabled=true", "gateway.tokenSecretRef.name=the-token")


def rules(role: Json) -> dict[str, list[str]]:
    return {resource: rule["verbs"] for rule in role["rules"] for resource in rule["resources"]}


def hooks(helm: Helm, *values: str) -> list[Json]:
    """Return what `helm test` makes, in its order."""
    objects = helm.template(*values, options=())
    of_test = [one for one in objects if one["metadata"].get("annotations", {}).get("helm.sh/hook") == "test"]
    return sorted(of_test, key=lambda one: int(one["metadata"]["annotations"]["helm.sh/hook-weight"]))


def pod_of_the_test(helm: Helm, *values: str) -> Any:
    return hooks(helm, *values)[-1]


def told(helm: Helm, *values: str) -> dict[str, str]:
    (container,) = pod_of_the_test(helm, *values)["spec"]["containers"]
    return {entry["name"]: entry["value"] for entry in container["env"]}


def test_the_test_has_an_account_of_its_own_that_may_look_where_the_operator_watches(helm: Helm) -> None:
    found = hooks(helm, "watchNamespaces={sales,leads}")
    assert [one["kind"] for one in found] == ["ServiceAccount", "Role", "Role", "RoleBinding", "RoleBinding", "Pod"]
    assert [one["metadata"]["namespace"] for one in of_kind(found, "Role")] == ["sales", "leads"]
    for role in of_kind(found, "Role"):
        assert rules(role) == {"domaincollections": ["create"], "domainresults": ["list"]}
    for binding in of_kind(found, "RoleBinding"):
        assert binding["subjects"] == [
            {"kind": "ServiceAccount", "name": "nh-novahunt-selftest", "namespace": "novahunt"}
        ]


def test_the_test_asks_the_services_of_the_programs_that_run(helm: Helm) -> None:
    own = {
        "NOVAHUNT_NAMESPACES": "novahunt",
        "NOVAHUNT_SELFTEST_OPERATOR": "http://nh-novahunt-metrics.novahunt.svc:8081",
    }
    assert told(helm) == own
    assert told(helm, "clusterWide=true") == own
    both = told(helm, *GATEWAY, "watchNamespaces={sales,leads}", "gateway.tls.secretName=ours")
    assert both["NOVAHUNT_NAMESPACES"] == "sales,leads"
    assert both["NOVAHUNT_SELFTEST_GATEWAY"] == "http://nh-novahunt-gateway-metrics.sales.svc:8081"
    ports = [
        (port["port"], port["targetPort"])
        for service in of_kind(helm.template(*GATEWAY), "Service")
        if service["metadata"]["name"].endswith("-metrics")
        for port in service["spec"]["ports"]
    ]
    assert ports == [(8081, "health")] * 2


def test_the_tests_pod_is_the_operators_image_and_restricted(helm: Helm) -> None:
    pod = pod_of_the_test(helm, "imagePullSecrets[0].name=registry")["spec"]
    (container,) = pod["containers"]
    assert container["image"] == "registry.example.com/operator:v1"
    assert container["command"][1:] == ["-m", "novahunt_operator.selftest"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert (pod["restartPolicy"], pod["imagePullSecrets"]) == ("Never", [{"name": "registry"}])


def test_the_test_passes_where_network_policies_hold(helm: Helm) -> None:
    closed = ("networkPolicy.enabled=true", "networkPolicy.metrics.from[0].podSelector.matchLabels.app=prometheus")
    values = (*closed, *GATEWAY, "watchNamespaces={sales}", "gateway.tls.secretName=ours")
    labels = pod_of_the_test(helm, *values)["metadata"]["labels"]
    policies = {one["metadata"]["name"]: one["spec"] for one in of_kind(helm.template(*values), "NetworkPolicy")}
    own = policies["nh-novahunt-selftest"]
    assert own["podSelector"]["matchLabels"].items() <= labels.items()
    calls = own["egress"][-1]
    assert calls["ports"] == [{"port": 8081, "protocol": "TCP"}]
    for name, namespace, peer in (("nh-novahunt", "novahunt", 0), ("nh-novahunt-gateway", "sales", 1)):
        to = calls["to"][peer]
        assert to["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": namespace}
        assert to["podSelector"] == policies[name]["podSelector"]
        (metrics,) = (rule for rule in policies[name]["ingress"] if rule["ports"][0]["port"] == "health")
        (of_test,) = (one for one in metrics["from"] if "namespaceSelector" in one)
        assert of_test["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "novahunt"}
        assert of_test["podSelector"]["matchLabels"].items() <= labels.items()


def test_without_rights_there_is_no_test(helm: Helm) -> None:
    assert hooks(helm, "rbac.create=false") == []
