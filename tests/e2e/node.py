"""The whole node with everything on it: real kubelet, containers, images and chart; Hunter's stand-in as a pod."""

import base64
import gzip
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

import msgspec
import yaml

from hunter_simulator.domains import Domain
from hunter_simulator.report import Report
from novahunt_api import names, wire
from novahunt_api.domainresults import Result, ResultObject
from novahunt_api.statusobject import CollectionStatus
from novahunt_contract import document
from tools import images
from tools.shell import ROOT, ProgramError, ask, devcluster, exports
from tools.target import CHART, Target

REUSED = "NOVAHUNT_TEST_NODE"
"""Environment variable: the name of a running whole node of the cluster tool, which is then left running."""

SYSTEM = "novahunt-system"
OPERATORS = "app.kubernetes.io/name=novahunt,app.kubernetes.io/component=operator"
"""Label selector of the operator's pods."""
SALES = "sales"
OTHER = "not-watched"
SECONDS = 120.0
_RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


class CollectionObject(msgspec.Struct, frozen=True):
    """What a test reads of a DomainCollection."""

    metadata: wire.Meta
    status: CollectionStatus = CollectionStatus()

    def condition(self, kind: str) -> tuple[str, str, str]:
        """Return status, reason and message of a condition; empty where it is not shown."""
        found = (c for c in self.status.conditions if c.type == kind)
        return next(((c.status, c.reason, c.message) for c in found), ("", "", ""))


class _Results(msgspec.Struct, frozen=True):
    items: tuple[ResultObject, ...]


class _Pods(msgspec.Struct, frozen=True):
    items: tuple[wire.PodObject, ...]


