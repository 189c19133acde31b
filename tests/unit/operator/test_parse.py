"""Reading API objects: what the server sends becomes records; what is not ours, or damaged, is told apart."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from novahunt_api import domaincollections, domainresults, wire
from novahunt_api.domainresults import ResultObject
from novahunt_api.objects import Key
from novahunt_api.spec import CollectionSpec
from novahunt_api.statusobject import CollectionStatus
from novahunt_contract.errands import Task
from novahunt_operator import parse
from novahunt_operator.records import Counts, JobEnd, Pod
from unit.operator.api_objects import COLLECTION, ERRAND, JOB, POD, RESULT, changed, job_object, pod_state

ENDED = "2026-11-24T12:00:00Z"


def read_pod(raw: dict[str, Any]) -> Pod:
    pod = parse.pod(msgspec.convert(raw, wire.PodObject))
    assert pod is not None
    return pod


def job_with(*conditions: dict[str, str]) -> dict[str, Any]:
    return changed(JOB, "status/conditions", list(conditions))


def condition(kind: str, status: str = "True", reason: str = "") -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason, "message": "why", "lastTransitionTime": ENDED}


def test_a_collection_is_read_with_its_wishes_and_its_last_status() -> None:
    found = domaincollections.read(COLLECTION)
    assert (found.key, found.uid, found.generation) == (Key("sales", "q4"), "uid-q4", 3)
    assert found.resource_version == 1048576123
    assert found.created == datetime(2026, 11, 24, 11, 59, tzinfo=UTC)
    assert found.spec.domains == ("example.com", "example.org")
    assert found.spec.volume is not None
    assert found.spec.volume.claim_name == "collections"
    assert found.spec.job_template.tolerations is not None
    assert found.status.conditions[0].reason == "InProgress"
    assert (found.deleting, found.spec_error) == (False, None)


def test_a_spec_that_can_not_be_read_is_named_and_the_collection_stays_known() -> None:
    found = domaincollections.read(changed(COLLECTION, "spec/concurrency", "many"))
    assert found.spec == CollectionSpec()
    assert found.spec_error is not None
    assert "$.concurrency" in found.spec_error


def test_a_status_that_can_not_be_read_is_computed_anew() -> None:
    assert domaincollections.read(changed(COLLECTION, "status/done", 5)).status == CollectionStatus()


def test_a_collection_without_status_or_being_deleted_is_read() -> None:
    found = domaincollections.read(changed(changed(COLLECTION, "status", None), "metadata/deletionTimestamp", ENDED))
    assert found.deleting
    assert found.status == CollectionStatus()


def test_a_job_is_read_with_what_was_written_on_it() -> None:
    found = parse.job(job_object(JOB))
    assert found is not None
    assert (found.domain, found.run, found.collection, found.owner_uid) == ("example.com", 2, "q4", "uid-q4")
    assert (found.recollect, found.retry_failed, found.max_results) == ("a", None, 5000)
    assert (found.claim_name, found.path) == ("collections", "q4")
    assert (found.active, found.failed, found.end, found.backing_off) == (1, 0, None, False)


def test_an_errand_is_read_with_what_was_written_on_it_and_is_no_domains_job() -> None:
    found = parse.errand(job_object(ERRAND))
    assert found is not None
    assert (found.task, found.of, found.attempt) == (Task.ESTIMATE, "0123456789abcdef", 2)
    assert (found.collection, found.owner_uid, found.template_hash) == ("q4", "uid-q4", "0123456789ab")
    assert found.counts == Counts(domains=500, emails=9100, credits=960)
    assert found.began == datetime(2026, 11, 24, 11, 59, tzinfo=UTC)
    assert parse.job(job_object(ERRAND)) is None
    assert parse.errand(job_object(JOB)) is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata/ownerReferences", []),
        ("metadata/ownerReferences/0/kind", "CronJob"),
        ("metadata/annotations/novahunt.io~task", "cook"),
        ("metadata/annotations/novahunt.io~attempt", "first"),
    ],
)
def test_a_job_that_is_no_errand_of_ours_is_not_read(path: str, value: object) -> None:
    assert parse.errand(job_object(changed(ERRAND, path, value))) is None


def test_counts_that_somebody_else_wrote_are_none() -> None:
    found = parse.errand(job_object(changed(ERRAND, "metadata/annotations/novahunt.io~counts", "{")))
    assert found is not None
    assert found.counts is None


def test_the_wish_for_a_sweep_is_read_from_its_annotation() -> None:
    asked = domaincollections.read(changed(COLLECTION, "metadata/annotations", {"novahunt.io/sweep": "now"}))
    assert (asked.sweep_wish, domaincollections.read(COLLECTION).sweep_wish) == ("now", "")


@pytest.mark.parametrize(("kind", "end"), [("Complete", JobEnd.COMPLETE), ("Failed", JobEnd.FAILED)])
def test_the_condition_that_ends_a_job_is_found_among_those_that_announce_it(kind: str, end: JobEnd) -> None:
    before = [condition("Suspended", "False"), condition("SuccessCriteriaMet"), condition("FailureTarget")]
    found = parse.job(job_object(job_with(*before, condition(kind, reason="DeadlineExceeded"))))
    assert found is not None
    assert (found.end, found.end_reason, found.end_message) == (end, "DeadlineExceeded", "why")
    assert found.ended_at == datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize("conditions", [[], [condition("FailureTarget")], [condition("Failed", "False")]])
def test_a_job_whose_end_is_only_announced_has_not_ended(conditions: list[dict[str, str]]) -> None:
    found = parse.job(job_object(job_with(*conditions)))
    assert found is not None
    assert found.end is None


def test_a_job_between_two_attempts_backs_off() -> None:
    raw = changed(JOB, "status", {"failed": 1, "startTime": ENDED})
    found = parse.job(job_object(raw))
    assert found is not None
    assert found.backing_off


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata/ownerReferences", None),
        ("metadata/ownerReferences/0/controller", False),
        ("metadata/ownerReferences/0/kind", "CronJob"),
        ("metadata/annotations", None),
        ("metadata/annotations/novahunt.io~domain", None),
        ("metadata/annotations/novahunt.io~run", None),
        ("metadata/annotations/novahunt.io~run", "second"),
        ("metadata/annotations/novahunt.io~run", "-1"),
    ],
)
def test_a_job_that_the_operator_did_not_make_is_nobody(path: str, value: object) -> None:
    assert parse.job(job_object(changed(JOB, path, value))) is None


def test_a_job_whose_annotations_were_damaged_does_not_stop_the_watch() -> None:
    found = parse.job(job_object(changed(JOB, "metadata/annotations/novahunt.io~max-results", "lots")))
    assert found is not None
    assert found.max_results == 0


def test_a_running_pod_has_started_and_not_finished() -> None:
    found = read_pod(POD)
    assert (found.job_uid, found.collection, found.domain) == ("job-1", "q4", "example.com")
    assert (found.started, found.finished, found.exit_code, found.unschedulable) == (True, False, None, "")


def test_a_pods_termination_message_is_its_receipt() -> None:
    ended = {"terminated": {"exitCode": 10, "reason": "Error", "message": "{}", "finishedAt": ENDED, "signal": 0}}
    found = read_pod(pod_state(ended, "Failed"))
    assert (found.finished, found.exit_code, found.end_reason, found.termination_message) == (True, 10, "Error", "{}")


def test_a_sidecar_that_a_mesh_injected_is_not_taken_for_the_collector() -> None:
    raw = pod_state({"terminated": {"exitCode": 0, "reason": "Completed", "message": "receipt"}}, "Succeeded")
    proxy = {"name": "a-proxy", "state": {"terminated": {"exitCode": 7, "message": "proxy"}}}
    raw["status"]["containerStatuses"].insert(0, proxy)
    found = read_pod(raw)
    assert (found.exit_code, found.termination_message) == (0, "receipt")


def test_an_evicted_pod_says_so_whatever_its_container_says() -> None:
    raw = changed(pod_state({"terminated": {"exitCode": 137, "reason": "Error"}}, "Failed"), "status/reason", "Evicted")
    assert read_pod(raw).end_reason == "Evicted"


def test_a_pod_that_never_started_tells_why() -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}
    found = read_pod(pod_state(waiting, "Pending"))
    assert (found.started, found.waiting_reason, found.waiting_message) == (
        False,
        "ImagePullBackOff",
        "Back-off pulling image",
    )


def test_a_pod_that_no_node_takes_repeats_the_scheduler() -> None:
    raw = changed(changed(POD, "status/containerStatuses", None), "status/phase", "Pending")
    raw["status"]["conditions"] = [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available"}
    ]
    found = read_pod(raw)
    assert (found.started, found.unschedulable) == (False, "0/1 nodes are available")
    raw["status"]["phase"] = "Failed"
    assert read_pod(raw).unschedulable == ""


@pytest.mark.parametrize(
    ("path", "value"), [("metadata/ownerReferences", None), ("metadata/ownerReferences/0/kind", "ReplicaSet")]
)
def test_a_pod_of_no_job_is_nobody(path: str, value: object) -> None:
    assert parse.pod(msgspec.convert(changed(POD, path, value), wire.PodObject)) is None


def test_a_result_is_read_and_written_in_the_same_words() -> None:
    found = domainresults.read(msgspec.convert(RESULT, ResultObject))
    assert (found.key, found.uid, found.resource_version) == (Key("sales", "q4-aaaaaaaaaaaa"), "result-1", 77)
    data = {name: value for name, value in RESULT.items() if name not in ("apiVersion", "kind", "metadata")}
    assert msgspec.json.decode(msgspec.json.encode(found.data)) == data
