"""An errand's Job: the pod of a collector with what its task needs, and nothing that it does not need."""

from typing import Any

import msgspec

from builders import KEY, NOW, UID, collection, collector_settings, spec
from novahunt_api.domaincollections import Collection
from novahunt_contract import environment as env
from novahunt_contract.errands import Task
from novahunt_operator import parse
from novahunt_operator.errand_jobs import build
from novahunt_operator.errands import ErrandStart
from novahunt_operator.jobs import template_hash
from unit.operator.api_objects import job_object

LIST = {"secretKeyRef": {"name": "do-not-contact", "key": "list.txt"}}
VOLUME = {"persistentVolumeClaim": {"claimName": "collections", "path": "a/b"}}
FULL = collection(
    spec(suppressionFrom=[LIST], storage=VOLUME, retention="1h", maxResults=70, search={"type": "personal"})
)
ESTIMATE = ErrandStart(Task.ESTIMATE, "0123", 2, ("a.example", "b.example"))
SWEEP = ErrandStart(Task.SWEEP, "4567", 1, after="2026-11-23T12:00:00.000Z")


def made(start: ErrandStart, of: Collection = FULL) -> Any:
    return build(of, start, collector_settings(), NOW)


def container(body: Any) -> Any:
    return body["spec"]["template"]["spec"]["containers"][0]


def environment(body: Any) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in container(body)["env"] if "value" in entry}


def volumes(body: Any) -> set[str]:
    mounted = {mount["name"] for mount in container(body)["volumeMounts"]}
    assert mounted == {volume["name"] for volume in body["spec"]["template"]["spec"]["volumes"]}
    return mounted


def secrets(body: Any) -> list[str]:
    return [entry["name"] for entry in container(body)["env"] if "valueFrom" in entry]


def test_an_estimate_is_told_its_domains_and_what_is_searched_for() -> None:
    found = environment(made(ESTIMATE))
    assert (found[env.TASK], found[env.DOMAINS]) == ("estimate", "a.example\nb.example")
    assert (found[env.HUNTER_MAX_COLLECT], found[env.HUNTER_PAGE_SIZE]) == ("70", "100")
    assert msgspec.json.decode(found[env.SEARCH]) == {"type": "personal"}
    assert (found[env.JOB_ID], found[env.COLLECTION]) == ("estimate-q4-1795521600000", "q4")


def test_an_estimate_has_the_key_and_neither_documents_nor_lists() -> None:
    body = made(ESTIMATE)
    assert secrets(body) == [env.HUNTER_API_KEY]
    assert volumes(body) == {"intake-token"}
    assert not {env.SUPPRESSION, env.STORAGE, env.DOMAIN, env.RUN} & set(environment(body))


def test_a_sweep_is_told_where_documents_lie_which_lists_hold_and_what_is_too_old() -> None:
    found = environment(made(SWEEP))
    assert (found[env.TASK], found[env.STORAGE]) == ("sweep", "/collections/a/b")
    assert found[env.RETAIN_FROM] == "2026-11-24T11:00:00.000Z"
    lists = msgspec.json.decode(found[env.SUPPRESSION])
    assert lists == [{"name": "Secret do-not-contact, list.txt", "path": "/suppression/0/list"}]
    assert volumes(made(SWEEP)) == {"intake-token", "collections", "suppression-0"}


def test_a_sweep_asks_hunter_nothing_and_so_has_no_key() -> None:
    assert secrets(made(SWEEP)) == []


def test_without_a_volume_a_sweep_works_through_the_intake_and_without_retention_nothing_is_too_old() -> None:
    body = made(SWEEP, collection(spec(suppressionFrom=[LIST])))
    assert environment(body)[env.STORAGE] == env.STORAGE_INTAKE
    assert env.RETAIN_FROM not in environment(body)
    assert volumes(body) == {"intake-token", "suppression-0"}


def test_its_pod_is_as_restricted_as_a_domains_and_belongs_to_no_domain() -> None:
    for start in (ESTIMATE, SWEEP):
        body = made(start)
        pod = body["spec"]["template"]["spec"]
        assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        assert pod["automountServiceAccountToken"] is False
        assert container(body)["securityContext"]["readOnlyRootFilesystem"] is True
        for part in (body["metadata"], body["spec"]["template"]["metadata"]):
            assert not [key for key in (*part["labels"], *part["annotations"]) if "domain" in key]
            assert part["labels"]["novahunt.io/collection"] == KEY.name
            assert part["labels"]["app.kubernetes.io/component"] == "collector"


def test_it_tries_as_often_as_a_domains_job_but_has_no_deadline_of_one() -> None:
    of = collection(spec(retry={"maxAttempts": 3}, jobTemplate={"activeDeadlineSeconds": 60}))
    found = made(ESTIMATE, of)["spec"]
    assert (found["backoffLimit"], found["podReplacementPolicy"]) == (2, "Failed")
    assert found["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"] == [2, 10, 11, 12, 13, 14, 15]
    assert "activeDeadlineSeconds" not in found


def test_each_attempt_and_each_round_has_one_name_of_its_own() -> None:
    starts = [
        ESTIMATE,
        ErrandStart(Task.ESTIMATE, "0123", 3, ESTIMATE.domains),
        ErrandStart(Task.ESTIMATE, "9999", 2, ESTIMATE.domains),
        SWEEP,
        ErrandStart(Task.SWEEP, "4567", 1, after="2026-11-24T12:00:00.000Z"),
        ErrandStart(Task.SWEEP, "0123", 2),
    ]
    names = [made(start)["metadata"]["name"] for start in starts]
    assert len(set(names)) == len(starts)
    assert all(len(name) <= 63 for name in names)
    assert made(SWEEP)["metadata"]["name"] == names[3]


def test_what_was_built_is_read_back_as_the_errand_it_is() -> None:
    body = made(ESTIMATE)
    raw = {**body, "metadata": {**body["metadata"], "uid": "u", "resourceVersion": "1"}}
    read = parse.errand(job_object(raw))
    assert read is not None
    assert (read.task, read.of, read.attempt, read.collection, read.owner_uid) == (Task.ESTIMATE, "0123", 2, "q4", UID)
    assert (read.began, read.template_hash) == (NOW, template_hash(FULL, collector_settings()))
    assert parse.job(job_object(raw)) is None


def test_the_body_is_json() -> None:
    for start in (ESTIMATE, SWEEP):
        assert msgspec.json.decode(msgspec.json.encode(made(start)))["kind"] == "Job"
