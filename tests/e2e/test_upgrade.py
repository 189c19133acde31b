"""Install, upgrade, rollback and uninstall under running collections: nothing is lost, paid twice or left stuck."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e import previous
from e2e.node import OTHER, SALES, SECONDS, SYSTEM, Node
from hunter_simulator import price, truth
from novahunt_api import names
from novahunt_api.domainresults import Result

pytestmark = pytest.mark.node

IN_MAPS = {"n930.example": 930, "n7.example": 7}
ON_VOLUME = {"n1030.example": 1030, "n950.example": 950, "n11.example": 11}
SMALL = ("n7.example", "n11.example")
VOLUME: dict[str, Any] = {
    "storage": {"persistentVolumeClaim": {"claimName": "collections"}},
    "jobTemplate": {"podSecurityContext": {"fsGroup": 2000}},
}
KINDS = ("domaincollections.novahunt.io", "domainresults.novahunt.io")
KEPT = ["secret/novahunt-certificate"]
OF_THE_RELEASE = "deployments,services,serviceaccounts,configmaps,secrets,roles,rolebindings,networkpolicies,pods"


@pytest.fixture(scope="module", autouse=True)
def as_it_was(whole_node: Node) -> Iterator[None]:
    """Leave the node with the present release, both kinds and all namespaces, whatever failed here."""
    yield
    for namespace in (SYSTEM, OTHER):
        whole_node.make_namespace(namespace)
    whole_node.install()


def pages(size: int) -> list[int]:
    """Addresses on each page of a domain with so many."""
    return [min(100, size - at) for at in range(0, size, 100)]


def check_paid_once(node: Node, name: str, sizes: dict[str, int]) -> None:
    """Every document is the truth, by one run of one attempt, and no page was asked for twice."""
    results, documents, report = node.results(name), node.documents(name), node.report()
    for domain, size in sizes.items():
        assert {item.email for item in documents[domain].items} == {person.value for person in truth(domain, size)}
        assert (results[domain].run, results[domain].attempts) == (1, 1)
        assert results[domain].credits_total == sum(map(price, pages(size)))
        assert report.of_domain(domain).requests == len(pages(size))


def jobs(node: Node, namespace: str = SALES) -> dict[str, str]:
    """The Jobs of all collections: name and UID."""
    told = node.kubectl("get", "jobs", "-n", namespace, "-l", names.COLLECTION_LABEL, "-o", "json")
    return {one["metadata"]["name"]: one["metadata"]["uid"] for one in json.loads(told)["items"]}


def until(check: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"never {what}"
        time.sleep(0.3)


def running(node: Node, namespace: str = SALES) -> int:
    """How many collectors' pods run."""
    of_ours = ("-l", names.COLLECTION_LABEL, "--field-selector=status.phase=Running", "-o", "name")
    return len(node.kubectl("get", "pods", "-n", namespace, *of_ours).split())


def recorded(node: Node) -> dict[str, Result]:
    """What is recorded of runs that have ended, by domain."""
    found = {**node.results("maps"), **node.results("files")}
    return {domain: result for domain, result in found.items() if result.run}


def uninstall(node: Node) -> None:
    """Uninstall the release; nothing that the chart made is left but the kinds, and whom collectors at work trust."""
    node.target.helm("uninstall", "novahunt", "-n", SYSTEM, "--wait", "--timeout", "1m")
    words = ("get", OF_THE_RELEASE, "-A", "-l", "app.kubernetes.io/instance=novahunt", "-o", "name")
    until(lambda: node.kubectl(*words).split() == KEPT, "gone with the release", 30)


def kinds(node: Node) -> list[str]:
    found = node.kubectl("get", "crds", "-o", "jsonpath={.items[*].metadata.name}").split()
    return [kind for kind in KINDS if kind in found]


@pytest.mark.timeout(420, func_only=True)
def test_upgrade_rollback_and_uninstall_lose_nothing_and_leave_jobs_in_flight_alone(node: Node, tmp_path: Path) -> None:
    old = previous.unpacked(tmp_path, node.name)
    uninstall(node)
    assert kinds(node) == list(KINDS)
    at_once = {"worker.concurrency": str(len(IN_MAPS) + len(ON_VOLUME))}
    node.install(chart=old.chart, **old.values, **at_once)
    node.slow_down(2.5)
    node.collect("maps", IN_MAPS, concurrency=len(IN_MAPS))
    node.collect("files", ON_VOLUME, concurrency=len(ON_VOLUME), **VOLUME)
    # After a start the key's minute counts as used.
    large = len(IN_MAPS) + len(ON_VOLUME) - len(SMALL)
    until(lambda: len(recorded(node)) == len(SMALL) and running(node) == large, "done with the small ones alone")
    before, done = jobs(node), recorded(node)
    assert len(before) == len(IN_MAPS) + len(ON_VOLUME)

    node.install(**at_once)
    assert (jobs(node), recorded(node), running(node)) == (before, done, large)
    node.target.helm("rollback", "novahunt", "1", "-n", SYSTEM, "--wait", "--timeout", "2m")
    node.wait_for_leader()
    assert old.values["image.tag"] in node.kubectl("get", "deployment", "novahunt", "-n", SYSTEM, "-o", "yaml")
    assert (jobs(node), recorded(node), running(node)) == (before, done, large)
    uninstall(node)
    assert (kinds(node), jobs(node), recorded(node)) == (list(KINDS), before, done)

    # Without an operator collectors wait for a minute, and then keep the pace themselves.
    of_files = ("-l", f"{names.COLLECTION_LABEL}=files", "-n", SALES)
    node.kubectl("wait", "jobs", *of_files, "--for=condition=Complete", "--timeout=110s")
    node.install()
    for name, sizes in (("maps", IN_MAPS), ("files", ON_VOLUME)):
        node.ready(name)
        check_paid_once(node, name, sizes)
    assert jobs(node) == before
    assert done.items() <= recorded(node).items()
    every = [page for sizes in (IN_MAPS, ON_VOLUME) for size in sizes.values() for page in pages(size)]
    assert node.report().credits == sum(map(price, every))


@pytest.mark.timeout(240, func_only=True)
def test_in_whatever_order_things_are_removed_nothing_is_left_stuck(node: Node) -> None:
    node.install(**{"watchNamespaces[1]": OTHER})
    node.set_key(namespace=OTHER)

    def begin(name: str, namespace: str = SALES) -> None:
        node.collect(name, ["n130.example"], namespace=namespace)
        until(lambda: running(node, namespace) == 1, "running")

    def nothing_left(name: str) -> None:
        node.gone("jobs,pods", name)

    begin("namespace-of-collections-first", OTHER)
    node.kubectl("delete", "namespace", OTHER, "--timeout=60s")

    begin("collections-first")
    node.kubectl("delete", "dcol", "collections-first", "-n", SALES, "--timeout=30s")
    uninstall(node)
    nothing_left("collections-first")

    node.install()
    begin("kinds-first")
    node.kubectl("delete", "crds", *KINDS, "--timeout=60s")
    uninstall(node)
    nothing_left("kinds-first")

    node.install()
    assert kinds(node) == list(KINDS)
    begin("namespace-of-the-release-first")
    before = jobs(node)
    node.kubectl("delete", "namespace", SYSTEM, "--timeout=60s")
    assert jobs(node) == before
    node.make_namespace(SYSTEM)
    node.install()
    node.kubectl("delete", "dcol", "namespace-of-the-release-first", "-n", SALES, "--timeout=30s")
    nothing_left("namespace-of-the-release-first")
