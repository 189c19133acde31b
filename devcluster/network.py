"""The network namespace of a whole node: made, joined to the machine by one wire, and removed."""

import json
import os
from ipaddress import IPv4Address
from pathlib import Path

from devcluster.allocation import Link, all_links
from devcluster.commands import run
from devcluster.errors import ProgramError, RefusedInputError
from devcluster.record import ClusterRecord
from devcluster.requirements import find_command

NAMESPACES = Path("/run/netns")
INTERFACES = Path("/sys/class/net")


def _ip(*words: str) -> str:
    return run([find_command("ip") or "ip", *words])


def addresses_in_use() -> list[IPv4Address]:
    """Every IPv4 address of the machine's own interfaces."""
    return [
        IPv4Address(address["local"])
        for interface in json.loads(_ip("-json", "-4", "address", "show") or "[]")
        for address in interface.get("addr_info", [])
        if "local" in address
    ]


def exists(namespace: str) -> bool:
    """Whether a network namespace of that name is there, whoever made it."""
    return (NAMESPACES / namespace).exists()


def refuse_taken(namespace: str) -> None:
    """Refuse a namespace that is there already; asked before a cluster is recorded, whose `down` would remove it."""
    if exists(namespace):
        raise RefusedInputError(
            f"a network namespace {namespace} is there already and belongs to no cluster of this run folder. Another "
            f"run folder may have a cluster of this name: choose another --name, or: ip netns delete {namespace}"
        )


def links_in_use() -> list[int]:
    """The links whose interface is there, such as those of another run folder's clusters."""
    return [link.index for link in all_links() if (INTERFACES / link.interface).exists()]


def make(record: ClusterRecord, link: Link) -> None:
    """Make the namespace and the wire. Only one address of the machine is on it; nothing is forwarded outside."""
    namespace = record.namespace
    _ip("netns", "add", namespace)
    # Both ends are born in their places, so that no interface of a common name appears on the machine.
    _ip("link", "add", link.interface, "type", "veth", "peer", "name", "eth0", "netns", namespace)
    _ip("address", "add", f"{link.host}/{link.network.prefixlen}", "dev", link.interface)
    _ip("link", "set", link.interface, "up")
    inside = ("-netns", namespace)
    _ip(*inside, "link", "set", "lo", "up")
    _ip(*inside, "address", "add", f"{link.node}/{link.network.prefixlen}", "dev", "eth0")
    _ip(*inside, "link", "set", "eth0", "up")
    # Packets to a Service's address need some route before kube-proxy's rules change where they go.
    _ip(*inside, "route", "add", "default", "via", str(link.host))


def enter(record: ClusterRecord) -> tuple[str, ...]:
    """The words before a command that put it into the namespace.

    Not `ip netns exec`: that mounts /sys anew, and the control groups would be gone.
    """
    return (find_command("nsenter") or "nsenter", f"--net={NAMESPACES / record.namespace}")


def remove(record: ClusterRecord, link: Link) -> None:
    """Remove the wire and the namespace; what is gone already is fine."""
    if (INTERFACES / link.interface).exists():
        try:
            _ip("link", "delete", link.interface)
        except ProgramError as failed:
            # The kernel may take it away by itself in this moment, when the namespace's last process has ended.
            if "Cannot find device" not in str(failed):
                raise
    if exists(record.namespace):
        _ip("netns", "delete", record.namespace)


def remove_common_folder() -> None:
    """Undo what the first `ip netns add` did to `/run/netns` (a mount of the folder onto itself), once it is empty.

    Whoever makes a namespace at this moment wins, and the folder stays.
    """
    try:
        if any(NAMESPACES.iterdir()):
            return
        # Several, if two `ip netns add` were the first at once.
        while os.path.ismount(NAMESPACES):
            run([find_command("umount") or "umount", "--no-canonicalize", NAMESPACES])
        NAMESPACES.rmdir()
    except (OSError, ProgramError):
        return
