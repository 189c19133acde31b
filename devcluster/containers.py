"""Finds and removes what a cluster's containers are to the kernel: processes, control groups, mounts, sockets.

Containers outlive containerd and their shims when those are killed, so they are found without asking them: a
container's process has a root file system that lies below the cluster's run folder.
"""

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from devcluster.commands import run
from devcluster.errors import LeftBehindError
from devcluster.paths import RunFolder
from devcluster.processes import Identity, end_all, identity_of
from devcluster.requirements import find_command

CGROUPS: Final = Path("/sys/fs/cgroup")
_NAMESPACE: Final = "k8s.io"
"""The containerd namespace of the kubelet, and the control group folder that containerd names after it."""
_ROUNDS: Final = 20
_POINT: Final = 4
"""The field of a mountinfo line that has the mount point (proc(5))."""


def unescape(mount_point: str) -> str:
    """A mount point as mountinfo writes it: blanks and backslashes are octal (proc(5))."""
    return mount_point.encode("latin-1").decode("unicode_escape").encode("latin-1").decode(errors="surrogateescape")


def mounts_below(folder: Path, mountinfo: Path = Path("/proc/self/mountinfo")) -> list[str]:
    """Every mount at or below a folder, the innermost and latest first."""
    points = []
    with mountinfo.open(encoding="latin-1") as lines:
        for line in lines:
            point = unescape(line.split(" ")[_POINT])
            if point == str(folder) or point.startswith(f"{folder}/"):
                points.append(point)
    return points[::-1]


def unmount_all(folder: Path) -> None:
    """Unmount everything below a folder; refuses to end with a mount left, because removal would follow it."""
    for _ in range(_ROUNDS):
        points = mounts_below(folder)
        if not points:
            return
        for point in points:
            # Lazily: a dead container's file system may still be held for a moment.
            run([find_command("umount") or "umount", "--lazy", "--no-canonicalize", point])
    raise LeftBehindError(f"still mounted: {', '.join(mounts_below(folder))}")


def ids(folder: RunFolder) -> list[str]:
    """The containers, pods' sandboxes among them, that containerd has a bundle of."""
    return [bundle.name for bundle in folder.containerd.glob(f"state/io.containerd.runtime.v2.task/{_NAMESPACE}/*")]


def rooted_below(folder: Path, proc: Path = Path("/proc")) -> list[Identity]:
    """Every process whose root file system is an overlay that is kept below this folder."""
    # An image's own file systems need no escaping: their paths are containerd's and the run folder's.
    upper = f"upperdir={folder}/"
    found = []
    for entry in proc.iterdir():
        if not entry.name.isdigit():
            continue
        identity = identity_of(int(entry.name), proc)
        try:
            lines = (entry / "mountinfo").read_text(encoding="latin-1").splitlines()
        except OSError:
            continue
        if identity is not None and any(upper in line for line in lines if line.split(" ")[_POINT] == "/"):
            found.append(identity)
    return found


def cgroup_folders(containers: Iterable[str], root: Path = CGROUPS) -> list[Path]:
    """These containers' control groups in every hierarchy, whether the machine has one (v2) or many (v1)."""
    hierarchies = [root, *(entry for entry in root.glob("*") if entry.is_dir() and not entry.is_symlink())]
    known = set(containers)
    return [
        group
        for hierarchy in hierarchies
        for group in (hierarchy / _NAMESPACE).glob("*")
        if group.name in known and group.is_dir()
    ]


def _members(group: Path) -> Iterator[Identity]:
    for file in group.rglob("cgroup.procs"):
        try:
            pids = file.read_text().split()
        except OSError:
            continue
        for pid in pids:
            if identity := identity_of(int(pid)):
                yield identity


def end(folder: RunFolder) -> None:
    """End every process of the cluster's containers; containerd and the shims must have ended before."""
    for _ in range(_ROUNDS):
        groups = cgroup_folders(ids(folder))
        members = {*rooted_below(folder.path), *(member for group in groups for member in _members(group))}
        if not members:
            return
        end_all(members)
    raise LeftBehindError(f"containers of {folder.path} start processes faster than they can be ended")


def remove_cgroups(folder: RunFolder) -> None:
    """Remove the control groups of containers that have ended."""
    for group in cgroup_folders(ids(folder)):
        for inner, _, _ in os.walk(group, topdown=False):
            _remove_cgroup(Path(inner))


def _remove_cgroup(folder: Path) -> None:
    until = time.monotonic() + 5
    while True:
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError as error:
            # Busy until the kernel has buried its last process.
            if time.monotonic() > until:
                raise LeftBehindError(f"control group {folder}: {error}") from error
            time.sleep(0.02)
        else:
            return


def common_cgroups(root: Path = CGROUPS) -> list[Path]:
    """The folders that all containerds of this machine share; they can be removed only when empty."""
    return [root / _NAMESPACE, *root.glob(f"*/{_NAMESPACE}")]


def remove_shim_sockets(folder: RunFolder) -> None:
    """Shims keep their sockets in a folder common to every containerd; each writes down which one is its own."""
    for note in folder.containerd.glob(f"state/io.containerd.runtime.v2.task/{_NAMESPACE}/*/address"):
        socket = note.read_text().strip().removeprefix("unix://")
        if socket.startswith("/run/containerd/s/"):
            Path(socket).unlink(missing_ok=True)


def remove_network_results(folder: RunFolder) -> None:
    """CNI remembers each attachment in a folder common to all, as NETWORK-CONTAINER-INTERFACE."""
    for container in ids(folder):
        for result in Path("/var/lib/cni/results").glob(f"*-{container}-*"):
            result.unlink(missing_ok=True)
