"""A watched namespace that is deleted or not there yet: the operator works in the others, and takes it up later."""

import json

import pytest

from cluster.control_plane import ControlPlane
from cluster.world import World, install
from novahunt_api import names

pytestmark = pytest.mark.cluster


async def test_a_namespace_without_its_role_does_not_stop_the_others(
    world: World, kinds: ControlPlane, namespace: str
) -> None:
    other = f"{namespace}-other"
    world.operator.stop()
    world.operator.settings["NOVAHUNT_NAMESPACES"] = f"{namespace},{other}"
    world.operator.start()
    world.apply("here", ["a.example"])
    await world.ready("here")
    assert f"namespace {other} is left out" in world.operator.log
    kinds.kubectl("create", "namespace", other)
    try:
        # Its Role comes with it, as an upgrade of the chart brings it.
        install(kinds, namespace, f"watchNamespaces={{{namespace},{other}}}")
        await world.until_true(lambda: world.operator.pid is None, "ended to begin anew")
        assert f"{other} can be worked in again" in world.operator.log
        world.operator.start()
        there = {
            "apiVersion": names.API_VERSION,
            "kind": "DomainCollection",
            "metadata": {"name": "there", "namespace": other},
            "spec": {"domains": ["b.example"], "suspend": True},
        }
        kinds.kubectl("apply", "-f", "-", stdin=json.dumps(there))
        shown = ("get", "dcol", "there", "-n", other, "-o", "jsonpath={.status.observedGeneration}")
        await world.until_true(lambda: kinds.kubectl(*shown) == "1", "worked in there")
    finally:
        kinds.kubectl("delete", "namespace", other, "--wait=false")
