"""A namespace with everything a collection needs on a control plane: chart, operator, collectors, Hunter's stand-in."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from cluster.control_plane import ROOT, ControlPlane
from cluster.operator_process import OperatorProcess
from cluster.process_kubelet import ProcessKubelet
from cluster.reading import CollectionObject, Reader, connect
from hunter_simulator import DEFAULT_KEY, Config, Simulator, running_simulator
from novahunt_api import names

__all__ = ["CollectionObject", "World", "install", "running_world"]

SECONDS = 60.0
"""How long a condition may take; far more than it does."""


@dataclass
class World(Reader):
    """One namespace."""

    plane: ControlPlane
    simulator: Simulator
    operator: OperatorProcess
    kubelet: ProcessKubelet
    folder: Path

    def apply(self, name: str, domains: Iterable[str] = (), **spec: Any) -> None:
        """Apply a collection, as a person does with kubectl."""
        manifest = {
            "apiVersion": names.API_VERSION,
            "kind": "DomainCollection",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {"domains": list(domains), **spec},
        }
        self.plane.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))

    def make_claim(self, name: str) -> None:
        """Provide a claim, so that the scheduler lets its pods through; the data lies in `kubelet.folder`."""
        size = {"storage": "1Gi"}
        modes = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"{self.namespace}-{name}"},
            "spec": {
                **modes,
                "capacity": size,
                "hostPath": {"path": str(self.kubelet.folder)},
                "claimRef": {"namespace": self.namespace, "name": name},
            },
        }
        claim = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {**modes, "volumeName": f"{self.namespace}-{name}", "resources": {"requests": size}},
        }
        for manifest in (volume, claim):
            self.plane.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))

    def delete(self, name: str) -> None:
        """Delete a collection and wait until it is gone."""
        self.plane.kubectl("delete", "dcol", name, "-n", self.namespace, "--timeout=30s")

    def set_key(self, value: str = DEFAULT_KEY, name: str = "hunter-api-key") -> None:
        """Make or change the Secret with the Hunter key."""
        manifest = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": self.namespace},
            "stringData": {"HUNTER_API_KEY": value},
        }
        self.plane.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))

    def intake_tls(self) -> ssl.SSLContext:
        """Return what a caller checks the operator's intake by, once the operator has a certificate."""
        held = self.plane.kubectl("get", "secret", "novahunt-certificate", "-n", self.namespace, "-o", "json")
        data = json.loads(held).get("data", {})
        return ssl.create_default_context(cadata=base64.b64decode(data["ca.crt"]).decode() if data else None)

    async def until(
        self, name: str, check: Callable[[CollectionObject], bool], what: str, seconds: float = SECONDS
    ) -> CollectionObject:
        """Wait until a collection is as wanted.

        Raises:
            AssertionError: it was not in time; the text shows its status and the operator's log.
        """
        found: CollectionObject | None = None
        try:
            async with asyncio.timeout(seconds):
                while True:
                    found = await self.collection(name)
                    if check(found):
                        return found
                    await asyncio.sleep(0.1)
        except TimeoutError:
            status = yaml.safe_dump(msgspec.to_builtins(found.status)) if found else "none"
            message = f"{name} was never {what}; its status:\n{status}\nthe operator said:\n{self.operator.log[-6000:]}"
            raise AssertionError(message) from None

    async def until_true(self, check: Callable[[], bool], what: str, seconds: float = SECONDS) -> None:
        """Wait until something outside the cluster is as wanted.

        Raises:
            AssertionError: it was not in time; the text shows the operator's log.
        """
        try:
            async with asyncio.timeout(seconds):
                while not check():  # noqa: ASYNC110 - the condition is a process's or a list's
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"never {what}; the operator said:\n{self.operator.log[-6000:]}") from None

    async def ready(self, name: str, seconds: float = SECONDS) -> CollectionObject:
        """Wait until a collection of the newest generation is Ready."""

        def done(found: CollectionObject) -> bool:
            new = found.status.observed_generation == found.metadata.generation
            return new and found.condition("Ready")[0] == "True"

        return await self.until(name, done, "Ready", seconds)

    async def gone(self, kinds: str, name: str, seconds: float = SECONDS) -> None:
        """Wait until nothing of these kinds belongs to a collection of this name.

        Raises:
            AssertionError: something is left; the text names it.
        """
        left = ""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    selector = f"{names.COLLECTION_LABEL}={name}"
                    left = self.plane.kubectl("get", kinds, "-n", self.namespace, "-l", selector, "-o", "name")
                    if not left.strip():
                        return
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise AssertionError(f"still there: {left}") from None


def install(plane: ControlPlane, namespace: str, *values: str) -> None:
    """Install or upgrade the chart for its accounts and rights; its own programs have no image to start with."""
    more = [part for value in values for part in ("--set", value)]
    plane.helm(
        "upgrade",
        "--install",
        "novahunt",
        str(ROOT / "charts/novahunt"),
        "--namespace",
        namespace,
        "--set",
        "crds.enabled=false,image.repository=registry.example/novahunt-operator,image.tag=test,"
        "collector.image.repository=registry.example/novahunt-collector,collector.image.tag=test,fullnameOverride=novahunt,"
        "gateway.enabled=true,gateway.replicas=0,gateway.authentication=kubernetes",
        *more,
    )


@asynccontextmanager
async def running_world(
    plane: ControlPlane,
    namespace: str,
    folder: Path,
    settings: dict[str, str] | None = None,
    simulated: Config | None = None,
    *,
    values: str = "",
) -> AsyncIterator[World]:
    """Install the chart, and start Hunter's stand-in, the operator and the player of the kubelet."""
    install(plane, namespace, values)
    admin = await connect(plane.kubeconfig)
    volume = folder / "volume"
    volume.mkdir()
    async with running_simulator(simulated) as simulator:
        operator = OperatorProcess(
            plane, namespace, folder, {"HUNTER_BASE_URL": simulator.base_url, **(settings or {})}
        )
        kubelet = ProcessKubelet(admin, namespace, volume)
        world = World(admin, namespace, plane, simulator, operator, kubelet, folder)
        world.set_key()
        operator.start()
        task = asyncio.create_task(kubelet.run())
        try:
            yield world
        finally:
            operator.kill()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await admin.close()
