"""The chart's gateway, rendered by the Helm that the cluster tool keeps; skipped while there is none yet."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from novahunt_gateway import settings
from unit.chart import NONE_FOR_PEOPLE, Helm, Json, names, of_kind

ON = ("gateway.enabled=true", "gateway.tokenSecretRef.name=the-token")
BY_KUBERNETES = ("gateway.enabled=true", "gateway.authentication=kubernetes")


class Asked(Mapping[str, str]):
    """An environment that keeps for what it was asked."""

    def __init__(self, held: Mapping[str, str]) -> None:
        self.names: set[str] = set()
        self._held = held

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return self._held[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)


def gateways(objects: list[Json]) -> list[Json]:
    """Return what belongs to the gateway."""
    return [one for one in objects if one["metadata"]["labels"].get("app.kubernetes.io/component") == "gateway"]


def pod(objects: list[Json]) -> Json:
    (deployment,) = of_kind(gateways(objects), "Deployment")
    found = deployment["spec"]["template"]["spec"]
    assert isinstance(found, dict)
    return found


def container(objects: list[Json]) -> Json:
    (one,) = pod(objects)["containers"]
    assert isinstance(one, dict)
    return one


def environment(objects: list[Json]) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in container(objects)["env"] if "value" in entry}


def read(objects: list[Json], namespace: str = "novahunt") -> settings.Settings:
    """Read what the gateway is told as the gateway does, in a pod of that namespace."""
    (own,) = (entry for entry in container(objects)["env"] if entry["name"] == "NOVAHUNT_NAMESPACE")
    assert own["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.namespace"}}
    # The Secret with the certificate is not mounted here, and is looked for at once.
    return settings.read(environment(objects) | {"NOVAHUNT_NAMESPACE": namespace, "NOVAHUNT_GATEWAY_CERTIFICATE": ""})


def test_there_is_none_until_it_is_asked_for(helm: Helm) -> None:
    assert gateways(helm.template()) == []
    assert gateways(helm.template("gateway.tokenSecretRef.name=the-token", "gateway.claims={collections}")) == []


def test_what_there_is_of_it(helm: Helm) -> None:
    found = gateways(helm.template(*ON))
    assert [(one["kind"], one["metadata"]["name"], one["metadata"].get("namespace")) for one in found] == [
        ("ServiceAccount", "nh-novahunt-gateway", "novahunt"),
        ("Role", "novahunt:nh-novahunt-gateway", "novahunt"),
        ("RoleBinding", "novahunt:nh-novahunt-gateway", "novahunt"),
        ("Service", "nh-novahunt-gateway", "novahunt"),
        ("Service", "nh-novahunt-gateway-metrics", "novahunt"),
        ("Deployment", "nh-novahunt-gateway", "novahunt"),
    ]


def test_the_operator_is_the_same_beside_it(helm: Helm) -> None:
    objects = helm.template(*ON, "gateway.tls.secretName=ours")
    beside = [one for one in objects if one not in gateways(objects)]
    assert beside == helm.template()


def test_the_charts_defaults_are_the_programs_own(helm: Helm) -> None:
    assert read(helm.template(*ON)) == settings.read({"NOVAHUNT_NAMESPACE": "novahunt"})


def test_every_setting_can_be_set_by_the_chart(helm: Helm) -> None:
    told = {entry["name"] for entry in container(helm.template(*ON))["env"]}
    asked = Asked({"NOVAHUNT_NAMESPACE": "novahunt"})
    settings.read(asked)
    assert told == asked.names


def test_what_people_set_reaches_the_gateway(helm: Helm) -> None:
    found = read(
        helm.template(
            *BY_KUBERNETES,
            "watchNamespaces={sales,leads,more}",
            "gateway.tls.enabled=false",
            "gateway.namespace=leads",
            "gateway.namespaces={sales}",
            "gateway.audience=novahunt",
            "gateway.claims={collections,old.ones}",
            "gateway.spec.budget.maxCreditsPerDomain=50",
            "gateway.spec.maxResults=5000000",
            "gateway.limits.maxBodyBytes=67108864",
            "gateway.limits.requestsPerSecond=5",
            "gateway.limits.burst=100000",
            "gateway.limits.requestSeconds=60",
            "gateway.limits.connections=40",
            "gateway.proxies={10.0.0.0/8,2001:db8::7}",
            "log.level=debug",
            "log.format=text",
        ),
        "leads",
    )
    assert (found.namespace, found.namespaces) == ("leads", frozenset({"leads", "sales"}))
    assert (found.authentication, found.audience) == (settings.KUBERNETES, "novahunt")
    folders = {"collections": Path("/volumes/collections"), "old.ones": Path("/volumes/old.ones")}
    assert found.volumes == folders
    assert found.defaults == {"budget": {"maxCreditsPerDomain": 50}, "maxResults": 5_000_000}
    assert (found.max_body, found.requests_per_second, found.burst) == (67_108_864, 5, 100_000)
    assert (found.seconds, found.connections) == (60, 40)
    assert found.proxies == ("10.0.0.0/8", "2001:db8::7")
    assert (found.log.form, found.log.level) == ("text", "DEBUG")


def test_it_is_the_operators_image_with_another_command(helm: Helm) -> None:
    objects = helm.template(*ON, "image.pullPolicy=Never", "imagePullSecrets[0].name=registry")
    one = container(objects)
    assert (one["image"], one["imagePullPolicy"]) == ("registry.example.com/operator:v1", "Never")
    assert one["command"] == ["/venv/bin/python", "-m", "novahunt_gateway"]
    assert pod(objects)["imagePullSecrets"] == [{"name": "registry"}]


@pytest.mark.parametrize("authentication", [ON, BY_KUBERNETES])
def test_the_gateway_may_do_what_it_needs_and_no_more(helm: Helm, authentication: tuple[str, ...]) -> None:
    (role,) = of_kind(gateways(helm.template(*authentication)), "Role")
    allowed = {
        (group, resource): rule["verbs"]
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert allowed == {
        ("novahunt.io", "domaincollections"): ["get", "list", "watch", "create", "patch"],
        ("novahunt.io", "domainresults"): ["list", "watch"],
        ("", "configmaps"): ["get"],
    }


def test_only_for_tokens_of_kubernetes_there_is_something_cluster_wide(helm: Helm) -> None:
    assert not of_kind(helm.template(*ON), "ClusterRoleBinding")
    objects = helm.template(*BY_KUBERNETES, *NONE_FOR_PEOPLE)
    (binding,) = of_kind(objects, "ClusterRoleBinding")
    assert binding["metadata"]["name"] == "novahunt:nh-novahunt-gateway"
    assert binding["roleRef"]["name"] == "system:auth-delegator"
    account = {"kind": "ServiceAccount", "name": "nh-novahunt-gateway", "namespace": "novahunt"}
    assert binding["subjects"] == [account]
    assert not of_kind(objects, "ClusterRole")


def test_a_cluster_wide_operator_gives_the_gateway_no_more(helm: Helm) -> None:
    objects = gateways(helm.template(*ON, "clusterWide=true", "gateway.namespaces={sales}"))
    assert not of_kind(objects, "ClusterRole") + of_kind(objects, "ClusterRoleBinding")
    assert [role["metadata"]["namespace"] for role in of_kind(objects, "Role")] == ["novahunt", "sales"]


def test_each_namespace_that_it_serves_gets_one_role_for_the_one_account(helm: Helm) -> None:
    values = ("watchNamespaces={sales,leads,more}", "gateway.namespaces={leads,sales}", "gateway.tls.secretName=ours")
    objects = gateways(helm.template(*ON, *values))
    assert [role["metadata"]["namespace"] for role in of_kind(objects, "Role")] == ["sales", "leads"]
    for binding in of_kind(objects, "RoleBinding"):
        (subject,) = binding["subjects"]
        assert subject == {"kind": "ServiceAccount", "name": "nh-novahunt-gateway", "namespace": "sales"}
    for kind in ("Deployment", "ServiceAccount", "Service"):
        assert {one["metadata"]["namespace"] for one in of_kind(objects, kind)} == {"sales"}


def test_without_rbac_there_is_none_of_it(helm: Helm) -> None:
    objects = helm.template(*BY_KUBERNETES, "rbac.create=false")
    assert not [one for one in objects if one["apiVersion"].startswith("rbac.")]


@pytest.mark.parametrize("values", [("gateway.namespace=sales",), ("gateway.namespaces={sales}",)])
def test_a_namespace_that_nobody_watches_is_refused(helm: Helm, values: tuple[str, ...]) -> None:
    assert "add it to watchNamespaces" in helm.refusal(*ON, *values)


def test_an_account_of_ones_own_must_be_named(helm: Helm) -> None:
    own = ("gateway.serviceAccount.create=false",)
    assert "gateway.serviceAccount.name must be set" in helm.refusal(*ON, *own)
    objects = gateways(helm.template(*ON, *own, "gateway.serviceAccount.name=mine"))
    assert not of_kind(objects, "ServiceAccount")
    assert pod(objects)["serviceAccountName"] == "mine"
    assert of_kind(objects, "RoleBinding")[0]["subjects"][0]["name"] == "mine"


def test_the_pod_keeps_to_the_restricted_standard(helm: Helm) -> None:
    objects = helm.template(*ON)
    assert pod(objects)["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert container(objects)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    kinds = {kind for volume in pod(objects)["volumes"] for kind in volume if kind != "name"}
    assert kinds == {"emptyDir", "projected", "secret"}


def test_a_token_or_kubernetes_one_of_them_lets_people_in(helm: Helm) -> None:
    assert "gateway.tokenSecretRef.name" in helm.refusal("gateway.enabled=true")
    assert "secrets" not in [volume["name"] for volume in pod(helm.template(*BY_KUBERNETES))["volumes"]]


def test_secrets_lie_where_the_gateway_looks_for_them(helm: Helm) -> None:
    objects = helm.template(*ON, "gateway.tokenSecretRef.key=t", "gateway.sealKeysSecretRef.name=seals")
    (volume,) = (one for one in pod(objects)["volumes"] if one["name"] == "secrets")
    assert volume["projected"]["sources"] == [
        {"secret": {"name": "the-token", "items": [{"key": "t", "path": "token"}]}},
        {"secret": {"name": "seals", "items": [{"key": "keys", "path": "seal-keys"}]}},
    ]
    (mount,) = (one for one in container(objects)["volumeMounts"] if one["name"] == "secrets")
    told = environment(objects)
    assert told["NOVAHUNT_GATEWAY_TOKEN_FILE"] == f"{mount['mountPath']}/token"
    assert told["NOVAHUNT_GATEWAY_SEAL_KEYS_FILE"] == f"{mount['mountPath']}/seal-keys"
    assert mount["readOnly"] is True


def test_several_replicas_must_share_the_keys_of_sessions(helm: Helm) -> None:
    assert "gateway.sealKeysSecretRef.name" in helm.refusal(*ON, "gateway.replicas=2")
    objects = helm.template(*ON, "gateway.replicas=2", "gateway.sealKeysSecretRef.name=seals")
    (deployment,) = of_kind(gateways(objects), "Deployment")
    assert deployment["spec"]["replicas"] == 2


def test_claims_are_mounted_where_it_is_told_and_read_only(helm: Helm) -> None:
    objects = helm.template(*ON, "gateway.claims={collections,old.ones}")
    mounted = {one["name"]: one for one in container(objects)["volumeMounts"]}
    claims = [one for one in pod(objects)["volumes"] if "persistentVolumeClaim" in one]
    assert [one["persistentVolumeClaim"] for one in claims] == [
        {"claimName": "collections", "readOnly": True},
        {"claimName": "old.ones", "readOnly": True},
    ]
    told = read(objects).volumes
    for one in claims:
        mount = mounted[one["name"]]
        assert mount["mountPath"] == str(told[one["persistentVolumeClaim"]["claimName"]])
        assert mount["readOnly"] is True


def test_bodies_that_are_on_their_way_never_get_the_pod_evicted(helm: Helm) -> None:
    objects = helm.template(*ON)
    (folder,) = (one["emptyDir"] for one in pod(objects)["volumes"] if one["name"] == "tmp")
    told = read(objects)
    assert int(folder["sizeLimit"]) > told.connections * told.max_body


@pytest.mark.parametrize(
    ("values", "scheme", "port"),
    [
        ((), "https", 443),
        (("gateway.tls.enabled=false",), "http", 80),
        (("gateway.service.port=8000",), "https", 8000),
    ],
)
def test_the_port_of_calls_says_how_the_gateway_speaks(
    helm: Helm, values: tuple[str, ...], scheme: str, port: int
) -> None:
    calls, _ = of_kind(gateways(helm.template(*ON, *values)), "Service")
    assert calls["spec"]["ports"] == [
        {"name": scheme, "port": port, "targetPort": "http", "protocol": "TCP", "appProtocol": scheme}
    ]


def test_calls_and_metrics_are_found_by_the_names_of_their_ports(helm: Helm) -> None:
    objects = gateways(helm.template(*ON, release="novahunt"))
    calls, metrics = of_kind(objects, "Service")
    ports = {one["name"]: one["containerPort"] for one in container(objects)["ports"]}
    told = read(objects)
    assert ports == {"http": told.port, "health": told.health_port}
    assert calls["metadata"]["name"] == "novahunt-gateway"
    assert [one["targetPort"] for one in calls["spec"]["ports"]] == ["http"]
    assert metrics["metadata"]["name"] == "novahunt-gateway-metrics"
    assert (metrics["spec"]["clusterIP"], metrics["spec"]["publishNotReadyAddresses"]) == ("None", True)
    (port,) = metrics["spec"]["ports"]
    assert (port["name"], port["port"], port["targetPort"]) == ("metrics", ports["health"], "health")


def test_each_service_finds_the_pods_of_its_own_program(helm: Helm) -> None:
    objects = helm.template(*ON)
    services = {one["metadata"]["name"]: one["spec"]["selector"] for one in of_kind(objects, "Service")}
    pods = {
        one["metadata"]["name"]: one["spec"]["template"]["metadata"]["labels"] for one in of_kind(objects, "Deployment")
    }
    found = {
        (service, name)
        for service, selector in services.items()
        for name, labels in pods.items()
        if selector.items() <= labels.items()
    }
    assert found == {
        ("nh-novahunt-intake", "nh-novahunt"),
        ("nh-novahunt-metrics", "nh-novahunt"),
        ("nh-novahunt-gateway", "nh-novahunt-gateway"),
        ("nh-novahunt-gateway-metrics", "nh-novahunt-gateway"),
    }


def test_its_probes_ask_the_port_of_health(helm: Helm) -> None:
    one = container(helm.template(*ON))
    assert one["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "health"}
    assert one["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "health"}


def test_long_names_stay_within_what_kubernetes_takes(helm: Helm) -> None:
    objects = helm.template(*ON, release="r" * 53)
    assert all(len(name) <= 63 for kind in ("Service", "Deployment") for name in names(objects, kind))


@pytest.mark.parametrize(
    "value",
    ["gateway.enable=true", "gateway.limits.conections=1", "gateway.service.kind=LoadBalancer", "gateway.token=secret"],
)
def test_an_unknown_value_is_refused(helm: Helm, value: str) -> None:
    key = value.partition("=")[0].rpartition(".")[2]
    assert f"'{key}' not allowed" in helm.refusal(*ON, value)


@pytest.mark.parametrize(
    "value",
    [
        "gateway.authentication=none",
        "gateway.spec.domains={example.com}",
        "gateway.spec.mode=Estimate",
        "gateway.proxies={everybody}",
        "gateway.claims={a=b}",
        "gateway.limits.maxBodyBytes=1",
        "gateway.service.port=-1",
    ],
)
def test_what_the_gateway_would_not_take_is_refused(helm: Helm, value: str) -> None:
    place = value.partition("=")[0].split(".")[1]
    assert f"/gateway/{place}" in helm.refusal(*ON, value)


def test_the_spec_of_single_domains_comes_through_as_json(helm: Helm) -> None:
    objects = helm.template(*ON, 'gateway.spec.jobTemplate.annotations.note="a\\,b" <bücher>')
    told = json.loads(environment(objects)["NOVAHUNT_GATEWAY_SPEC"])
    assert told == {"jobTemplate": {"annotations": {"note": '"a,b" <bücher>'}}}