@dataclass(frozen=True)
class Node:
    """One whole node with the release in `novahunt-system`, which watches `sales`."""

    name: str
    target: Target
    volumes: Path

    def kubectl(self, *args: str, stdin: str = "") -> str:
        """Run kubectl as the installer."""
        return self.target.kubectl(*args, stdin=stdin)

    @property
    def host(self) -> str:
        """The node's address, which the API server and ports of Services are called at."""
        kubeconfig = yaml.safe_load(self.kubectl("config", "view", "--minify", "-o", "yaml"))
        return str(urlsplit(kubeconfig["clusters"][0]["cluster"]["server"]).hostname)

    def install(self, chart: str = CHART, **values: str) -> None:
        """Install or upgrade the release; values are given with `__` for a dot."""
        settings = {
            "hunter.baseUrl": f"http://hunter-simulator.{SALES}.svc:8080/v2",
            "watchNamespaces[0]": SALES,
            "worker.concurrency": "4",
            "worker.maxJobsPerInterval": "0",
            "probeSeconds": "3",
            **{name.replace("__", "."): value for name, value in values.items()},
        }
        self.target.install(SYSTEM, images.OPERATOR, images.COLLECTOR, settings, chart)
        self.wait_for_leader(int(values.get("replicas", "1")))

    def wait_for_leader(self, replicas: int = 1) -> None:
        """Wait until so many of the operator's pods are there to stay, and one of them is active."""
        pods = ("get", "pods", "-n", SYSTEM, "-l", OPERATORS, "-o", "json")
        lease = ("get", "lease", "-n", SYSTEM, "novahunt-leader", "--ignore-not-found")
        deadline = time.monotonic() + SECONDS
        while True:
            holder = self.kubectl(*lease, "-o", "jsonpath={.spec.holderIdentity}").strip()
            found = msgspec.json.decode(self.kubectl(*pods), type=_Pods).items
            staying = [pod.metadata.name for pod in found if pod.metadata.deletion_timestamp is None]
            if holder in staying and len(staying) == replicas:
                return
            assert time.monotonic() < deadline, f"{holder or 'nobody'} holds the lease"
            time.sleep(0.2)

    def make_namespace(self, name: str) -> None:
        """Make a namespace that takes restricted pods alone."""
        metadata = {"name": name, "labels": _RESTRICTED | {"kubernetes.io/metadata.name": name}}
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(body))

    def apply(self, *documents: object, namespace: str = SALES) -> None:
        """Apply objects, in the watched namespace unless another is named."""
        self.kubectl("apply", "-n", namespace, "-f", "-", stdin=yaml.safe_dump_all(documents))

    def collect(self, name: str, domains: Iterable[str], namespace: str = SALES, **spec: object) -> None:
        """Apply a collection."""
        body = {"apiVersion": names.API_VERSION, "kind": "DomainCollection", "metadata": {"name": name}}
        self.apply(body | {"spec": {"domains": list(domains), **spec}}, namespace=namespace)

    def set_key(self, value: str = "demo-key", name: str = "hunter-api-key", namespace: str = SALES) -> None:
        """Make or change the Secret with the Hunter key."""
        body: dict[str, object] = {"apiVersion": "v1", "kind": "Secret"}
        body["metadata"] = {"name": name, "labels": {"novahunt-test": "key"}}
        self.apply(body | {"stringData": {"HUNTER_API_KEY": value}}, namespace=namespace)

    def collection(self, name: str) -> CollectionObject:
        """Read a collection."""
        return msgspec.json.decode(self.kubectl("get", "dcol", name, "-n", SALES, "-o", "json"), type=CollectionObject)

    def until(
        self, name: str, check: Callable[[CollectionObject], bool], what: str, seconds: float = SECONDS
    ) -> CollectionObject:
        """Wait until a collection is as wanted.

        Raises:
            AssertionError: it was not in time; the text shows its status, its pods and the operator's log.
        """
        deadline = time.monotonic() + seconds
        while not check(found := self.collection(name)):
            if time.monotonic() > deadline:
                status = yaml.safe_dump(msgspec.to_builtins(found.status))
                pods = self.kubectl("get", "pods,jobs", "-n", SALES)
                log = self.kubectl("logs", "-n", SYSTEM, "deployment/novahunt", "--tail=40")
                raise AssertionError(f"{name} was not {what} within {seconds:g} s:\n{status}\n{pods}\n{log}")
            time.sleep(0.2)
        return found

    def ready(self, name: str, seconds: float = SECONDS) -> CollectionObject:
        """Wait until a collection of the newest generation is Ready."""

        def done(found: CollectionObject) -> bool:
            new = found.status.observed_generation == found.metadata.generation
            return new and found.condition("Ready")[0] == "True"

        return self.until(name, done, "Ready", seconds)

    def results(self, name: str) -> dict[str, Result]:
        """Read the DomainResults of a collection, by domain."""
        answer = self.kubectl("get", "dres", "-n", SALES, "-l", f"{names.COLLECTION_LABEL}={name}", "-o", "json")
        return {item.domain: item for item in msgspec.json.decode(answer, type=_Results).items}

    def documents(self, name: str) -> dict[str, document.Document]:
        """Read the stored documents of a collection, out of its ConfigMaps or off the volume."""
        found = {}
        for domain, result in self.results(name).items():
            place = result.storage
            if place is not None and place.persistent_volume_claim is not None:
                file = self.volumes / place.persistent_volume_claim.path / document.file_name(domain)
                found[domain] = document.decode(file.read_bytes())
            elif place is not None and place.config_map is not None:
                found[domain] = document.decode(self._joined(place.config_map.names, place.config_map.key))
        return found

    def _joined(self, parts: tuple[str, ...], key: str) -> bytes:
        data = b""
        for part in parts:
            answer = self.kubectl("get", "configmap", part, "-n", SALES, "-o", "json")
            held = msgspec.json.decode(answer, type=wire.ConfigMapObject)
            data += base64.b64decode(held.binary_data[key]) if key in held.binary_data else held.data[key].encode()
        return gzip.decompress(data) if key.endswith(".gz") else data

    def gone(self, kinds: str, name: str, seconds: float = 60) -> None:
        """Wait until nothing of these kinds belongs to a collection of this name."""
        deadline = time.monotonic() + seconds
        words = ("get", kinds, "-n", SALES, "-l", f"{names.COLLECTION_LABEL}={name}", "-o", "name")
        while left := self.kubectl(*words).strip():
            assert time.monotonic() < deadline, f"still there: {left}"
            time.sleep(0.3)

    def clear(self) -> None:
        """Remove all collections, results and stored documents that earlier tests left."""
        self.kubectl("delete", "dcol,dres", "--all", "-n", SALES, "--timeout=60s")
        self.kubectl("delete", "secrets", "-n", SALES, "-l", "novahunt-test=key")
        for kinds in ("jobs,pods", "configmaps"):
            words = ("get", kinds, "-n", SALES, "-l", names.COLLECTION_LABEL, "-o", "name")
            deadline = time.monotonic() + SECONDS
            while left := self.kubectl(*words).strip():
                assert time.monotonic() < deadline, f"still there: {left}"
                time.sleep(0.3)
        for folder in self.volumes.iterdir():
            shutil.rmtree(folder)

    # Hunter's stand-in, through the API server's proxy

    def report(self) -> Report:
        """Read what the simulator counted."""
        return msgspec.json.decode(self.kubectl("get", "--raw", _simulator("report?log=false")), type=Report)

    def hold(self, domain: str, size: int, *, refused: bool = False) -> None:
        """Tell the simulator how many addresses a domain has, or that Hunter was asked to stop."""
        body = msgspec.json.encode(Domain(size=size, refused=refused)).decode()
        self.kubectl("replace", "--raw", _simulator(f"domains/{domain}"), "-f", "-", stdin=body)

    def slow_down(self, seconds: float) -> None:
        """Let the simulator take its time with each answer."""
        body = json.dumps({"action": {"do": "proceed"}, "times": None, "delay": seconds})
        self.kubectl("create", "--raw", _simulator("faults"), "-f", "-", stdin=body)

    def reset_simulator(self) -> None:
        """Bring the simulator back to its configuration and clear what it counted."""
        self.kubectl("create", "--raw", _simulator("reset"), "-f", "-", stdin="{}")


