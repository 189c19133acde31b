"""The command lines and files of a whole node: containerd, kubelet, kube-proxy, CoreDNS and kube-router."""

import os
from pathlib import Path
from string import Template
from typing import Final

import yaml

from devcluster import versions
from devcluster.allocation import DNS_SERVICE, PODS, SERVICES, Link
from devcluster.api import Manifest
from devcluster.certificates import ControlPlaneKeys, Identity
from devcluster.control_plane import Command, write_identity
from devcluster.paths import CONFIG, RunFolder
from devcluster.programs import Programs
from devcluster.record import ClusterRecord
from devcluster.requirements import find_command

NODE_PODS: Final = "10.244.0.0/24"
"""The first of the ranges that the controller-manager deals out; the real node registers before any simulated one."""

VOLUMES_GROUP: Final = 2000
"""A hostPath volume is not given to a pod's fsGroup by the kubelet, so the folder's own group must be it."""

DNS_READY_PORT: Final = 10055
"""Where CoreDNS says that it knows the cluster's Services; as in config/Corefile."""

COLLECTIONS: Final = {
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "Service": "/api/v1/namespaces/kube-system/services",
    "EndpointSlice": "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices",
}


def _fill(template: str, target: Path, **values: object) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    text = (CONFIG / template).read_text()
    target.write_text(Template(text).substitute({key: str(value) for key, value in values.items()}))
    return target


def make_volumes_folder(folder: RunFolder) -> None:
    """Make the folder for tests' hostPath volumes: open to one group, never to the world.

    A real cluster's volume is not open to the world either; what passes here must pass there.
    """
    folder.volumes.mkdir(mode=0o770)
    os.chown(folder.volumes, 0, VOLUMES_GROUP)
    # The set-group-id bit hands the group on to what is made inside; chown has to come first, as it clears the bit.
    folder.volumes.chmod(0o2770)


def containerd(record: ClusterRecord, folder: RunFolder) -> Command:
    """A containerd of its own: own root, state, socket and network configuration."""
    cni = _fill(
        "cni.json",
        folder.config("cni/10-devcluster.conflist"),
        NETWORK=record.namespace,
        SUBNET=NODE_PODS,
        DATA=folder.path / "cni",
    )
    config = _fill(
        "containerd.toml",
        folder.config("containerd.toml"),
        FOLDER=folder.containerd,
        SOCKET=folder.containerd_socket,
        PAUSE_IMAGE=versions.PAUSE_IMAGE,
        CNI_FOLDER=cni.parent,
    )
    return Command("containerd", (find_command("containerd") or "containerd", f"--config={config}"))


def kubelet(
    record: ClusterRecord, link: Link, folder: RunFolder, programs: Programs, keys: ControlPlaneKeys
) -> Command:
    """The kubelet with a certificate of its node, so that Node authorisation holds for it."""
    identity = Identity(
        f"system:node:{record.node_name}",
        groups=("system:nodes",),
        hosts=(record.node_name, str(link.node), "127.0.0.1"),
    )
    write_identity(record, folder, keys, "kubelet", identity)
    resolv_conf = folder.config("resolv.conf")
    resolv_conf.parent.mkdir(parents=True, exist_ok=True)
    resolv_conf.write_text(f"nameserver {DNS_SERVICE}\n")
    config = _fill(
        "kubelet.yaml",
        folder.config("kubelet.yaml"),
        AUTHORITY=keys.authority.file,
        CERTIFICATE=folder.pki / "kubelet.crt",
        KEY=folder.pki / "kubelet.key",
        CONTAINERD_SOCKET=folder.containerd_socket,
        DNS_SERVICE=DNS_SERVICE,
        RESOLV_CONF=resolv_conf,
        POD_LOGS=folder.logs / "pods",
        PLUGINS=folder.path / "kubelet" / "plugins",
    )
    return Command(
        "kubelet",
        (
            str(programs.component("kubelet")),
            f"--config={config}",
            f"--kubeconfig={folder.kubeconfig('kubelet')}",
            f"--root-dir={folder.path / 'kubelet'}",
            f"--hostname-override={record.node_name}",
            f"--node-ip={link.node}",
        ),
    )


def kube_proxy(record: ClusterRecord, folder: RunFolder, programs: Programs, keys: ControlPlaneKeys) -> Command:
    """Services by iptables rules, which live and die with the network namespace."""
    write_identity(record, folder, keys, "kube-proxy", Identity("system:kube-proxy"))
    return Command(
        "kube-proxy",
        (
            str(programs.component("kube-proxy")),
            f"--kubeconfig={folder.kubeconfig('kube-proxy')}",
            f"--hostname-override={record.node_name}",
            f"--cluster-cidr={PODS}",
            "--proxy-mode=iptables",
            # The table of connections is the whole machine's: leave its size alone.
            "--conntrack-max-per-core=0",
            "--conntrack-min=0",
        ),
    )


def kube_router(record: ClusterRecord, folder: RunFolder, programs: Programs, keys: ControlPlaneKeys) -> Command:
    """What enforces NetworkPolicies, by iptables rules and sets of addresses of the network namespace."""
    write_identity(record, folder, keys, "kube-router", Identity("system:kube-router"))
    return Command(
        "kube-router",
        (
            str(programs.kube_router / "kube-router"),
            f"--kubeconfig={folder.kubeconfig('kube-router')}",
            f"--hostname-override={record.node_name}",
            f"--service-cluster-ip-range={SERVICES}",
            "--run-firewall=true",
            # Addresses, ways between nodes and Services are other parts' matter here.
            "--run-router=false",
            "--run-service-proxy=false",
            "--enable-cni=false",
            "--health-port=0",
        ),
    )


def coredns(
    record: ClusterRecord, link: Link, folder: RunFolder, programs: Programs, keys: ControlPlaneKeys
) -> Command:
    """CoreDNS as a process of the node, on a port that needs no Service to exist first."""
    write_identity(record, folder, keys, "coredns", Identity("system:coredns"))
    corefile = _fill("Corefile", folder.config("Corefile"), HOST=link.host, KUBECONFIG=folder.kubeconfig("coredns"))
    return Command("coredns", (str(programs.coredns / "coredns"), "-conf", str(corefile)))


def addons(link: Link) -> list[tuple[str, Manifest]]:
    """The objects that a whole node needs, each with the path it is created at."""
    text = (CONFIG / "addons.yaml").read_text()
    filled = Template(text).safe_substitute(DNS_SERVICE=DNS_SERVICE, NODE=str(link.node))
    return [(COLLECTIONS[manifest["kind"]], manifest) for manifest in yaml.safe_load_all(filled)]
