"""The stand-in for the Python base image, put together from Debian's packages, because no registry is asked for it."""

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from devcluster import requirements, versions
from devcluster.cache import Entry, digest, locked
from devcluster.commands import Progress, run_long
from devcluster.images import Buildah

_PACKAGES: Final = ("ca-certificates", "python3.13", "python3.13-venv", "python3-pip")
_RECIPE: Final = b"2"
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
        # Its mounts go with it, even when it is killed: nobody may remove a folder that /proc hangs in.
        [
            "unshare",
            "--mount",
            "--",
            "debootstrap",
            "--variant=minbase",
            f"--include={','.join(_PACKAGES)}",
            versions.BASE_SUITE,
            system,
        ],
        progress=progress,
        log=log,
        # The epoch is what shadow's tools write as the day of the last change of a password.
        environment={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "SOURCE_DATE_EPOCH": "0"},
    )
    _make_slim(system)
    buildah = Buildah(cache)
    container = buildah.run("from", "--pull-never", "scratch").strip()
    try:
        buildah.run("add", "--quiet", container, system, "/")
        buildah.run("config", "--cmd", "python3", "--env", "LANG=C.UTF-8", container)
        buildah.run("config", "--env", "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", container)
        # One time for the image and every file, and no label with buildah's version: the same packages give the same
        # digest again.
        target = f"docker-archive:{folder / _ARCHIVE}:{versions.BASE_IMAGE}"
        buildah.run("commit", "--quiet", "--identity-label=false", "--timestamp", "0", container, target)
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
    for useless in ("var/cache/apt", "var/lib/apt/lists", "usr/share/man", "usr/share/locale"):
        shutil.rmtree(system / useless, ignore_errors=True)
        (system / useless).mkdir(parents=True)
        # Whatever this process's umask is.
        (system / useless).chmod(0o755)
    for cache in system.rglob("__pycache__"):
        shutil.rmtree(cache)
    # The licences stay: whoever passes the image on passes them on.
    _unlink(file for file in _files(system / "usr/share/doc") if file.name != "copyright")
    # This machine's own name servers and name are no part of an image.
    _unlink(system / name for name in ("etc/resolv.conf", "etc/hostname"))
    _forget_the_making(system)


def _forget_the_making(system: Path) -> None:
    """Remove what holds times, random numbers or the order of the work."""
    _unlink(_files(system / "var/log"))
    _unlink(system / name for name in ("var/cache/ldconfig/aux-cache", "etc/machine-id", "var/lib/dbus/machine-id"))
    for backups in ("var/lib/dpkg/*-old", "var/cache/debconf/*-old", "etc/*-"):
        _unlink(system.glob(backups))


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())


def _unlink(files: Iterable[Path]) -> None:
    for file in list(files):
        file.unlink(missing_ok=True)


def provide(cache: Path, buildah: Buildah) -> None:
    """Have the base image in buildah's storage."""
    archive = build(cache)
    # A second name of the same image tells which recipe it is from.
    ours = f"localhost/devcluster-base:{entry(cache).key}"
    with locked(cache / "locks" / "images.lock"):
        if (known := buildah.identity(ours)) is None or known != buildah.identity(versions.BASE_IMAGE):
            buildah.run("pull", "--quiet", f"docker-archive:{archive}")
            buildah.run("tag", versions.BASE_IMAGE, ours)
