"""Builds the Job that collects one domain, owned by its collection, with all that its end must be recorded under."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from novahunt_api import names
from novahunt_api.domaincollections import Collection
from novahunt_contract import environment as env
from novahunt_contract import exitcodes, times, traces
from novahunt_contract.searchhash import search_hash
from novahunt_operator.planner import Start
from novahunt_operator.pods import (
    optional,
    pod,
    search_environment,
    shared_environment,
    storage_environment,
    volume_path,
)
from novahunt_operator.records import Reservation
from novahunt_operator.settings import CollectorSettings

_TO_ARGO_CD_QUIET = {"argocd.argoproj.io/ignore-resource-updates": "true"}
"""Keeps Argo CD from refreshing its application on each change of a Job or pod."""


def build(collection: Collection, start: Start, settings: CollectorSettings, now: datetime) -> dict[str, Any]:
    """Return the body of the Job for one run of one domain."""
    job_id = f"collect-{start.domain}-{times.to_milliseconds(now)}"
    labels = {names.DOMAIN_HASH_LABEL: names.domain_hash(start.domain)}
    if len(start.domain) <= names.MAX_LABEL:
        labels[names.DOMAIN_LABEL] = start.domain
    return manifest(
        collection,
        settings,
        name=names.job_name(collection.key.name, collection.uid, start.domain, start.run),
        labels=labels,
        subject={names.DOMAIN_ANNOTATION: start.domain},
        record=_record(collection, start, job_id),
        limits=optional("activeDeadlineSeconds", collection.spec.job_template.active_deadline_seconds),
        pod_spec=_pod(collection, settings, start, job_id),
    )


def manifest(
    collection: Collection,
    settings: CollectorSettings,
    *,
    name: str,
    labels: Mapping[str, str],
    subject: Mapping[str, str],
    record: Mapping[str, str],
    limits: Mapping[str, Any],
    pod_spec: Mapping[str, Any],
    owned: bool = True,
) -> dict[str, Any]:
    """Return the body of a Job of the collector image.

    Args:
        collection: Its owner.
        settings: The operator's.
        name: Its name, which says whose run or errand it is.
        labels: Of the Job and its pods, beside those that all have.
        subject: Annotations of the Job and its pods that say what it is about.
        record: Annotations of the Job alone: what must be known of it when it ends. They may say otherwise what it
            was made from.
        limits: Further fields of its spec.
        pod_spec: Of its pods.
        owned: Whether it goes with the collection.
    """
    template = collection.spec.job_template
    all_labels = {
        **template.labels,
        names.NAME_LABEL: names.APP_NAME,
        names.MANAGED_BY_LABEL: names.MANAGED_BY,
        names.COMPONENT_LABEL: names.COLLECTOR,
        names.COLLECTION_LABEL: collection.key.name,
        **labels,
    }
    pod_annotations = {**template.annotations, **_TO_ARGO_CD_QUIET, **subject}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": collection.key.namespace,
            "labels": all_labels,
            "annotations": {
                **pod_annotations,
                names.TEMPLATE_HASH_ANNOTATION: template_hash(collection, settings),
                **record,
            },
            **({"ownerReferences": [owner_reference(collection.key.name, collection.uid)]} if owned else {}),
        },
        "spec": {
            "backoffLimit": collection.spec.retry.max_attempts - 1,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": _failure_policy(),
            **limits,
            "template": {"metadata": {"labels": all_labels, "annotations": pod_annotations}, "spec": pod_spec},
        },
    }


def template_hash(collection: Collection, settings: CollectorSettings) -> str:
    """Return a hash of all that a Job holds besides its domain and run: tells whether a stuck one is outdated."""
    start = Start(domain="", run=0, not_before=None)
    body = [
        _pod(collection, settings, start, ""),
        msgspec.to_builtins(collection.spec.job_template.labels),
        collection.spec.job_template.annotations,
    ]
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:12]


def owner_reference(name: str, uid: str) -> dict[str, Any]:
    """Return the reference that lets Kubernetes delete an object together with the collection of this name and UID.

    It does not block the collection's deletion: that would need rights on its finalizers.
    """
    return {
        "apiVersion": names.API_VERSION,
        "kind": "DomainCollection",
        "name": name,
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }


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
    if spec.budget is not None:
        record[names.CREDITS_ANNOTATION] = msgspec.json.encode(Reservation(start.credits, share=start.share)).decode()
        record[names.MAX_CREDITS_ANNOTATION] = str(spec.budget.max_credits_per_domain or 0)
    if spec.retry_failed is not None:
        record[names.RETRY_FAILED_ANNOTATION] = spec.retry_failed
    if spec.recollect is not None:
        record[names.RECOLLECT_ANNOTATION] = spec.recollect
    if spec.volume is not None and path is not None:
        record |= {names.CLAIM_ANNOTATION: spec.volume.claim_name, names.PATH_ANNOTATION: path}
    return record


def _pod(collection: Collection, settings: CollectorSettings, start: Start, job_id: str) -> dict[str, Any]:
    values = {
        env.DOMAIN: start.domain,
        env.RUN: str(start.run),
        env.JOB_ID: job_id,
        **shared_environment(collection, settings),
        **search_environment(collection),
        **storage_environment(collection),
    }
    if start.not_before is not None:
        values[env.NOT_BEFORE] = start.not_before
    if settings.traces_endpoint:
        values[traces.ENDPOINT] = settings.traces_endpoint
        values[traces.TRACEPARENT] = traces.of_run(collection.uid, start.domain, start.run).parent
    budget = collection.spec.budget
    if budget is not None:
        values[env.BUDGET] = "true"
        if budget.max_credits_per_domain is not None:
            values[env.DOMAIN_CREDITS] = str(budget.max_credits_per_domain)
    return pod(collection, settings, values)


def _failure_policy() -> dict[str, Any]:
    """Exit codes that no further attempt can change end the Job; a disruption is not an attempt."""
    permanent = {"operator": "In", "values": [int(code) for code in exitcodes.PERMANENT]}
    return {
        "rules": [
            {"action": "FailJob", "onExitCodes": {"containerName": names.COLLECTOR, **permanent}},
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        ]
    }
