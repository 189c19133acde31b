"""Builds the Job that collects one domain: restricted, without Kubernetes credentials, owned by its collection."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from novahunt_contract import environment as env
from novahunt_contract import exitcodes, times
from novahunt_contract.intake import AUDIENCE
from novahunt_contract.searchhash import search_hash
from novahunt_operator import names
from novahunt_operator.planner import Start
from novahunt_operator.records import Collection
from novahunt_operator.settings import CollectorSettings
from novahunt_operator.spec import JobTemplate

VOLUME_FOLDER = "/collections"
"""Where a collection's claim is mounted in a collector's pod."""

TOKEN_FOLDER = "/var/run/secrets/novahunt"  # noqa: S105 - a path
_TOKEN_SECONDS = 3600
_STOP_SECONDS = 30
"""A collector ends within ten seconds of SIGTERM; the rest is slack for a busy node."""

_TO_ARGO_CD_QUIET = {"argocd.argoproj.io/ignore-resource-updates": "true"}
"""Keeps Argo CD from refreshing its application on each change of a Job or pod."""

_RESOURCES = {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}}


def build(collection: Collection, start: Start, settings: CollectorSettings, now: datetime) -> dict[str, Any]:
    """Return the body of the Job for one run of one domain."""
    job_id = f"collect-{start.domain}-{times.to_milliseconds(now)}"
    template = collection.spec.job_template
    labels = {
        **template.labels,
        names.NAME_LABEL: names.APP_NAME,
        names.MANAGED_BY_LABEL: names.MANAGED_BY,
        names.COMPONENT_LABEL: names.COLLECTOR,
        names.COLLECTION_LABEL: collection.key.name,
        names.DOMAIN_HASH_LABEL: names.domain_hash(start.domain),
    }
    if len(start.domain) <= names.MAX_LABEL:
        labels[names.DOMAIN_LABEL] = start.domain
    pod_annotations = {**template.annotations, **_TO_ARGO_CD_QUIET, names.DOMAIN_ANNOTATION: start.domain}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": names.job_name(collection.key.name, collection.uid, start.domain, start.run),
            "namespace": collection.key.namespace,
            "labels": labels,
            "annotations": {
                **pod_annotations,
                **_record(collection, start, job_id),
                names.TEMPLATE_HASH_ANNOTATION: template_hash(collection, settings),
            },
            "ownerReferences": [owner_reference(collection)],
        },
        "spec": {
            "backoffLimit": collection.spec.retry.max_attempts - 1,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": _failure_policy(),
            **_optional("activeDeadlineSeconds", template.active_deadline_seconds),
            "template": {
                "metadata": {"labels": labels, "annotations": pod_annotations},
                "spec": _pod(collection, settings, _environment(collection, start, settings, job_id)),
            },
        },
    }


def template_hash(collection: Collection, settings: CollectorSettings) -> str:
    """Return a hash of all that a Job holds besides its domain and run: tells whether a stuck one is outdated."""
    start = Start(domain="", run=0, not_before=None)
    body = [
        _pod(collection, settings, _environment(collection, start, settings, "")),
        msgspec.to_builtins(collection.spec.job_template.labels),
        collection.spec.job_template.annotations,
    ]
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:12]


def owner_reference(collection: Collection) -> dict[str, Any]:
    """Return the reference that lets Kubernetes delete an object together with its collection.

    It does not block the collection's deletion: that would need rights on its finalizers.
    """
    return {
        "apiVersion": names.API_VERSION,
        "kind": "DomainCollection",
        "name": collection.key.name,
        "uid": collection.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }


def volume_path(collection: Collection) -> str | None:
    """Return the folder on the claim that documents go to; None with ConfigMaps."""
    volume = collection.spec.volume
    return (volume.path or collection.key.name) if volume is not None else None


def _record(collection: Collection, start: Start, job_id: str) -> dict[str, str]:
    """What the operator must know of the run when it ends, whatever has become of the collection by then."""
    spec = collection.spec
    path = volume_path(collection)
    record = {
        names.RUN_ANNOTATION: str(start.run),
        names.JOB_ID_ANNOTATION: job_id,
        names.SEARCH_HASH_ANNOTATION: search_hash(spec.search),
        names.MAX_RESULTS_ANNOTATION: str(spec.max_results),
    }
    if spec.retry_failed is not None:
        record[names.RETRY_FAILED_ANNOTATION] = spec.retry_failed
    if spec.recollect is not None:
        record[names.RECOLLECT_ANNOTATION] = spec.recollect
    if spec.volume is not None and path is not None:
        record |= {names.CLAIM_ANNOTATION: spec.volume.claim_name, names.PATH_ANNOTATION: path}
    return record


def _environment(
    collection: Collection, start: Start, settings: CollectorSettings, job_id: str
) -> list[dict[str, Any]]:
    spec = collection.spec
    path = volume_path(collection)
    # While the intake is away, all running collectors together stay below the key's windows.
    per_second = settings.requests_per_second / settings.concurrency
    per_minute = settings.requests_per_minute / settings.concurrency
    values = {
        env.DOMAIN: start.domain,
        env.COLLECTION: collection.key.name,
        env.RUN: str(start.run),
        env.JOB_ID: job_id,
        env.SEARCH: msgspec.json.encode(spec.search).decode(),
        env.HUNTER_BASE_URL: settings.hunter_base_url,
        env.HUNTER_PAGE_SIZE: str(spec.page_size),
        env.HUNTER_MAX_COLLECT: str(spec.max_results),
        env.HUNTER_REQUESTS_PER_SECOND: f"{per_second:.6g}",
        env.HUNTER_REQUESTS_PER_MINUTE: f"{per_minute:.6g}",
        env.STORAGE: env.STORAGE_INTAKE if path is None else f"{VOLUME_FOLDER}/{path}",
        env.INTAKE_URL: settings.intake_url,
        env.INTAKE_TOKEN_FILE: f"{TOKEN_FOLDER}/token",
        env.TERMINATION_LOG: "/dev/termination-log",
        env.LOG_FORMAT: settings.log_format,
    }
    if start.not_before is not None:
        values[env.NOT_BEFORE] = start.not_before
    key = spec.api_key_secret_ref
    return [
        *({"name": name, "value": value} for name, value in values.items()),
        {"name": env.HUNTER_API_KEY, "valueFrom": {"secretKeyRef": {"name": key.name, "key": key.key}}},
    ]


def _pod(collection: Collection, settings: CollectorSettings, environment: list[dict[str, Any]]) -> dict[str, Any]:
    template = collection.spec.job_template
    volume = collection.spec.volume
    mounts = [{"name": "intake-token", "mountPath": TOKEN_FOLDER, "readOnly": True}]
    volumes: list[dict[str, Any]] = [{"name": "intake-token", "projected": {"sources": [_token()]}}]
    if volume is not None:
        mounts.append({"name": "collections", "mountPath": VOLUME_FOLDER})
        volumes.append({"name": "collections", "persistentVolumeClaim": {"claimName": volume.claim_name}})
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        # Thousands of Services in a namespace would overflow the environment.
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": _STOP_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
            **msgspec.to_builtins(template.pod_security_context),
        },
        **_optional("serviceAccountName", template.service_account_name),
        **_optional("nodeSelector", template.node_selector or None),
        **_optional("tolerations", _plain(template.tolerations)),
        **_optional("affinity", _plain(template.affinity)),
        **_optional("priorityClassName", template.priority_class_name),
        **_optional("imagePullSecrets", _pull_secrets(template, settings)),
        "volumes": volumes,
        "containers": [
            {
                "name": names.COLLECTOR,
                "image": settings.image,
                "imagePullPolicy": settings.image_pull_policy,
                "env": environment,
                "resources": _plain(template.resources) or _RESOURCES,
                "volumeMounts": mounts,
                "terminationMessagePolicy": "File",
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    }


def _token() -> Mapping[str, Any]:
    token = {"audience": AUDIENCE, "expirationSeconds": _TOKEN_SECONDS, "path": "token"}
    return {"serviceAccountToken": token}


def _failure_policy() -> dict[str, Any]:
    """Exit codes that no further attempt can change end the Job; a disruption is not an attempt."""
    permanent = {"operator": "In", "values": [int(code) for code in exitcodes.PERMANENT]}
    return {
        "rules": [
            {"action": "FailJob", "onExitCodes": {"containerName": names.COLLECTOR, **permanent}},
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        ]
    }


def _pull_secrets(template: JobTemplate, settings: CollectorSettings) -> object:
    own = _plain(template.image_pull_secrets) or []
    return [*own, *({"name": name} for name in settings.image_pull_secrets)] or None


def _plain(raw: msgspec.Raw) -> Any:
    """Return a passed-through part of the pod's own API as the plain data that the API call needs."""
    return msgspec.json.decode(raw)


def _optional(name: str, value: object) -> dict[str, Any]:
    return {} if value is None else {name: value}
