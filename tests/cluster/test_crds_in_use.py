"""What people see of the kinds on a real API server: defaults, columns, selectors, long lists, examples."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cluster.control_plane import ROOT, ControlPlane

pytestmark = pytest.mark.cluster

Json = dict[str, Any]
API = {"apiVersion": "novahunt.io/v1alpha1"}


def collection(name: str, spec: Json) -> str:
    return json.dumps(API | {"kind": "DomainCollection", "metadata": {"name": name}, "spec": spec})


def result(name: str, **fields: object) -> str:
    return json.dumps(API | {"kind": "DomainResult", "metadata": {"name": name}} | fields)


def create(plane: ControlPlane, namespace: str, text: str) -> Json:
    kept: Json = json.loads(plane.kubectl("create", "-n", namespace, "-o", "json", "-f", "-", stdin=text))
    return kept


def table(plane: ControlPlane, *args: str) -> list[list[str]]:
    return [line.split() for line in plane.kubectl("get", *args).splitlines()]


def test_defaults_are_filled_in(kinds: ControlPlane, namespace: str) -> None:
    assert create(kinds, namespace, collection("plain", {"domains": ["example.com"]}))["spec"] == {
        "domains": ["example.com"],
        "apiKeySecretRef": {"name": "hunter-api-key", "key": "HUNTER_API_KEY"},
        "pageSize": 100,
        "maxResults": 5000,
        "mode": "Collect",
        "concurrency": 2,
        "retry": {"maxAttempts": 4},
        "deletionPolicy": "Retain",
        "suspend": False,
        "priority": 0,
        "history": {"succeededJobs": 20, "failedJobs": 50},
    }


def test_what_is_given_in_part_is_completed(kinds: ControlPlane, namespace: str) -> None:
    spec = {
        "apiKeySecretRef": {"name": "hunter"},
        "history": {"failedJobs": 1},
        "retry": {},
        "budget": {"maxCredits": 5},
    }
    kept = create(kinds, namespace, collection("partly", {"domains": ["example.com"]} | spec))["spec"]
    assert kept["apiKeySecretRef"] == {"name": "hunter", "key": "HUNTER_API_KEY"}
    assert kept["history"] == {"succeededJobs": 20, "failedJobs": 1}
    assert kept["retry"] == {"maxAttempts": 4}
    assert kept["budget"] == {"maxCredits": 5, "period": "Lifetime"}


def test_storage_has_no_default_so_that_it_can_be_switched(kinds: ControlPlane, namespace: str) -> None:
    volume = {"storage": {"persistentVolumeClaim": {"claimName": "results"}}}
    apply = ("apply", "-n", namespace, "--server-side", "-o", "json", "-f", "-")
    kept = json.loads(kinds.kubectl(*apply, stdin=collection("moving", {"domains": ["example.com"]} | volume)))
    assert kept["spec"]["storage"] == volume["storage"]
    others: list[Json] = [{}, {"storage": {"configMap": {}}}]
    for other in others:
        kept = json.loads(kinds.kubectl(*apply, stdin=collection("moving", {"domains": ["example.com"]} | other)))
        assert kept["spec"].get("storage") == other.get("storage")


def test_a_new_collection_says_that_nobody_has_seen_it(kinds: ControlPlane, namespace: str) -> None:
    create(kinds, namespace, collection("demo", {"domains": ["example.com"]}))
    shown = json.loads(kinds.kubectl("get", "dcol", "demo", "-n", namespace, "-o", "json"))
    assert shown["status"] == {"observedGeneration": -1}


def test_the_columns_of_a_collection(kinds: ControlPlane, namespace: str) -> None:
    create(kinds, namespace, collection("demo", {"domains": ["example.com"]}))
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    ready = {"type": "Ready", "status": "False", "reason": "Running", "message": "", "lastTransitionTime": now}
    status = {
        "observedGeneration": 1,
        "done": "47/120",
        "progress": 40,
        "emails": 3811,
        "rate": "31/min",
        "estimatedCompletionTime": "2026-11-24T12:00:00.000Z",
        "credits": {"used": 402},
        "domains": {"failed": 2},
        "conditions": [ready | {"observedGeneration": 1}],
    }
    patch = json.dumps({"status": status})
    kinds.kubectl("patch", "-n", namespace, "dcol", "demo", "--subresource=status", "--type=merge", "-p", patch)

    head, row = table(kinds, "dcol", "-n", namespace)
    assert head == ["NAME", "READY", "STATUS", "DONE", "PROGRESS", "EMAILS", "CREDITS", "AGE"]
    assert row[:-1] == ["demo", "False", "Running", "47/120", "40", "3811", "402"]

    head, row = table(kinds, "dcol", "-n", namespace, "-o", "wide")
    assert head[-3:] == ["RATE", "ETA", "FAILED"]
    assert row[-3:] == ["31/min", "2026-11-24T12:00:00.000Z", "2"]


def test_the_columns_of_a_result(kinds: ControlPlane, namespace: str) -> None:
    collected = (datetime.now(UTC) - timedelta(days=30)).isoformat(timespec="milliseconds")
    known = {"domain": "example.com", "collection": "demo", "run": 3, "outcome": "Collected", "reason": "Collected"}
    counts = {"emails": 150, "credits": 0, "creditsTotal": 15, "collectedAt": collected}
    create(kinds, namespace, result("demo-1", **known, **counts))

    head, row = table(kinds, "dres", "-n", namespace, "-o", "wide")
    assert head == ["NAME", "DOMAIN", "OUTCOME", "EMAILS", "CREDITS", "COLLECTED", "AGE", "REASON", "RUN"]
    assert row[:6] == ["demo-1", "example.com", "Collected", "150", "15", "30d"]
    assert row[7:] == ["Collected", "3"]
    assert table(kinds, "dres", "-n", namespace)[0] == head[:-2]


def test_a_single_result_can_be_read_by_kubernetes_own_clients(kinds: ControlPlane, namespace: str) -> None:
    # They take any object with a field `items` at its top for a list; hence `emails`.
    create(kinds, namespace, result("demo-1", domain="example.com", collection="demo", run=1, outcome="Empty"))
    read = kinds.kubectl("get", "dres", "demo-1", "-n", namespace, "-o", "yaml")
    assert {"emails: 0", "credits: 0", "creditsTotal: 0"} <= set(read.splitlines())


def test_results_are_selected_by_their_fields(kinds: ControlPlane, namespace: str) -> None:
    for number, (name, outcome) in enumerate([("demo", "Collected"), ("demo", "Failed"), ("other", "Failed")]):
        fields = {"domain": f"n{number}.example", "collection": name, "outcome": outcome}
        create(kinds, namespace, result(f"r{number}", run=1, **fields))

    def selected(selector: str) -> list[str]:
        return kinds.kubectl("get", "dres", "-n", namespace, "-o", "name", "--field-selector", selector).split()

    assert selected("collection=demo,outcome=Failed") == ["domainresult.novahunt.io/r1"]
    assert selected("domain=n2.example") == ["domainresult.novahunt.io/r2"]


def test_both_kinds_are_in_the_category(kinds: ControlPlane, namespace: str) -> None:
    create(kinds, namespace, collection("demo", {"domains": ["example.com"]}))
    create(kinds, namespace, result("demo-1", domain="example.com", collection="demo", run=1, outcome="Empty"))
    assert kinds.kubectl("get", "novahunt", "-n", namespace, "-o", "name").split() == [
        "domaincollection.novahunt.io/demo",
        "domainresult.novahunt.io/demo-1",
    ]


def test_ten_thousand_domains_are_applied_by_server_side_apply(kinds: ControlPlane, namespace: str) -> None:
    domains = [f"a-rather-long-name-{number:05}.example" for number in range(10_000)]
    apply = ("apply", "-n", namespace, "--server-side", "-o", "json", "--show-managed-fields", "-f", "-")
    for domains_now in (domains, domains[1:]):
        kept = json.loads(kinds.kubectl(*apply, stdin=collection("long", {"domains": domains_now})))
        assert kept["spec"]["domains"] == domains_now
        # An atomic list is one entry there, not ten thousand.
        assert len(json.dumps(kept["metadata"]["managedFields"])) < 1000


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.name)
def test_the_examples_are_accepted_as_they_are(kinds: ControlPlane, namespace: str, path: object) -> None:
    kinds.kubectl("apply", "-n", namespace, "--server-side", "--dry-run=server", "-f", str(path))
