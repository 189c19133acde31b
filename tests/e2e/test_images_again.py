"""An image has the same digest whenever, wherever and by whomever it is built from the same files."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from devcluster import base_image, images, requirements
from devcluster.images import Buildah
from devcluster.paths import cache_root
from tools.images import COLLECTOR, SIMULATOR, Image, labels
from tools.shell import ROOT

pytestmark = [pytest.mark.node, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def buildah() -> Buildah:
    requirements.ensure(requirements.IMAGE_TOOLS)
    found = Buildah(cache_root())
    base_image.provide(cache_root(), found)
    return found


@pytest.fixture
def tags(buildah: Buildah) -> Iterator[tuple[str, str]]:
    found = tuple(f"localhost/novahunt-again-{os.getpid()}:{number}" for number in (1, 2))
    yield found[0], found[1]
    for tag in found:
        if buildah.identity(tag) is not None:
            buildah.run("rmi", tag)


def copied(image: Image, folder: Path, *, seconds: int, mask: int) -> Path:
    """Copy what an image is built from, as if another person had checked it out at another time."""
    for source in (image.dockerfile, *image.sources):
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, folder / source, dirs_exist_ok=True)
        else:
            (folder / source).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, folder / source)
    for path in folder.rglob("*"):
        path.chmod((0o777 if path.is_dir() else 0o666) & ~mask)
        os.utime(path, (seconds, seconds))
    return folder


@pytest.mark.parametrize("image", [COLLECTOR, SIMULATOR], ids=lambda image: image.name)
def test_the_same_files_give_the_same_image(
    image: Image, buildah: Buildah, tags: tuple[str, str], tmp_path: Path
) -> None:
    checkouts = (
        copied(image, tmp_path / "one", seconds=1_000_000_000, mask=0o022),
        copied(image, tmp_path / "another", seconds=1_700_000_000, mask=0o002),
    )
    for tag, checkout in zip(tags, checkouts, strict=True):
        plan = images.Plan(
            tag=tag, file=checkout / image.dockerfile, context=checkout / image.context, labels=labels(), fresh=True
        )
        images.build(buildah, plan)
    first, second = (buildah.identity(tag) for tag in tags)
    assert first is not None
    assert first == second
    archives = (tmp_path / "1.tar", tmp_path / "2.tar")
    for archive in archives:
        images.save(buildah, tags[0], archive)
    assert archives[0].read_bytes() == archives[1].read_bytes()


def test_another_label_or_time_gives_another_image(buildah: Buildah, tags: tuple[str, str], tmp_path: Path) -> None:
    context = copied(SIMULATOR, tmp_path, seconds=0, mask=0o022) / SIMULATOR.context
    identities = set()
    for said, timestamp in ((labels(), 0), (labels(revision="0" * 40), 0), (labels(), 1)):
        images.build(buildah, images.Plan(tags[0], context / "Dockerfile", context, said, timestamp))
        identities.add(buildah.identity(tags[0]))
    assert len(identities) == 3
