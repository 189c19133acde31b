"""API objects as a Kubernetes 1.37 server sends them, cut to what a reader could stumble over."""

import copy
from collections.abc import Mapping
from typing import Any

import msgspec

from novahunt_api import wire

COLLECTION: dict[str, Any] = {
    "apiVersion": "novahunt.io/v1alpha1",
    "kind": "DomainCollection",
    "metadata": {
        "creationTimestamp": "2026-11-24T11:59:00Z",
        "generation": 3,
        "name": "q4",
        "namespace": "sales",
        "resourceVersion": "1048576123",
        "uid": "uid-q4",
        "managedFields": [
            {"manager": "kubectl", "operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {}}}
        ],
    },
    "spec": {
        "apiKeySecretRef": {"key": "HUNTER_API_KEY", "name": "hunter-api-key"},
        "concurrency": 2,
        "deletionPolicy": "Retain",
        "domains": ["example.com", "example.org"],
        "domainsFrom": [{"configMapKeyRef": {"key": "domains.txt", "name": "leads"}}],
        "history": {"failedJobs": 50, "succeededJobs": 20},
        "jobTemplate": {
            "resources": {"limits": {"memory": "128Mi"}},
            "tolerations": [{"key": "spot", "operator": "Exists"}],
            "podSecurityContext": {"fsGroup": 2000, "supplementalGroups": [3000]},
        },
        "maxResults": 5000,
        "mode": "Collect",
        "pageSize": 100,
        "priority": 0,
        "retry": {"maxAttempts": 4},
        "search": {"type": "personal", "requiredFields": ["full_name"]},
        "storage": {"persistentVolumeClaim": {"claimName": "collections", "path": "q4"}},
        "suspend": False,
    },
    "status": {
        "observedGeneration": 2,
        "done": "1/2",
        "conditions": [
            {
                "type": "Ready",
                "status": "False",
                "reason": "InProgress",
                "message": "1 of 2 domains are done.",
                "lastTransitionTime": "2026-11-24T11:59:01Z",
                "observedGeneration": 2,
            }
        ],
    },
}

JOB: dict[str, Any] = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {
        "annotations": {
            "argocd.argoproj.io/ignore-resource-updates": "true",
            "novahunt.io/domain": "example.com",
            "novahunt.io/job-id": "collect-example.com-1795521540000",
            "novahunt.io/max-results": "5000",
            "novahunt.io/run": "2",
            "novahunt.io/search-hash": "v1-0123456789abcdef",
            "novahunt.io/template-hash": "0123456789ab",
            "novahunt.io/recollect": "a",
            "novahunt.io/claim": "collections",
            "novahunt.io/path": "q4",
        },
        "creationTimestamp": "2026-11-24T11:59:30Z",
        "generation": 1,
        "labels": {"app.kubernetes.io/managed-by": "novahunt", "novahunt.io/collection": "q4"},
        "name": "q4-0123456789ab",
        "namespace": "sales",
        "ownerReferences": [
            {
                "apiVersion": "novahunt.io/v1alpha1",
                "blockOwnerDeletion": False,
                "controller": True,
                "kind": "DomainCollection",
                "name": "q4",
                "uid": "uid-q4",
            }
        ],
        "resourceVersion": "1048576200",
        "uid": "job-1",
    },
    "spec": {"backoffLimit": 3, "completionMode": "NonIndexed", "suspend": False, "template": {"spec": {}}},
    "status": {
        "active": 1,
        "ready": 1,
        "startTime": "2026-11-24T11:59:30Z",
        "terminating": 0,
        "uncountedTerminatedPods": {},
    },
}

ERRAND: dict[str, Any] = {
    **JOB,
    "metadata": {
        **JOB["metadata"],
        "annotations": {
            "argocd.argoproj.io/ignore-resource-updates": "true",
            "novahunt.io/task": "estimate",
            "novahunt.io/of": "0123456789abcdef",
            "novahunt.io/attempt": "2",
            "novahunt.io/job-id": "estimate-q4-1795521540000",
            "novahunt.io/template-hash": "0123456789ab",
            "novahunt.io/counts": '{"domains": 500, "emails": 9100, "credits": 960}',
        },
    },
}

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "annotations": {"novahunt.io/domain": "example.com"},
        "creationTimestamp": "2026-11-24T11:59:30Z",
        "finalizers": ["batch.kubernetes.io/job-tracking"],
        "generateName": "q4-0123456789ab-",
        "labels": {"batch.kubernetes.io/job-name": "q4-0123456789ab", "novahunt.io/collection": "q4"},
        "name": "q4-0123456789ab-x7k2p",
        "namespace": "sales",
        "ownerReferences": [
            {"apiVersion": "batch/v1", "controller": True, "kind": "Job", "name": "q4-0123456789ab", "uid": "job-1"}
        ],
        "resourceVersion": "1048576210",
        "uid": "pod-1",
    },
    "status": {
        "conditions": [
            {"type": "PodReadyToStartContainers", "status": "True", "lastTransitionTime": "2026-11-24T11:59:31Z"},
            {"type": "PodScheduled", "status": "True", "lastProbeTime": None},
        ],
        "containerStatuses": [
            {
                "name": "collector",
                "ready": True,
                "restartCount": 0,
                "started": True,
                "lastState": {},
                "state": {"running": {"startedAt": "2026-11-24T11:59:31Z"}},
            }
        ],
        "phase": "Running",
        "qosClass": "Burstable",
    },
}

RESULT: dict[str, Any] = {
    "apiVersion": "novahunt.io/v1alpha1",
    "kind": "DomainResult",
    "metadata": {"name": "q4-aaaaaaaaaaaa", "namespace": "sales", "resourceVersion": "77", "uid": "result-1"},
    "domain": "example.com",
    "collection": "q4",
    "run": 2,
    "outcome": "Collected",
    "reason": "Collected",
    "emails": 7,
    "creditsTotal": 3,
    "searchHash": "v1-0123456789abcdef",
    "changed": {"added": 1, "removed": 0, "changed": 0},
    "storage": {"configMap": {"names": ["q4-aaaaaaaaaaaa-bbbbbbbbbbbb-0"], "key": "example.com.json"}},
}


def changed(base: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """Return a copy with one value set, or removed with None; the path's parts are divided by `/`, `~` is a slash."""
    copied = copy.deepcopy(base)
    *parents, last = [part.replace("~", "/") for part in path.split("/")]
    place: Any = copied
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
    if value is None:
        del place[last]
    else:
        place[last] = value
    return copied


def pod_state(state: dict[str, Any], phase: str) -> dict[str, Any]:
    """Return the pod with its container in another state."""
    pod = changed(POD, "status/phase", phase)
    pod["status"]["containerStatuses"][0]["state"] = state
    return pod


def job_object(raw: Mapping[str, Any]) -> wire.JobObject:
    """Return a Job as it is read from the wire."""
    return msgspec.convert(raw, wire.JobObject)
