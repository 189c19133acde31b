"""Lets pods of simulated nodes end with the receipt that a collector would have written.

KWOK ends a pod with the message that an annotation holds, and all pods of a collection have the same annotations of
their own. So the API server adds one to each pod, made from the pod's environment, by an admission policy.
"""

import json
from typing import Any

from novahunt_api import names
from novahunt_contract import environment as env
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_contract.searchhash import Search, search_hash

LABEL = "novahunt.io/bench"
"""On a namespace: its collectors' pods get receipts."""

MESSAGE_ANNOTATION = "devcluster.novahunt.io/termination-message"
EMAILS = 10
CREDITS = 10

_POLICY = "novahunt-bench-receipts"


def manifests() -> list[dict[str, Any]]:
    """Return the policy and its binding."""
    register = "admissionregistration.k8s.io/v1"
    policy = {
        "apiVersion": register,
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": _POLICY},
        "spec": {
            "reinvocationPolicy": "Never",
            "failurePolicy": "Fail",
            "matchConstraints": {
                "namespaceSelector": {"matchLabels": {LABEL: "receipts"}},
                "objectSelector": {"matchLabels": {names.COMPONENT_LABEL: names.COLLECTOR}},
                "resourceRules": [
                    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
                ],
            },
            "variables": [
                {"name": "domain", "expression": _variable(env.DOMAIN)},
                {"name": "run", "expression": _variable(env.RUN)},
                {"name": "job", "expression": _variable(env.JOB_ID)},
            ],
            # The other form of a patch, an apply configuration, costs the API server far more.
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": _annotate()}}],
        },
    }
    binding = {
        "apiVersion": register,
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": _POLICY},
        "spec": {"policyName": _POLICY},
    }
    return [policy, binding]


def _variable(name: str) -> str:
    return f"object.spec.containers[0].env.filter(each, each.name == '{name}')[0].value"


def _annotate() -> str:
    """Return the expression of the change: the receipt's text, with three places that each pod fills."""
    receipt = {
        "domain": "{domain}",
        "run": "{run}",
        "outcome": Outcome.COLLECTED,
        "reason": Reason.COLLECTED,
        "jobId": "{job}",
        "items": EMAILS,
        "reported": EMAILS,
        "credits": CREDITS,
        "requests": 1,
        "searchHash": search_hash(Search()),
        "collectedAt": "2026-11-24T12:00:00.000Z",
        "storedAt": "2026-11-24T12:00:01.000Z",
        "sha256": "ab" * 32,
        "bytes": 2345,
    }
    text = f"'{json.dumps(receipt)}'".replace('"{run}"', "{run}")
    for place in ("domain", "run", "job"):
        text = text.replace(f"{{{place}}}", f"' + variables.{place} + '")
    path = f"/metadata/annotations/{MESSAGE_ANNOTATION.replace('/', '~1')}"
    return f"[JSONPatch{{op: 'add', path: '{path}', value: {text}}}]"
