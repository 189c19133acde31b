"""What can be killed or cut, and how it comes back: each a strike for the director."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chaos.components import kill_component
from chaos.moments import CALLS_OF_COLLECTORS, CALLS_OF_THE_OPERATOR, Fate, Moment
from chaos.seats import Seat
from chaos.stage import Stage
from chaos.waiting import until
from novahunt_api.cluster import NotFoundError

Attack = Callable[[Stage, Moment, float], Awaitable[Fate]]
"""Takes the moment, and for how many seconds what was hit stays away."""


@dataclass(frozen=True)
class Victim:
    """Something that is hit."""

    name: str
    attack: Attack
    replicas: int = 1
    """Of the operator, that the stage must have."""
    of_all: bool = False
    """Whether it hits all stages of a control plane at once."""


async def _operator(stage: Stage, moment: Moment, down: float) -> Fate:
    """Kill the operator. What it was calling is not carried out, or it never hears of it."""
    seat = await stage.seats.leader()
    seat.kill()
    stage.later(_start(seat, down))
    return _of_the_operator(moment)


def _of_the_operator(moment: Moment) -> Fate:
    """Return what becomes of a call that the operator made, or was to answer, when it is gone."""
    return Fate.CUT if moment.step in (*CALLS_OF_THE_OPERATOR, *CALLS_OF_COLLECTORS) else Fate.PASS


async def _start(seat: Seat, down: float) -> None:
    await asyncio.sleep(down)
    seat.start()


async def _leader(stage: Stage, moment: Moment, down: float) -> Fate:
    """Kill the active replica; another one takes over before it is back."""
    del down
    seat = await stage.seats.leader()
    seat.kill()

    async def back() -> None:
        await stage.seats.until_taken_over(seat)
        seat.start()

    stage.later(back())
    return _of_the_operator(moment)


async def _paused_leader(stage: Stage, moment: Moment, down: float) -> Fate:
    """Stop the active replica until some time after another one has taken over; then it wakes up.

    The call that it was making is held, and carried out late: when the other one works already.
    """
    seat = await stage.seats.leader()
    seat.pause()
    woken = asyncio.Event()
    ends = seat.ends

    async def noticed() -> bool:
        return seat.ends > ends

    async def back() -> None:
        await stage.seats.until_taken_over(seat)
        # The other one has looked around, and acts.
        await asyncio.sleep(1 + down)
        woken.set()
        seat.wake()
        await until(noticed)

    stage.later(back())
    if moment.step in CALLS_OF_THE_OPERATOR:
        await woken.wait()
    return Fate.PASS


async def _api_connection(stage: Stage, moment: Moment, down: float) -> Fate:
    """Cut all connections between the operator and the API server."""
    gates = [seat.gate for seat in stage.seats.all]
    for gate in gates:
        gate.shut()

    async def back() -> None:
        await asyncio.sleep(down)
        for gate in gates:
            gate.reopen()

    stage.later(back())
    return Fate.CUT if moment.step in CALLS_OF_THE_OPERATOR else Fate.PASS


async def _one_api_call(stage: Stage, moment: Moment, down: float) -> Fate:
    """Break the connection of one call to the API server: it is not carried out, or its answer is lost."""
    del stage, moment, down
    return Fate.CUT


async def _twice(stage: Stage, moment: Moment, down: float) -> Fate:
    """Carry one call out twice."""
    del stage, moment, down
    return Fate.TWICE


async def _intake(stage: Stage, moment: Moment, down: float) -> Fate:
    """Cut all connections between collectors and the intake."""
    stage.intake.shut()

    async def back() -> None:
        await asyncio.sleep(down)
        stage.intake.reopen()

    stage.later(back())
    return Fate.CUT if moment.step in CALLS_OF_COLLECTORS else Fate.PASS


async def _collector(stage: Stage, moment: Moment, down: float) -> Fate:
    """Kill the domain's collector, or another one that is at work; one that has ended loses its pod."""
    del down
    kubelet = stage.kubelet
    alive = [pod for pod, process in kubelet.running.items() if process.returncode is None]
    own = [pod for pod in kubelet.purposes if kubelet.purposes[pod] == moment.domain]
    hit = next((pod for pod in own if pod in alive), None)
    if hit is None and not own:
        hit = next(iter(alive), None)
    if hit is not None:
        stage.killed.append(kubelet.purposes[hit])
        kubelet.running[hit].send_signal(signal.SIGKILL)
    elif own:
        stage.receipts_lost += 1
        path = f"/api/v1/namespaces/{stage.world.namespace}/pods/{own[-1]}"
        with contextlib.suppress(NotFoundError):
            await stage.world.admin.call("DELETE", path, body={"gracePeriodSeconds": 0})
    return Fate.PASS


async def _kubelet(stage: Stage, moment: Moment, down: float) -> Fate:
    """Kill the kubelet; its pods' processes go on."""
    del moment
    stage.kubelet.crash()
    stage.later(_resume(stage, down))
    return Fate.PASS


async def _machine(stage: Stage, moment: Moment, down: float) -> Fate:
    """Switch the node off and on: its pods' processes and what they had to say are gone."""
    del moment
    kubelet = stage.kubelet
    stage.killed += [kubelet.purposes[pod] for pod in kubelet.running]
    stage.receipts_lost += 1
    kubelet.crash(machine=True)
    stage.later(_resume(stage, down))
    return Fate.PASS


async def _resume(stage: Stage, down: float) -> None:
    await asyncio.sleep(down)
    stage.kubelet.resume()


def _component(name: str) -> Attack:
    async def attack(stage: Stage, moment: Moment, down: float) -> Fate:
        del moment
        kill_component(stage, stage.world.plane.name, name, down)
        return Fate.PASS

    return attack


OPERATOR = Victim("operator", _operator)
LEADER = Victim("operator, another replica takes over", _leader, replicas=2)
PAUSED_LEADER = Victim("active replica paused, then woken", _paused_leader, replicas=2)
COLLECTOR = Victim("collector pod", _collector)
KUBELET = Victim("kubelet", _kubelet)
MACHINE = Victim("node, with all its pods", _machine)
INTAKE = Victim("intake connection", _intake)
API_CONNECTION = Victim("operator's connection to the API server", _api_connection)
ONE_CALL = Victim("one call: lost, or its answer", _one_api_call)
TWICE = Victim("one call, carried out twice", _twice)
API_SERVER = Victim("API server", _component("kube-apiserver"), of_all=True)
ETCD = Victim("etcd", _component("etcd"), of_all=True)
CONTROLLERS = Victim("controller-manager", _component("kube-controller-manager"), of_all=True)
