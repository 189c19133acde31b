"""The ground that scale is measured on: a control plane with simulated nodes, and namespaces with all they need."""

import json
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes.aio import client, config

from bench import simulated_receipts
from cluster import control_plane
from cluster.control_plane import ROOT, ControlPlane
from cluster.operator_process import OperatorProcess
from novahunt_api import names, paths
from novahunt_api.cluster import Cluster

AUDIT_LOG = "NOVAHUNT_DEVCLUSTER_AUDIT_LOG"

QPS, BURST = 60, 120
"""What the controller-manager allows itself: three times Kubernetes' own.

With more, two processors are what everything waits for, and they carry the control plane, the simulated nodes and the
operator together: then each call beyond the bare loop's costs rate, by whomever and for whatever it is made.
"""

CLAIM = "collections"
LIST_KEY = "domains.txt"

_CONNECTIONS = 50


@dataclass(frozen=True)
class Place:
    """A namespace with the chart's account and rights, a key and a claim; `operator` is not started yet."""

    plane: ControlPlane
    namespace: str
    admin: Cluster
    operator: OperatorProcess

    @property
    def user(self) -> str:
        """The operator's name in the audit log."""
        return f"system:serviceaccount:{self.namespace}:novahunt"

    @property
    def audit_log(self) -> Path:
        """Where the API server logs who called what."""
        return Path(self.plane.environment[AUDIT_LOG])

    async def collect(
        self,
        name: str,
        domains: Sequence[str],
        *,
        inline: bool = False,
        volume: bool = True,
        wishes: Mapping[str, Any] | None = None,
    ) -> str:
        """Make a collection and return its UID.

        Args:
            name: Its name.
            domains: Its list, which lies in a ConfigMap if it is not inline.
            inline: Whether the list stands in the collection itself.
            volume: Whether it stores on the claim, or in ConfigMaps.
            wishes: Further fields of its spec.
        """
        spec: dict[str, Any] = {"domains": list(domains) if inline else [], **(wishes or {})}
        if not inline:
            await self.make_list(name, domains)
            spec["domainsFrom"] = [{"configMapKeyRef": {"name": name, "key": LIST_KEY}}]
        if volume:
            spec["storage"] = {"persistentVolumeClaim": {"claimName": CLAIM, "path": name}}
        body = {
            "apiVersion": names.API_VERSION,
            "kind": "DomainCollection",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": spec,
        }
        made = await self.admin.create(paths.collections(self.namespace), body, dict[str, Any])
        return str(made["metadata"]["uid"])

    async def make_list(self, name: str, domains: Sequence[str]) -> None:
        """Make the ConfigMap of a list."""
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": self.namespace},
            "data": {LIST_KEY: "\n".join(domains)},
        }
        await self.admin.call("POST", paths.config_maps(self.namespace), body=body)


@contextmanager
def control_plane_with_nodes(name: str, nodes: int = 4) -> Iterator[ControlPlane]:
    """Bring the control plane up, with an audit log, simulated nodes and both kinds, and down at the end."""
    options = ["--simulated-nodes", str(nodes), "--kube-api-qps", str(QPS), "--kube-api-burst", str(BURST)]
    with control_plane.running(name, "--audit-log", *options) as plane:
        serve_kinds(plane)
        for manifest in simulated_receipts.manifests():
            apply(plane, manifest)
        yield plane


@asynccontextmanager
async def place(
    plane: ControlPlane, settings: Mapping[str, str], *, receipts: bool = True, gateway: bool = False
) -> AsyncIterator[Place]:
    """Make a namespace; its objects stay until the control plane goes.

    Args:
        plane: Where.
        settings: The operator's environment, over the defaults of the tests' operator.
        receipts: Whether simulated pods end with receipts by themselves.
        gateway: Whether the gateway's account is there.
    """
    namespace = f"bench-{uuid.uuid4().hex[:8]}"
    label = {simulated_receipts.LABEL: "receipts"} if receipts else {}
    apply(plane, {"kind": "Namespace", "metadata": {"name": namespace, "labels": label}})
    install(
        plane,
        namespace,
        **({"gateway": {"enabled": True, "replicas": 0, "authentication": "kubernetes"}} if gateway else {}),
    )
    key = {"kind": "Secret", "metadata": {"name": "hunter-api-key", "namespace": namespace}}
    apply(plane, {**key, "stringData": {"HUNTER_API_KEY": "simulated"}})
    for manifest in claim(namespace, "/nowhere"):
        apply(plane, manifest)
    admin = await connect(plane.kubeconfig)
    try:
        with tempfile.TemporaryDirectory(prefix="novahunt-bench-") as folder:
            operator = OperatorProcess(plane, namespace, Path(folder), dict(settings))
            try:
                yield Place(plane, namespace, admin, operator)
            finally:
                operator.kill()
    finally:
        await admin.close()


async def connect(kubeconfig: Path) -> Cluster:
    """Return a connection as whom a kubeconfig names."""
    configuration = client.Configuration()
    configuration.connection_pool_maxsize = _CONNECTIONS
    await config.load_kube_config(str(kubeconfig), client_configuration=configuration)
    return Cluster(client.ApiClient(configuration))


def domain_names(count: int) -> list[str]:
    """Invent so many domains; the name's ending is set aside for examples (RFC 2606)."""
    return [f"company-{number:05d}.example" for number in range(count)]


def apply(plane: ControlPlane, manifest: dict[str, Any]) -> None:
    """Apply an object; `v1` is understood."""
    plane.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", **manifest}))


def claim(namespace: str, folder: str) -> list[dict[str, Any]]:
    """Return a claim with its volume: the scheduler lets no pod through without; the folder is never mounted."""
    size = {"storage": "1Gi"}
    modes = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
    name = f"{namespace}-{CLAIM}"
    reference = {"namespace": namespace, "name": CLAIM}
    place = {"hostPath": {"path": folder}, "claimRef": reference, "capacity": size}
    return [
        {"kind": "PersistentVolume", "metadata": {"name": name}, "spec": {**modes, **place}},
        {
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": CLAIM, "namespace": namespace},
            "spec": {**modes, "volumeName": name, "resources": {"requests": size}},
        },
    ]


def serve_kinds(plane: ControlPlane) -> None:
    """Have both kinds of `crds/` served."""
    plane.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(ROOT / "crds"))
    plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", str(ROOT / "crds"))


def install(plane: ControlPlane, namespace: str, **values: Any) -> None:
    """Install the chart's accounts and rights; the operator itself is a process here."""
    images = {
        "image": {"repository": "registry.example/novahunt-operator", "tag": "bench"},
        "collector": {"image": {"repository": "registry.example/novahunt-collector", "tag": "bench"}},
    }
    wishes = {"crds": {"enabled": False}, "replicas": 0, "fullnameOverride": "novahunt", **images, **values}
    chart = str(ROOT / "charts/novahunt")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(wishes, file)
        file.flush()
        plane.helm("install", "novahunt", chart, "--namespace", namespace, "--values", file.name)
