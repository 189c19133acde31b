"""The judge of NetworkPolicies: who is bound, which rules allow, and what is refused on which side."""

import msgspec
import pytest

from e2e.policies import Connection, End, Policy, Used, Verdict, judge, rules

NAMESPACES = {"system": {"name": "system"}, "sales": {"name": "sales"}, "other": {"name": "other"}}
SERVER = End("10.0.0.1", "system", "server", {"app": "server"}, {"intake": 8090})
CLIENT = End("10.0.0.2", "sales", "client", {"app": "client"})
STRANGER = End("10.0.0.3", "other", "stranger", {"app": "client"})
NODE = End("192.0.2.1")

SERVERS = msgspec.convert(
    {
        "metadata": {"name": "servers", "namespace": "system"},
        "spec": {
            "podSelector": {"matchLabels": {"app": "server"}},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                {
                    "from": [
                        {
                            "namespaceSelector": {"matchLabels": {"name": "sales"}},
                            "podSelector": {"matchLabels": {"app": "client"}},
                        }
                    ],
                    "ports": [{"port": "intake", "protocol": "TCP"}],
                },
                {"ports": [{"port": 8081, "protocol": "TCP"}]},
            ],
            "egress": [{"ports": [{"port": 6443, "protocol": "TCP"}], "to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}],
        },
    },
    Policy,
)
CLIENTS = msgspec.convert(
    {
        "metadata": {"name": "clients", "namespace": "sales"},
        "spec": {
            "podSelector": {"matchLabels": {"app": "client"}},
            "policyTypes": ["Ingress", "Egress"],
            "egress": [
                {"ports": [{"port": 53, "protocol": "UDP"}]},
                {"to": [{"namespaceSelector": {"matchLabels": {"name": "system"}}}], "ports": [{"port": 8090}]},
            ],
        },
    },
    Policy,
)
BOTH = (SERVERS, CLIENTS)


def say(source: End, destination: End, port: int, protocol: str = "TCP") -> Verdict:
    return judge(BOTH, Connection(source, destination, port, protocol), NAMESPACES)


def test_a_connection_that_both_sides_allow_uses_a_rule_of_each() -> None:
    assert say(CLIENT, SERVER, 8090) == Verdict(
        frozenset({Used("clients", "egress", 1), Used("servers", "ingress", 0)}), ()
    )


@pytest.mark.parametrize(
    ("source", "destination", "port", "protocol", "refused"),
    [
        (CLIENT, SERVER, 8091, "TCP", ("egress", "ingress")),
        (CLIENT, SERVER, 8081, "TCP", ("egress",)),
        (STRANGER, SERVER, 8090, "TCP", ("ingress",)),
        (CLIENT, NODE, 53, "TCP", ("egress",)),
        (SERVER, CLIENT, 8090, "TCP", ("egress", "ingress")),
        (STRANGER, CLIENT, 80, "TCP", ("ingress",)),
        (SERVER, End("198.51.100.1"), 6443, "TCP", ("egress",)),
    ],
    ids=[
        "another port", "only one side", "another namespace", "another protocol", "the wrong way round",
        "nobody is let in", "outside the range",
    ],
)  # fmt: skip
def test_what_no_rule_allows_is_refused_on_its_side(
    source: End, destination: End, port: int, protocol: str, refused: tuple[str, ...]
) -> None:
    assert say(source, destination, port, protocol).refused == refused


def test_ranges_and_rules_without_peers_allow_what_is_no_pod() -> None:
    assert say(SERVER, NODE, 6443) == Verdict(frozenset({Used("servers", "egress", 0)}), ())
    assert say(CLIENT, NODE, 53, "UDP") == Verdict(frozenset({Used("clients", "egress", 0)}), ())


def test_nothing_binds_others_and_the_node_is_always_let_in() -> None:
    assert say(STRANGER, NODE, 25) == Verdict(frozenset(), ())
    assert say(NODE, CLIENT, 80) == Verdict(frozenset(), ())


def test_a_peer_without_a_namespace_is_of_the_policys_own() -> None:
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [{"podSelector": {}}]}]}
    own = msgspec.convert({"metadata": {"name": "own", "namespace": "sales"}, "spec": spec}, Policy)
    second = End("10.0.0.4", "sales", "second", {})
    assert judge((own,), Connection(second, CLIENT, 1, "TCP"), NAMESPACES).refused == ()
    assert judge((own,), Connection(STRANGER, CLIENT, 1, "TCP"), NAMESPACES).refused == ("ingress",)


def test_all_rules_are_named_by_their_place() -> None:
    assert rules(BOTH) == {
        Used("servers", "ingress", 0),
        Used("servers", "ingress", 1),
        Used("servers", "egress", 0),
        Used("clients", "egress", 0),
        Used("clients", "egress", 1),
    }


def test_what_is_not_understood_is_refused() -> None:
    spec = {"podSelector": {"matchExpressions": []}, "policyTypes": ["Ingress"]}
    with pytest.raises(msgspec.ValidationError, match="matchExpressions"):
        msgspec.convert({"metadata": {"name": "a", "namespace": "b"}, "spec": spec}, Policy)
