"""The chart, rendered by the Helm that the cluster tool keeps; skipped while there is none yet."""

import json

import pytest
import yaml

from unit.chart import CHART, IMAGES, KUBE_VERSION, NONE_FOR_PEOPLE, ROOT, TEMPLATE, Helm, Json, names, of_kind


def container(objects: list[Json]) -> Json:
    (deployment,) = of_kind(objects, "Deployment")
    (one,) = deployment["spec"]["template"]["spec"]["containers"]
    assert isinstance(one, dict)
    return one


def environment(objects: list[Json]) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in container(objects)["env"] if "value" in entry}


@pytest.mark.parametrize("values", [(), IMAGES], ids=["nothing set", "what must be set"])
def test_lint_finds_nothing(helm: Helm, values: tuple[str, ...]) -> None:
    given = [part for value in values for part in ("--set", value)]
    code, out, err = helm.run("lint", "--strict", *KUBE_VERSION, str(CHART), *given)
    assert code == 0, out + err
    assert "0 chart(s) failed" in out


def test_the_crds_are_those_of_the_repository(helm: Helm) -> None:
    rendered = {crd["metadata"]["name"]: crd for crd in of_kind(helm.template(), "CustomResourceDefinition")}
    sources = [yaml.safe_load(path.read_text("utf-8")) for path in sorted((ROOT / "crds").glob("*.yaml"))]
    assert {source["metadata"]["name"]: source["spec"] for source in sources} == {
        name: crd["spec"] for name, crd in rendered.items()
    }
    assert len(rendered) == 2


def test_the_crds_stay_when_the_chart_goes(helm: Helm) -> None:
    def kept(*values: str) -> list[bool]:
        crds = of_kind(helm.template(*values), "CustomResourceDefinition")
        return [crd["metadata"].get("annotations") == {"helm.sh/resource-policy": "keep"} for crd in crds]

    assert kept() == [True, True]
    assert kept("crds.keep=false") == [False, False]
    assert kept("crds.enabled=false") == []


def test_the_crds_take_annotations_beside_their_own(helm: Helm) -> None:
    def annotations(*values: str) -> list[Json]:
        crds = of_kind(helm.template(*values), "CustomResourceDefinition")
        return [crd["metadata"].get("annotations", {}) for crd in crds]

    wave = "crds.annotations.argocd\\.argoproj\\.io/sync-wave=first"
    assert annotations(wave) == [{"argocd.argoproj.io/sync-wave": "first", "helm.sh/resource-policy": "keep"}] * 2
    assert annotations(wave, "crds.keep=false") == [{"argocd.argoproj.io/sync-wave": "first"}] * 2
    assert annotations("crds.keep=false") == [{}, {}]


@pytest.mark.parametrize("missing", IMAGES)
def test_an_image_that_is_not_named_stops_it_and_names_the_way(helm: Helm, missing: str) -> None:
    error = helm.refusal(images=tuple(value for value in IMAGES if value != missing))
    assert "`make images`" in error
    assert "image.repository, image.tag, collector.image.repository and collector.image.tag" in error


def test_a_digest_wins_over_a_tag(helm: Helm) -> None:
    digest = f"sha256:{'0' * 64}"
    objects = helm.template(f"image.digest={digest}", f"collector.image.digest={digest}")
    assert container(objects)["image"] == f"registry.example.com/operator@{digest}"
    assert environment(objects)["NOVAHUNT_COLLECTOR_IMAGE"] == f"registry.example.com/collector@{digest}"


@pytest.mark.parametrize("value", ["replica=2", "image.name=a", "worker.concurency=3", "hunter.apiKey=secret"])
def test_an_unknown_value_is_refused(helm: Helm, value: str) -> None:
    key = value.partition("=")[0].rpartition(".")[2]
    assert f"'{key}' not allowed" in helm.refusal(value)


