"""Builds the Job of an errand: the collector image at work for a whole collection."""

from datetime import datetime
from typing import Any

from novahunt_contract import environment as env
from novahunt_contract import times
from novahunt_contract.errands import Task
from novahunt_operator import names
from novahunt_operator.durations import duration
from novahunt_operator.errands import ErrandStart
from novahunt_operator.jobs import TO_ARGO_CD_QUIET, attempts, owner_reference, template_hash
from novahunt_operator.pods import pod, search_environment, shared_environment, storage_environment
from novahunt_operator.records import Collection
from novahunt_operator.settings import CollectorSettings


def build(collection: Collection, start: ErrandStart, settings: CollectorSettings, now: datetime) -> dict[str, Any]:
    """Return the body of the Job for one attempt of an errand."""
    job_id = f"{start.task}-{collection.key.name}-{times.to_milliseconds(now)}"
    template = collection.spec.job_template
    labels = {
        **template.labels,
        names.NAME_LABEL: names.APP_NAME,
        names.MANAGED_BY_LABEL: names.MANAGED_BY,
        names.COMPONENT_LABEL: names.COLLECTOR,
        names.COLLECTION_LABEL: collection.key.name,
    }
    pod_annotations = {**template.annotations, **TO_ARGO_CD_QUIET, names.TASK_ANNOTATION: str(start.task)}
    identity = f"{start.task}/{start.of}/{start.after}/{start.attempt}"
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": names.errand_name(collection.key.name, collection.uid, identity),
            "namespace": collection.key.namespace,
            "labels": labels,
            "annotations": {
                **pod_annotations,
                names.OF_ANNOTATION: start.of,
                names.ATTEMPT_ANNOTATION: str(start.attempt),
                names.JOB_ID_ANNOTATION: job_id,
                names.TEMPLATE_HASH_ANNOTATION: template_hash(collection, settings),
            },
            "ownerReferences": [owner_reference(collection)],
        },
        "spec": {
            **attempts(collection),
            "template": {
                "metadata": {"labels": labels, "annotations": pod_annotations},
                "spec": _pod(collection, start, settings, job_id, now),
            },
        },
    }


def _pod(
    collection: Collection, start: ErrandStart, settings: CollectorSettings, job_id: str, now: datetime
) -> dict[str, Any]:
    values = {env.TASK: str(start.task), env.JOB_ID: job_id, **shared_environment(collection, settings)}
    if start.task is Task.ESTIMATE:
        values |= {env.DOMAINS: "\n".join(start.domains), **search_environment(collection)}
        return pod(collection, settings, values, storage=False)
    values |= storage_environment(collection)
    if collection.spec.retention is not None:
        values[env.RETAIN_FROM] = times.to_text(now - duration(collection.spec.retention))
    # It asks Hunter nothing, and so needs no key.
    return pod(collection, settings, values, hunter=False)
