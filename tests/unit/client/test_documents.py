"""Documents out of ConfigMaps, for exports: whole, in order, and named when they are damaged."""

import os
from pathlib import Path

import msgspec
import pytest

from builders import KEY, result
from novahunt_api import parts, paths
from novahunt_api.domainresults import Place, Result, VolumePlace
from novahunt_client.documents import ConfigMapDocuments, FolderDocuments, UnreadableError
from novahunt_contract import document
from novahunt_contract.document import Document, Item
from novahunt_contract.receipt import ConfigMapPlace
from unit.operator.memory_cluster import MemoryCluster


def stored(cluster: MemoryCluster, domain: str, addresses: int = 2) -> Result:
    """Have a document in the cluster, and return the result that tells of it."""
    items = tuple(Item(f"x{number}@{domain}", None, None, 0.5, None) for number in range(addresses))
    data = document.encode(Document(domain, items, addresses, "", "", ""))
    split = parts.split(domain, data)
    names = tuple(f"{domain}-{number}" for number in range(len(split.contents)))
    for number, name in enumerate(names):
        body = {"metadata": {"name": name, "namespace": KEY.namespace}, **split.fields(number)}
        cluster.put(paths.config_maps(KEY.namespace, name), body)
    return result(domain, storage=Place(config_map=ConfigMapPlace(names, split.key)))


async def read(cluster: MemoryCluster, *results: Result) -> list[Document]:
    return [one async for one in ConfigMapDocuments(cluster, KEY.namespace, results).each()]


@pytest.fixture
async def cluster() -> MemoryCluster:
    return MemoryCluster()


async def test_they_come_by_domain_however_many_there_are(cluster: MemoryCluster) -> None:
    results = [stored(cluster, f"d{number:02}.example") for number in range(25)]
    found = await read(cluster, *reversed(results), result("none.example", storage=None))
    assert [one.domain for one in found] == [one.domain for one in results]
    assert all(one.total == 2 for one in found)
    await cluster.close()


async def test_a_packed_one_is_whole(cluster: MemoryCluster) -> None:
    found = await read(cluster, stored(cluster, "large.example", 5000))
    assert found[0].total == 5000
    await cluster.close()


async def test_one_that_is_removed_meanwhile_is_left_out(cluster: MemoryCluster) -> None:
    kept, gone = stored(cluster, "kept.example"), stored(cluster, "gone.example")
    del cluster.objects[paths.config_maps(KEY.namespace, "gone.example-0")]
    assert [one.domain for one in await read(cluster, kept, gone)] == ["kept.example"]
    await cluster.close()


async def test_one_that_is_damaged_or_on_a_volume_is_named(cluster: MemoryCluster) -> None:
    damaged = stored(cluster, "damaged.example")
    cluster.objects[paths.config_maps(KEY.namespace, "damaged.example-0")]["data"] = {"damaged.example.json": "{"}
    with pytest.raises(UnreadableError, match=r"damaged\.example is damaged"):
        await read(cluster, stored(cluster, "a.example"), damaged)
    place = Place(persistent_volume_claim=VolumePlace("claim", "q4"))
    with pytest.raises(UnreadableError, match=r"far\.example lies on a volume"):
        await read(cluster, result("far.example", storage=place))
    await cluster.close()


def on_volume(root: Path, domain: str, path: str = "q4") -> Result:
    """Have a document on a volume, and return the result that tells of it."""
    folder = root / path
    folder.mkdir(parents=True, exist_ok=True)
    item = Item(f"x@{domain}", None, None, 0.5, None)
    (folder / f"{domain}.json").write_bytes(document.encode(Document(domain, (item,), 1, "", "", "")))
    return result(domain, storage=Place(persistent_volume_claim=VolumePlace("claim", path)))


async def off(root: Path, *results: Result) -> list[str]:
    return [one.domain async for one in FolderDocuments(root, results).each()]


async def test_files_come_by_domain_and_those_that_are_gone_are_left_out(tmp_path: Path) -> None:
    results = [on_volume(tmp_path, "b.example"), on_volume(tmp_path, "a.example", "deep/er")]
    gone = result("gone.example", storage=Place(persistent_volume_claim=VolumePlace("claim", "q9")))
    assert await off(tmp_path, *results, gone) == ["a.example", "b.example"]


@pytest.mark.parametrize("path", ["..", "q4/../..", "/etc", "link"])
async def test_no_place_leads_out_of_the_claim(tmp_path: Path, path: str) -> None:
    root = tmp_path / "claim"
    on_volume(root, "kept.example")
    outside = on_volume(tmp_path, "a.example", "outside")
    (root / "link").symlink_to(tmp_path / "outside")
    wrong = msgspec.structs.replace(outside, storage=Place(persistent_volume_claim=VolumePlace("claim", path)))
    with pytest.raises(UnreadableError):
        await off(root, wrong)


@pytest.mark.parametrize("domain", ["../outside/a.example", ".hidden.example", "a/b.example"])
async def test_no_domain_leads_out_of_the_folder(tmp_path: Path, domain: str) -> None:
    on_volume(tmp_path, "a.example", "outside")
    on_volume(tmp_path, "kept.example", "q4")
    forged = result(domain, storage=Place(persistent_volume_claim=VolumePlace("claim", "q4")))
    with pytest.raises(UnreadableError, match="no domain's document"):
        await off(tmp_path, forged)


async def test_what_is_no_plain_file_is_named(tmp_path: Path) -> None:
    held = on_volume(tmp_path, "a.example")
    file = tmp_path / "q4" / "a.example.json"
    secret = tmp_path / "secret"
    secret.write_text("{}")
    file.unlink()
    file.symlink_to(secret)
    with pytest.raises(UnreadableError, match=r"a\.example can't be read"):
        await off(tmp_path, held)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(UnreadableError, match=r"a\.example is no plain file"):
        await off(tmp_path, held)