def test_what_the_operator_is_told(helm: Helm) -> None:
    assert environment(helm.template()) == {
        "NOVAHUNT_CLUSTER_WIDE": "false",
        "NOVAHUNT_NAMESPACES": "novahunt",
        "NOVAHUNT_LEASE_NAME": "nh-novahunt-leader",
        "NOVAHUNT_COLLECTOR_IMAGE": "registry.example.com/collector:v2",
        "NOVAHUNT_COLLECTOR_IMAGE_PULL_POLICY": "IfNotPresent",
        "NOVAHUNT_COLLECTOR_IMAGE_PULL_SECRETS": "",
        "NOVAHUNT_COLLECTOR_PROXY": "",
        "NOVAHUNT_COLLECTOR_NO_PROXY": "",
        "NOVAHUNT_COLLECTOR_PROXY_SECRET": "",
        "NOVAHUNT_COLLECTOR_CA_CONFIGMAP": "",
        "NOVAHUNT_INTAKE_URL": "https://nh-novahunt-intake.novahunt.svc:8090",
        "NOVAHUNT_CERTIFICATE_SECRET": "nh-novahunt-certificate",
        "NOVAHUNT_CERTIFICATE_GATEWAY_HOSTS": "",
        "NOVAHUNT_CERTIFICATE_EXTERNAL": "false",
        "NOVAHUNT_INTAKE_PORT": "8090",
        "NOVAHUNT_HEALTH_PORT": "8081",
        "NOVAHUNT_PROBE_SECONDS": "60",
        "NOVAHUNT_SWEEP_SECONDS": "86400",
        "NOVAHUNT_MAX_CONFIGMAP_BYTES": "104857600",
        "NOVAHUNT_LOG_FORMAT": "json",
        "NOVAHUNT_LOG_LEVEL": "info",
        "HUNTER_BASE_URL": "https://api.hunter.io/v2",
        "HUNTER_REQUESTS_PER_SECOND": "15",
        "HUNTER_REQUESTS_PER_MINUTE": "500",
        "HUNTER_REPEATS_CHARGED": "false",
        "WORKER_CONCURRENCY": "2",
        "WORKER_MAX_JOBS_PER_INTERVAL": "10",
        "WORKER_RATE_LIMIT_DURATION_MS": "60000",
    }


def test_what_people_set_reaches_the_operator(helm: Helm) -> None:
    told = environment(
        helm.template(
            "watchNamespaces={sales,leads}",
            "imagePullSecrets[0].name=first",
            "imagePullSecrets[1].name=second",
            "collector.image.pullPolicy=Never",
            "worker.rateLimitDurationMs=86400000",
            "hunter.baseUrl=http://simulator.demo.svc:8080/v2",
            "collector.proxy.secretRef.name=proxy",
            "collector.proxy.noProxy=simulator.demo.svc",
            "collector.caBundle.configMapName=company-ca",
        )
    )
    assert told["NOVAHUNT_NAMESPACES"] == "sales,leads"
    assert told["NOVAHUNT_COLLECTOR_IMAGE_PULL_SECRETS"] == "first,second"
    assert told["NOVAHUNT_COLLECTOR_IMAGE_PULL_POLICY"] == "Never"
    assert told["NOVAHUNT_COLLECTOR_PROXY_SECRET"] == "proxy/url"
    assert told["NOVAHUNT_COLLECTOR_NO_PROXY"] == "simulator.demo.svc"
    assert told["NOVAHUNT_COLLECTOR_CA_CONFIGMAP"] == "company-ca/ca.crt"
    assert told["WORKER_RATE_LIMIT_DURATION_MS"] == "86400000"
    assert told["HUNTER_BASE_URL"] == "http://simulator.demo.svc:8080/v2"


def test_each_watched_namespace_gets_one_role_and_nothing_is_cluster_wide(helm: Helm) -> None:
    objects = helm.template("watchNamespaces={sales,leads}", *NONE_FOR_PEOPLE)
    assert not of_kind(objects, "ClusterRole")
    assert not of_kind(objects, "ClusterRoleBinding")
    assert [(role["metadata"]["namespace"], role["metadata"]["name"]) for role in of_kind(objects, "Role")] == [
        ("sales", "novahunt:nh-novahunt"),
        ("leads", "novahunt:nh-novahunt"),
        ("novahunt", "nh-novahunt-leader"),
    ]
    for binding in of_kind(objects, "RoleBinding"):
        (subject,) = binding["subjects"]
        assert subject == {"kind": "ServiceAccount", "name": "nh-novahunt", "namespace": "novahunt"}


