"""A whole node runs real containers behind real rules, and `down` removes it whatever was killed before."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from devcluster import containers
from devcluster.paths import cache_root
from devcluster.processes import is_alive, kill, marked
from devcluster.programs import Programs
from devcluster.testing import Cluster, wait_until

pytestmark = [pytest.mark.node, pytest.mark.timeout(600)]

IMAGE = "localhost/devcluster-test:1"

DOCKERFILE = """
FROM python:3.13-slim AS build
RUN python -m venv /venv
COPY requirements.txt .
RUN /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
FROM python:3.13-slim
COPY --from=build /venv /venv
USER 10001:10001
ENTRYPOINT ["/venv/bin/python"]
"""

REQUIREMENTS = """
six==1.17.0 --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274
"""

ASK = """
import pathlib, six, socket, time, urllib.request

def ask():
    for _ in range(200):
        try:
            return urllib.request.urlopen("http://web.tight.svc.cluster.local/", timeout=2).status
        except OSError as error:
            said = error
            time.sleep(0.1)
    return said

try:
    socket.getaddrinfo("somewhere.example.org", 80)
    outside = "found"
except socket.gaierror as error:
    outside = error.errno == socket.EAI_NONAME
pathlib.Path("/volume/file").write_text("written by the pod")
print("said on standard output", flush=True)
words = f"{ask()} {outside} {socket.gethostbyname('host.devcluster.internal')}"
pathlib.Path("/dev/termination-log").write_text(words)
"""

RESTRICTED: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def container(*arguments: str) -> dict[str, Any]:
    return {"name": "only", "image": IMAGE, "args": list(arguments), "securityContext": RESTRICTED}


def manifests(volume: Path) -> str:
    security = {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "supplementalGroups": [2000],
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    server = container("-m", "http.server", "8080") | {
        "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    }
    mounted = {"volumeMounts": [{"name": "volume", "mountPath": "/volume"}]}
    claim = {"name": "volume", "persistentVolumeClaim": {"claimName": "volume"}}
    storage = {
        "accessModes": ["ReadWriteMany"],
        "storageClassName": "by-hand",
    }
    return yaml.safe_dump_all(
        [
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": "tight", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
            },
            {
                "apiVersion": "v1",
                "kind": "PersistentVolume",
                "metadata": {"name": "volume"},
                "spec": storage | {"capacity": {"storage": "1Gi"}, "hostPath": {"path": str(volume)}},
            },
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {"name": "volume", "namespace": "tight"},
                "spec": storage | {"resources": {"requests": {"storage": "1Gi"}}},
            },
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "web", "namespace": "tight"},
                "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
            },
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": "web", "namespace": "tight"},
                "spec": {
                    "selector": {"matchLabels": {"app": "web"}},
                    "template": {
                        "metadata": {"labels": {"app": "web"}},
                        "spec": {"securityContext": security, "containers": [server]},
                    },
                },
            },
            {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "metadata": {"name": "ask", "namespace": "tight"},
                "spec": {
                    "backoffLimit": 0,
                    "template": {
                        "spec": {
                            "restartPolicy": "Never",
                            "securityContext": security,
                            "containers": [container("-c", ASK) | mounted],
                            "volumes": [claim],
                        }
                    },
                },
            },
        ]
    )


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    context = tmp_path_factory.mktemp("image")
    (context / "Dockerfile").write_text(DOCKERFILE)
    (context / "requirements.txt").write_text(REQUIREMENTS)
    answer = Cluster("unused").verb("image", "build", "--tag", IMAGE, "--file", f"{context}/Dockerfile", str(context))
    assert answer.code == 0, answer.err
    return IMAGE


@pytest.fixture
def other_cluster(cluster: Cluster) -> Iterator[Cluster]:
    found = Cluster(f"{cluster.name}-o")
    yield found
    found.down()
    assert found.what_is_left() == []


def interfaces() -> set[str]:
    return {path.name for path in Path("/sys/class/net").iterdir()}


def run_job(cluster: Cluster) -> dict[str, Any]:
    """Have the Job of the manifests ask the Service, and give back its pod."""
    cluster.kubectl("apply", "--filename=-", send=manifests(cluster.folder.volumes))
    cluster.kubectl("wait", "job/ask", "--namespace=tight", "--for=condition=complete", "--timeout=90s")
    (pod,) = cluster.get("pods", "--namespace=tight", "--selector=job-name=ask")["items"]
    assert isinstance(pod, dict)
    return pod


def test_restricted_pods_meet_by_name_and_down_removes_them_after_a_crash(cluster: Cluster, image: str) -> None:
    before = interfaces()
    cluster.up("--simulated-nodes", "1")
    loaded = cluster.verb("load", "--name", cluster.name, image)
    assert loaded.code == 0, loaded.err

    pod = run_job(cluster)
    record = cluster.registry.get(cluster.name)
    assert record.link is not None
    state = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert state["message"] == f"200 True {record.link.host}"
    assert pod["spec"]["nodeName"] == record.node_name
    assert cluster.kubectl("logs", "job/ask", "--namespace=tight") == "said on standard output\n"
    said = cluster.kubectl("exec", "deploy/web", "--namespace=tight", "--", "python3", "-c", "print('run inside')")
    assert said == "run inside\n"

    written = cluster.folder.volumes / "file"
    assert written.read_text() == "written by the pod"
    assert (written.stat().st_uid, written.stat().st_gid) == (10001, 2000)
    assert cluster.folder.volumes.stat().st_mode & 0o7777 == 0o2770

    names = containers.ids(cluster.folder)
    groups = containers.cgroup_folders(names)
    assert groups
    assert containers.rooted_below(cluster.folder.path)
    for component in ("containerd", "kubelet", "etcd"):
        kill(cluster.components[component].identity)
    for shim in marked(cluster.folder.path):
        if b"containerd-shim" in Path(f"/proc/{shim.pid}/cmdline").read_bytes():
            kill(shim)
            break
    components = cluster.components
    cluster.down()
    assert cluster.what_is_left() == []
    assert not any(group.exists() for group in groups)
    assert not any(is_alive(started.identity) for started in components.values())
    assert interfaces() == before
    assert not list(Path("/var/log/containers").glob("*ask*tight*"))
    assert not [file for name in names for file in Path("/var/lib/cni/results").glob(f"*{name}*")]


def test_two_clusters_run_side_by_side(cluster: Cluster, other_cluster: Cluster) -> None:
    cluster.up()
    other_cluster.up()
    servers = {each.registry.get(each.name).server for each in (cluster, other_cluster)}
    assert len(servers) == 2
    for each in (cluster, other_cluster):
        (node,) = each.get("nodes")["items"]
        assert node["metadata"]["name"] == f"{each.name}-node"
    cluster.down()
    assert "up" in other_cluster.verb("status", "--name", other_cluster.name).out
    assert other_cluster.get("nodes")["items"]


@pytest.mark.parametrize("component", ["containerd", "kube-apiserver", "kubelet"])
def test_a_start_whose_launcher_is_killed_is_cleaned_up_by_down(cluster: Cluster, component: str) -> None:
    before = interfaces()
    launcher = cluster.launch("up", "--name", cluster.name)
    wait_until(lambda: component in cluster.components, f"{component} has been started", deadline=120)
    launcher.kill()
    launcher.communicate()
    assert cluster.what_is_left() != []
    cluster.down()
    assert cluster.what_is_left() == []
    assert interfaces() == before


def test_a_node_may_not_read_another_nodes_secrets(cluster: Cluster) -> None:
    cluster.up()
    kubelet = cluster.folder.kubeconfig("kubelet")
    kubectl = Programs.cached(cache_root()).component("kubectl")
    done = subprocess.run(
        [kubectl, "--kubeconfig", kubelet, "get", "secrets", "--all-namespaces"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "can only list" in done.stderr or "forbidden" in done.stderr.lower()


def test_a_network_namespace_of_somebody_else_is_left_alone(cluster: Cluster) -> None:
    namespace = f"novahunt-{cluster.name}"
    subprocess.run(["ip", "netns", "add", namespace], check=True)
    try:
        answer = cluster.verb("up", "--name", cluster.name)
        assert answer.code == 1
        assert "belongs to no cluster of this run folder" in answer.err
        names = subprocess.run(["ip", "netns", "list"], check=True, capture_output=True, text=True).stdout
        assert namespace in names
    finally:
        subprocess.run(["ip", "netns", "delete", namespace], check=False)
