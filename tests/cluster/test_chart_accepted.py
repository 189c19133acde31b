"""What the chart renders is accepted by the real API server, pod security included, for each way to install it."""

import pytest

from cluster.control_plane import ROOT, ControlPlane

pytestmark = pytest.mark.cluster

IMAGES = (
    "image.repository=registry.example/novahunt-operator,image.tag=v1,"
    "collector.image.repository=registry.example/novahunt-collector,collector.image.tag=v1"
)
DIGEST = "sha256:" + "0123456789abcdef" * 4

VALUES = {
    "defaults": "",
    "cluster-wide": "clusterWide=true",
    "two replicas without a start limit": "replicas=2,worker.maxJobsPerInterval=0",
    "by digest": f"image.tag=,image.digest={DIGEST}",
    "no CRDs": "crds.enabled=false",
    "an account of one's own": "serviceAccount.create=false,serviceAccount.name=mine",
    "pull secrets": "imagePullSecrets[0].name=registry",
    "a gateway with a token, keys and volumes": (
        "gateway.enabled=true,gateway.tokenSecretRef.name=token,gateway.sealKeysSecretRef.name=keys,gateway.replicas=2,"
        "gateway.claims={collections,old.ones}"
    ),
    "a gateway that asks Kubernetes": "gateway.enabled=true,gateway.authentication=kubernetes",
    "budgets for disruptions, and a dashboard": (
        "podDisruptionBudget.enabled=true,gateway.podDisruptionBudget.enabled=true,gateway.podDisruptionBudget.maxUnavailable=50%,"
        "dashboard.enabled=true,gateway.enabled=true,gateway.authentication=kubernetes"
    ),
    "network policies": "networkPolicy.enabled=true,gateway.enabled=true,gateway.authentication=kubernetes",
    "a gateway by HTTPS, which an Ingress lets in": (
        "gateway.enabled=true,gateway.authentication=kubernetes,gateway.tls.hosts={leads.example.com},"
        "gateway.ingress.enabled=true,gateway.ingress.className=nginx,gateway.ingress.hosts[0].host=leads.example.com"
    ),
    "a gateway behind a proxy that ends TLS": (
        "gateway.enabled=true,gateway.authentication=kubernetes,gateway.tls.enabled=false,gateway.proxies={10.0.0.0/8}"
    ),
    "TLS by the network, and traces": "intake.tls.enabled=false,tracing.endpoint=http://traces.example:4318",
    "a certificate of somebody else": "intake.tls.secretName=ours",
    "claims and a key": (
        "results.claims[0].name=collections,results.claims[0].size=10Gi,apiKey.create=true,apiKey.value=of-a-trial"
    ),
    "spread over zones": (
        "replicas=2,topologySpreadConstraints[0].maxSkew=1,topologySpreadConstraints[0].whenUnsatisfiable=ScheduleAnyway,"
        "topologySpreadConstraints[0].topologyKey=topology.kubernetes.io/zone"
    ),
    "no roles at all": "rbac.create=false",
    "labels": "commonLabels.team=sales,podLabels.team=sales",
}


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES.keys())
def test_each_way_to_install_is_accepted_without_a_warning(
    control_plane: ControlPlane, namespace: str, values: str
) -> None:
    labels = [f"pod-security.kubernetes.io/{mode}=restricted" for mode in ("enforce", "warn")]
    control_plane.kubectl("label", "namespace", namespace, *labels)
    chart = str(ROOT / "charts/novahunt")
    rendered = control_plane.helm(
        "template", "novahunt", chart, "-n", namespace, "--set", IMAGES, *(("--set", values) if values else ())
    )
    # An account that is made on trial only is not there for the pod of `helm test`.
    control_plane.kubectl("create", "serviceaccount", "novahunt-selftest", "-n", namespace)
    words = ("apply", "--server-side", "--force-conflicts", "--dry-run=server", "-n", namespace, "-f", "-")
    answer = control_plane.try_kubectl(*words, stdin=rendered)
    assert answer.code == 0, answer.err
    assert "warning" not in answer.err.lower()


def test_without_an_image_the_error_says_how_to_get_one(control_plane: ControlPlane) -> None:
    with pytest.raises(AssertionError, match="make images"):
        control_plane.helm("template", "novahunt", str(ROOT / "charts/novahunt"))
