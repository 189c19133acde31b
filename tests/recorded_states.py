"""DomainCollections in every state, with the status that the operator's own code computes: what GitOps tools must read.

`make argocd` writes them below `argocd/`, where Argo CD's tests want files; a test holds the files against this.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from builders import (
    KEY,
    MINUTE,
    NOW,
    SECOND,
    at,
    collection,
    counted,
    errand,
    errand_failed,
    errand_pod,
    job,
    outlook,
    pod,
    result,
    scheduling,
    spec,
)
from novahunt_api import names
from novahunt_api.domainresults import Place
from novahunt_api.statusobject import CollectionStatus
from novahunt_api.waiting import Wait
from novahunt_contract import times
from novahunt_contract.errands import Task
from novahunt_contract.intake import Progress
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_contract.receipt import ConfigMapPlace
from novahunt_contract.wanted import listed, resolve
from novahunt_operator.actions import NameTakenError
from novahunt_operator.conflicts import Conflict
from novahunt_operator.estimates import chunks
from novahunt_operator.hindrances import JOB_CONTROLLER_GRACE
from novahunt_operator.planner import Limits, Outlook
from novahunt_operator.records import Counts, Job, Reservation
from novahunt_operator.status import compute
from novahunt_operator.waits import KeyPace, Scheduling, find_wait

Json = dict[str, Any]

UID = "5b0c2a52-3d0e-4c53-9a43-7f0d6f0f1c11"
"""Of every recorded object."""

_CRD = Path(__file__).resolve().parents[1] / "crds/domaincollections.yaml"
_A, _B, _C = "a.example", "b.example", "c.example"
_ONE: Json = {"domains": [_A]}
_TWO: Json = {"domains": [_A, _B]}
_THREE: Json = {"domains": [_A, _B, _C]}
_ESTIMATE: Json = {**_THREE, "mode": "Estimate"}
_LISTS: Json = {**_ONE, "suppressionFrom": [{"secretKeyRef": {"name": "do-not-contact", "key": "list.txt"}}]}
_VOLUME: Json = {**_TWO, "storage": {"persistentVolumeClaim": {"claimName": "collections", "path": "q4"}}}
_PACE = KeyPace(fingerprint="3fa9bc", per_second=15, per_minute=500, used_second=2, used_minute=500, waiting=2)


def states() -> dict[str, Json]:
    """Return the recorded objects by the names of their states."""
    running = _shown(_TWO, **_AT_WORK)
    done = _shown(_TWO, results=_ENDED)
    return {
        # Before the operator has said anything of this version.
        "without-status": _without_status(),
        "just-made": _object(_THREE, None),
        "edited": _object(_THREE, running, generation=2),
        "edited-after-its-end": _object({**_TWO, "recollect": "2026-12"}, done, generation=2),
        # At work.
        "running": _object(_TWO, running),
        "backing-off": _object(_ONE, _shown(_ONE, jobs=[job(_A, active=0, failed=1)])),
        "waiting-for-slots": _object(_THREE, _shown(_THREE, **_AT_WORK)),
        "waiting-for-starts": _object(_THREE, _shown(_THREE, schedule=_STARTS_USED)),
        "waiting-for-permits": _object(_THREE, _shown(_THREE, **_AT_WORK, pace=_PACE)),
        "waiting-for-a-throttled-key": _refused(Reason.THROTTLED, "Hunter asked to slow down for too long."),
        "waiting-for-a-pause": _object(_ONE, _shown(_ONE, results=[result(_A, "ReceiptMissing", ended_at=at(0))])),
        "waiting-for-a-budget-in-use": _budget_in_use(),
        "waiting-for-the-job-controller": _late_job_controller(),
        "waiting-for-hunter": _hunter_away(timedelta(minutes=9)),
        "waiting-for-an-erasure": _object(
            _VOLUME,
            _shown(_VOLUME, conflict=Conflict("The documents of the deleted collection q4 lie there.", passes=True)),
        ),
        "waiting-for-a-sweep": _failed_sweep(_LISTS | _TWO, jobs=[job(_B)]),
        "retrying": _object({**_TWO, "retryFailed": "a"}, _shown({**_TWO, "retryFailed": "a"}, results=_ENDED)),
        "scarce-room": _object(
            _THREE, _shown(_THREE, status=_ESTIMATED, jobs=[job(_A)], limits=Limits(max_config_map_bytes=1000))
        ),
        "removed-domain-runs": _object(_ONE, _shown(_ONE, jobs=[job(_B)], results=[_ENDED[0]])),
        # A person is needed.
        "stalled-key-refused": _refused(Reason.KEY_REFUSED, "Hunter refuses the key."),
        "stalled-plan-used-up": _refused(Reason.QUOTA_EXHAUSTED, "The plan's allowance is used up until 2026-12-01."),
        "stalled-bad-request": _refused(Reason.BAD_REQUEST, "Hunter refuses the request: wrong seniority."),
        "stalled-suppression-list": _refused(Reason.SUPPRESSION_LIST, "Secret do-not-contact, list.txt is not there."),
        "stalled-hunter-unavailable": _hunter_away(timedelta(minutes=10)),
        "stalled-while-one-tries": _object(_ONE, _shown(_ONE, results=[_KEY_REFUSED], jobs=[job(_A, 2)])),
        "stalled-storage": _pod_waits(unschedulable='persistentvolumeclaim "collections" not found'),
        "stalled-image": _pod_waits(waiting_reason="ErrImagePull", waiting_message="manifest unknown"),
        "stalled-key-missing": _pod_waits(
            waiting_reason="CreateContainerConfigError", waiting_message='secret "hunter-api-key" not found'
        ),
        "stalled-pod-refused": _pod_waits(
            waiting_reason="CreateContainerConfigError", waiting_message="container will run as root"
        ),
        "stalled-no-node": _object(_ONE, _shown(_ONE, schedule=scheduling(refusal="exceeded quota: jobs"))),
        "stalled-name-taken": _name_taken(),
        "stalled-api-refused": _object(_ONE, _shown(_ONE, schedule=_RESULT_REFUSED)),
        "stalled-budget": _budget_used_up(),
        "stalled-folder-conflict": _object(_VOLUME, _shown(_VOLUME, conflict=Conflict("Folder q4 overlaps."))),
        "stalled-domains-missing": _missing_list(),
        "stalled-invalid-spec": _object(
            {**_ONE, "pageSize": "many"}, _shown(_ONE, spec_error="spec can't be read: Expected `int`, got `str`")
        ),
        "stalled-estimate": _failed_estimate(),
        "stalled-sweep-after-the-end": _failed_sweep(_LISTS),
        "stalled-refresh": _stalled_refresh(),
        # Suspended.
        "suspended": _object(_suspended(_THREE), _shown(_suspended(_THREE))),
        "suspended-while-some-finish": _object(_suspended(_THREE), _shown(_suspended(_THREE), **_AT_WORK)),
        "suspended-estimate": _object(_suspended(_ESTIMATE), _shown(_suspended(_ESTIMATE))),
        # At the end.
        "completed": _object(_ONE, _shown(_ONE, results=[_ENDED[0]])),
        "completed-with-failures": _object(_TWO, done),
        "completed-with-invalid-entries": _object(
            {"domains": [_A, "not a domain", _A]}, _shown({"domains": [_A, "not a domain", _A]}, results=[_ENDED[0]])
        ),
        "completed-of-an-older-search": _object(
            _ONE, _shown(_ONE, results=[msgspec.structs.replace(_ENDED[0], search_hash="v1-older")])
        ),
        "completed-and-suspended": _object(_suspended(_ONE), _shown(_suspended(_ONE), results=[_ENDED[0]])),
        "refreshing": _refreshing(jobs=[job(_A, 2)], pods=[pod(job(_A, 2))]),
        "refreshing-waits-for-slots": _refreshing(schedule=scheduling(running=2)),
        "estimating": _object(_ESTIMATE, _shown(_ESTIMATE, errands=[errand(of=_PART.of)])),
        "estimated": _object(_ESTIMATE, _shown(_ESTIMATE, errands=[_COUNTED])),
        # On its way out.
        "deleting": _object(_TWO, running, deletionTimestamp=times.to_text(NOW).replace(".000Z", "Z")),
    }


def after_actions() -> dict[str, tuple[str, str, Json]]:
    """Return what actions must make of recorded objects: (state, action, object) by the name of the file."""
    wish = f"generation 1 of {UID}"
    cases: Sequence[tuple[str, str, Json]] = (
        ("running", "suspend", {"suspend": True}),
        ("completed", "suspend", {"suspend": True}),
        ("suspended", "resume", {"suspend": False}),
        ("completed-with-failures", "retry-failed", {"retryFailed": wish}),
        ("stalled-key-refused", "retry-failed", {"retryFailed": wish}),
        ("completed", "recollect", {"recollect": wish}),
    )
    found = states()
    outcomes = {}
    for state, action, change in cases:
        expected = deepcopy(found[state])
        expected["spec"] |= change
        outcomes[f"{state}-{action}"] = (state, action, expected)
    return outcomes


_AT_WORK: Json = {
    "jobs": [job(_A), job(_B)],
    "pods": [pod(job(_A)), pod(job(_B))],
    "progress": {f"pod-of-job-{_A}-1": Progress(40, 12, 30)},
}
_ENDED = (
    result(_A, emails=120, credits=12, credits_total=12, ended_at=at(-20), collected_at=at(-25)),
    result(_B, Reason.INTERRUPTED, message="The collector was ended from outside.", ended_at=at(-10)),
)
_STARTS_USED = scheduling(next_start_at=NOW + 7 * SECOND, starts_per_interval=10, interval_seconds=60.0)
_RESULT_REFUSED = scheduling(
    refusal="The API server refuses what NovaHunt has to do: exceeded quota: results", refused_for=Wait.API_REFUSED
)
(_PART,) = chunks(_THREE["domains"], spec(mode="Estimate"))
_COUNTED = counted(of=_PART.of, counts=Counts(domains=3, emails=4030, credits=415))


def _shown(
    wishes: Json,
    *,
    schedule: Scheduling | None = None,
    pace: KeyPace | None = None,
    status: CollectionStatus | None = None,
    spec_error: str | None = None,
    missing: Sequence[str] = (),
    **parts: Any,
) -> CollectionStatus:
    """Return what the operator says of a collection with these wishes in such a world."""
    of = collection(spec(**wishes), status=status or CollectionStatus(), spec_error=spec_error)
    found: Outlook = outlook(of=of, wanted=resolve(listed(wishes.get("domains", ())), missing), **parts)
    return compute(found, find_wait(found, schedule or scheduling(), pace))


_ESTIMATED = _shown(_ESTIMATE, errands=[_COUNTED])


def _object(wishes: Json, status: CollectionStatus | None, *, generation: int = 1, **metadata: str) -> Json:
    """Return the object as the API server shows it: with the defaults of the schema, that of the status included."""
    made: Json = {
        "apiVersion": names.API_VERSION,
        "kind": "DomainCollection",
        "metadata": {
            "name": KEY.name,
            "namespace": KEY.namespace,
            "uid": UID,
            "resourceVersion": "48213",
            "generation": generation,
            "creationTimestamp": times.to_text(NOW - MINUTE).replace(".000Z", "Z"),
            **metadata,
        },
        "spec": deepcopy(wishes),
    }
    if status is not None:
        made["status"] = msgspec.json.decode(msgspec.json.encode(status))
    shown = with_defaults(schema(), made)
    assert isinstance(shown, dict)
    return shown


def _without_status() -> Json:
    """Return an object as kinds of before the default would show it."""
    return {name: value for name, value in _object(_THREE, None).items() if name != "status"}


def unknown(schema: Mapping[str, Any], value: Any, path: str = "") -> Iterator[str]:
    """Yield the fields that the API server would drop: they would be a difference for ever."""
    if isinstance(value, list):
        for item in value:
            yield from unknown(schema.get("items", {}), item, f"{path}[]")
    elif isinstance(value, dict) and "additionalProperties" not in schema:
        for name, inner in value.items():
            if name not in schema.get("properties", {}):
                yield f"{path}.{name}"
            else:
                yield from unknown(schema["properties"][name], inner, f"{path}.{name}")


def with_defaults(of: Mapping[str, Any], value: Any) -> Any:
    """Return a value with the defaults of its schema filled in, as the API server does."""
    if isinstance(value, list):
        return [with_defaults(of.get("items", {}), item) for item in value]
    if not isinstance(value, dict):
        return value
    inner = of.get("properties", {})
    filled = dict(value)
    for name, field in inner.items():
        if name not in filled and "default" in field:
            filled[name] = deepcopy(field["default"])
    return {name: with_defaults(inner.get(name, {}), item) for name, item in filled.items()}


@cache
def schema() -> Json:
    """Return the schema of the kind."""
    (version,) = yaml.safe_load(_CRD.read_text("utf-8"))["spec"]["versions"]
    found = version["schema"]["openAPIV3Schema"]
    assert isinstance(found, dict)
    return found


def _suspended(wishes: Json) -> Json:
    return {**wishes, "suspend": True}


def _name_taken() -> Json:
    error = NameTakenError("q4-0e1c2f6a7b8d-1")
    return _object(_ONE, _shown(_ONE, schedule=scheduling(refusal=str(error), refused_for=error.reason)))


_KEY_REFUSED = result(_A, Reason.KEY_REFUSED, message="Hunter refuses the key.", ended_at=at(-60))


def _refused(reason: Reason, message: str) -> Json:
    """Return a collection whose last run found what stops all further ones."""
    last = result(_A, reason, message=message, ended_at=at(-1))
    return _object(_TWO, _shown(_TWO, results=[last]))


def _hunter_away(since: timedelta) -> Json:
    away = result(
        _A,
        Reason.HUNTER_UNAVAILABLE,
        message="Hunter does not answer.",
        outcome=Outcome.PENDING,
        ended_at=at(-1),
        in_a_row=3,
        since=times.to_text(NOW - since),
    )
    return _object(_TWO, _shown(_TWO, results=[away]))


def _pod_waits(**state: str) -> Json:
    waits = pod(job(_A), started=False, phase="Pending", **state)
    return _object(_ONE, _shown(_ONE, jobs=[job(_A)], pods=[waits]))


def _late_job_controller() -> Json:
    late = job(_A, active=0, taken_up=False, created=NOW - JOB_CONTROLLER_GRACE)
    return _object(_ONE, _shown(_ONE, jobs=[late]))


def _budget_in_use() -> Json:
    wishes = {**_TWO, "budget": {"maxCredits": 10, "period": "Month"}}
    running = job(_A, reservation=Reservation(10))
    return _object(wishes, _shown(wishes, jobs=[running], pods=[pod(running)]))


def _budget_used_up() -> Json:
    wishes = {**_TWO, "budget": {"maxCredits": 25}}
    return _object(wishes, _shown(wishes, results=[result(_A, emails=200, credits=20, credits_total=20)]))


def _missing_list() -> Json:
    wishes: Json = {"domainsFrom": [{"configMapKeyRef": {"name": "leads", "key": "domains.txt"}}]}
    return _object(wishes, _shown(wishes, missing=["spec.domainsFrom[0]: ConfigMap leads is not there"]))


def _failed_estimate() -> Json:
    killed = errand_failed(of=_PART.of, end_reason="BackoffLimitExceeded", ended_at=NOW - MINUTE)
    ended = pod(killed, finished=True, end_reason="OOMKilled", exit_code=137)
    return _object(_ESTIMATE, _shown(_ESTIMATE, errands=[killed], pods=[ended]))


_STORED = result(
    _A,
    emails=7,
    sha256="ab" * 32,
    storage=Place(config_map=ConfigMapPlace(("a-0",), f"{_A}.json")),
    collected_at=at(-9),
)


def _failed_sweep(wishes: Json, jobs: Sequence[Job] = ()) -> Json:
    """Return a collection whose sweep did not find its suppression list."""
    of = collection(spec(**wishes))
    (start,) = outlook(of=of, wanted=resolve(listed(wishes["domains"])), results=[_STORED]).errands.startable
    failed = errand_failed(task=Task.SWEEP, of=start.of)
    note = errand_pod(failed, Reason.SUPPRESSION_LIST, message="Secret do-not-contact, list.txt is not there.")
    pods = [note, *(pod(one) for one in jobs)]
    return _object(wishes, _shown(wishes, results=[_STORED], errands=[failed], jobs=jobs, pods=pods))


_REFRESHED: Json = {**_ONE, "refreshAfter": "1h"}
_OLD = result(_A, emails=120, collected_at=at(-9000), ended_at=at(-9000))


def _refreshing(**parts: Any) -> Json:
    return _object(_REFRESHED, _shown(_REFRESHED, results=[_OLD], **parts))


def _stalled_refresh() -> Json:
    """Return a collection that has ended, and whose refresh found a refused key."""
    refused = msgspec.structs.replace(
        _OLD,
        outcome=Outcome.PENDING,
        reason=Reason.KEY_REFUSED,
        message="Hunter refuses the key.",
        ended_at=at(-1),
        run=2,
    )
    return _object(_REFRESHED, _shown(_REFRESHED, results=[refused]))
