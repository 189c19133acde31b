"""Rights beside calls: what is unused, refused or allowed by others is named, and names limit what a rule allows."""

import json

import msgspec
import pytest

from bench.audit import Call
from cluster.rights import Comparison, Right, Rule, compare, granted

JOBS = Rule(verbs=("create", "get"), api_groups=("batch",), resources=("jobs", "jobs/status"))
LEASE = Rule(verbs=("update",), api_groups=("coordination.k8s.io",), resources=("leases",), resource_names=("leader",))


def call(verb: str, about: str, group: str = "batch", namespace: str = "sales", *, decision: str = "allow") -> Call:
    """One line of an audit log; `about` is resource, subresource and name: `jobs//a`."""
    resource, subresource, name = (*about.split("/"), "", "")[:3]
    told = {"resource": resource, "subresource": subresource, "name": name, "namespace": namespace, "apiGroup": group}
    return msgspec.json.decode(
        json.dumps(
            {
                "verb": verb,
                "user": {"username": "system:serviceaccount:sales:novahunt"},
                "requestURI": "/apis?timeout=32s",
                "objectRef": told if resource else {},
                "requestReceivedTimestamp": "2026-11-26T12:00:00.000000Z",
                "stageTimestamp": "2026-11-26T12:00:00.000000Z",
                "annotations": {"authorization.k8s.io/decision": decision},
            }
        ),
        type=Call,
    )


def test_rules_are_taken_apart_into_single_rights() -> None:
    assert granted([JOBS, LEASE], "sales") == [
        Right("sales", "batch", "jobs", "create"),
        Right("sales", "batch", "jobs", "get"),
        Right("sales", "batch", "jobs/status", "create"),
        Right("sales", "batch", "jobs/status", "get"),
        Right("sales", "coordination.k8s.io", "leases", "update", "leader"),
    ]


def test_what_was_all_used_and_never_refused_leaves_nothing_to_say() -> None:
    calls = [
        call("create", "jobs"),
        call("get", "jobs//a"),
        call("create", "jobs/status/a"),
        call("get", "jobs/status/a"),
    ]
    assert compare(granted([JOBS], "sales"), calls) == Comparison((), (), ())


@pytest.mark.parametrize(
    "other",
    [
        call("get", "jobs//a"),
        call("create", "jobs/status/a"),
        call("create", "jobs", group=""),
        call("create", "jobs", namespace="default"),
    ],
    ids=["another verb", "a subresource", "another group", "another namespace"],
)
def test_a_right_is_not_used_by_a_call_that_only_resembles_it(other: Call) -> None:
    right = Right("sales", "batch", "jobs", "create")
    found = compare([right], [other])
    assert found.unused == (right,)
    assert len(found.elsewhere) == 1


def test_a_right_on_one_object_is_not_used_by_a_call_about_another() -> None:
    (right,) = granted([LEASE], "sales")
    other = call("update", "leases//other", group="coordination.k8s.io")
    assert compare([right], [other]) == Comparison((right,), (), ("update leases.coordination.k8s.io other in sales",))
    assert compare([right], [call("update", "leases//leader", group="coordination.k8s.io")]).unused == ()


def test_a_right_in_the_whole_cluster_is_used_in_any_namespace_and_in_none() -> None:
    (right,) = granted([Rule(verbs=("create",), api_groups=("batch",), resources=("jobs",))], "")
    for namespace in ("sales", ""):
        assert compare([right], [call("create", "jobs", namespace=namespace)]) == Comparison((), (), ())


def test_a_refused_call_is_named_and_uses_nothing() -> None:
    right = Right("sales", "batch", "jobs", "create")
    found = compare(
        [right], [call("create", "jobs", decision="forbid"), call("list", "secrets", "", decision="forbid")]
    )
    assert found == Comparison((right,), ("create jobs.batch in sales", "list secrets in sales"), ())


def test_what_other_roles_allow_is_named_once_and_without_its_query() -> None:
    assert compare([], [call("get", ""), call("get", "")]).elsewhere == ("get /apis",)
