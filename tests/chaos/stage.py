"""A namespace in which everything can be killed: operator, collectors and Hunter's stand-in, with gates in between."""

import base64
import contextlib
import itertools
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from chaos.api_calls import ApiCalls, KnownNames
from chaos.collector_calls import HunterCalls, IntakeCalls
from chaos.director import Director
from chaos.file_moments import HOOK, SOCKET, FileMoments
from chaos.gate import Gate
from chaos.ground import Ground
from chaos.moments import Moment, Side, Step
from chaos.observing import Observer
from chaos.seats import Seat, Seats
from chaos.tasks import cancelled
from cluster.control_plane import ControlPlane
from cluster.operator_process import OperatorProcess
from cluster.process_kubelet import ProcessKubelet
from cluster.reading import connect
from cluster.world import World, install
from hunter_simulator import DEFAULT_KEY, Config, Settings, running_simulator
from hunter_simulator.plans import Plan
from hunter_simulator.report import Report
from hunter_simulator.settings import Key
from novahunt_api import paths, wire
from tools.accounts import write_kubeconfig

PER_SECOND, PER_MINUTE = 5, 100
"""Hunter's limits, narrower than the real ones, so that going too fast shows."""

TIGHT = 10
"""Requests a minute where a trial needs more than that: then what was asked before a kill counts after it."""

LEASE = "novahunt-leader"

_LINES = 60
_PLENTY = Plan(credits=10_000_000)
_TOKEN = "10h"
_numbers = itertools.count(1)


@dataclass(kw_only=True)
class Stage(Ground):
    """One namespace."""

    world: World
    seats: Seats
    director: Director
    intake: Gate

    @property
    def kubelet(self) -> ProcessKubelet:
        """The player of the kubelet."""
        return self.world.kubelet

    async def report(self, *, with_log: bool = True) -> Report:
        """Return what Hunter's stand-in was asked."""
        return self.world.simulator.report(with_log=with_log)

    async def hold(self, domain: str, size: int) -> None:
        """Tell Hunter's stand-in how many addresses a domain has."""
        self.world.simulator.set_domain(domain, size)

    def said(self) -> list[str]:
        """Return the latest moments, and what the operator has said last."""
        lines = [(seat.name, line) for seat in self.seats.all for line in seat.process.log.splitlines()[-_LINES:]]
        return [*self.director.trail, *(f"{name}: {line}" for name, line in lines)]


@asynccontextmanager
async def running_stage(
    plane: ControlPlane, folder: Path, *, replicas: int = 1, charged: bool = False, per_minute: int = PER_MINUTE
) -> AsyncIterator[Stage]:
    """Set a stage up in a namespace of its own, as long as the block runs.

    Args:
        plane: Serves both kinds.
        folder: For logs, documents and sockets; not there yet.
        replicas: Of the operator.
        charged: Let Hunter charge for repeats, and the operator count so.
        per_minute: Requests that Hunter takes.
    """
    namespace = f"chaos-{next(_numbers)}"
    volume = _make_folder(folder / "volume")
    plane.kubectl("create", "namespace", namespace)
    install(plane, namespace)
    admin = await connect(plane.kubeconfig)
    settings = Settings(per_second=PER_SECOND, per_minute=per_minute, repeats_cost=charged, log_size=200_000)
    config = Config(settings=settings, keys=(Key(DEFAULT_KEY, _PLENTY),))
    director, known = Director(), KnownNames()
    async with contextlib.AsyncExitStack() as stack, running_simulator(config) as simulator:
        stack.push_async_callback(admin.close)
        kubelet = ProcessKubelet(admin, namespace, volume)
        files = FileMoments(director)
        kubelet.path, kubelet.environment = (HOOK,), {SOCKET: str(files.socket)}
        hunter_address = simulator.base_url.removesuffix("/v2")
        hunter = Gate(HunterCalls(director), lambda: [hunter_address])

        async def holder() -> str:
            lease = await admin.get(paths.leases(namespace, LEASE), wire.LeaseObject)
            return lease.spec.holder_identity or ""

        seats = Seats([], holder)
        intake = Gate(IntakeCalls(director, kubelet), seats.addresses)
        for gate in (hunter, intake):
            await gate.start()
            stack.push_async_callback(gate.stop)
        more = {
            "HUNTER_BASE_URL": f"{hunter.url}/v2",
            "NOVAHUNT_INTAKE_URL": intake.url,
            "HUNTER_REQUESTS_PER_SECOND": str(PER_SECOND),
            "HUNTER_REQUESTS_PER_MINUTE": str(per_minute),
            "HUNTER_REPEATS_CHARGED": str(charged).lower(),
        }
        for number in range(replicas):
            own = _make_folder(folder / f"operator-{number}")
            seats.all.append(await _seat(plane, namespace, own, more, ApiCalls(director, known)))
            stack.push_async_callback(seats.all[-1].close)
        world = World(admin, namespace, plane, simulator, seats.all[0].process, kubelet, folder)
        world.set_key()
        world.make_claim("collections")
        observer = Observer(admin, namespace)
        stage = Stage(
            reader=world,
            observer=observer,
            volume=volume,
            world=world,
            seats=seats,
            director=director,
            intake=intake,
        )
        _listen(kubelet, director, observer)
        await files.start()
        stack.push_async_callback(files.stop)
        for work in (kubelet.run(), observer.run()):
            await stack.enter_async_context(cancelled(work))
        for seat in seats.all:
            seat.start()
        yield stage


def _make_folder(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


async def _seat(plane: ControlPlane, namespace: str, folder: Path, more: dict[str, str], calls: ApiCalls) -> Seat:
    server, context = _api_server(plane)
    gate = Gate(calls, lambda: [server], context=context)
    await gate.start()
    token = plane.kubectl("create", "token", "novahunt", "-n", namespace, f"--duration={_TOKEN}").strip()
    kubeconfig = folder / "kubeconfig"
    write_kubeconfig(kubeconfig, admin=plane.kubeconfig, token=token, server=gate.url)
    process = OperatorProcess(plane, namespace, folder, more, name=folder.name, kubeconfig=kubeconfig)
    return Seat(process, gate)


def _api_server(plane: ControlPlane) -> tuple[str, ssl.SSLContext]:
    """Return where the API server is, and how it is recognised."""
    cluster = yaml.safe_load(plane.kubeconfig.read_text())["clusters"][0]["cluster"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    return str(cluster["server"]), ssl.create_default_context(cadata=authority)


def _listen(kubelet: ProcessKubelet, director: Director, observer: Observer) -> None:
    async def started(purpose: str) -> None:
        observer.process_started(purpose, kubelet)
        await director.at(Moment(Step.POD_STARTED, Side.AFTER, domain=purpose))

    async def ended(purpose: str, code: int) -> None:
        if code == 0:
            await director.at(Moment(Step.ENDED, Side.AFTER, domain=purpose))

    kubelet.on_start, kubelet.on_end = started, ended
