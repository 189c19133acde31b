"""The chart's NetworkPolicies on a node that enforces them: all works, each rule is used, and the rest is refused."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from e2e.connections import connections, established, flows, pods, recording, strangers
from e2e.node import OPERATORS, SALES, SECONDS, SYSTEM, Node, ProgramError
from e2e.policies import Policy, Used, judge, rules
from novahunt_api import names

pytestmark = pytest.mark.node

NOT_USED = {
    Used("novahunt", "egress", 0): "in a pod the API server is found by its address; some clusters give a name instead",
    Used("novahunt-gateway", "egress", 0): "the same",
}
"""Rules that no connection needs on this node, and why the chart has them."""

GATEWAYS = "app.kubernetes.io/component=gateway"
SELFTEST = "app.kubernetes.io/component=selftest"
GROUP = 2000
TOKEN = "token-of-the-test"
CALL = """\
import sys, urllib.request as calls
print(calls.urlopen(calls.Request(sys.argv[1], headers={"Authorization": sys.argv[2]}), timeout=20).status)
"""


OPEN = """\
import socket, sys
socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=3)
"""


class _Policies(msgspec.Struct):
    items: tuple[Policy, ...]


class _Namespace(msgspec.Struct):
    metadata: "_Labelled"


class _Labelled(msgspec.Struct):
    name: str
    labels: dict[str, str] = {}


class _Namespaces(msgspec.Struct):
    items: tuple[_Namespace, ...]


def call(node: Node, url: str) -> str:
    """Call somebody from the simulator's pod; return the status, or what it said last."""
    words = ("exec", "-n", SALES, "deployment/hunter-simulator", "--", "python3", "-c", CALL, url, f"Bearer {TOKEN}")
    return node.kubectl(*words).strip()


def reaches(node: Node, source: tuple[str, str], address: str, port: int) -> bool:
    """Tell whether a pod, by namespace and kind with name, can open a connection."""
    words = ("exec", "-n", source[0], source[1], "--", "python3", "-c", OPEN, address, str(port))
    try:
        node.kubectl(*words)
    except ProgramError as error:
        if "create_connection" not in str(error):
            raise
        return False
    return True


def address_of(node: Node, namespace: str, selector: str) -> str:
    """Return the address of the one pod that a selector picks."""
    words = ("get", "pods", "-n", namespace, "-l", selector, "-o", "jsonpath={.items[*].status.podIP}")
    (found,) = node.kubectl(*words).split()
    return found


def forbidden(node: Node) -> dict[str, bool]:
    """Try what nobody needs; tell which of it can be done."""
    operator = address_of(node, SYSTEM, OPERATORS)
    simulator = address_of(node, SALES, "app.kubernetes.io/name=hunter-simulator")
    return {
        "anybody to the intake": reaches(node, (SALES, "deployment/hunter-simulator"), operator, 8090),
        "the gateway to the intake": reaches(node, (SALES, "deployment/novahunt-gateway"), operator, 8090),
        "the gateway to Hunter": reaches(node, (SALES, "deployment/novahunt-gateway"), simulator, 8080),
        "the operator to Hunter": reaches(node, (SYSTEM, "deployment/novahunt"), simulator, 8080),
    }


def of_a_collector(node: Node) -> dict[str, bool]:
    """Tell whom a collector at work can reach: the first two it needs, the others it does not."""
    domain = "slow.example"
    node.hold(domain, 1000)
    node.slow_down(3.0)
    node.collect("slow", [domain])
    node.until("slow", lambda found: (found.status.progress or 0) > 0, "at work")
    pod = node.kubectl("get", "pods", "-n", SALES, "-l", f"{names.COLLECTION_LABEL}=slow", "-o", "name").strip()
    simulator = address_of(node, SALES, "app.kubernetes.io/name=hunter-simulator")
    operator = address_of(node, SYSTEM, OPERATORS)
    return {
        "Hunter": reaches(node, (SALES, pod), simulator, 8080),
        "the intake": reaches(node, (SALES, pod), operator, 8090),
        "the operator's metrics": reaches(node, (SALES, pod), operator, 8081),
        "the gateway": reaches(node, (SALES, pod), address_of(node, SALES, GATEWAYS), 8081),
        "the API server": reaches(node, (SALES, pod), node.host, 6443),
    }


