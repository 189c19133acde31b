"""Plays the kubelet where there is none: runs each collector's pod as a real process of this machine.

The pods, their tokens and their ends are real objects of the API server; only the container is not one. Like a real
one, it may crash, and finds its pods' processes again when it is back.
"""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from cluster.containers import Container, Containers, now
from cluster.pod_objects import Pod, PodPage
from novahunt_api import names
from novahunt_api.cluster import MERGE_PATCH, ApiError, Cluster, ConflictError, GoneError, NotFoundError

LOST = {"exitCode": 137, "reason": "ContainerStatusUnknown", "message": ""}
"""What a kubelet says of a container that it started, and of which nothing is left."""


async def _nothing(*_: object) -> None:
    """Do nothing."""


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
            "spec": {"holderIdentity": self.name, "leaseDurationSeconds": 40, "renewTime": now()},
        }
        await self.admin.call("POST", leases, body=body)
        while True:
            await asyncio.sleep(5)
            with contextlib.suppress(ApiError):
                change = {"spec": {"renewTime": now()}}
                await self.admin.call("PATCH", f"{leases}/{self.name}", body=change, content_type=MERGE_PATCH)

    async def remove(self) -> None:
        await self.admin.delete(f"/api/v1/nodes/{self.name}")


@dataclass
class ProcessKubelet:
    """Runs collectors; `admin` may do what a kubelet may."""

    admin: Cluster
    namespace: str
    folder: Path
    """Stands for the claims: `/collections` in a pod is this folder."""
    before_end: Callable[[str, int], bool] = lambda _domain, _code: True
    """Asked when a process has ended: False loses the pod before its end is reported."""
    on_start: Callable[[str], Awaitable[None]] = _nothing
    """Awaited when a domain's process has started, before the API server is told."""
    on_end: Callable[[str, int], Awaitable[None]] = _nothing
    """Awaited when a domain's process has ended with this exit code, before the API server is told."""
    path: tuple[Path, ...] = ()
    """As `Containers.path`."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """As `Containers.environment`."""
    running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    """Processes by pod name."""
    logs: dict[str, Path] = field(default_factory=dict)
    """What running processes have logged, by pod name."""
    purposes: dict[str, str] = field(default_factory=dict)
    """Domains and errands' tasks by pod name, of all pods that were started."""
    started: list[str] = field(default_factory=list)
    """Domains and errands' tasks, in the order in which their processes were started."""
    _containers: dict[str, Container] = field(default_factory=dict)
    """By UID of their pod: what outlives a crash of the kubelet."""
    _alive: asyncio.Event = field(default_factory=asyncio.Event)
    _work: asyncio.Task[None] | None = None
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _ended: set[str] = field(default_factory=set)
    """UIDs of pods whose process has ended."""
    _reported: set[str] = field(default_factory=set)
    """UIDs of pods whose end was told."""
    _doomed: set[str] = field(default_factory=set)
    """Names of pods that are being deleted."""

    async def run(self) -> None:
        """Play until cancelled, then end all processes."""
        node = await _Node.register(self.admin, f"node-{self.namespace}")
        heart = asyncio.create_task(node.beat())
        self._alive.set()
        try:
            while True:
                await self._alive.wait()
                self._work = asyncio.create_task(self._watch())
                await asyncio.wait([self._work])
                if not self._work.cancelled():
                    self._work.result()
        finally:
            heart.cancel()
            await asyncio.gather(heart, *self.crash(), return_exceptions=True)
            await asyncio.gather(*(container.remove() for container in self._containers.values()))
            await node.remove()

    def crash(self, *, machine: bool = False) -> list[asyncio.Task[None]]:
        """Stop at once, as after a kill, until `resume`; with the machine, all its pods' processes die as well.

        Returns the tasks that are being cancelled.
        """
        self._alive.clear()
        tasks = [*self._tasks.values(), *([self._work] if self._work is not None else [])]
        for task in tasks:
            task.cancel()
        self._tasks.clear()
        if machine:
            for container in self._containers.values():
                if container.process.returncode is None:
                    container.process.kill()
                container.private.cleanup()
            self._containers.clear()
            self.running.clear()
            self.logs.clear()
        return tasks

    def resume(self) -> None:
        """Begin anew: with the pods that the API server tells of, and the processes that are still there."""
        self._alive.set()

    async def _watch(self) -> None:
        path = f"/api/v1/namespaces/{self.namespace}/pods"
        query = {"labelSelector": names.SELECTOR}
        while True:
            with contextlib.suppress(GoneError, ApiError):
                page = await self.admin.get(path, PodPage, query)
                self._drop_orphans({pod.metadata.uid for pod in page.items})
                for pod in page.items:
                    self._seen(pod)
                version = str(page.metadata["resourceVersion"])
                async for event in self.admin.watch(path, {**query, "resourceVersion": version}):
                    if event.type in ("ADDED", "MODIFIED"):
                        self._seen(msgspec.json.decode(event.object, type=Pod))
                    elif event.type == "DELETED":
                        self._kill(msgspec.json.decode(event.object, type=Pod).metadata.name)

    def _drop_orphans(self, uids: set[str]) -> None:
        """End the processes whose pod went while the kubelet was away."""
        for uid in self._containers.keys() - uids - self._tasks.keys():
            container = self._containers.pop(uid)
            for name in [name for name, process in self.running.items() if process is container.process]:
                del self.running[name], self.logs[name]
            self._tasks[f"{uid}/orphan"] = asyncio.create_task(container.remove())

    def _seen(self, pod: Pod) -> None:
        uid = pod.metadata.uid
        if uid in self._ended:
            if pod.deleting:
                self._tasks[f"{uid}/remove"] = asyncio.create_task(self._remove(pod))
        elif uid in self._tasks:
            if pod.deleting:
                self._kill(pod.metadata.name)
        elif uid in self._containers:
            # It was started before a crash of the kubelet.
            self._tasks[uid] = asyncio.create_task(self._live(pod))
            if pod.deleting:
                self._kill(pod.metadata.name)
        elif pod.deleting:
            self._tasks[f"{uid}/remove"] = asyncio.create_task(self._remove(pod))
        elif pod.spec.node_name and not pod.ended:
            self._tasks[uid] = asyncio.create_task(self._live(pod))

    def _kill(self, pod_name: str) -> None:
        self._doomed.add(pod_name)
        process = self.running.get(pod_name)
        if process is not None and process.returncode is None:
            process.send_signal(signal.SIGTERM)

    async def _remove(self, pod: Pod) -> None:
        """Confirm a deletion, as a kubelet does when the containers have ended."""
        if pod.metadata.uid not in self._reported and not pod.ended:
            # A pod must have ended before Kubernetes lets it go; of this one nothing more is known.
            with contextlib.suppress(NotFoundError):
                body = {"status": {"phase": "Failed"}}
                await self.admin.call("PATCH", f"{pod.path}/status", body=body, content_type=MERGE_PATCH)
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod.metadata.uid}}
        with contextlib.suppress(NotFoundError, ConflictError):
            await self.admin.call("DELETE", pod.path, body=options)

    async def _live(self, pod: Pod) -> None:
        """One pod's life: start, run, end."""
        uid, name = pod.metadata.uid, pod.metadata.name
        if uid not in self._containers:
            if pod.status.phase == "Running":
                await self._report(pod, "Failed", {"terminated": LOST})
                self._ended.add(uid)
                return
            if not await self._start(pod):
                return
        container = self._containers[uid]
        await self._report(pod, "Running", {"running": {"startedAt": container.started_at}})
        code = await container.process.wait()
        self.running.pop(name, None)
        self.logs.pop(name, None)
        await self.on_end(container.purpose, code)
        if self.before_end(container.purpose, code):
            exit_code = code if code >= 0 else 128 - code
            state = {"exitCode": exit_code, "message": container.message, "startedAt": container.started_at}
            await self._report(pod, "Succeeded" if code == 0 else "Failed", {"terminated": state})
            self._reported.add(uid)
        self._ended.add(uid)
        del self._containers[uid]
        await container.remove()
        if name in self._doomed:
            await self._remove(pod)

    async def _start(self, pod: Pod) -> bool:
        """Start a pod's process; tell whether it could be, or will be tried again."""
        uid, name = pod.metadata.uid, pod.metadata.name
        try:
            container = await Containers(self.admin, self.namespace, self.folder, self.path, self.environment).start(
                pod
            )
        except NotFoundError as error:
            reason = {"reason": "CreateContainerConfigError", "message": error.message}
            await self._report(pod, "Pending", {"waiting": reason})
            self._tasks.pop(uid)
            await asyncio.sleep(1)
            await self._touch(pod)
            return False
        self._containers[uid] = container
        self.running[name], self.logs[name] = container.process, container.log
        self.purposes[name] = container.purpose
        self.started.append(container.purpose)
        await self.on_start(container.purpose)
        return True

    async def _report(self, pod: Pod, phase: str, state: Mapping[str, Any]) -> None:
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
        with contextlib.suppress(NotFoundError):
            await self.admin.call("PATCH", f"{pod.path}/status", body={"status": status}, content_type=MERGE_PATCH)

    async def _touch(self, pod: Pod) -> None:
        """Make the pod be seen again, as a kubelet that tries again."""
        body = {"metadata": {"annotations": {"tried": datetime.now(UTC).isoformat()}}}
        with contextlib.suppress(NotFoundError):
            await self.admin.call("PATCH", pod.path, body=body, content_type=MERGE_PATCH)
