"""Builds the Job of an erasure: suspended, without an owner, with all that its pod will need."""

import hashlib
import json
from datetime import datetime
from typing import Any

import msgspec

from novahunt_api import names
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import VolumePlace
from novahunt_api.spec import Storage, VolumeStorage
from novahunt_contract import environment as env
from novahunt_contract import times
from novahunt_contract.errands import Task
from novahunt_operator.jobs import manifest
from novahunt_operator.pods import pod, shared_environment, storage_environment
from novahunt_operator.settings import CollectorSettings

_FAILURES = 6
"""Pods that may fail before the Job does: by Kubernetes' pauses, after about ten minutes."""


def build(collection: Collection, place: VolumePlace, settings: CollectorSettings, now: datetime) -> dict[str, Any]:
    """Return the body of the Job that will erase what a collection has stored in a folder."""
    job_id = f"{Task.ERASE}-{collection.key.name}-{times.to_milliseconds(now)}"
    made_from = template_hash(collection, place, settings)
    identity = f"{Task.ERASE}/{place.claim_name}/{place.path}/{made_from}"
    return manifest(
        collection,
        settings,
        name=names.errand_name(collection.key.name, collection.uid, identity),
        labels={},
        subject={names.TASK_ANNOTATION: str(Task.ERASE)},
        record={
            names.COLLECTION_UID_ANNOTATION: collection.uid,
            names.CLAIM_ANNOTATION: place.claim_name,
            names.PATH_ANNOTATION: place.path,
            names.JOB_ID_ANNOTATION: job_id,
            names.TEMPLATE_HASH_ANNOTATION: made_from,
        },
        limits={"backoffLimit": _FAILURES, "suspend": True},
        pod_spec=_pod(collection, place, settings, job_id),
        # With an owner it would go with its collection, just when it is needed.
        owned=False,
    )


def template_hash(collection: Collection, place: VolumePlace, settings: CollectorSettings) -> str:
    """Return a hash of all that the Job's pod is made from."""
    template = collection.spec.job_template
    parts = [_pod(collection, place, settings, ""), template.labels, template.annotations]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def _pod(collection: Collection, place: VolumePlace, settings: CollectorSettings, job_id: str) -> dict[str, Any]:
    storage = Storage(VolumeStorage(place.claim_name, place.path))
    there = msgspec.structs.replace(
        collection, spec=msgspec.structs.replace(collection.spec, storage=storage, suppression_from=())
    )
    shared = shared_environment(there, settings)
    values = {name: shared[name] for name in (env.COLLECTION, env.TERMINATION_LOG, env.LOG_FORMAT)}
    values |= {env.TASK: str(Task.ERASE), env.JOB_ID: job_id, **storage_environment(there)}
    return pod(there, settings, values, hunter=False, intake=False)
