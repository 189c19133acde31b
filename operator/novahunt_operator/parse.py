"""Turns Kubernetes objects into the operator's records; what is not ours, or can't be read, is None."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from novahunt_api import names, wire
from novahunt_contract.errands import Task
from novahunt_operator.records import Counts, Erasure, Errand, Job, JobEnd, Pod, Reservation

_EPOCH = datetime.fromtimestamp(0, UTC)


def job(read: wire.JobObject) -> Job | None:
    """Read a Job; None when it is not one that the operator made for a collection's domain."""
    meta = read.metadata
    owner = meta.controller
    domain = meta.annotations.get(names.DOMAIN_ANNOTATION)
    run = meta.annotations.get(names.RUN_ANNOTATION, "")
    if owner is None or owner.kind != "DomainCollection" or domain is None or not run.isdecimal():
        return None
    max_results = meta.annotations.get(names.MAX_RESULTS_ANNOTATION, "")
    max_credits = meta.annotations.get(names.MAX_CREDITS_ANNOTATION, "")
    return Job(
        **_made(read, owner.uid, owner.name),
        domain=domain,
        run=int(run),
        retry_failed=meta.annotations.get(names.RETRY_FAILED_ANNOTATION),
        recollect=meta.annotations.get(names.RECOLLECT_ANNOTATION),
        search_hash=meta.annotations.get(names.SEARCH_HASH_ANNOTATION, ""),
        max_results=int(max_results) if max_results.isdecimal() else 0,
        claim_name=meta.annotations.get(names.CLAIM_ANNOTATION),
        path=meta.annotations.get(names.PATH_ANNOTATION),
        max_credits=int(max_credits) if max_credits.isdecimal() else 0,
        reservation=_reservation(meta.annotations.get(names.CREDITS_ANNOTATION)),
    )


def errand(read: wire.JobObject) -> Errand | None:
    """Read an errand's Job; None when it is not one that the operator made for a whole collection."""
    meta = read.metadata
    owner = meta.controller
    task = meta.annotations.get(names.TASK_ANNOTATION)
    attempt = meta.annotations.get(names.ATTEMPT_ANNOTATION, "")
    if owner is None or owner.kind != "DomainCollection" or task not in list(Task) or not attempt.isdecimal():
        return None
    return Errand(
        **_made(read, owner.uid, owner.name),
        task=Task(task),
        of=meta.annotations.get(names.OF_ANNOTATION, ""),
        attempt=int(attempt),
        counts=_counts(meta.annotations.get(names.COUNTS_ANNOTATION)),
    )


def erasure(read: wire.JobObject) -> Erasure | None:
    """Read an erasure's Job; None when it is not one that the operator made."""
    notes, labels = read.metadata.annotations, read.metadata.labels
    collection, uid = labels.get(names.COLLECTION_LABEL), notes.get(names.COLLECTION_UID_ANNOTATION)
    claim_name, path = notes.get(names.CLAIM_ANNOTATION), notes.get(names.PATH_ANNOTATION)
    if notes.get(names.TASK_ANNOTATION) != Task.ERASE or not (collection and uid and claim_name and path):
        return None
    return Erasure(
        **_made(read, uid, collection),
        claim_name=claim_name,
        path=path,
        suspended=read.spec.suspend,
        noted_uid=notes.get(names.JOB_UID_ANNOTATION, ""),
    )


def made(read: wire.JobObject) -> Job | Errand | Erasure | None:
    """Read any Job that the operator made; None when it is none of them."""
    return job(read) or errand(read) or erasure(read)


def pod(read: wire.PodObject) -> Pod | None:
    """Read a pod; None when no Job controls it."""
    meta, status = read.metadata, read.status
    owner = meta.controller
    if owner is None or owner.kind != "Job":
        return None
    # A service mesh may have put containers of its own beside the collector.
    states = (status.state for status in status.container_statuses if status.name == names.COLLECTOR)
    state = next(states, wire.ContainerState())
    finished = status.phase in ("Succeeded", "Failed")
    scheduled = next((c for c in status.conditions if c.type == "PodScheduled"), None)
    terminated, waiting = state.terminated, state.waiting
    return Pod(
        key=wire.key(meta),
        uid=meta.uid,
        resource_version=int(meta.resource_version),
        job_uid=owner.uid,
        collection=meta.labels.get(names.COLLECTION_LABEL, ""),
        domain=meta.annotations.get(names.DOMAIN_ANNOTATION, ""),
        created=meta.creation_timestamp or _EPOCH,
        phase=status.phase,
        deleting=meta.deletion_timestamp is not None,
        started=state.running is not None or terminated is not None or finished,
        finished=finished,
        exit_code=terminated.exit_code if terminated else None,
        end_reason=status.reason or (terminated.reason if terminated else ""),
        termination_message=terminated.message if terminated else "",
        waiting_reason=waiting.reason if waiting and not finished else "",
        waiting_message=waiting.message if waiting and not finished else "",
        unschedulable=(
            scheduled.message or scheduled.reason
            if scheduled is not None and scheduled.status == "False" and not finished
            else ""
        ),
    )


def _made(read: wire.JobObject, owner_uid: str, collection: str) -> dict[str, Any]:
    """Return the fields of every Job that the operator made."""
    meta, status = read.metadata, read.status
    ended = next((c for c in status.conditions if c.type in list(JobEnd) and c.status == "True"), None)
    return {
        "key": wire.key(meta),
        "uid": meta.uid,
        "resource_version": int(meta.resource_version),
        "owner_uid": owner_uid,
        "collection": collection,
        "job_id": meta.annotations.get(names.JOB_ID_ANNOTATION, ""),
        "created": meta.creation_timestamp or _EPOCH,
        "deleting": meta.deletion_timestamp is not None,
        "taken_up": status.start_time is not None,
        "active": status.active,
        "failed": status.failed,
        "end": JobEnd(ended.type) if ended else None,
        "end_reason": ended.reason if ended else "",
        "end_message": ended.message if ended else "",
        "ended_at": ended.last_transition_time if ended else None,
        "template_hash": meta.annotations.get(names.TEMPLATE_HASH_ANNOTATION, ""),
    }


def _counts(text: str | None) -> Counts | None:
    try:
        return msgspec.json.decode(text, type=Counts) if text is not None else None
    except msgspec.DecodeError:
        # Somebody else wrote it: the domains are counted again.
        return None


def _reservation(text: str | None) -> Reservation | None:
    """Read what is set aside for a Job; what somebody has spoilt is as good as nothing, and is written anew."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=Reservation)
    except msgspec.DecodeError:
        return None
