"""The stand-in for the Python base image, put together from Debian's packages, because no registry is asked for it."""

import os
import shutil
from pathlib import Path
from typing import Final

from devcluster import requirements, versions
from devcluster.cache import Entry, digest, locked
from devcluster.commands import Progress, run_long
from devcluster.images import Buildah

_PACKAGES: Final = ("ca-certificates", "python3.13", "python3.13-venv", "python3-pip")
_RECIPE: Final = b"1"
"""Raised when the steps below change, so that an older result is not taken for theirs."""

_ARCHIVE: Final = "image.tar"


def entry(cache: Path) -> Entry:
    """Where the cache has the base image's archive."""
    key = digest(versions.BASE_IMAGE.encode(), versions.BASE_SUITE.encode(), " ".join(_PACKAGES).encode(), _RECIPE)
    return Entry(cache, "base-image", f"python-3.13-{key}")


def build(cache: Path) -> Path:
    """The archive of the base image, made if the cache lacks it."""
    place = entry(cache)
    if not place.present:
        requirements.need_root("making the base image")
        requirements.ensure(requirements.BASE_IMAGE_TOOLS)
    return place.ensure(lambda folder: _make(folder, cache)) / _ARCHIVE


def _make(folder: Path, cache: Path) -> None:
    log = cache / "logs" / "base-image.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    progress = Progress(f"making {versions.BASE_IMAGE} from Debian {versions.BASE_SUITE}")
    system = folder / "system"
    run_long(
        ["debootstrap", "--variant=minbase", f"--include={','.join(_PACKAGES)}", versions.BASE_SUITE, system],
        progress=progress,
        log=log,
        environment={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )
    _make_slim(system)
    buildah = Buildah(cache)
    container = buildah.run("from", "--pull-never", "scratch").strip()
    try:
        buildah.run("add", "--quiet", container, system, "/")
        buildah.run("config", "--cmd", "python3", "--env", "LANG=C.UTF-8", container)
        buildah.run("config", "--env", "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", container)
        buildah.run("commit", "--quiet", container, f"docker-archive:{folder / _ARCHIVE}:{versions.BASE_IMAGE}")
    finally:
        buildah.run("rm", container)
    shutil.rmtree(system)
    progress.done("made")


def _make_slim(system: Path) -> None:
    """Give it the real image's habits: python and pip below /usr/local/bin, installing allowed, little else."""
    local = system / "usr/local/bin"
    for name, target in (("python", "python3.13"), ("python3", "python3.13"), ("python3.13", "python3.13")):
        (local / name).symlink_to(f"/usr/bin/{target}")
    (local / "pip").symlink_to("/usr/bin/pip3")
    for marker in system.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
        marker.unlink()
    for useless in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"):
        shutil.rmtree(system / useless, ignore_errors=True)
        (system / useless).mkdir(parents=True)
    for cache in system.rglob("__pycache__"):
        shutil.rmtree(cache)
    for log in (system / "var/log").rglob("*.log"):
        log.unlink()
    # This machine's own name servers and name are no part of an image.
    for file in ("etc/resolv.conf", "etc/hostname"):
        (system / file).unlink(missing_ok=True)


def provide(cache: Path, buildah: Buildah) -> None:
    """Have the base image in buildah's storage."""
    archive = build(cache)
    # A second name of the same image tells which recipe it is from.
    ours = f"localhost/devcluster-base:{entry(cache).key}"
    with locked(cache / "locks" / "images.lock"):
        if (known := buildah.identity(ours)) is None or known != buildah.identity(versions.BASE_IMAGE):
            buildah.run("pull", "--quiet", f"docker-archive:{archive}")
            buildah.run("tag", versions.BASE_IMAGE, ours)
