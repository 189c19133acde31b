"""Tells what NetworkPolicies say of a connection: which rules allow it, or on whose side it is refused.

Read of Kubernetes' page on NetworkPolicies, 2026-11. What the chart does not render is not understood, and refused.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Literal

import msgspec

Direction = Literal["ingress", "egress"]


class Selector(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Labels that must be there; none: everything."""

    match_labels: dict[str, str] = {}

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether it picks what has these labels."""
        return self.match_labels.items() <= labels.items()


class IpBlock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A range of addresses."""

    cidr: str


class Peer(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Who may be at the other end."""

    pod_selector: Selector | None = None
    namespace_selector: Selector | None = None
    ip_block: IpBlock | None = None


class Port(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A port of the side that is called, by number or by its name in the pod."""

    port: int | str
    protocol: str = "TCP"


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Peers and ports; no peers: anybody; no ports: all of them."""

    ports: tuple[Port, ...] = ()
    from_: tuple[Peer, ...] = msgspec.field(default=(), name="from")
    to: tuple[Peer, ...] = ()


class Spec(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What a policy says."""

    pod_selector: Selector
    policy_types: tuple[Literal["Ingress", "Egress"], ...]
    ingress: tuple[Rule, ...] = ()
    egress: tuple[Rule, ...] = ()


class Metadata(msgspec.Struct, frozen=True):
    """A policy's name."""

    name: str
    namespace: str


class Policy(msgspec.Struct, frozen=True):
    """A NetworkPolicy."""

    metadata: Metadata
    spec: Spec


@dataclass(frozen=True)
class End:
    """One end of a connection; labels are None where it is no pod."""

    address: str
    namespace: str = ""
    name: str = ""
    labels: Mapping[str, str] | None = field(default=None, hash=False)
    ports: Mapping[str, int] = field(default_factory=dict, hash=False)
    """The pod's ports that have names."""

    def __str__(self) -> str:
        """Return who it is."""
        return f"{self.namespace}/{self.name}" if self.labels is not None else self.address


@dataclass(frozen=True)
class Connection:
    """Who called whom, at the addresses behind Services."""

    source: End
    destination: End
    port: int
    protocol: str

    def __str__(self) -> str:
        """Return it in a person's words."""
        return f"{self.source} to {self.destination} on {self.port}/{self.protocol}"


@dataclass(frozen=True, order=True)
class Used:
    """One rule of a policy, by its place."""

    policy: str
    direction: Direction
    number: int


@dataclass(frozen=True)
class Verdict:
    """Which rules allow a connection, and which sides' policies do not."""

    used: frozenset[Used]
    refused: tuple[Direction, ...]


def rules(policies: Iterable[Policy]) -> set[Used]:
    """Name every rule of these policies."""
    return {
        Used(policy.metadata.name, direction, number)
        for policy in policies
        for direction in ("ingress", "egress")
        for number in range(len(_of(policy.spec, direction)))
    }


def judge(policies: Sequence[Policy], connection: Connection, namespaces: Mapping[str, Mapping[str, str]]) -> Verdict:
    """Judge a connection; `namespaces` are labels by name. What comes from a pod's own node is always let in."""
    used: set[Used] = set()
    refused: list[Direction] = []
    sides: tuple[tuple[Direction, End, End], ...] = (
        ("egress", connection.source, connection.destination),
        ("ingress", connection.destination, connection.source),
    )
    for direction, own, other in sides:
        bound = [policy for policy in policies if _binds(policy, direction, own)]
        allowing = {
            Used(policy.metadata.name, direction, number)
            for policy in bound
            for number, rule in enumerate(_of(policy.spec, direction))
            if _allows(rule, direction, policy.metadata.namespace, connection, other, namespaces)
        }
        from_node = direction == "ingress" and other.labels is None
        if bound and not allowing and not from_node:
            refused.append(direction)
        used |= allowing
    return Verdict(frozenset(used), tuple(refused))


def _of(spec: Spec, direction: Direction) -> tuple[Rule, ...]:
    return spec.ingress if direction == "ingress" else spec.egress


def _binds(policy: Policy, direction: Direction, end: End) -> bool:
    if end.labels is None or end.namespace != policy.metadata.namespace:
        return False
    return direction.capitalize() in policy.spec.policy_types and policy.spec.pod_selector.matches(end.labels)


def _allows(  # noqa: PLR0917 - a rule, and all that it may depend on
    rule: Rule,
    direction: Direction,
    home: str,
    connection: Connection,
    other: End,
    namespaces: Mapping[str, Mapping[str, str]],
) -> bool:
    peers = rule.from_ if direction == "ingress" else rule.to
    named = connection.destination.ports
    at_port = not rule.ports or any(
        port.protocol == connection.protocol
        and (named.get(port.port) if isinstance(port.port, str) else port.port) == connection.port
        for port in rule.ports
    )
    return at_port and (not peers or any(_is(peer, home, other, namespaces) for peer in peers))


def _is(peer: Peer, home: str, end: End, namespaces: Mapping[str, Mapping[str, str]]) -> bool:
    if peer.ip_block is not None:
        return ip_address(end.address) in ip_network(peer.ip_block.cidr)
    if end.labels is None:
        return False
    if peer.namespace_selector is None:
        in_namespace = end.namespace == home
    else:
        in_namespace = peer.namespace_selector.matches(namespaces[end.namespace])
    return in_namespace and (peer.pod_selector is None or peer.pod_selector.matches(end.labels))