def test_cluster_wide_is_one_cluster_role_with_the_same_rules(helm: Helm) -> None:
    (narrow, _) = of_kind(helm.template(), "Role")
    objects = helm.template("clusterWide=true", *NONE_FOR_PEOPLE)
    (wide,) = of_kind(objects, "ClusterRole")
    assert wide["rules"] == narrow["rules"]
    assert names(objects, "Role") == ["nh-novahunt-leader"]
    assert environment(objects)["NOVAHUNT_CLUSTER_WIDE"] == "true"
    assert environment(objects)["NOVAHUNT_NAMESPACES"] == ""


def test_cluster_wide_and_a_list_of_namespaces_contradict_each_other(helm: Helm) -> None:
    assert "leave watchNamespaces empty" in helm.refusal("clusterWide=true", "watchNamespaces={sales}")


def test_they_contradict_each_other_as_well_where_somebody_else_makes_the_roles(helm: Helm) -> None:
    refusal = helm.refusal("clusterWide=true", "watchNamespaces={a}", "rbac.create=false")
    assert "leave watchNamespaces empty" in refusal


def test_the_operator_may_do_what_it_needs_and_no_more(helm: Helm) -> None:
    allowed = {
        (group, resource): rule["verbs"]
        for rule in of_kind(helm.template(), "Role")[0]["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert allowed == {
        ("novahunt.io", "domaincollections"): ["get", "list", "watch", "delete"],
        ("novahunt.io", "domaincollections/status"): ["patch"],
        ("novahunt.io", "domainresults"): ["list", "watch", "create", "update"],
        ("batch", "jobs"): ["get", "list", "watch", "create", "patch", "delete"],
        ("", "pods"): ["list", "watch"],
        ("", "configmaps"): ["get", "list", "create", "delete"],
        ("events.k8s.io", "events"): ["create"],
    }


def test_its_lease_and_its_certificate_are_the_only_ones_it_may_change(helm: Helm) -> None:
    rules = of_kind(helm.template(), "Role")[1]["rules"]
    assert rules == [
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "resourceNames": ["nh-novahunt-leader"],
            "verbs": ["get", "update"],
        },
        {
            "apiGroups": [""],
            "resources": ["secrets"],
            "resourceNames": ["nh-novahunt-certificate"],
            "verbs": ["get", "patch"],
        },
    ]


