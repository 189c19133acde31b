"""What can be killed or cut on a whole node, and how it comes back."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chaos.components import kill_component
from chaos.node_ground import NodeGround
from chaos.waiting import until
from devcluster.requirements import find_command
from e2e.node import SYSTEM
from novahunt_api import wire

Attack = Callable[[NodeGround, float], Awaitable[None]]
"""Takes for how many seconds what was hit stays away."""

_INTAKE_PORT = "8090"
_RESET = ("-p", "tcp", "--dport", _INTAKE_PORT, "-j", "REJECT", "--reject-with", "tcp-reset")
_TAKEN_OVER_SECONDS = 60.0


@dataclass(frozen=True)
class NodeVictim:
    """Something that is hit."""

    name: str
    attack: Attack
    replicas: int = 1


async def _operator(ground: NodeGround, down: float) -> None:
    """Kill the operator's process; the kubelet starts it again, after a pause that grows with each kill."""
    del down
    pod = await ground.holder()
    ground.kill(ground.operator(pod))
    ground.later(_led_again(ground))


async def _operators_pod(ground: NodeGround, down: float) -> None:
    """Delete the operator's pod without grace; another one must wait until the Lease is over."""
    del down
    path = f"/api/v1/namespaces/{SYSTEM}/pods/{await ground.holder()}"
    await ground.reader.admin.call("DELETE", path, body={"gracePeriodSeconds": 0})
    ground.later(_led_again(ground))


async def _led_again(ground: NodeGround) -> None:
    await asyncio.to_thread(ground.node.wait_for_leader)


async def _paused_leader(ground: NodeGround, down: float) -> None:
    """Stop the active replica until another one has taken over; then it wakes up."""
    pod = await ground.holder()
    pid = ground.operator(pod)
    os.kill(pid, signal.SIGSTOP)

    async def by_another() -> bool:
        return (await ground.holder()) not in ("", pod)

    async def gone() -> bool:
        return pid not in ground.operators()

    async def back() -> None:
        async with asyncio.timeout(_TAKEN_OVER_SECONDS):
            await until(by_another)
            await asyncio.sleep(1 + down)
            os.kill(pid, signal.SIGCONT)
            # It notices that it has lost its lease, and ends.
            await until(gone)

    ground.later(back())


async def _collector(ground: NodeGround, down: float) -> None:
    """Kill the collectors that are at work."""
    del down
    for process in ground.collectors():
        ground.killed.append(process.domain)
        ground.kill(process.pid)
    # One that had just ended may have been taken along.
    ground.receipts_lost += 1


async def _collectors_pod(ground: NodeGround, down: float) -> None:
    """Delete all collectors' pods: those at work are asked to end, and of those that have ended nothing is left."""
    del down
    ground.killed += [process.domain for process in ground.collectors()]
    ground.receipts_lost += 1
    for pod in await ground.pods():
        path = f"/api/v1/namespaces/{pod.metadata.namespace}/pods/{pod.metadata.name}"
        await ground.reader.admin.delete(path, uid=pod.metadata.uid)


async def _intake(ground: NodeGround, down: float) -> None:
    """Let the operator's pod answer each packet to the intake with a reset."""
    enter = [find_command("nsenter") or "nsenter", f"--net=/proc/{ground.operator(await ground.holder())}/ns/net"]
    tables = find_command("iptables") or "iptables"
    await _run([*enter, tables, "-I", "INPUT", *_RESET])

    async def back() -> None:
        await asyncio.sleep(down)
        await _run([*enter, tables, "-D", "INPUT", *_RESET])

    ground.later(back())


async def _run(words: list[str]) -> None:
    process = await asyncio.create_subprocess_exec(*words)
    if await process.wait():
        raise AssertionError(f"{' '.join(words)} failed")


def _component(name: str) -> Attack:
    async def attack(ground: NodeGround, down: float) -> None:
        kill_component(ground, ground.cluster, name, down)
        ground.later(_ready(ground))

    return attack


async def _ready(ground: NodeGround) -> None:
    """Wait until the operator is active: it ends where the API server was away for longer than its Lease."""

    async def active() -> bool:
        path = f"/api/v1/namespaces/{SYSTEM}/pods"
        pods = (await ground.reader.admin.get(path, wire.Page[wire.PodObject])).items
        return await ground.holder() in {pod.metadata.name for pod in pods}

    await until(active)


OPERATOR = NodeVictim("operator's process", _operator)
OPERATORS_POD = NodeVictim("operator's pod, deleted", _operators_pod)
COLLECTOR = NodeVictim("collectors' processes", _collector)
COLLECTORS_POD = NodeVictim("collectors' pods, deleted", _collectors_pod)
INTAKE = NodeVictim("intake connection", _intake)
KUBELET = NodeVictim("kubelet", _component("kubelet"))
API_SERVER = NodeVictim("API server", _component("kube-apiserver"))
ETCD = NodeVictim("etcd", _component("etcd"))
CONTROLLERS = NodeVictim("controller-manager", _component("kube-controller-manager"))
PAUSED_LEADER = NodeVictim("active replica paused, then woken", _paused_leader, replicas=2)
