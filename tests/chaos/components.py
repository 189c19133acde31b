"""Kills a component of a cluster of the cluster tool, and brings it back after a while."""

import asyncio
import sys

from chaos.ground import Ground
from cluster.control_plane import ROOT
from devcluster import components
from devcluster.paths import run_root
from devcluster.record import Registry


def kill_component(ground: Ground, cluster: str, component: str, down: float) -> None:
    """End it at once; `ground.recovered` waits until it is back, so many seconds later."""
    components.kill(Registry(run_root()), cluster, component)
    ground.later(_restart(cluster, component, down))


async def _restart(cluster: str, component: str, down: float) -> None:
    await asyncio.sleep(down)
    # As a process of its own: what it starts must outlive this one's test.
    words = ("-m", "devcluster", "restart", component, "--name", cluster)
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise AssertionError(f"{component} did not come back: {said.decode()}")
