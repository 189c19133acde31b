"""What the chart makes for people: roles, policies, claims, the key's Secret, ways to the gateway, further objects."""

import base64
import re
from pathlib import Path

import pytest
import yaml

from unit.chart import NONE_FOR_PEOPLE, Helm, Json, names, of_kind

GATEWAY = ("gateway.enabled=true", "gateway.tokenSecretRef.name=the-token", "gateway.service.port=8080")
INGRESS = ("gateway.ingress.enabled=true", "gateway.ingress.hosts[0].host=leads.example.com")
ROUTE = ("gateway.httpRoute.enabled=true", "gateway.httpRoute.parentRefs[0].name=public")
CLAIM = ("results.claims[0].name=collections", "results.claims[0].size=10Gi")

AGGREGATED = "rbac.authorization.k8s.io/aggregate-to-"


def rules(role: Json) -> dict[str, list[str]]:
    return {resource: rule["verbs"] for rule in role["rules"] for resource in rule["resources"]}


def added_to(role: Json) -> set[str]:
    """Return the roles of Kubernetes that hold this one."""
    labels = role["metadata"]["labels"]
    return {label.removeprefix(AGGREGATED) for label in labels if label.startswith(AGGREGATED)}


def test_who_may_view_and_edit_in_a_namespace_may_view_and_edit_collections(helm: Helm) -> None:
    view, edit, _ = of_kind(helm.template(), "ClusterRole")
    assert (view["metadata"]["name"], added_to(view)) == ("novahunt:nh-novahunt:view", {"view", "edit", "admin"})
    assert (edit["metadata"]["name"], added_to(edit)) == ("novahunt:nh-novahunt:edit", {"edit", "admin"})
    read = ["get", "list", "watch"]
    assert rules(view) == {"domaincollections": read, "domainresults": read}
    assert rules(edit) == {
        "domaincollections": ["create", "update", "patch", "delete", "deletecollection"],
        "domainresults": ["delete", "deletecollection"],
    }


def test_reading_addresses_is_in_a_role_of_its_own_that_nobody_has(helm: Helm) -> None:
    objects = helm.template()
    reader = of_kind(objects, "ClusterRole")[-1]
    assert reader["metadata"]["name"] == "novahunt:nh-novahunt:address-reader"
    assert rules(reader) == {"domaincollections/content": ["get"]}
    assert not added_to(reader)
    assert reader["metadata"]["name"] not in {one["roleRef"]["name"] for one in bindings(objects)}


def bindings(objects: list[Json]) -> list[Json]:
    return [*of_kind(objects, "RoleBinding"), *of_kind(objects, "ClusterRoleBinding")]


def test_roles_of_two_releases_have_two_names(helm: Helm) -> None:
    first = names(helm.template("clusterWide=true"), "ClusterRole")
    assert len(set(first)) == 4
    assert not set(first) & set(names(helm.template("clusterWide=true", namespace="other"), "ClusterRole"))
    assert not set(first) & set(names(helm.template("clusterWide=true", release="other"), "ClusterRole"))


@pytest.mark.parametrize("values", [NONE_FOR_PEOPLE, ("rbac.create=false",)])
def test_roles_for_people_can_be_left_out(helm: Helm, values: tuple[str, ...]) -> None:
    assert names(helm.template(*values), "ClusterRole") == []


def policies(objects: list[Json]) -> list[str]:
    bound = [one["spec"]["policyName"] for one in of_kind(objects, "ValidatingAdmissionPolicyBinding")]
    assert bound == names(objects, "ValidatingAdmissionPolicy")
    return bound


def test_admission_policies_are_made_for_a_cluster_wide_operator_alone(helm: Helm) -> None:
    assert policies(helm.template("clusterWide=true")) == [
        "novahunt.nh-novahunt.configmaps",
        "novahunt.nh-novahunt.jobs",
    ]
    assert policies(helm.template()) == []
    assert policies(helm.template("clusterWide=true", "admissionPolicy.enabled=false")) == []
    # With hyphens alone, these two would have one name.
    one = policies(helm.template("clusterWide=true", "fullnameOverride=b-c", namespace="a"))
    assert not set(one) & set(policies(helm.template("clusterWide=true", "fullnameOverride=c", namespace="a-b")))


