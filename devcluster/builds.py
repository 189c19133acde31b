"""`build`: everything that a cluster is made of, as far as the cache lacks it."""

import platform
from collections.abc import Collection
from enum import StrEnum
from pathlib import Path
from typing import Final

from devcluster import base_image, images, programs, requirements, versions
from devcluster.cache import Entry
from devcluster.programs import Programs

_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


class Part(StrEnum):
    """What can be built alone."""

    KUBERNETES = "kubernetes"
    COREDNS = "coredns"
    KWOK = "kwok"
    HELM = "helm"
    PAUSE = "pause"
    KUBE_ROUTER = "kube-router"
    PROMTOOL = "promtool"
    PROMETHEUS = "prometheus"
    BASE_IMAGE = "base-image"


CONTROL_PLANE: Final = frozenset({Part.KUBERNETES, Part.KWOK, Part.HELM})
WHOLE_NODE: Final = frozenset({*CONTROL_PLANE, Part.COREDNS, Part.PAUSE})


def pause_archive(cache: Path) -> Entry:
    """Where the cache has the pause image."""
    program = programs.entry(programs.PAUSE, cache)
    return Entry(cache, "pause-image", program.key)


def build(cache: Path, parts: Collection[Part] = frozenset(Part)) -> Programs:
    """Build these parts; those that the cache has take no time."""
    cache.mkdir(parents=True, exist_ok=True)
    for program in programs.ALL:
        if Part(program.name) in parts:
            programs.build(program, cache, lambda: requirements.ensure_go(cache))
    if Part.PAUSE in parts:
        pause_archive(cache).ensure(lambda folder: _write_pause_image(folder, cache))
    if Part.BASE_IMAGE in parts:
        base_image.build(cache)
    return Programs.cached(cache)


def _write_pause_image(folder: Path, cache: Path) -> None:
    images.write_single_file_image(
        folder / "image.tar",
        image=versions.PAUSE_IMAGE,
        program=Programs.cached(cache).pause / "pause",
        architecture=_ARCHITECTURES.get(platform.machine(), platform.machine()),
    )
