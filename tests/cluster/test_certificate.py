"""The intake's certificate on a real control plane: made once, kept over restarts, renewed under collectors at work."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from cluster.world import World
from hunter_simulator import Fault, Proceed
from novahunt_operator import rotation
from novahunt_operator.authority import issue
from novahunt_operator.rotation import Kept

pytestmark = pytest.mark.cluster

SECRET = "novahunt-certificate"


def held(world: World) -> dict[str, bytes]:
    """Return what the Secret holds."""
    found = json.loads(world.plane.kubectl("get", "secret", SECRET, "-n", world.namespace, "-o", "json"))
    return {name: base64.b64decode(value) for name, value in found.get("data", {}).items()}


def put(world: World, kept: Kept) -> None:
    """Write into the Secret what the operator finds at its next start."""
    data = {name: base64.b64encode(value).decode() for name, value in kept.data().items()}
    patch = json.dumps({"data": data})
    world.plane.kubectl("patch", "secret", SECRET, "-n", world.namespace, "--type=merge", "-p", patch)


async def filled(world: World) -> Kept:
    await world.until_true(lambda: bool(held(world)), "the Secret is filled")
    kept = rotation.read(held(world))
    assert kept is not None
    return kept


async def test_the_chart_ships_the_secret_empty_and_an_upgrade_leaves_what_the_operator_put_there(world: World) -> None:
    first = (await filled(world)).data()
    world.plane.helm("upgrade", "novahunt", "charts/novahunt", "--namespace", world.namespace, "--reuse-values")
    assert held(world) == first
    world.operator.stop()
    world.operator.start()
    world.apply("after", ["a.example"])
    await world.ready("after")
    assert held(world) == first


async def test_a_collector_at_work_survives_a_renewal(world: World) -> None:
    kept = await filled(world)
    world.simulator.add_fault(Fault(action=Proceed(), domain="slow.example", delay=8))
    world.apply("renewed", ["slow.example"], retry={"maxAttempts": 1})
    await world.until_true(lambda: world.simulator.report(with_log=False).requests > 0, "asking Hunter")
    world.operator.stop()
    two_months_ago = datetime.now(UTC) - timedelta(days=61)
    old = issue(kept.authorities[0], kept.served["tls"].hosts, two_months_ago)
    put(world, Kept(kept.authorities, {"tls": old}))
    world.operator.start()
    # The document goes through the intake, by the one attempt that there is.
    await world.ready("renewed")
    assert world.simulator.report().of_domain("slow.example").requests == 1
    renewed = rotation.read(held(world))
    assert renewed is not None
    assert renewed.served["tls"].certificate != old.certificate
    assert renewed.authorities[0].certificate == kept.authorities[0].certificate
