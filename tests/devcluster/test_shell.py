"""`env` gives a shell what it needs for this cluster, and nothing of another kind."""

from pathlib import Path

from devcluster.allocation import IN_OWN_NAMESPACE, Ports
from devcluster.record import ClusterRecord, Kind, Registry, State
from devcluster.shell import environment


def test_a_whole_node_has_its_volumes_and_this_machines_address(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    registry.write(ClusterRecord("dev", Kind.NODE, State.RUNNING, IN_OWN_NAMESPACE, index=0))
    found = environment(registry, tmp_path / "cache", "dev", {"PATH": "/bin"})
    assert found["KUBECONFIG"] == str(tmp_path / "dev" / "admin.kubeconfig")
    assert found["NOVAHUNT_DEVCLUSTER_VOLUMES"] == str(tmp_path / "dev" / "volumes")
    assert found["NOVAHUNT_DEVCLUSTER_HOST"] == "10.88.200.2"
    assert "NO_PROXY" not in found


def test_kubectl_and_helm_of_the_cache_go_before_the_systems(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    registry.write(ClusterRecord("cp", Kind.CONTROL_PLANE, State.RUNNING, Ports(1, 2, 3, 4, 5, 6), audit_log=True))
    found = environment(registry, tmp_path / "cache", "cp", {"PATH": "/usr/bin:/bin"})
    first, second, *rest = found["PATH"].split(":")
    assert first.startswith(str(tmp_path / "cache" / "kubernetes-"))
    assert second.startswith(str(tmp_path / "cache" / "helm-"))
    assert rest == ["/usr/bin", "/bin"]
    assert found["NOVAHUNT_DEVCLUSTER_AUDIT_LOG"] == str(tmp_path / "cp" / "logs" / "audit.log")
    assert "NOVAHUNT_DEVCLUSTER_VOLUMES" not in found


def test_a_proxy_is_not_asked_for_the_cluster(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    registry.write(ClusterRecord("dev", Kind.NODE, State.RUNNING, IN_OWN_NAMESPACE, index=0))
    current = {"https_proxy": "http://proxy.invalid", "no_proxy": "localhost"}
    assert environment(registry, tmp_path, "dev", current)["NO_PROXY"] == "localhost,10.88.200.1"
