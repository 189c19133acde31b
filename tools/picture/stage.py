"""What the picture shows: a real operator and gateway at work on a control plane, with collections of every kind."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cluster.control_plane import ControlPlane
from cluster.gateway_process import TOKEN, GatewayProcess
from cluster.world import World, running_world
from hunter_simulator import DEFAULT_KEY as KEY
from hunter_simulator import AnswerStatus, Config, Fault, Key, Plan, Settings

_VOLUME = {"persistentVolumeClaim": {"claimName": "collections"}}


@dataclass(frozen=True)
class Stage:
    """The programs that are scraped."""

    world: World
    gateway: GatewayProcess

    @property
    def targets(self) -> dict[str, str]:
        """Where each program tells of itself, by the job that the chart's Services give it."""
        return {
            "novahunt-metrics": f"127.0.0.1:{self.world.operator.health_port}",
            "novahunt-gateway-metrics": f"127.0.0.1:{self.gateway.health_port}",
        }

    async def play(self, seconds: float) -> None:
        """Keep collections of every kind, and callers of the gateway, busy for a time."""
        world = self.world
        world.make_claim("collections")
        # More than there is time for, so that the picture is of something that goes on.
        for number in range(200):
            world.simulator.set_domain(f"n{number}.example", 20 * (number % 40))
        world.apply("leads", (f"n{number}.example" for number in range(200)), maxResults=500)
        world.apply("partners", (f"p{number}.example" for number in range(150)), storage=_VOLUME)
        world.apply("capped", (f"c{number}.example" for number in range(15)), budget={"maxCredits": 12})
        world.apply("no-key", ["k.example"], apiKeySecretRef={"name": "missing"})
        # Some domains are refused for good, and Hunter has a slow moment.
        world.simulator.add_fault(Fault(action=AnswerStatus(status=451), domain="p3.example", times=100))
        world.simulator.add_fault(Fault(action=AnswerStatus(status=429, retry_after=2), times=6))
        calls = asyncio.create_task(asyncio.to_thread(self._call, seconds))
        for number in itertools.count():
            if calls.done():
                break
            world.apply(f"more-{number}", (f"m{number}-{one}.example" for one in range(6)))
            await asyncio.sleep(15)
        await calls

    def _call(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        with self.gateway.client(TOKEN) as caller:
            for number in itertools.count():
                if time.monotonic() > end:
                    return
                if number % 20 == 0:
                    caller.post("/api/collect-job", json={"domain": f"g{number}.example"})
                caller.get("/api/collections")
                caller.get("/api/collect-status", params={"domain": f"g{number // 20 * 20}.example"})
                time.sleep(0.5)


@asynccontextmanager
async def running(plane: ControlPlane, namespace: str, folder: Path) -> AsyncIterator[Stage]:
    """Run simulator, operator, gateway and collectors in a namespace until the block ends."""
    hunter = Config(settings=Settings(per_second=15, per_minute=500), keys=(Key(KEY, Plan(credits=100_000)),))
    async with running_world(plane, namespace, folder, {"WORKER_CONCURRENCY": "6"}, hunter) as world:
        gateway = GatewayProcess(plane, namespace, folder)
        with gateway.running():
            yield Stage(world, gateway)
