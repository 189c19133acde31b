"""Builders of records and API objects for tests: everything has a plain default, tests name what matters."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Result, StoredResult
from novahunt_api.objects import Key
from novahunt_api.spec import CollectionSpec
from novahunt_api.statusobject import CollectionStatus
from novahunt_contract import errands as contract
from novahunt_contract import times
from novahunt_contract.intake import Progress
from novahunt_contract.outcomes import ENDINGS, Outcome, Reason
from novahunt_contract.receipt import Receipt, encode
from novahunt_contract.searchhash import Search, search_hash
from novahunt_contract.wanted import Wanted
from novahunt_operator.conflicts import Conflict
from novahunt_operator.ends import Elsewhere
from novahunt_operator.hindrances import GivenUp
from novahunt_operator.lists import NO_LISTS, Lists
from novahunt_operator.planner import Limits, Outlook, look
from novahunt_operator.records import Errand, Job, JobEnd, Pod
from novahunt_operator.settings import CollectorSettings
from novahunt_operator.survey import World
from novahunt_operator.waits import Scheduling

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
KEY = Key("sales", "q4")
UID = "uid-q4"
TEMPLATE = "template-1"
NO_SEARCH = search_hash(Search())


def at(seconds: float) -> str:
    """Return the text of a time so many seconds after NOW."""
    return times.to_text(NOW + timedelta(seconds=seconds))


def spec(**fields: Any) -> CollectionSpec:
    """Return a spec from fields as people write them, in camelCase."""
    return msgspec.json.decode(msgspec.json.encode(fields), type=CollectionSpec)


def collection(wishes: CollectionSpec | None = None, **fields: Any) -> Collection:
    """Return a collection; wishes are its spec."""
    given: dict[str, Any] = {
        "key": KEY,
        "uid": UID,
        "generation": 1,
        "resource_version": 1,
        "created": NOW - MINUTE,
        "deleting": False,
        "spec": wishes or spec(),
        "status": CollectionStatus(),
    }
    return Collection(**{**given, **fields})


def job(domain: str = "example.com", run: int = 1, **fields: Any) -> Job:
    """Return a Job that has just been made."""
    given: dict[str, Any] = {
        "key": Key(KEY.namespace, f"{KEY.name}-{domain}-{run}"),
        "uid": f"job-{domain}-{run}",
        "resource_version": 10,
        "owner_uid": UID,
        "collection": KEY.name,
        "domain": domain,
        "run": run,
        "job_id": f"collect-{domain}-{run}",
        "created": NOW - 5 * SECOND,
        "deleting": False,
        "taken_up": True,
        "active": 1,
        "failed": 0,
        "end": None,
        "end_reason": "",
        "end_message": "",
        "ended_at": None,
        "retry_failed": None,
        "recollect": None,
        "search_hash": NO_SEARCH,
        "max_results": 5000,
        "claim_name": None,
        "path": None,
        "template_hash": TEMPLATE,
    }
    return Job(**{**given, **fields})


def complete(domain: str = "example.com", run: int = 1, **fields: Any) -> Job:
    """Return a Job that is complete."""
    return job(domain, run, **{"active": 0, "end": JobEnd.COMPLETE, "ended_at": NOW, **fields})


def failed(reason: str, domain: str = "example.com", run: int = 1, **fields: Any) -> Job:
    """Return a Job that has failed for a reason of Kubernetes."""
    given = {"active": 0, "failed": 1, "end": JobEnd.FAILED, "ended_at": NOW, "end_reason": reason}
    return job(domain, run, **{**given, **fields})


def errand(task: contract.Task = contract.Task.ESTIMATE, of: str = "wishes", attempt: int = 1, **fields: Any) -> Errand:
    """Return an errand's Job that has just been made."""
    name = f"{KEY.name}-{task}-{of}-{attempt}"
    given: dict[str, Any] = {
        "key": Key(KEY.namespace, name),
        "uid": f"job-{name}",
        "resource_version": 10,
        "owner_uid": UID,
        "collection": KEY.name,
        "task": task,
        "of": of,
        "attempt": attempt,
        "job_id": f"{task}-{KEY.name}-{times.to_milliseconds(NOW - 5 * SECOND)}",
        "created": NOW - 5 * SECOND,
        "deleting": False,
        "taken_up": True,
        "active": 1,
        "failed": 0,
        "end": None,
        "end_reason": "",
        "end_message": "",
        "ended_at": None,
        "template_hash": TEMPLATE,
        "counts": None,
    }
    return Errand(**{**given, **fields})


def pod(of: Job | Errand | None = None, **fields: Any) -> Pod:
    """Return a running pod of a Job."""
    owner = of or job()
    given: dict[str, Any] = {
        "key": Key(owner.key.namespace, f"{owner.key.name}-abcde"),
        "uid": f"pod-of-{owner.uid}",
        "resource_version": 20,
        "job_uid": owner.uid,
        "collection": owner.collection,
        "domain": owner.domain if isinstance(owner, Job) else "",
        "created": owner.created,
        "phase": "Running",
        "deleting": False,
        "started": True,
        "finished": False,
        "exit_code": None,
        "end_reason": "",
        "termination_message": "",
        "waiting_reason": "",
        "waiting_message": "",
        "unschedulable": "",
    }
    return Pod(**{**given, **fields})


def counted(attempt: int = 1, of: str = "wishes", **fields: Any) -> Errand:
    """Return an errand's Job that is complete."""
    given = {"active": 0, "end": JobEnd.COMPLETE, "ended_at": NOW}
    return errand(of=of, attempt=attempt, **{**given, **fields})


