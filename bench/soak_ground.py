"""The ground of the soak: three namespaces of one operator, collectors as real processes, two keys of the simulator."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import ground
from cluster.control_plane import ControlPlane
from cluster.operator_process import OperatorProcess
from cluster.process_kubelet import ProcessKubelet
from hunter_simulator import Config, Key, Plan, Settings, Simulator, running_simulator
from novahunt_api import names, paths
from novahunt_api.cluster import Cluster

NAMESPACES = ("soak-a", "soak-b", "soak-c")
KEYS = ("soak-key-one", "soak-key-two")

_LOG_SIZE = 200_000
"""Requests that the simulator remembers: more than both keys may make in three hours."""


@dataclass(frozen=True)
class SoakGround:
    """A running operator and all that it needs."""

    admin: Cluster
    simulator: Simulator
    operator: OperatorProcess

    async def collect(self, namespace: str, name: str, key: int, domains: list[str], **spec: Any) -> None:
        """Make a collection that uses one of the keys."""
        body = {
            "apiVersion": names.API_VERSION,
            "kind": "DomainCollection",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"domains": domains, "apiKeySecretRef": {"name": f"key-{key}", "key": "key"}, **spec},
        }
        await self.admin.call("POST", paths.collections(namespace), body=body)


@asynccontextmanager
async def soak_ground(plane: ControlPlane, settings: Mapping[str, str]) -> AsyncIterator[SoakGround]:
    """Prepare the namespaces, and run simulator, players of the kubelet and operator until the block ends.

    The settings are the operator's environment.
    """
    ground.serve_kinds(plane)
    for namespace in NAMESPACES:
        ground.apply(plane, {"kind": "Namespace", "metadata": {"name": namespace}})
    ground.install(plane, NAMESPACES[0], watchNamespaces=list(NAMESPACES))
    admin = await ground.connect(plane.kubeconfig)
    config = Config(
        settings=Settings(log_size=_LOG_SIZE), keys=tuple(Key(key, Plan(credits=10_000_000)) for key in KEYS)
    )
    with tempfile.TemporaryDirectory(prefix="novahunt-soak-") as scratch:
        folder = Path(scratch)
        async with running_simulator(config) as simulator:
            for namespace in NAMESPACES:
                _prepare(plane, namespace, folder / namespace)
            watched = {"NOVAHUNT_NAMESPACES": ",".join(NAMESPACES), "HUNTER_BASE_URL": simulator.base_url}
            operator = OperatorProcess(plane, NAMESPACES[0], folder, {**watched, **settings})
            kubelets = [ProcessKubelet(admin, namespace, folder / namespace) for namespace in NAMESPACES]
            operator.start()
            tasks = [asyncio.create_task(kubelet.run()) for kubelet in kubelets]
            try:
                yield SoakGround(admin, simulator, operator)
            finally:
                operator.kill()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await admin.close()


def _prepare(plane: ControlPlane, namespace: str, volume: Path) -> None:
    """Make both keys' Secrets, and a claim for which that folder stands."""
    volume.mkdir()
    for number, key in enumerate(KEYS):
        secret = {"kind": "Secret", "metadata": {"name": f"key-{number}", "namespace": namespace}}
        ground.apply(plane, {**secret, "stringData": {"key": key}})
    for manifest in ground.claim(namespace, str(volume)):
        ground.apply(plane, manifest)