def _simulator(path: str) -> str:
    return f"/api/v1/namespaces/{SALES}/services/hunter-simulator:http/proxy/_simulator/{path}"


@contextmanager
def running_node(name: str) -> Iterator[Node]:
    """Bring the node up with images, chart and simulator, and down at the end; or use the one that is named."""
    reused = os.environ.get(REUSED)
    try:
        target = Target.own(reused or name, "--network-policies")
        node = Node(
            reused or name,
            target,
            Path(exports(ask(devcluster("env", "--name", reused or name)))["NOVAHUNT_DEVCLUSTER_VOLUMES"]),
        )
        images.build(images.ALL, own=True)
        target.load(images.ALL)
        for namespace in (SYSTEM, SALES, OTHER):
            node.make_namespace(namespace)
        node.install()
        manifest = Template((ROOT / "tests/hunter_simulator/kubernetes.yaml").read_text())
        simulator = manifest.substitute(image=images.SIMULATOR.reference(None))
        node.kubectl("apply", "-n", SALES, "-f", "-", stdin=simulator)
        node.kubectl("rollout", "status", "deployment/hunter-simulator", "-n", SALES, "--timeout=120s")
        _make_volume(node)
        yield node
    finally:
        if reused is None:
            subprocess.run(devcluster("down", "--name", name), cwd=ROOT, check=True)


def _make_volume(node: Node) -> None:
    """Provide the claim `collections`: a folder of one group, never world-writable."""
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": "collections"},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteMany"],
            "storageClassName": "",
            "hostPath": {"path": str(node.volumes), "type": "Directory"},
            "claimRef": {"namespace": SALES, "name": "collections"},
        },
    }
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "collections"},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "storageClassName": "",
            "volumeName": "collections",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    node.kubectl("apply", "-f", "-", stdin=json.dumps(volume))
    node.apply(claim)


__all__ = ["OTHER", "SALES", "SYSTEM", "CollectionObject", "Node", "ProgramError", "running_node"]