def test_policies_look_at_the_operators_account_and_at_the_image_that_it_is_told(helm: Helm) -> None:
    digest = f"sha256:{'0' * 64}"
    values = ("clusterWide=true", "serviceAccount.name=mine", f"collector.image.digest={digest}")
    _, jobs = of_kind(helm.template(*values, namespace="tools"), "ValidatingAdmissionPolicy")
    (condition,) = jobs["spec"]["matchConditions"]
    assert condition["expression"] == "request.userInfo.username == 'system:serviceaccount:tools:mine'"
    image = f"registry.example.com/collector@{digest}"
    assert f"c.image == '{image}'" in " ".join(one["expression"] for one in jobs["spec"]["validations"])
    assert jobs["spec"]["failurePolicy"] == "Fail"


def test_an_ingress_leads_to_the_gateways_service(helm: Helm) -> None:
    objects = helm.template(
        *GATEWAY,
        *INGRESS,
        "gateway.ingress.className=nginx",
        "gateway.ingress.annotations.note=a",
        "gateway.ingress.hosts[1].host=other.example.com",
        "gateway.ingress.hosts[1].paths[0].path=/leads",
        "gateway.ingress.hosts[1].paths[0].pathType=Exact",
        "gateway.ingress.tls[0].secretName=leads-tls",
        "gateway.ingress.tls[0].hosts[0]=leads.example.com",
    )
    (ingress,) = of_kind(objects, "Ingress")
    backend = {"service": {"name": "nh-novahunt-gateway", "port": {"name": "https"}}}
    assert ingress["metadata"]["annotations"] == {"note": "a"}
    assert ingress["spec"] == {
        "ingressClassName": "nginx",
        "rules": [
            {
                "host": "leads.example.com",
                "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
            },
            {
                "host": "other.example.com",
                "http": {"paths": [{"path": "/leads", "pathType": "Exact", "backend": backend}]},
            },
        ],
        "tls": [{"secretName": "leads-tls", "hosts": ["leads.example.com"]}],
    }
    assert backend["service"]["name"] in names(objects, "Service")


def test_a_route_leads_to_the_gateways_service(helm: Helm) -> None:
    objects = helm.template(
        *GATEWAY,
        *ROUTE,
        "watchNamespaces={sales}",
        "gateway.tls.secretName=ours",
        "gateway.httpRoute.parentRefs[0].namespace=gateways",
        "gateway.httpRoute.parentRefs[0].sectionName=https",
        "gateway.httpRoute.hostnames={leads.example.com}",
        "gateway.httpRoute.annotations.note=a",
    )
    (route,) = of_kind(objects, "HTTPRoute")
    assert (route["metadata"]["namespace"], route["metadata"]["annotations"]) == ("sales", {"note": "a"})
    assert route["spec"] == {
        "parentRefs": [{"name": "public", "namespace": "gateways", "sectionName": "https"}],
        "hostnames": ["leads.example.com"],
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "backendRefs": [{"name": "nh-novahunt-gateway", "port": 8080}],
            }
        ],
    }


def test_there_is_no_way_to_a_gateway_that_does_not_run(helm: Helm) -> None:
    kinds = {one["kind"] for one in helm.template(*INGRESS, *ROUTE)}
    assert not kinds & {"Ingress", "HTTPRoute"}


@pytest.mark.parametrize("part", ["ingress", "httpRoute"])
def test_a_way_that_leads_from_nowhere_is_refused(helm: Helm, part: str) -> None:
    missing = {"ingress": "gateway.ingress.hosts is empty", "httpRoute": "gateway.httpRoute.parentRefs is empty"}
    assert missing[part] in helm.refusal(*GATEWAY, f"gateway.{part}.enabled=true")


