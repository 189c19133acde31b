"""What `helm test` runs passes with the rights of its own account, and tells what is wrong."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
import yaml

from cluster.control_plane import ROOT
from cluster.world import World
from tools.accounts import write_kubeconfig

pytestmark = pytest.mark.cluster

VALUES = (
    "image.repository=registry.example/novahunt-operator,image.tag=test,fullnameOverride=novahunt,"
    "collector.image.repository=registry.example/novahunt-collector,collector.image.tag=test"
)


def kubeconfig_of_the_tests_account(world: World) -> Path:
    """Make the account and rights that the chart's hook has."""
    chart, template = str(ROOT / "charts/novahunt"), "templates/tests/selftest.yaml"
    words = ("template", "novahunt", chart, "-n", world.namespace, "--set", VALUES, "--show-only", template)
    for manifest in yaml.safe_load_all(world.plane.helm(*words)):
        if manifest["kind"] != "Pod":
            world.plane.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))
    token = world.plane.kubectl("create", "token", "novahunt-selftest", "-n", world.namespace).strip()
    file = world.folder / "selftest.kubeconfig"
    write_kubeconfig(file, admin=world.plane.kubeconfig, token=token)
    return file


async def selftest(world: World, kubeconfig: Path, **settings: str) -> tuple[int, list[str]]:
    """Run it as a process; return how it ended and what it told."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT / 'common'}:{ROOT / 'operator'}",
        "KUBECONFIG": str(kubeconfig),
        "NOVAHUNT_NAMESPACES": world.namespace,
        "NOVAHUNT_SELFTEST_OPERATOR": f"http://127.0.0.1:{world.operator.health_port}",
        **settings,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "novahunt_operator.selftest", env=environment, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode().splitlines()


async def test_a_working_release_passes_and_leaves_nothing_behind(world: World) -> None:
    kubeconfig = kubeconfig_of_the_tests_account(world)
    assert await selftest(world, kubeconfig) == (
        0,
        [f"ok: namespace {world.namespace} takes both kinds", "ok: the operator is ready"],
    )
    assert world.plane.kubectl("get", "dcol,dres", "-n", world.namespace, "-o", "name") == ""


async def test_a_namespace_without_its_role_fails_and_is_named(world: World) -> None:
    kubeconfig = kubeconfig_of_the_tests_account(world)
    code, lines = await selftest(world, kubeconfig, NOVAHUNT_NAMESPACES=f"default,{world.namespace}")
    assert code == 1
    assert lines[0].startswith("FAILED: namespace default: the test's own account may not look")
    assert lines[1:] == [f"ok: namespace {world.namespace} takes both kinds", "ok: the operator is ready"]