def errand_failed(attempt: int = 1, of: str = "wishes", **fields: Any) -> Errand:
    """Return an errand's Job that has failed."""
    given = {"active": 0, "failed": 1, "end": JobEnd.FAILED, "ended_at": NOW, "end_reason": "PodFailurePolicy"}
    return errand(of=of, attempt=attempt, **{**given, **fields})


def errand_pod(of: Errand, reason: Reason = Reason.COLLECTED, **note: Any) -> Pod:
    """Return an errand's pod that has ended with a receipt."""
    receipt = contract.ErrandReceipt(**{"task": of.task, "job_id": of.job_id, "reason": reason, **note})
    code = int(ENDINGS[reason].exit_code)
    phase = "Succeeded" if code == 0 else "Failed"
    text = contract.encode(receipt).decode()
    return pod(of, phase=phase, finished=True, exit_code=code, termination_message=text)


def receipt(reason: Reason = Reason.COLLECTED, **fields: Any) -> Receipt:
    """Return the receipt of a run that ended for a reason, by the contract's own table."""
    given: dict[str, Any] = {
        "domain": "example.com",
        "run": 1,
        "outcome": ENDINGS[reason].outcome,
        "reason": reason,
        "job_id": "collect-example.com-1",
    }
    if ENDINGS[reason].outcome in (Outcome.COLLECTED, Outcome.TRUNCATED):
        given |= {"items": 7, "reported": 9, "sha256": "ab" * 32, "bytes": 1234}
        given |= {"collected_at": at(-2), "stored_at": at(-1), "search_hash": NO_SEARCH}
    return Receipt(**{**given, **fields})


def finished_pod(of: Job, note: Receipt | str = "", **fields: Any) -> Pod:
    """Return a pod that has ended with a receipt, or with another termination message."""
    text = note if isinstance(note, str) else encode(note).decode()
    code = int(ENDINGS[note.reason].exit_code) if isinstance(note, Receipt) else 1
    given: dict[str, Any] = {
        "phase": "Succeeded" if code == 0 else "Failed",
        "finished": True,
        "exit_code": code,
        "end_reason": "Completed" if code == 0 else "Error",
        "termination_message": text,
    }
    return pod(of, **{**given, **fields})


def result(domain: str = "example.com", reason: str = Reason.COLLECTED, **fields: Any) -> Result:
    """Return how a domain's last run ended; reasons of the operator's own count as Pending unless told."""
    known = reason in list(Reason)
    given: dict[str, Any] = {
        "domain": domain,
        "collection": KEY.name,
        "run": 1,
        "outcome": ENDINGS[Reason(reason)].outcome if known else Outcome.PENDING,
        "reason": str(reason),
        "message": f"{reason}.",
        "search_hash": NO_SEARCH,
        "ended_at": at(-3600),
        "max_results": 5000,
        "template_hash": TEMPLATE,
        "requests": 0 if reason == Reason.SUPPRESSED else 1,
    }
    return Result(**{**given, **fields})


def stored(data: Result, **fields: Any) -> StoredResult:
    """Return a result as an object of the cluster."""
    name = f"{data.collection}-{data.domain}"
    given: dict[str, Any] = {"key": Key(KEY.namespace, name), "uid": f"uid-{name}", "resource_version": 5}
    return StoredResult(**{**given, **fields}, data=data)


def world(
    *domains: str,
    of: Collection | None = None,
    wanted: Wanted | None = None,
    jobs: Sequence[Job] = (),
    pods: Sequence[Pod] = (),
    results: Sequence[Result] = (),
    progress: Mapping[str, Progress] | None = None,
    void: Iterable[str] = (),
    errands: Sequence[Errand] = (),
    given_up: Mapping[contract.Task, GivenUp] | None = None,
    lists: Lists = NO_LISTS,
    elsewhere: Elsewhere | None = None,
    now: datetime = NOW,
) -> World:
    """Return the world of a collection that wants these domains."""
    return World(
        collection=of or collection(),
        wanted=wanted or Wanted(domains),
        jobs=tuple(jobs),
        pods=tuple(pods),
        results={entry.domain: entry for entry in results},
        progress=progress or {},
        void=frozenset(void),
        errands=tuple(errands),
        given_up=given_up or {},
        lists=lists,
        elsewhere=elsewhere or Elsewhere(),
        template_hash=TEMPLATE,
        search_hash=NO_SEARCH,
        now=now,
    )


def outlook(*domains: str, conflict: Conflict | None = None, limits: Limits | None = None, **parts: Any) -> Outlook:
    """Return the outlook of such a world."""
    return look(world(*domains, **parts), limits or Limits(), conflict)


def scheduling(**fields: Any) -> Scheduling:
    """Return a scheduler that holds nothing up but its two slots."""
    return Scheduling(**{"concurrency": 2, "running": 0, **fields})


def collector_settings(**fields: Any) -> CollectorSettings:
    """Return what collectors' Jobs are given."""
    given: dict[str, Any] = {
        "image": "registry.example/collector:1",
        "image_pull_policy": "IfNotPresent",
        "image_pull_secrets": (),
        "intake_url": "http://intake.novahunt.svc:8090",
        "hunter_base_url": "https://api.hunter.io/v2",
        "requests_per_second": 15,
        "requests_per_minute": 500,
        "concurrency": 2,
        "log_format": "json",
    }
    return CollectorSettings(**{**given, **fields})
