"""The chart, rendered by the Helm that the cluster tool keeps; skipped while there is none yet."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from devcluster.paths import cache_root

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "novahunt"
IMAGES = (
    "image.repository=registry.example.com/operator",
    "image.tag=v1",
    "collector.image.repository=registry.example.com/collector",
    "collector.image.tag=v2",
)
# A Helm that was built by `go install` may think of a Kubernetes older than any that the chart takes.
TEMPLATE = ("template", "--kube-version=1.37.0")

Json = dict[str, Any]


class Helm:
    """Runs Helm without a cluster and without a home of its own."""

    def __init__(self, program: str, home: Path) -> None:
        self._program = program
        folders = {name: str(home) for name in ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME")}
        self._environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(home)} | folders

    def run(self, *args: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [self._program, *args], env=self._environment, capture_output=True, text=True, timeout=60, check=False
        )
        return done.returncode, done.stdout, done.stderr

    def template(self, *values: str, release: str = "nh", namespace: str = "novahunt") -> list[Json]:
        """Render with the images and these values; return the objects."""
        code, out, err = self.run(
            *TEMPLATE, release, str(CHART), "--namespace", namespace, "--set", ",".join((*IMAGES, *values))
        )
        assert code == 0, err
        return [value for value in yaml.safe_load_all(out) if value]

    def refusal(self, *values: str, images: tuple[str, ...] = IMAGES) -> str:
        """Try to render; return what Helm says against it."""
        given = [part for value in (*images, *values) for part in ("--set", value)]
        code, _, err = self.run(*TEMPLATE, "nh", str(CHART), *given)
        assert code != 0
        return err


@pytest.fixture(scope="module")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    cached = [path for pattern in ("helm*/helm", "helm*/bin/helm") for path in sorted(cache_root().glob(pattern))]
    program = str(cached[-1]) if cached else shutil.which("helm")
    if program is None:
        pytest.skip("no helm: `python -m devcluster build` makes one")
    return Helm(program, tmp_path_factory.mktemp("helm"))


def of_kind(objects: list[Json], kind: str) -> list[Json]:
    return [value for value in objects if value["kind"] == kind]


def names(objects: list[Json], kind: str) -> list[str]:
    return [value["metadata"]["name"] for value in of_kind(objects, kind)]


def container(objects: list[Json]) -> Json:
    (deployment,) = of_kind(objects, "Deployment")
    (one,) = deployment["spec"]["template"]["spec"]["containers"]
    assert isinstance(one, dict)
    return one


def environment(objects: list[Json]) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in container(objects)["env"] if "value" in entry}


def test_lint_finds_nothing(helm: Helm) -> None:
    code, out, err = helm.run("lint", "--strict", str(CHART))
    assert code == 0, out + err


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
        "NOVAHUNT_INTAKE_URL": "http://nh-novahunt-intake.novahunt.svc:8090",
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
        )
    )
    assert told["NOVAHUNT_NAMESPACES"] == "sales,leads"
    assert told["NOVAHUNT_COLLECTOR_IMAGE_PULL_SECRETS"] == "first,second"
    assert told["NOVAHUNT_COLLECTOR_IMAGE_PULL_POLICY"] == "Never"
    assert told["WORKER_RATE_LIMIT_DURATION_MS"] == "86400000"
    assert told["HUNTER_BASE_URL"] == "http://simulator.demo.svc:8080/v2"


def test_each_watched_namespace_gets_one_role_and_nothing_is_cluster_wide(helm: Helm) -> None:
    objects = helm.template("watchNamespaces={sales,leads}")
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
    objects = helm.template("clusterWide=true")
    (wide,) = of_kind(objects, "ClusterRole")
    assert wide["rules"] == narrow["rules"]
    assert names(objects, "Role") == ["nh-novahunt-leader"]
    assert environment(objects)["NOVAHUNT_CLUSTER_WIDE"] == "true"
    assert environment(objects)["NOVAHUNT_NAMESPACES"] == ""


def test_cluster_wide_and_a_list_of_namespaces_contradict_each_other(helm: Helm) -> None:
    assert "leave watchNamespaces empty" in helm.refusal("clusterWide=true", "watchNamespaces={sales}")


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


def test_its_lease_is_the_only_one_it_may_change(helm: Helm) -> None:
    rules = of_kind(helm.template(), "Role")[1]["rules"]
    assert rules == [
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "resourceNames": ["nh-novahunt-leader"],
            "verbs": ["get", "update"],
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
    url = f"http://{service['metadata']['name']}.tools.svc:{service['spec']['ports'][0]['port']}"
    assert environment(objects)["NOVAHUNT_INTAKE_URL"] == url == "http://novahunt-intake.tools.svc:8090"
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
            inner = properties[key].get("properties")
            found |= leaves(value, inner, f"{path}{key}.") if inner is not None else {f"{path}{key}"}
        return found

    assert leaves(yaml.safe_load(text), schema["properties"], "") == documented(text)