@pytest.mark.parametrize("place", ["", "gateway."])
def test_pods_are_spread_as_asked(helm: Helm, place: str) -> None:
    wanted = [{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway"}]
    values = [f"{place}topologySpreadConstraints[0].{key}={value}" for key, value in wanted[0].items()]
    pods = {
        one["metadata"]["name"]: one["spec"]["template"]["spec"].get("topologySpreadConstraints")
        for one in of_kind(helm.template(*GATEWAY, *values), "Deployment")
    }
    spread = "nh-novahunt-gateway" if place else "nh-novahunt"
    assert {name for name, found in pods.items() if found} == {spread}
    component = "gateway" if place else "operator"
    labels = {
        "app.kubernetes.io/name": "novahunt",
        "app.kubernetes.io/instance": "nh",
        "app.kubernetes.io/component": component,
    }
    assert pods[spread] == [wanted[0] | {"labelSelector": {"matchLabels": labels}}]
    own = f"{place}topologySpreadConstraints[0].labelSelector.matchLabels.app=mine"
    told = {one["metadata"]["name"]: one for one in of_kind(helm.template(*GATEWAY, *values, own), "Deployment")}
    (found,) = told[spread]["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert found["labelSelector"] == {"matchLabels": {"app": "mine"}}


def claims(helm: Helm, *values: str) -> list[Json]:
    return of_kind(helm.template(*CLAIM, *values), "PersistentVolumeClaim")


def test_claims_are_made_where_collections_are_and_outlive_the_release(helm: Helm) -> None:
    found = claims(helm, "watchNamespaces={sales,leads}", "results.claims[0].annotations.note=a")
    assert [(one["metadata"]["namespace"], one["metadata"]["name"]) for one in found] == [
        ("sales", "collections"),
        ("leads", "collections"),
    ]
    for one in found:
        assert one["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep", "note": "a"}
        assert one["spec"] == {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "10Gi"}}}


def test_a_claim_can_be_of_another_class_and_in_one_namespace(helm: Helm) -> None:
    own = ("results.claims[0].namespace=leads", "results.claims[0].accessModes={ReadWriteOnce}")
    (found,) = claims(helm, "clusterWide=true", *own, "results.claims[0].storageClassName=nfs")
    assert found["metadata"]["namespace"] == "leads"
    assert (found["spec"]["accessModes"], found["spec"]["storageClassName"]) == (["ReadWriteOnce"], "nfs")
    (by_hand,) = claims(helm, "results.claims[0].storageClassName=")
    assert by_hand["spec"]["storageClassName"] == ""


def test_with_cluster_wide_a_claim_must_say_where(helm: Helm) -> None:
    assert "claim collections says no namespace" in helm.refusal(*CLAIM, "clusterWide=true")


def test_the_keys_secret_is_made_only_when_asked_for(helm: Helm) -> None:
    def keys(*values: str) -> list[Json]:
        return [one for one in of_kind(helm.template(*values), "Secret") if "data" in one]

    assert keys("apiKey.value=key-of-a-trial") == []
    made = keys("apiKey.create=true", "apiKey.value=key-of-a-trial", "watchNamespaces={a,b}")
    assert [(one["metadata"]["namespace"], one["metadata"]["name"]) for one in made] == [
        ("a", "hunter-api-key"),
        ("b", "hunter-api-key"),
    ]
    assert all(base64.b64decode(one["data"]["HUNTER_API_KEY"]) == b"key-of-a-trial" for one in made)


def test_a_secret_without_a_key_or_a_place_is_refused(helm: Helm) -> None:
    assert "apiKey.value must be set" in helm.refusal("apiKey.create=true")
    everywhere = ("apiKey.create=true", "apiKey.value=a", "clusterWide=true")
    assert "make it yourself in each namespace" in helm.refusal(*everywhere)


def test_further_objects_are_rendered_as_templates(helm: Helm, tmp_path: Path) -> None:
    as_object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-more"}}
    as_text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ include "novahunt.fullname" . }}-text}\n'
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump({"extraObjects": [as_object, as_text]}))
    objects = helm.template(options=("--values", str(values)))
    assert names(objects, "ConfigMap") == ["nh-more", "nh-novahunt-text"]


@pytest.mark.parametrize(
    "value",
    [
        "rbac.agregate=true",
        "admissionPolicy.enable=true",
        "apiKey.secret=a",
        "results.claims[0].sise=1Gi",
        "results.claims[0].name=collections",
        "extraObjects=a",
        "gateway.ingress.host=leads.example.com",
        "gateway.ingress.hosts[0].paths[0].path=leads",
        "gateway.httpRoute.parentRef=public",
        "gateway.httpRoute.parentRefs[0].namespace=gateways",
    ],
)
def test_what_means_nothing_is_refused(helm: Helm, value: str) -> None:
    assert re.split(r"[.\[=]", value)[0] in helm.refusal(*GATEWAY, value)


def test_every_object_carries_the_standard_labels(helm: Helm) -> None:
    values = (*GATEWAY, *INGRESS, *ROUTE, *CLAIM, "clusterWide=true", "results.claims[0].namespace=a")
    for one in helm.template(*values, "commonLabels.team=sales", options=()):
        assert one["metadata"]["labels"]["app.kubernetes.io/part-of"] == "novahunt"
        assert one["metadata"]["labels"]["team"] == "sales"
