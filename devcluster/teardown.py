"""Takes a cluster down so that nothing of it is left, whatever state it is in."""

import shutil
from pathlib import Path

from devcluster import containers, network
from devcluster.allocation import Link
from devcluster.errors import LeftBehindError
from devcluster.paths import RunFolder
from devcluster.processes import ProcessTable, end_all, marked
from devcluster.record import ClusterRecord, Kind, Registry


def take_down(registry: Registry, name: str) -> bool:
    """Take a cluster down, whole or in parts; says whether there was anything. The caller holds its lock."""
    folder = registry.folder(name)
    if not registry.has(name):
        # The record is the first thing in the folder and the last thing removed, and all else comes in between.
        if folder.path.exists():
            _remove_empty(folder.path)
        return False
    record = registry.find(name)
    # First whatever would start something anew (kubelet, containerd), then what they started.
    end_all({*(started.identity for started in ProcessTable(folder.processes).read()), *marked(folder.path)})
    if record is not None and record.link is not None:
        _take_down_node(folder, record, record.link)
    if left := containers.mounts_below(folder.path):
        raise LeftBehindError(f"not removing {folder.path}, because there are mounts in it: {', '.join(left)}")
    # The record goes last, so that a `down` that is itself killed here knows what is still to be done.
    for entry in folder.path.iterdir():
        if entry not in {folder.record, folder.new_record}:
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    if record is not None and record.link is not None:
        _remove_common_leftovers(registry, record)
    shutil.rmtree(folder.path)
    return True


def _remove_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError as error:
        raise LeftBehindError(f"{folder} is no cluster's folder and has something in it; not touching it") from error


def _take_down_node(folder: RunFolder, record: ClusterRecord, link: Link) -> None:
    # A shim that was being born while containerd was ended carries the mark too.
    end_all(marked(folder.path))
    containers.end(folder)
    containers.remove_cgroups(folder)
    containers.remove_shim_sockets(folder)
    containers.remove_network_results(folder)
    _remove_log_links(folder)
    containers.unmount_all(folder.path)
    network.remove(record, link)


def _remove_log_links(folder: RunFolder) -> None:
    """The kubelet keeps links to containers' logs in a place that cannot be configured."""
    logs = Path("/var/log/containers")
    for link in logs.glob("*.log") if logs.is_dir() else ():
        if link.is_symlink() and str(link.readlink()).startswith(f"{folder.path}/"):
            link.unlink()


def _remove_common_leftovers(registry: Registry, record: ClusterRecord) -> None:
    """What kubelet and containerd leave in fixed places, once no other whole node is there that could use them.

    Folders go only if empty, so that another kubelet's or containerd's are left alone.
    """
    if any(other.kind is Kind.NODE and other.name != record.name for other in registry.all()):
        return
    plugins = Path("/var/lib/kubelet/device-plugins")
    if {entry.name for entry in plugins.glob("*")} <= {"kubelet.sock", "DEPRECATION", "kubelet_internal_checkpoint"}:
        for file in plugins.glob("*"):
            file.unlink(missing_ok=True)
    with registry.allocation_lock():
        network.remove_common_folder()
    folders = [
        plugins,
        plugins.parent,
        *(Path("/run/containerd") / inner for inner in ("s", "runc/k8s.io", "runc", "io.containerd.runtime.v2.task")),
        Path("/run/containerd"),
        Path("/var/log/containers"),
        *(Path("/var/lib/cni") / inner for inner in ("results", "cache", ".")),
        *containers.common_cgroups(),
    ]
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            # In use, or not there.
            continue
