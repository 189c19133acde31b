"""The twelve entries of the example, as a person applies them, in both storages."""

import json
import re
import subprocess

import pytest

from e2e.node import SALES, Node
from hunter_simulator import truth
from hunter_simulator.settings import Config, read_config
from tools.shell import ROOT

pytestmark = pytest.mark.node

WORLD: Config = read_config(ROOT / "tests/hunter_simulator/demo.json")


def sizes() -> dict[str, int]:
    return {name.encode("idna").decode(): held.size if held.known else 0 for name, held in WORLD.domains.items()}


def check_truth(node: Node, name: str) -> None:
    """Every document equals what the simulator holds; credits are the same in all three books; no window was passed."""
    results, documents, report = node.results(name), node.documents(name), node.report()
    for domain in results:
        assert {item.email for item in documents[domain].items} == {
            person.value for person in truth(domain, sizes()[domain])
        }
        assert results[domain].emails == documents[domain].total == sizes()[domain]
    assert sum(result.credits_total for result in results.values()) == report.credits
    key = report.of_key("demo-key")
    assert key.most_in_a_second <= 15
    assert key.most_in_a_minute <= 500


def test_the_example_is_collected_into_config_maps_and_watched_as_it_moves(node: Node) -> None:
    words = ["kubectl", "get", "dcol", "demo", "-w", "--output-watch-events", "-o", "json", "-n", SALES]
    node.kubectl("apply", "-n", SALES, "-f", "examples/demo.yaml")
    with subprocess.Popen(words, env=dict(node.target.environment), stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        said = ""
        for line in watching.stdout:
            said += line
            if '"Completed"' in line:
                break
        watching.terminate()
    node.kubectl("wait", "--for=condition=Ready", "dcol/demo", "-n", SALES, "--timeout=110s")
    progress = re.findall(r'"progress": ?(\d+)', said)
    assert len(set(progress)) > 2, f"the watch moved: {progress}"
    check_truth(node, "demo")
    found = node.collection("demo")
    assert found.status.done == "10/10"
    assert found.status.domains is not None
    assert (found.status.domains.invalid, found.status.domains.duplicate) == (1, 1)
    assert found.status.credits is not None
    assert found.status.credits.used == node.report().credits
    assert (
        len(node.kubectl("get", "dres", "-n", SALES, "--no-headers", "-l", "novahunt.io/collection=demo").splitlines())
        == 10
    )
    flaky = node.results("demo")["flaky.example"]
    assert flaky.requests == 3
    assert flaky.attempts == 1, "being refused by Hunter for a while is no attempt"


def test_a_deleted_collection_keeps_its_results_and_is_complete_at_once_when_applied_again(node: Node) -> None:
    node.kubectl("apply", "-n", SALES, "-f", "examples/demo.yaml")
    node.ready("demo")
    before = node.report()
    node.kubectl("delete", "dcol", "demo", "-n", SALES, "--timeout=60s")
    node.gone("jobs,pods", "demo")
    assert len(node.results("demo")) == 10
    node.kubectl("apply", "-n", SALES, "-f", "examples/demo.yaml")
    node.kubectl("wait", "--for=condition=Ready", "dcol/demo", "-n", SALES, "--timeout=20s")
    assert node.report().requests == before.requests
    assert node.kubectl("get", "jobs", "-n", SALES, "-l", "novahunt.io/collection=demo", "-o", "name").strip() == ""


def test_the_example_is_collected_onto_a_volume_of_one_group(node: Node) -> None:
    manifest = (ROOT / "examples/demo-volume.yaml").read_text().split("---\n", 1)[1]
    node.kubectl("apply", "-n", SALES, "-f", "-", stdin=manifest)
    node.ready("demo-volume")
    check_truth(node, "demo-volume")
    folder = node.volumes / "demo-volume"
    assert sorted(file.suffix for file in folder.iterdir()) == [".json"] * 9, "no temporary file is left"
    assert all(file.stat().st_mode & 0o007 == 0 for file in (folder, *folder.iterdir())), "nothing is open to the world"
    assert all(file.stat().st_gid == 2000 for file in folder.iterdir())


def test_deletion_policy_delete_leaves_nothing(node: Node) -> None:
    node.hold("n12.example", 12)
    node.collect("brief", ["n12.example", "n130.example"], deletionPolicy="Delete")
    node.ready("brief")
    assert json.loads(
        node.kubectl("get", "configmaps", "-n", SALES, "-l", "novahunt.io/collection=brief", "-o", "json")
    )["items"]
    node.kubectl("delete", "dcol", "brief", "-n", SALES, "--timeout=60s")
    node.gone("jobs,pods,domainresults,configmaps", "brief")


def test_deletion_policy_delete_erases_the_files_of_its_folder_and_the_folder(node: Node) -> None:
    node.hold("n12.example", 12)
    group = {"podSecurityContext": {"fsGroup": 2000}}
    node.collect(
        "brief-volume",
        ["n12.example", "n130.example"],
        deletionPolicy="Delete",
        storage={"persistentVolumeClaim": {"claimName": "collections"}},
        jobTemplate=group,
    )
    node.ready("brief-volume")
    folder = node.volumes / "brief-volume"
    assert len(list(folder.glob("*.example.json"))) == 2
    node.kubectl("delete", "dcol", "brief-volume", "-n", SALES, "--timeout=60s")
    node.gone("jobs,pods,domainresults", "brief-volume")
    assert not folder.exists()