def test_the_pod_keeps_to_the_restricted_standard(helm: Helm) -> None:
    (deployment,) = of_kind(helm.template(), "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert pod["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_intake_is_found_by_the_address_that_the_operator_hands_out(helm: Helm) -> None:
    objects = helm.template(release="novahunt", namespace="tools")
    service, _ = of_kind(objects, "Service")
    assert service["spec"]["clusterIP"] == "None"
    url = f"https://{service['metadata']['name']}.tools.svc:{service['spec']['ports'][0]['port']}"
    assert environment(objects)["NOVAHUNT_INTAKE_URL"] == url == "https://novahunt-intake.tools.svc:8090"
    (deployment,) = of_kind(objects, "Deployment")
    assert service["spec"]["selector"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()


def test_the_metrics_are_found_by_the_name_of_their_port_on_every_replica(helm: Helm) -> None:
    objects = helm.template(release="novahunt")
    _, service = of_kind(objects, "Service")
    assert service["metadata"]["name"] == "novahunt-metrics"
    assert (service["spec"]["clusterIP"], service["spec"]["publishNotReadyAddresses"]) == ("None", True)
    (port,) = service["spec"]["ports"]
    (named,) = (one for one in container(objects)["ports"] if one["name"] == port["targetPort"])
    assert (port["name"], port["port"]) == ("metrics", named["containerPort"])
    assert environment(objects)["NOVAHUNT_HEALTH_PORT"] == str(named["containerPort"])
    (deployment,) = of_kind(objects, "Deployment")
    assert service["spec"]["selector"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()


def test_long_names_stay_within_what_kubernetes_takes(helm: Helm) -> None:
    objects = helm.template(release="r" * 53)
    assert all(len(name) <= 63 for kind in ("Service", "Deployment") for name in names(objects, kind))


def test_names_that_no_service_may_have_are_made_fit_or_refused(helm: Helm) -> None:
    made = names(helm.template(release="leads.2026"), "Service")
    assert made == ["leads-2026-novahunt-intake", "leads-2026-novahunt-metrics"]
    code, _, err = helm.run(*TEMPLATE, "1st", str(CHART), *(part for one in IMAGES for part in ("--set", one)))
    assert (code != 0, "set fullnameOverride" in err) == (True, True)
    for value in ("nameOverride=Leads", "fullnameOverride=a.b", "fullnameOverride=1st"):
        assert value.partition("=")[0] in helm.refusal(value)


GATEWAY = ("gateway.enabled=true", "gateway.authentication=kubernetes")
LABELLED = (
    "commonLabels",
    "podLabels",
    "gateway.podLabels",
    "serviceMonitor.labels",
    "prometheusRule.labels",
    "dashboard.labels",
)
SWITCHES = ("serviceMonitor.enabled=true", "prometheusRule.enabled=true", "dashboard.enabled=true")


@pytest.mark.parametrize("key", LABELLED)
def test_a_label_that_the_chart_sets_itself_is_refused(helm: Helm, key: str) -> None:
    label = r"app\.kubernetes\.io/part-of"
    refusal = helm.refusal(*GATEWAY, *SWITCHES, f"{key}.{label}=leads")
    assert f"{key}: the chart sets the label app.kubernetes.io/part-of itself" in refusal


def test_a_label_of_all_objects_may_have_another_value_where_it_is_set_again(helm: Helm) -> None:
    objects = helm.template(*GATEWAY, *SWITCHES, *(f"{key}.team=t{number}" for number, key in enumerate(LABELLED)))
    pods = [one["spec"]["template"]["metadata"]["labels"]["team"] for one in of_kind(objects, "Deployment")]
    assert sorted(pods) == ["t1", "t2"]
    assert {one["metadata"]["labels"]["team"] for one in of_kind(objects, "ServiceMonitor")} == {"t3"}
    assert of_kind(objects, "Service")[0]["metadata"]["labels"]["team"] == "t0"


def test_every_object_carries_the_standard_labels(helm: Helm) -> None:
    for value in helm.template("commonLabels.team=sales"):
        labels = value["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "novahunt"
        assert labels["app.kubernetes.io/instance"] == "nh"
        assert labels["team"] == "sales"


def documented(text: str) -> set[str]:
    """Return the dotted keys that have a `# -- ` comment right above them."""
    found: set[str] = set()
    path: list[str] = []
    comment = False
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith("#"):
            comment = comment or bare.startswith("# -- ")
            continue
        if ":" in bare:
            path = [*path[: (len(line) - len(bare)) // 2], bare.partition(":")[0]]
            if comment:
                found.add(".".join(path))
        comment = False
    return found


def test_every_value_is_in_the_schema_and_documented() -> None:
    text = (CHART / "values.yaml").read_text("utf-8")
    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))

    def leaves(values: Json, properties: Json, path: str) -> set[str]:
        assert set(values) == set(properties) - {"global"}, path
        found: set[str] = set()
        for key, value in values.items():
            # What is open to other keys is one value, though some of its keys may be refused.
            closed = properties[key].get("additionalProperties") is False
            found |= leaves(value, properties[key]["properties"], f"{path}{key}.") if closed else {f"{path}{key}"}
        return found

    assert leaves(yaml.safe_load(text), schema["properties"], "") == documented(text)
