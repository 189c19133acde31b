"""How long each step took to be followed by the next, computed from the API server's audit log."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from bench.audit import Call
from novahunt_api import names

_JOB_CONTROLLER = "system:serviceaccount:kube-system:job-controller"


class Lags(msgspec.Struct, frozen=True):
    """Seconds, one for each domain."""

    pod_to_result: list[float]
    """From the end of a domain's pod until its DomainResult was written."""
    job_to_result: list[float]
    """From the end that the Job controller told until then: the operator's own part of it."""
    result_to_status: list[float]
    """From then until the next status was written."""
    first_result: float
    """From the collection's making until its first result."""
    all_results: float
    """From then until its last one."""


def measure(
    calls: Iterable[Call], *, operator: str, collection: str, uid: str, domains: Sequence[str], pods: str = ""
) -> Lags:
    """Look the steps of a collection's first runs up.

    Args:
        calls: All about its namespace.
        operator: The operator's user.
        collection: Its name.
        uid: Its UID.
        domains: Those whose runs are looked up.
        pods: The user that tells the pods' ends; empty: whoever wrote a pod's status last.

    Raises:
        KeyError: the log holds no end of a Job, or no result of a domain.
    """
    pod_ends: dict[str, datetime] = {}
    job_ends: dict[str, datetime] = {}
    recorded: dict[str, datetime] = {}
    statuses: list[datetime] = []
    made: datetime | None = None
    for call in calls:
        if not call.succeeded or not call.writes:
            continue
        name, at, user = call.object_ref.name, call.stage_timestamp, call.user.username
        if call.kind == "pods/status" and (not pods or user == pods):
            # A pod is named after its Job.
            pod_ends[name.rpartition("-")[0]] = at
        elif call.kind == "jobs/status" and user == _JOB_CONTROLLER:
            job_ends[name] = at
        elif call.kind == names.RESULTS and user == operator:
            recorded[name] = at
        elif call.kind == f"{names.COLLECTIONS}/status" and user == operator and name == collection:
            statuses.append(at)
        elif call.kind == names.COLLECTIONS and call.verb == "create" and name == collection:
            made = call.request_received_timestamp
    if made is None:
        raise KeyError(collection)
    jobs = [names.job_name(collection, uid, domain, 1) for domain in domains]
    ends = [recorded[names.result_name(collection, domain)] for domain in domains]
    return Lags(
        pod_to_result=[_seconds(pod_ends[job], end) for job, end in zip(jobs, ends, strict=True)],
        job_to_result=[_seconds(job_ends[job], end) for job, end in zip(jobs, ends, strict=True)],
        result_to_status=[_seconds(end, statuses[bisect_left(statuses, end)]) for end in ends],
        first_result=_seconds(made, min(ends)),
        all_results=_seconds(made, max(ends)),
    )


def _seconds(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds()
