"""Each rule of the kinds' schemas on a real API server: one object accepted, one refused with the message shown."""

import json
from typing import Any, NamedTuple

import pytest

from cluster.control_plane import ControlPlane

pytestmark = pytest.mark.cluster

Json = dict[str, Any]

ONE = ["example.com"]
LONG = "a" * 64


class Rule(NamedTuple):
    """Two contents that differ by what a rule is about, and what the API server says of the second."""

    name: str
    accepted: Json
    refused: Json
    message: str


def spec(name: str, accepted: Json, refused: Json, message: str) -> Rule:
    return Rule(name, {"domains": ONE} | accepted, {"domains": ONE} | refused, message)


def job(name: str, accepted: Json, refused: Json, message: str) -> Rule:
    return spec(name, {"jobTemplate": accepted}, {"jobTemplate": refused}, message)


CONFIG_MAP = {"name": "leads", "key": "domains.txt"}

SPEC_RULES = [
    Rule(
        "one of both", {"domainsFrom": [{"configMapKeyRef": CONFIG_MAP}]}, {"pageSize": 10}, "give the domains: a list"
    ),
    Rule("an empty list", {"domains": []}, {}, "give the domains: a list in domains, or domainsFrom"),
    Rule("entries", {"domains": ["no domain at all", ""]}, {"domains": ["a" * 2049]}, "may not be more than 2048"),
    Rule("number of domains", {"domains": ["a.b"] * 10_000}, {"domains": ["a.b"] * 10_001}, "must have at most 10000"),
    spec("unknown fields", {"suspend": True}, {"suspended": True}, 'unknown field "spec.suspended"'),
    spec(
        "sources of domains",
        {"domainsFrom": [{"configMapKeyRef": CONFIG_MAP}]},
        {"domainsFrom": [{}]},
        "spec.domainsFrom[0].configMapKeyRef: Required value",
    ),
    spec(
        "Secret names",
        {"apiKeySecretRef": {"name": "hunter.eu"}},
        {"apiKeySecretRef": {"name": "Hunter"}},
        "should match",
    ),
    spec("Secret keys", {"apiKeySecretRef": {"key": "api-key"}}, {"apiKeySecretRef": {"key": "a/b"}}, "should match"),
    spec(
        "type", {"search": {"type": "generic"}}, {"search": {"type": "all"}}, 'supported values: "personal", "generic"'
    ),
    spec("department", {"search": {"department": ["human resources"]}}, {"search": {"department": ["it,hr"]}}, "match"),
    spec("seniority", {"search": {"seniority": ["senior"]}}, {"search": {"seniority": ["a\nb"]}}, "should match"),
    spec(
        "required fields",
        {"search": {"requiredFields": ["full_name", "position", "phone_number"]}},
        {"search": {"requiredFields": ["name"]}},
        'supported values: "full_name", "position", "phone_number"',
    ),
    spec(
        "verification",
        {"search": {"verificationStatus": ["valid", "accept_all", "unknown"]}},
        {"search": {"verificationStatus": ["invalid"]}},
        'supported values: "valid", "accept_all", "unknown"',
    ),
    spec("page size", {"pageSize": 100}, {"pageSize": 101}, "should be less than or equal to 100"),
    spec("results", {"maxResults": 100_000}, {"maxResults": 0}, "should be greater than or equal to 1"),
    spec("mode", {"mode": "Estimate"}, {"mode": "Guess"}, 'supported values: "Collect", "Estimate"'),
    spec("budget", {"budget": {"maxCredits": 0}}, {"budget": {"period": "Month"}}, "a budget needs maxCredits"),
    spec(
        "budget per domain",
        {"budget": {"maxCreditsPerDomain": 1}},
        {"budget": {"maxCreditsPerDomain": 0}},
        "equal to 1",
    ),
    spec(
        "period",
        {"budget": {"maxCredits": 1, "period": "Month"}},
        {"budget": {"maxCredits": 1, "period": "Year"}},
        'supported values: "Lifetime", "Month"',
    ),
    spec("concurrency", {"concurrency": 1000}, {"concurrency": 0}, "should be greater than or equal to 1"),
    spec("attempts", {"retry": {"maxAttempts": 20}}, {"retry": {"maxAttempts": 21}}, "less than or equal to 20"),
    spec(
        "one storage",
        {"storage": {"persistentVolumeClaim": {"claimName": "results"}}},
        {"storage": {"persistentVolumeClaim": {"claimName": "results"}, "configMap": {}}},
        "give at most one of persistentVolumeClaim and configMap",
    ),
    spec(
        "no storage", {"storage": {"configMap": {}}}, {"storage": {"persistentVolumeClaim": {}}}, "claimName: Required"
    ),
    spec(
        "deletion", {"deletionPolicy": "Delete"}, {"deletionPolicy": "Orphan"}, 'supported values: "Retain", "Delete"'
    ),
    spec("durations", {"refreshAfter": "1h30m"}, {"refreshAfter": "30d"}, "should match"),
    spec("refresh", {"refreshAfter": "1m"}, {"refreshAfter": "59s"}, "refreshAfter must be at least 1m"),
    spec("retention", {"retention": "4320h"}, {"retention": "0s"}, "retention must be at least 1m"),
    spec("wishes", {"retryFailed": "2026-11-23"}, {"recollect": "a" * 129}, "may not be more than 128"),
    spec("priority", {"priority": -5}, {"priority": 2_000_000_000}, "less than or equal to 1000000000"),
    spec("end", {"ttlSecondsAfterFinished": 0}, {"ttlSecondsAfterFinished": -1}, "greater than or equal to 0"),
    spec(
        "suppression",
        {"suppressionFrom": [{"secretKeyRef": CONFIG_MAP}, {"configMapKeyRef": CONFIG_MAP}]},
        {"suppressionFrom": [{"secretKeyRef": CONFIG_MAP, "configMapKeyRef": CONFIG_MAP}]},
        "give exactly one of secretKeyRef and configMapKeyRef",
    ),
    spec("history", {"history": {"failedJobs": 0}}, {"history": {"failedJobs": 1001}}, "less than or equal to 1000"),
    job("labels", {"labels": {"team": "sales"}}, {"labels": {"novahunt.io/run": "1"}}, "are the operator's own"),
    job("label values", {"labels": {"team": ""}}, {"labels": {"team": LONG}}, "may not be more than 63"),
    job("annotations", {"annotations": {"a": "b c"}}, {"annotations": {"novahunt.io/x": ""}}, "are the operator's own"),
    job("accounts", {"serviceAccountName": "collector"}, {"serviceAccountName": "A b"}, "should match"),
    job(
        "resources",
        {"resources": {"requests": {"cpu": 1, "memory": "64Mi"}}},
        {"resources": {"requests": {"cpu": "a lot"}}},
        "should match",
    ),
    job("nodes", {"nodeSelector": {"pool": "batch"}}, {"nodeSelector": {"pool": "two words"}}, "should match"),
    job(
        "tolerations",
        {"tolerations": [{"operator": "Exists", "effect": "NoSchedule"}]},
        {"tolerations": [{"effect": "Sometimes"}]},
        'supported values: "", "NoSchedule"',
    ),
    job(
        "affinity",
        {"affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}},
        {"affinity": {"fondness": {}}},
        'unknown field "spec.jobTemplate.affinity.fondness"',
    ),
    job("priority classes", {"priorityClassName": "low"}, {"priorityClassName": "Low"}, "should match"),
    job(
        "pull secrets",
        {"imagePullSecrets": [{"name": "a"}, {"name": "b"}]},
        {"imagePullSecrets": [{"name": "a"}, {"name": "a"}]},
        "Duplicate value",
    ),
    job("deadlines", {"activeDeadlineSeconds": 1}, {"activeDeadlineSeconds": 0}, "greater than or equal to 1"),
    job(
        "users",
        {"podSecurityContext": {"runAsUser": 1000, "fsGroup": 2000, "supplementalGroups": [3000]}},
        {"podSecurityContext": {"runAsUser": 0}},
        "greater than or equal to 1",
    ),
]

PATHS = [
    ("q4", "/q4"),
    ("2026/q4", "2026/../q4"),
    ("a..b", ".."),
    ("a.b_c-d", "a/./b"),
    ("a/b", "a//b"),
    ("a", "a/"),
    ("A1", "a b"),
]

RESULT: Json = {"domain": "example.com", "collection": "demo", "run": 1, "outcome": "Collected"}

RESULT_RULES = [
    Rule("what is required", RESULT, {"domain": "example.com"}, "collection: Required value"),
    Rule(
        "outcome",
        RESULT | {"outcome": "Pending", "run": 0},
        RESULT | {"outcome": "Lost"},
        'supported values: "Collected"',
    ),
    Rule("domain", RESULT | {"domain": "xn--bcher-kva.example"}, RESULT | {"domain": "Bücher.example"}, "should match"),
    Rule("emails", RESULT | {"emails": 25_000}, RESULT | {"emails": -1}, "greater than or equal to 0"),
    Rule("digest", RESULT | {"sha256": "0" * 64}, RESULT | {"sha256": "none"}, "should match"),
    Rule(
        "times",
        RESULT | {"endedAt": "2026-11-24T12:00:00.123Z"},
        RESULT | {"endedAt": "today"},
        "must be of type date-time",
    ),
    Rule(
        "storage",
        RESULT | {"storage": {"configMap": {"names": ["a", "b"], "key": "example.com.json.gz"}}},
        RESULT
        | {
            "storage": {
                "configMap": {"names": ["a"], "key": "example.com.json"},
                "persistentVolumeClaim": {"claimName": "results", "path": "q4"},
            }
        },
        "give at most one of persistentVolumeClaim and configMap",
    ),
]

STATUS_RULES = [
    Rule(
        "failures name an entry that is no domain",
        {"failures": [{"reason": "InvalidDomain", "message": "spec.domains, entry 11: it is a single label"}]},
        {"failures": [{"domain": "example.com"}]},
        "status.failures[0].reason: Required value",
    ),
    Rule(
        "failures are ten",
        {"failures": [{"reason": "A"}] * 10},
        {"failures": [{"reason": "A"}] * 11},
        "at most 10 items",
    ),
    Rule("twenty run", {"running": [{"percent": 1}] * 20}, {"running": [{"percent": 1}] * 21}, "at most 20 items"),
    Rule("progress is percent", {"progress": 100}, {"progress": 101}, "less than or equal to 100"),
    Rule("times", {"startedAt": "2026-11-24T12:00:00.123Z"}, {"startedAt": "noon"}, "must be of type date-time"),
]


def collection(content: Json, name: str = "first") -> Json:
    head = {"apiVersion": "novahunt.io/v1alpha1", "kind": "DomainCollection", "metadata": {"name": name}}
    return head | {"spec": content}


def result(content: Json, name: str = "first") -> Json:
    return {"apiVersion": "novahunt.io/v1alpha1", "kind": "DomainResult", "metadata": {"name": name}} | content


def accept(plane: ControlPlane, value: Json) -> Json:
    """Create it without keeping it; return it as the API server would have kept it."""
    out = plane.kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=json.dumps(value))
    kept: Json = json.loads(out)
    return kept


