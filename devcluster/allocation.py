"""Gives each cluster a name, ports and addresses that no other has."""

import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from devcluster.errors import RefusedInputError

NAME: Final = re.compile(r"[a-z]([a-z0-9-]{0,14}[a-z0-9])?")
"""It becomes part of a network namespace, a node and a socket's path."""

LINKS: Final = IPv4Network("10.88.200.0/24")
"""One /30 of it joins the machine to each cluster's network namespace. 10.88.0.0/16 is known from container tools,
but its upper end is unused by them."""

PODS: Final = "10.244.0.0/16"
SERVICES: Final = "10.96.0.0/16"
API_SERVICE: Final = "10.96.0.1"
DNS_SERVICE: Final = "10.96.0.10"

PORTS: Final = range(21000, 29000)
"""Below the range from which Linux takes ports for outgoing connections (32768 and up)."""


def checked_name(name: str) -> str:
    """The name, or a refusal that says what a name is."""
    if not NAME.fullmatch(name):
        raise RefusedInputError(f"cluster name {name!r}: 1 to 16 of a-z, 0-9 and '-', a letter first, no '-' last")
    return name


@dataclass(frozen=True)
class Link:
    """The two ends of the wire between the machine and a cluster's network namespace."""

    index: int

    @property
    def network(self) -> IPv4Network:
        """The /30 itself."""
        return list(LINKS.subnets(new_prefix=30))[self.index]

    @property
    def node(self) -> IPv4Address:
        """Where the API server and the node's ports are reached from the machine."""
        return self.network[1]

    @property
    def host(self) -> IPv4Address:
        """Where pods reach servers of the machine."""
        return self.network[2]

    @property
    def interface(self) -> str:
        """The machine's end; Linux allows 15 characters."""
        return f"nhdev{self.index}"


def all_links() -> list[Link]:
    """Every link there could be."""
    return [Link(index) for index in range(LINKS.num_addresses // 4)]


def free_link(taken: Iterable[int], in_use: Iterable[IPv4Address]) -> Link:
    """The first link that no recorded cluster has and no interface of the machine overlaps."""
    recorded = set(taken)
    addresses = list(in_use)
    for link in all_links():
        if link.index not in recorded and not any(address in link.network for address in addresses):
            return link
    raise RefusedInputError(
        f"all {LINKS.num_addresses // 4} address ranges of {LINKS} are taken; take clusters down first"
    )


def port_is_free(port: int) -> bool:
    """Whether nothing listens on this port of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@dataclass(frozen=True)
class Ports:
    """The ports of a control plane."""

    api: int
    etcd: int
    etcd_peer: int
    controllers: int
    scheduler: int
    simulator: int


IN_OWN_NAMESPACE: Final = Ports(
    api=6443, etcd=2379, etcd_peer=2380, controllers=10257, scheduler=10259, simulator=10247
)
"""A whole node has its network for itself, so every component has its usual port."""


def free_ports(taken: Iterable[Ports], is_free: Callable[[int], bool] = port_is_free) -> Ports:
    """Ports that are free now and that no recorded cluster has."""
    recorded = {
        port
        for ports in taken
        for port in (
            ports.api,
            ports.etcd,
            ports.etcd_peer,
            ports.controllers,
            ports.scheduler,
            ports.simulator,
        )
    }
    wanted = len(Ports.__dataclass_fields__)
    found: list[int] = []
    for port in PORTS:
        if port not in recorded and is_free(port):
            found.append(port)
            if len(found) == wanted:
                return Ports(*found)
    raise RefusedInputError(f"no {wanted} free ports in {PORTS.start} to {PORTS.stop - 1}")
