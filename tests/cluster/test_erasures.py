"""deletionPolicy Delete on a volume: the documents go with their collection, whoever is down, and nothing else does."""

from pathlib import Path
from typing import Any

import pytest

from cluster.test_collections import fill
from cluster.world import World
from hunter_simulator import Fault, Proceed
from novahunt_api import names

pytestmark = pytest.mark.cluster

VOLUME = {"persistentVolumeClaim": {"claimName": "collections"}}
DELETE: dict[str, Any] = {"deletionPolicy": "Delete", "storage": VOLUME, "concurrency": 4}


def files(world: World, name: str) -> list[str]:
    """Return the files of a collection's folder; a folder that is gone has none."""
    folder: Path = world.kubelet.folder / name
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


async def erased(world: World, name: str) -> bool:
    await world.until_true(lambda: not (world.kubelet.folder / name).exists(), f"the folder of {name} is gone")
    await world.gone("jobs,pods,domainresults", name)
    return True


async def test_the_documents_and_their_folder_go_with_the_collection(world: World) -> None:
    fill(world)
    world.make_claim("collections")
    world.apply("gone", ["small.example", "pages.example"], **DELETE)
    world.apply("stays", ["small.example"], storage=VOLUME)
    await world.ready("gone")
    await world.ready("stays")
    assert files(world, "gone") == ["pages.example.json", "small.example.json"]
    world.delete("gone")
    assert await erased(world, "gone")
    assert files(world, "stays") == ["small.example.json"]


async def test_what_is_deleted_while_the_operator_is_down_is_erased_when_it_is_back(world: World) -> None:
    fill(world)
    world.make_claim("collections")
    world.apply("down", ["small.example"], **DELETE)
    await world.ready("down")
    world.operator.kill()
    world.delete("down")
    assert files(world, "down") == ["small.example.json"]
    world.operator.start()
    assert await erased(world, "down")


async def test_a_run_at_work_leaves_nothing_behind(world: World) -> None:
    world.simulator.set_domain("slow.example", 230)
    world.simulator.add_fault(Fault(action=Proceed(), offset=100, delay=3, times=1))
    world.make_claim("collections")
    world.apply("busy", ["slow.example"], **DELETE)
    await world.until_true(lambda: "slow.example" in world.kubelet.started, "started")
    world.delete("busy")
    assert await erased(world, "busy")


async def test_one_of_the_same_name_waits_and_collects_anew(world: World) -> None:
    fill(world)
    world.make_claim("collections")
    world.apply("twice", ["small.example"], **DELETE)
    await world.ready("twice")
    before = world.simulator.report().of_domain("small.example").requests
    world.delete("twice")
    world.apply("twice", ["small.example"], **DELETE)
    await world.ready("twice")
    assert world.simulator.report().of_domain("small.example").requests > before
    assert files(world, "twice") == ["small.example.json"]


async def test_a_policy_that_is_changed_to_retain_keeps_the_documents(world: World) -> None:
    fill(world)
    world.make_claim("collections")
    world.apply("kept", ["small.example"], **DELETE)
    await world.ready("kept")
    world.apply("kept", ["small.example"], **DELETE | {"deletionPolicy": "Retain"})
    owners = "{.items[*].metadata.ownerReferences[*].uid}"
    tasks = "{.items[*].metadata.annotations.novahunt\\.io/task}"
    await world.until_true(lambda: not _told(world, "kept", "dres", owners), "its result is not the collection's")
    await world.until_true(lambda: not _told(world, "kept", "jobs", tasks), "nothing is to be erased")
    world.delete("kept")
    assert files(world, "kept") == ["small.example.json"]


async def test_where_the_claim_is_gone_nothing_is_left_waiting(world: World) -> None:
    fill(world)
    world.make_claim("collections")
    world.apply("claimless", ["small.example"], **DELETE)
    await world.ready("claimless")
    world.operator.kill()
    world.delete("claimless")
    world.plane.kubectl("delete", "pvc", "collections", "-n", world.namespace, "--timeout=60s")
    world.operator.start()
    await world.gone("jobs,pods,domainresults", "claimless")


def _told(world: World, name: str, kind: str, path: str) -> str:
    """Read a field of all objects of a kind that are a collection's."""
    selector = f"{names.COLLECTION_LABEL}={name}"
    return world.plane.kubectl("get", kind, "-n", world.namespace, "-l", selector, "-o", f"jsonpath={path}")