def refuse(plane: ControlPlane, value: Json) -> str:
    """Try to create it; return what the API server says against it."""
    answer = plane.try_kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(value))
    assert answer.code != 0, f"it was accepted: {answer.out}"
    return answer.err


@pytest.mark.parametrize("rule", SPEC_RULES, ids=lambda rule: rule.name)
def test_a_collection_keeps_the_rule_of(kinds: ControlPlane, rule: Rule) -> None:
    accept(kinds, collection(rule.accepted))
    assert rule.message in refuse(kinds, collection(rule.refused))


@pytest.mark.parametrize(("accepted", "refused"), PATHS)
def test_a_path_stays_below_the_volume_and_has_one_spelling(kinds: ControlPlane, accepted: str, refused: str) -> None:
    def at(path: str) -> Json:
        return collection({"domains": ONE, "storage": {"persistentVolumeClaim": {"claimName": "a", "path": path}}})

    accept(kinds, at(accepted))
    assert "spec.storage.persistentVolumeClaim.path" in refuse(kinds, at(refused))


def test_a_name_fits_into_a_label(kinds: ControlPlane) -> None:
    accept(kinds, collection({"domains": ONE}, "a" * 63))
    assert "may have at most 63 characters" in refuse(kinds, collection({"domains": ONE}, LONG))


