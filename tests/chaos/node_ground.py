"""The whole node as a place for trials: real kubelet and containers, Hunter's stand-in and the operator as pods."""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from chaos.ground import Ground
from chaos.observing import Observer
from chaos.tasks import cancelled
from cluster.reading import Reader, connect
from devcluster import containers
from devcluster.paths import run_root
from devcluster.record import Registry
from e2e.node import SALES, SYSTEM, Node
from hunter_simulator.report import Report
from hunter_simulator.settings import Key
from novahunt_api import names, paths, wire
from novahunt_contract import environment as env
from tools.shell import ProgramError
from tools.target import OWN_CONTEXT

LEASE = "novahunt-leader"
_SIMULATOR = f"/api/v1/namespaces/{SALES}/services/hunter-simulator:http/proxy/_simulator"
_LINES = "60"
_PLENTY = 10_000_000
"""Credits."""


@dataclass(frozen=True)
class Process:
    """A container's process, as the machine sees it."""

    pid: int
    domain: str
    """Of a collector; else empty."""


@dataclass(kw_only=True)
class NodeGround(Ground):
    """The watched namespace of a whole node."""

    node: Node
    cluster: str

    async def report(self, *, with_log: bool = True) -> Report:
        """Return what Hunter's stand-in was asked."""
        query = {"log": str(with_log).lower()}
        return await self.reader.admin.get(f"{_SIMULATOR}/report", Report, query)

    async def hold(self, domain: str, size: int) -> None:
        """Tell Hunter's stand-in how many addresses a domain has."""
        await self.reader.admin.call("PUT", f"{_SIMULATOR}/domains/{domain}", body={"size": size})

    async def pay_for_plenty(self) -> None:
        """Give each key of Hunter's stand-in a plan that no number of trials uses up."""
        for known in await self.reader.admin.get(f"{_SIMULATOR}/keys", list[Key]):
            body = {"key": known.key, "plan": {"credits": _PLENTY}}
            await self.reader.admin.call("POST", f"{_SIMULATOR}/keys", body=body)

    async def slow_down(self, seconds: float) -> None:
        """Let Hunter's stand-in take its time with each answer, so that each step can be caught."""
        body = {"action": {"do": "proceed"}, "times": None, "delay": seconds}
        await self.reader.admin.call("POST", f"{_SIMULATOR}/faults", body=body)

    def said(self) -> list[str]:
        """Return what the operator has said last, and what pods there are."""
        with suppress(ProgramError):
            log = self.node.kubectl("logs", "-n", SYSTEM, "deployment/novahunt", f"--tail={_LINES}")
            return [*log.splitlines(), *self.node.kubectl("get", "pods,jobs,dres", "-n", SALES).splitlines()]
        return ["the operator's log can't be read"]

    async def holder(self) -> str:
        """Return the pod that is the active replica; empty: none is."""
        lease = await self.reader.admin.get(paths.leases(SYSTEM, LEASE), wire.LeaseObject)
        return lease.spec.holder_identity or ""

    async def pods(self) -> list[wire.PodObject]:
        """Return the collectors' pods."""
        query = {"labelSelector": names.SELECTOR}
        return list((await self.reader.admin.get(paths.pods(SALES), wire.Page[wire.PodObject], query)).items)

    def operators(self) -> list[int]:
        """Return the operator's processes."""
        return [pid for pid, words, _ in self._containers() if b"novahunt_operator" in words]

    def operator(self, pod: str) -> int:
        """Return the operator's process of a pod."""
        found = [pid for pid, words, variables in self._containers() if _is_operator(words, variables, pod)]
        if not found:
            raise AssertionError(f"{pod} has no process")
        return found[0]

    def collectors(self) -> list[Process]:
        """Return the collectors at work."""
        return [
            Process(pid, variables[env.DOMAIN])
            for pid, words, variables in self._containers()
            if b"novahunt_collector" in words and env.DOMAIN in variables
        ]

    def kill(self, pid: int) -> None:
        """End a process at once."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def _containers(self) -> Iterator[tuple[int, set[bytes], dict[str, str]]]:
        for identity in containers.rooted_below(Registry(run_root()).folder(self.cluster).path):
            folder = Path("/proc") / str(identity.pid)
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
                variables = (folder / "environ").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            pairs = [variable.partition("=") for variable in variables]
            yield identity.pid, set(words), {name: value for name, _, value in pairs}


def _is_operator(words: set[bytes], variables: dict[str, str], pod: str) -> bool:
    return b"novahunt_operator" in words and variables.get("NOVAHUNT_POD_NAME") == pod


@asynccontextmanager
async def node_ground(node: Node) -> AsyncIterator[NodeGround]:
    """Take a node on which everything is installed."""
    admin = await connect(Path(node.target.environment["KUBECONFIG"]))
    observer = Observer(admin, SALES)
    ground = NodeGround(
        reader=Reader(admin, SALES),
        observer=observer,
        volume=node.volumes,
        node=node,
        cluster=node.target.context.removeprefix(OWN_CONTEXT),
    )
    try:
        async with cancelled(observer.run()):
            yield ground
    finally:
        await admin.close()
