"""Builds the Job of an errand: the collector image at work for a whole collection."""

from datetime import datetime
from typing import Any

from novahunt_api import names
from novahunt_api.domaincollections import Collection
from novahunt_api.durations import duration
from novahunt_contract import environment as env
from novahunt_contract import times
from novahunt_contract.errands import Task
from novahunt_operator.errands import ErrandStart
from novahunt_operator.jobs import manifest
from novahunt_operator.pods import pod, search_environment, shared_environment, storage_environment
from novahunt_operator.settings import CollectorSettings


def build(collection: Collection, start: ErrandStart, settings: CollectorSettings, now: datetime) -> dict[str, Any]:
    """Return the body of the Job for one attempt of an errand."""
    job_id = f"{start.task}-{collection.key.name}-{times.to_milliseconds(now)}"
    identity = f"{start.task}/{start.of}/{start.after}/{start.attempt}"
    return manifest(
        collection,
        settings,
        name=names.errand_name(collection.key.name, collection.uid, identity),
        labels={},
        subject={names.TASK_ANNOTATION: str(start.task)},
        record={
            names.OF_ANNOTATION: start.of,
            names.ATTEMPT_ANNOTATION: str(start.attempt),
            names.JOB_ID_ANNOTATION: job_id,
        },
        limits={},
        pod_spec=_pod(collection, start, settings, job_id, now),
    )


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
