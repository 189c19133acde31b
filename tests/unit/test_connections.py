"""What conntrack prints of new connections, read and joined with pods."""

import json

import pytest

from e2e.connections import Flow, connections, flows, pods, strangers
from e2e.policies import Connection, End

SAID = """\
    [NEW] tcp      6 120 SYN_SENT src=10.244.0.5 dst=10.96.0.1 sport=50804 dport=443 [UNREPLIED] \
src=192.0.2.1 dst=10.244.0.5 sport=6443 dport=50804
    [NEW] udp      17 30 src=10.244.0.5 dst=10.96.0.10 sport=4000 dport=53 [UNREPLIED] \
src=192.0.2.1 dst=10.244.0.5 sport=53 dport=4000
    [NEW] tcp      6 120 SYN_SENT src=127.0.0.1 dst=127.0.0.1 sport=1 dport=2379 [UNREPLIED] \
src=127.0.0.1 dst=127.0.0.1 sport=2379 dport=1
    [NEW] icmp     1 30 src=10.244.0.5 dst=10.244.0.6 type=8 code=0 id=1 [UNREPLIED] \
src=10.244.0.6 dst=10.244.0.5 type=0 code=0 id=1
"""


def pod(name: str, address: str) -> dict[str, object]:
    ports = [{"name": "intake", "containerPort": 8090}, {"containerPort": 1}]
    return {
        "metadata": {"name": name, "namespace": "sales", "labels": {"app": name}},
        "spec": {"containers": [{"ports": ports}]},
        "status": {"podIP": address} if address else {},
    }


def test_connections_are_told_by_the_address_behind_the_service() -> None:
    assert flows(SAID) == {
        Flow("10.244.0.5", "192.0.2.1", 6443, "TCP"),
        Flow("10.244.0.5", "192.0.2.1", 53, "UDP"),
        Flow("127.0.0.1", "127.0.0.1", 2379, "TCP"),
    }


def test_those_of_pods_are_kept() -> None:
    known = pods(json.dumps({"items": [pod("a", "10.244.0.5"), pod("waits", "")]}))
    own = End("10.244.0.5", "sales", "a", {"app": "a"}, {"intake": 8090})
    assert connections(flows(SAID), known) == {
        Connection(own, End("192.0.2.1"), 6443, "TCP"),
        Connection(own, End("192.0.2.1"), 53, "UDP"),
    }


def test_open_connections_are_read_as_new_ones_are() -> None:
    said = (
        "tcp      6 86378 ESTABLISHED src=10.244.0.5 dst=10.96.0.1 sport=36940 dport=443 src=192.0.2.1 dst=10.244.0.5 "
        "sport=6443 dport=36940 [ASSURED] mark=0 use=1\n"
    )
    assert flows(said) == {Flow("10.244.0.5", "192.0.2.1", 6443, "TCP")}


def test_pods_that_nothing_is_known_of_are_named_and_the_node_is_none() -> None:
    seen = {Flow("10.244.0.1", "10.244.0.5", 8080, "TCP"), Flow("10.244.0.9", "192.0.2.1", 6443, "TCP")}
    assert strangers(seen, pods(json.dumps({"items": [pod("a", "10.244.0.5")]}))) == {"10.244.0.9"}


def test_a_pod_may_be_listed_twice() -> None:
    answer = json.dumps({"items": [pod("a", "10.244.0.5")]})
    assert list(pods(answer, answer)) == ["10.244.0.5"]


def test_an_address_that_two_pods_had_is_named() -> None:
    with pytest.raises(AssertionError, match=r"10\.244\.0\.5"):
        pods(json.dumps({"items": [pod("a", "10.244.0.5"), pod("b", "10.244.0.5")]}))
