"""Fixtures for tests on a real control plane: no kubelet, no root."""

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cluster.control_plane import ROOT, ControlPlane, running
from cluster.world import World, running_world


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Time the tests without their fixtures: the first of them may have to build Kubernetes."""
    for item in items:
        if item.get_closest_marker("cluster") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(120, func_only=True))


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """A control plane of this process's own, or the one that `NOVAHUNT_TEST_CLUSTER` names."""
    with running(f"t{os.getpid()}", "--audit-log") as plane:
        yield plane


@pytest.fixture(scope="session")
def kinds(control_plane: ControlPlane) -> ControlPlane:
    """The control plane with both kinds of `crds/` served."""
    control_plane.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(ROOT / "crds"))
    control_plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", str(ROOT / "crds"))
    return control_plane


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """A namespace of this test's own."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    control_plane.kubectl("create", "namespace", name)
    yield name
    control_plane.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
async def world(kinds: ControlPlane, namespace: str, tmp_path: Path) -> AsyncIterator[World]:
    """A namespace with the chart's rights, a running operator, collectors as processes, and Hunter's stand-in."""
    async with running_world(kinds, namespace, tmp_path) as found:
        yield found
