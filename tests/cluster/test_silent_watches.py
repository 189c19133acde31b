"""Connections to the API server that fall silent without ending: all watches find that out and go on."""

from pathlib import Path

import pytest
import yaml

from cluster.control_plane import ControlPlane
from cluster.freezing_relay import freezing_relay
from cluster.world import World
from tools.accounts import write_kubeconfig

pytestmark = pytest.mark.cluster


def kubeconfig_through(world: World, server: str) -> Path:
    """Write a kubeconfig of the operator's account that reaches the API server through a relay."""
    token = world.plane.kubectl("create", "token", "novahunt", "-n", world.namespace, "--duration=1h").strip()
    path = world.folder / "relayed"
    write_kubeconfig(path, admin=world.plane.kubeconfig, token=token)
    found = yaml.safe_load(path.read_text())
    found["clusters"][0]["cluster"]["server"] = server
    path.write_text(yaml.safe_dump(found))
    return path


def server_of(plane: ControlPlane) -> str:
    return str(yaml.safe_load(plane.kubeconfig.read_text())["clusters"][0]["cluster"]["server"])


# A silent watch is given up after 100 s.
@pytest.mark.timeout(330, func_only=True)
async def test_a_collection_made_while_every_watch_is_silent_is_carried_out_when_they_are_opened_again(
    world: World,
) -> None:
    async with freezing_relay(server_of(world.plane)) as relay:
        world.operator.stop()
        world.operator.kubeconfig = kubeconfig_through(world, relay.url)
        world.operator.start()
        world.simulator.set_domain("before.example", 12)
        world.simulator.set_domain("after.example", 34)
        world.apply("before", ["before.example"])
        await world.ready("before")
        # Four watches and the lease: idle connections of calls have been closed.
        await world.until_true(lambda: relay.carrying <= 5, "left with its watches alone")
        process = world.operator.pid
        relay.freeze()
        world.apply("after", ["after.example"])
        assert (await world.ready("after", 200)).status.emails == 34
        assert world.operator.pid == process is not None, "nobody started it again"