def collect(node: Node) -> None:
    """Use all that has a rule: both storages, the gateway and its files, everybody's metrics."""
    node.collect("maps", ["n7.example", "n120.example"])
    storage = {"persistentVolumeClaim": {"claimName": "collections"}}
    node.collect("files", ["n9.example"], storage=storage, jobTemplate={"podSecurityContext": {"fsGroup": GROUP}})
    for name in ("maps", "files"):
        node.ready(name)
        assert call(node, f"http://novahunt-gateway/api/export-csv?collection={name}") == "200"
    assert call(node, "http://novahunt-gateway-metrics:8081/metrics") == "200"
    assert call(node, f"http://novahunt-metrics.{SYSTEM}.svc:8081/metrics") == "200"


def look_from_inside(node: Node) -> str:
    """Run `helm test`; return its pod as it was while it ran, for it is gone after a test that passed."""
    seen = ""
    with ThreadPoolExecutor(1) as helm:
        test = helm.submit(node.target.helm, "test", "novahunt", "-n", SYSTEM, "--timeout", "2m")
        while not test.done():
            found = node.kubectl("get", "pods", "-n", SYSTEM, "-l", SELFTEST, "-o", "json")
            seen = found if '"podIP"' in found else seen
            time.sleep(0.1)
        test.result()
    assert seen, "the test's pod was never seen at work"
    return seen


def test_what_is_needed_works_by_rules_that_are_all_used_and_the_rest_is_refused(
    left_clean: Node, tmp_path: Path
) -> None:
    node = left_clean
    values = {
        "gateway.enabled": "true",
        "gateway.tokenSecretRef.name": "gateway",
        "gateway.tls.enabled": "false",
        "gateway.claims[0]": "collections",
        "gateway.podSecurityContext.supplementalGroups[0]": str(GROUP),
    }
    policies_on = {
        "networkPolicy.enabled": "true",
        "networkPolicy.hunter.ports[0]": "8080",
        # Elsewhere the DNS server is a pod of kube-system; here it is a process of the node.
        "networkPolicy.dns.to[0].ipBlock.cidr": f"{node.host}/32",
    }
    said = tmp_path / "connections"
    all_pods = ("get", "pods", "-A", "-o", "json")
    node.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "gateway"}, "stringData": {"token": TOKEN}})
    node.install(**values)
    node.kubectl("rollout", "status", "deployment/novahunt-gateway", "-n", SALES, f"--timeout={SECONDS:.0f}s")
    assert all(forbidden(node).values()), "without policies everybody reaches everybody"
    node.install(**values, **policies_on)
    deadline = time.monotonic() + SECONDS
    while any((open_still := forbidden(node)).values()):
        assert time.monotonic() < deadline, f"never refused: {open_still}"
    before = node.kubectl(*all_pods)
    with recording(node.name, said):
        there = pods(node.kubectl(*all_pods))
        opened = {flow for flow in established(node.name) if not strangers({flow}, there)}
        collect(node)
        tested = look_from_inside(node)
        known = pods(before, tested, node.kubectl(*all_pods))
    assert [who for who, reached in of_a_collector(node).items() if reached] == ["Hunter", "the intake"]
    seen = flows(said.read_text())
    assert strangers(seen, known) == set()
    policies = msgspec.json.decode(node.kubectl("get", "networkpolicies", "-A", "-o", "json"), type=_Policies).items
    spaces = msgspec.json.decode(node.kubectl("get", "namespaces", "-o", "json"), type=_Namespaces).items
    namespaces = {one.metadata.name: one.metadata.labels for one in spaces}
    verdicts = {one: judge(policies, one, namespaces) for one in connections(seen | opened, known)}
    refused = {one: verdict.refused for one, verdict in verdicts.items() if verdict.refused}
    assert refused == {}
    assert rules(policies) - set().union(*(verdict.used for verdict in verdicts.values())) == set(NOT_USED)
