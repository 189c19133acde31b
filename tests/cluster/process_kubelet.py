"""Plays the kubelet where there is none: runs each collector's pod as a real process of this machine.

The pods, their tokens and their ends are real objects of the API server; only the container is not one.
"""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from cluster.pod_files import Mount, Secret, Volume, write_lists
from novahunt_contract import environment as env
from novahunt_contract.intake import AUDIENCE
from novahunt_operator import names
from novahunt_operator.cluster import MERGE_PATCH, ApiError, Cluster, ConflictError, GoneError, NotFoundError
from novahunt_operator.pods import SUPPRESSION_FOLDER, TOKEN_FOLDER, VOLUME_FOLDER

ROOT = Path(__file__).resolve().parents[2]


class _Ref(msgspec.Struct):
    name: str
    key: str


class _From(msgspec.Struct, rename="camel"):
    secret_key_ref: _Ref


class _Variable(msgspec.Struct, rename="camel"):
    name: str
    value: str = ""
    value_from: _From | None = None


class _Container(msgspec.Struct, rename="camel"):
    name: str
    env: tuple[_Variable, ...] = ()
    volume_mounts: tuple[Mount, ...] = ()


class _PodSpec(msgspec.Struct, rename="camel"):
    containers: tuple[_Container, ...]
    volumes: tuple[Volume, ...] = ()
    service_account_name: str = "default"
    node_name: str = ""


class _PodMeta(msgspec.Struct, rename="camel"):
    name: str
    namespace: str
    uid: str
    resource_version: str
    deletion_timestamp: str | None = None


class _Pod(msgspec.Struct):
    metadata: _PodMeta
    spec: _PodSpec


class _PodPage(msgspec.Struct):
    metadata: dict[str, Any]
    items: tuple[_Pod, ...]


class _TokenStatus(msgspec.Struct):
    token: str


class _Token(msgspec.Struct):
    status: _TokenStatus


@dataclass
class _Node:
    """The node that the pods are scheduled to; its heart beats by a Lease, as a kubelet's does."""

    admin: Cluster
    name: str

    @classmethod
    async def register(cls, admin: Cluster, name: str) -> "_Node":
        node = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name},
            "status": {
                "capacity": {"cpu": "64", "memory": "256Gi", "pods": "500"},
                "allocatable": {"cpu": "64", "memory": "256Gi", "pods": "500"},
                "conditions": [{"type": "Ready", "status": "True", "reason": "Played", "message": ""}],
            },
        }
        await admin.call("POST", "/api/v1/nodes", body=node)
        return cls(admin, name)

    async def beat(self) -> None:
        leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self.name},
            "spec": {"holderIdentity": self.name, "leaseDurationSeconds": 40, "renewTime": _now()},
        }
        await self.admin.call("POST", leases, body=body)
        while True:
            await asyncio.sleep(5)
            with contextlib.suppress(ApiError):
                change = {"spec": {"renewTime": _now()}}
                await self.admin.call("PATCH", f"{leases}/{self.name}", body=change, content_type=MERGE_PATCH)

    async def remove(self) -> None:
        await self.admin.delete(f"/api/v1/nodes/{self.name}")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass
class ProcessKubelet:
    """Runs collectors; `admin` may do what a kubelet may."""

    admin: Cluster
    namespace: str
    folder: Path
    """Stands for the claims: `/collections` in a pod is this folder."""
    before_end: Callable[[str, int], bool] = lambda _domain, _code: True
    """Asked when a process has ended: False loses the pod before its end is reported."""
    image_environment: dict[str, str] = field(default_factory=dict)
    """What the collector's image would set by itself, for a test that has no patience."""
    running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    """Processes by pod name."""
    logs: dict[str, Path] = field(default_factory=dict)
    """What running processes have logged, by pod name."""
    started: list[str] = field(default_factory=list)
    """Domains and errands' tasks, in the order in which their processes were started."""
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _ended: set[str] = field(default_factory=set)
    """UIDs of pods whose process has ended."""
    _reported: set[str] = field(default_factory=set)
    """UIDs of pods whose end was told."""
    _doomed: set[str] = field(default_factory=set)
    """Names of pods that are being deleted."""

    async def run(self) -> None:
        """Watch pods until cancelled, then end all processes."""
        path = f"/api/v1/namespaces/{self.namespace}/pods"
        query = {"labelSelector": names.SELECTOR}
        node = await _Node.register(self.admin, f"node-{self.namespace}")
        heart = asyncio.create_task(node.beat())
        try:
            while True:
                with contextlib.suppress(GoneError, ApiError):
                    page = await self.admin.get(path, _PodPage, query)
                    for pod in page.items:
                        self._seen(pod)
                    version = str(page.metadata["resourceVersion"])
                    async for event in self.admin.watch(path, {**query, "resourceVersion": version}):
                        if event.type in ("ADDED", "MODIFIED"):
                            self._seen(msgspec.json.decode(event.object, type=_Pod))
                        elif event.type == "DELETED":
                            self._kill(msgspec.json.decode(event.object, type=_Pod).metadata.name)
        finally:
            for task in (heart, *self._tasks.values()):
                task.cancel()
            await asyncio.gather(heart, *self._tasks.values(), return_exceptions=True)
            await node.remove()

    def _seen(self, pod: _Pod) -> None:
        uid = pod.metadata.uid
        if uid in self._ended:
            if pod.metadata.deletion_timestamp is not None:
                self._tasks[f"{uid}/remove"] = asyncio.create_task(self._remove(pod))
        elif uid not in self._tasks:
            if pod.spec.node_name and pod.metadata.deletion_timestamp is None:
                self._tasks[uid] = asyncio.create_task(self._live(pod))
            elif pod.metadata.deletion_timestamp is not None:
                self._tasks[f"{uid}/remove"] = asyncio.create_task(self._remove(pod))
        elif pod.metadata.deletion_timestamp is not None:
            self._kill(pod.metadata.name)

    def _kill(self, pod_name: str) -> None:
        self._doomed.add(pod_name)
        process = self.running.get(pod_name)
        if process is not None and process.returncode is None:
            process.send_signal(signal.SIGTERM)

    async def _remove(self, pod: _Pod) -> None:
        """Confirm a deletion, as a kubelet does when the containers have ended."""
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod.metadata.name}"
        if pod.metadata.uid not in self._reported:
            # A pod must have ended before Kubernetes lets it go; of this one nothing more is known.
            with contextlib.suppress(NotFoundError):
                body = {"status": {"phase": "Failed"}}
                await self.admin.call("PATCH", f"{path}/status", body=body, content_type=MERGE_PATCH)
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod.metadata.uid}}
        with contextlib.suppress(NotFoundError, ConflictError):
            await self.admin.call("DELETE", path, body=options)

    async def _live(self, pod: _Pod) -> None:
        """One pod's life: start, run, end."""
        with tempfile.TemporaryDirectory(prefix="novahunt-pod-") as name:
            private = Path(name)
            try:
                environment = await self._environment(pod, private)
            except NotFoundError as error:
                await self._report(
                    pod, "Pending", {"waiting": {"reason": "CreateContainerConfigError", "message": error.message}}
                )
                self._tasks.pop(pod.metadata.uid)
                await asyncio.sleep(1)
                await self._touch(pod)
                return
            with (private / "log").open("wb") as log:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "novahunt_collector", env=environment, cwd=private, stdout=log, stderr=log
                )
            self.running[pod.metadata.name] = process
            self.logs[pod.metadata.name] = private / "log"
            purpose = environment.get(env.DOMAIN) or environment[env.TASK]
            self.started.append(purpose)
            now = _now()
            try:
                await self._report(pod, "Running", {"running": {"startedAt": now}})
                code = await process.wait()
                receipt = private / "termination"
                message = receipt.read_text() if receipt.is_file() else ""
                if self.before_end(purpose, code):
                    state = {"exitCode": code if code >= 0 else 128 - code, "message": message, "startedAt": now}
                    await self._report(pod, "Succeeded" if code == 0 else "Failed", {"terminated": state})
                    self._reported.add(pod.metadata.uid)
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
                self.running.pop(pod.metadata.name, None)
                self.logs.pop(pod.metadata.name, None)
                self._ended.add(pod.metadata.uid)
            if pod.metadata.name in self._doomed:
                await self._remove(pod)

    async def _environment(self, pod: _Pod, private: Path) -> Mapping[str, str]:
        values = {}
        for variable in pod.spec.containers[0].env:
            values[variable.name] = variable.value
            if variable.value_from is not None:
                ref = variable.value_from.secret_key_ref
                secret = await self.admin.get(f"/api/v1/namespaces/{self.namespace}/secrets/{ref.name}", Secret)
                values[variable.name] = secret.data[ref.key].decode()
        token = private / "token"
        token.write_text(await self._token(pod))
        values[env.INTAKE_TOKEN_FILE] = values[env.INTAKE_TOKEN_FILE].replace(f"{TOKEN_FOLDER}/token", str(token))
        for name, folder, place in (
            (env.STORAGE, VOLUME_FOLDER, self.folder),
            (env.SUPPRESSION, SUPPRESSION_FOLDER, private / "lists"),
        ):
            if name in values:
                values[name] = values[name].replace(folder, str(place))
        mounts = pod.spec.containers[0].volume_mounts
        await write_lists(self.admin, self.namespace, pod.spec.volumes, mounts, private / "lists")
        values[env.TERMINATION_LOG] = str(private / "termination")
        return {
            **self.image_environment,
            **values,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT / 'common'}:{ROOT / 'collector_image'}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    async def _token(self, pod: _Pod) -> str:
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {
                "audiences": [AUDIENCE],
                "expirationSeconds": 600,
                "boundObjectRef": {
                    "kind": "Pod",
                    "apiVersion": "v1",
                    "name": pod.metadata.name,
                    "uid": pod.metadata.uid,
                },
            },
        }
        account = pod.spec.service_account_name
        path = f"/api/v1/namespaces/{self.namespace}/serviceaccounts/{account}/token"
        return (await self.admin.create(path, body, _Token)).status.token

    async def _report(self, pod: _Pod, phase: str, state: Mapping[str, Any]) -> None:
        status = {
            "phase": phase,
            "containerStatuses": [
                {
                    "name": pod.spec.containers[0].name,
                    "image": "",
                    "imageID": "",
                    "ready": False,
                    "restartCount": 0,
                    "state": state,
                }
            ],
        }
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod.metadata.name}/status"
        with contextlib.suppress(NotFoundError):
            await self.admin.call("PATCH", path, body={"status": status}, content_type=MERGE_PATCH)

    async def _touch(self, pod: _Pod) -> None:
        """Make the pod be seen again, as a kubelet that tries again."""
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod.metadata.name}"
        body = {"metadata": {"annotations": {"tried": datetime.now(UTC).isoformat()}}}
        with contextlib.suppress(NotFoundError):
            await self.admin.call("PATCH", path, body=body, content_type=MERGE_PATCH)
