"""Simulated nodes: KWOK's command line and the nodes it stands for."""

from typing import Final

from devcluster.api import Manifest
from devcluster.control_plane import Command
from devcluster.paths import CONFIG, RunFolder
from devcluster.programs import Programs
from devcluster.record import ClusterRecord, Kind

NODES: Final = "/api/v1/nodes"
MOST_NODES: Final = 1000

TAINT: Final = "devcluster.novahunt.io/simulated"

_SIMULATED_ADDRESS: Final = "192.0.2.1"
"""Nobody's: it is set aside for documentation (RFC 5737)."""
_SIMULATED_PODS: Final = "192.0.2.0/24"


def kwok(record: ClusterRecord, folder: RunFolder, programs: Programs) -> Command:
    """KWOK, for those nodes only that are marked as simulated."""
    host = "127.0.0.1"
    return Command(
        "kwok",
        (
            str(programs.kwok / "kwok"),
            f"--kubeconfig={folder.kubeconfig('kwok')}",
            "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
            # Its stages come from a file, so it needs no resource definitions of its own.
            "--enable-crds=",
            f"--config={CONFIG / 'kwok-stages.yaml'}",
            f"--server-address={host}:{record.ports.simulator}",
            f"--node-ip={_SIMULATED_ADDRESS}",
            f"--cidr={_SIMULATED_PODS}",
            "--node-lease-duration-seconds=40",
        ),
    )


def node_name(index: int) -> str:
    """The name of a simulated node; they count from 0."""
    return f"simulated-{index:03d}"


def node(index: int, kind: Kind) -> Manifest:
    """A simulated node; next to a real one it is tainted, so that only pods that ask for it land there."""
    name = node_name(index)
    taints = [{"key": TAINT, "value": "true", "effect": "NoSchedule"}] if kind is Kind.NODE else []
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "type": "kwok",
                TAINT: "true",
            },
        },
        "spec": {"taints": taints},
    }