@pytest.mark.parametrize("rule", RESULT_RULES, ids=lambda rule: rule.name)
def test_a_result_keeps_the_rule_of(kinds: ControlPlane, rule: Rule) -> None:
    accept(kinds, result(rule.accepted))
    assert rule.message in refuse(kinds, result(rule.refused))


@pytest.mark.parametrize("field", ["domain", "collection"])
def test_a_result_never_changes_hands(kinds: ControlPlane, namespace: str, field: str) -> None:
    kinds.kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(result(RESULT)))
    kinds.kubectl("patch", "-n", namespace, "dres", "first", "--type=merge", "-p", json.dumps({"run": 2}))
    patch = json.dumps({field: "other.example"})
    answer = kinds.try_kubectl("patch", "-n", namespace, "dres", "first", "--type=merge", "-p", patch)
    assert f"the {field} of a result can't change" in answer.err


def test_a_status_keeps_its_rules(kinds: ControlPlane, namespace: str) -> None:
    kinds.kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(collection({"domains": ONE})))
    patch = ("patch", "-n", namespace, "dcol", "first", "--subresource=status", "--type=merge", "-p")
    for rule in STATUS_RULES:
        kinds.kubectl(*patch, json.dumps({"status": rule.accepted}))
        assert rule.message in kinds.try_kubectl(*patch, json.dumps({"status": rule.refused})).err, rule.name
