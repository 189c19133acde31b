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
    words = ("apply", "--server-side", "--force-conflicts", "--dry-run=server", "-n", namespace, "-f", "-")
    answer = control_plane.try_kubectl(*words, stdin=rendered)
    assert answer.code == 0, answer.err
    assert "warning" not in answer.err.lower()


def test_without_an_image_the_error_says_how_to_get_one(control_plane: ControlPlane) -> None:
    with pytest.raises(AssertionError, match="make images"):
        control_plane.helm("template", "novahunt", str(ROOT / "charts/novahunt"))
