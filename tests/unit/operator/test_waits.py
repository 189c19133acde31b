"""What a collection waits for: the gravest thing is named, in words that stand still while nothing changes."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from builders import MINUTE, NOW, SECOND, at, collection, job, outlook, pod, result, scheduling, spec
from novahunt_api.waiting import Wait
from novahunt_contract import times
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_contract.wanted import Wanted
from novahunt_operator.conflicts import Conflict
from novahunt_operator.ends import SHARED, Elsewhere
from novahunt_operator.hindrances import CAPACITY_GRACE, JOB_CONTROLLER_GRACE
from novahunt_operator.records import Pod, Reservation
from novahunt_operator.waits import KeyPace, Scheduling, Waiting, find_wait

A, B, C = "a.example", "b.example", "c.example"
PACE = KeyPace(fingerprint="3fa9bc", per_second=15, per_minute=500, used_second=2, used_minute=500, waiting=1)
STUCK: dict[str, Any] = {"started": False, "phase": "Pending"}


def wait(*domains: str, schedule: Scheduling | None = None, pace: KeyPace | None = None, **parts: Any) -> Waiting:
    found = find_wait(outlook(*domains, **parts), schedule or scheduling(), pace)
    assert found is not None
    return found


def test_nothing_is_waited_for_when_all_domains_run_or_are_done() -> None:
    assert find_wait(outlook(A, B, jobs=[job(A)], results=[result(B)]), scheduling(), None) is None


def test_a_key_at_its_limit_is_named_by_its_fingerprint_and_figures() -> None:
    found = wait(A, B, jobs=[job(A)], pace=PACE)
    assert (found.reason, found.stalled) == (Wait.RATE_LIMIT, False)
    assert "key 3fa9…: 500 of 500 requests/min and 2 of 15 requests/s used" in found.message
    assert "slowed" not in found.message


def test_a_key_that_hunter_slowed_says_so() -> None:
    slowed = KeyPace("3fa9bc", 15, 500, used_second=0, used_minute=9, waiting=1, slowed=0.25)
    assert "slowed to 25%" in wait(A, B, jobs=[job(A)], pace=slowed).message


def test_the_start_limit_tells_when_the_next_job_starts() -> None:
    schedule = scheduling(next_start_at=NOW + 7 * SECOND, starts_per_interval=10, interval_seconds=60.0)
    found = wait(A, B, schedule=schedule)
    assert found.reason == Wait.JOB_RATE
    assert found.message == "10 starts per 60 s are used; the next of 2 waiting domains starts at 12:00:07Z."


def test_slots_over_all_and_slots_of_the_collection_are_told_apart() -> None:
    overall = wait(A, B, schedule=scheduling(running=2))
    assert (overall.reason, "WORKER_CONCURRENCY" in overall.message) == (Wait.CONCURRENCY, True)
    own = wait(A, B, C, jobs=[job(A), job(B)])
    assert (own.reason, "spec.concurrency" in own.message) == (Wait.CONCURRENCY, True)


def test_a_pause_before_a_domain_comes_back_is_named() -> None:
    assert wait(A, results=[result(A, "ReceiptMissing", ended_at=at(0))]).reason == Wait.RETRY_PAUSE


def test_throttling_that_outlasts_a_run_needs_no_person_and_tells_when_one_tries_again() -> None:
    found = wait(A, results=[result(A, Reason.THROTTLED, ended_at=at(0))])
    assert (found.reason, found.stalled) == (Wait.RATE_LIMIT, False)
    assert "other programs use the key. 1 domains wait; one tries again at " in found.message


@pytest.mark.parametrize("reason", [Reason.BAD_REQUEST, Reason.USAGE])
def test_what_is_wrong_with_our_own_wishes_is_probed_seldom(reason: Reason) -> None:
    found = wait(A, results=[result(A, reason, ended_at=at(0))])
    assert (found.reason, found.stalled) == (Wait.BAD_REQUEST, True)
    assert "1 domains wait; one tries again at 13:00:00Z." in found.message


def test_while_hunter_is_away_a_person_is_called_after_ten_minutes() -> None:
    away = result(A, Reason.HUNTER_UNAVAILABLE, outcome=Outcome.PENDING, ended_at=at(0), in_a_row=3, since=at(-599))
    found = wait(A, results=[away])
    assert (found.reason, found.stalled) == (Wait.HUNTER_UNAVAILABLE, False)
    assert "whether Hunter is up. 1 domains wait; one tries again at 12:01:00Z." in found.message
    longer = msgspec.structs.replace(away, since=at(-600))
    assert wait(A, results=[longer]).stalled
    assert outlook(A, results=[away]).wake_at == NOW + SECOND


def test_a_probe_of_another_collection_is_told() -> None:
    refused = result(A, Reason.KEY_REFUSED, ended_at=at(0))
    found = wait(A, results=[refused], elsewhere=Elsewhere(same_key_live=1, live=1))
    assert found.message.endswith("1 domains wait; one tries now.")


@pytest.mark.parametrize("reason", sorted(SHARED - {Reason.THROTTLED, Reason.BAD_REQUEST, Reason.USAGE}))
def test_an_open_breaker_needs_a_person_and_tells_when_one_tries_again(reason: Reason) -> None:
    found = wait(A, results=[result(A, reason, ended_at=at(0))])
    assert found.stalled
    assert found.reason == Wait(reason)
    assert found.message.startswith(f"{reason}. ")
    assert "1 domains wait; one tries again at 12:01:00Z." in found.message


@pytest.mark.parametrize("reason", [Reason.KEY_REFUSED, Reason.STORAGE, Reason.HUNTER_UNAVAILABLE])
def test_while_the_only_open_domain_tries_it_still_needs_the_person(reason: Reason) -> None:
    since = times.to_text(NOW - 40 * MINUTE)
    last = result(A, reason, outcome=Outcome.PENDING, ended_at=at(-60), in_a_row=3, since=since)
    pause = wait(A, results=[last])
    for probe in (job(A, 2), job(A, 2, active=0, failed=1)):
        found = wait(A, results=[last], jobs=[probe])
        assert (found.reason, found.stalled) == (pause.reason, True)
        assert found.message.endswith("No other domains wait; one tries now.")


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"of": collection(spec_error="spec can't be read: no")}, Wait.INVALID_SPEC),
        ({"wanted": Wanted((A,), missing=("ConfigMap leads is not there",))}, Wait.DOMAINS_MISSING),
        ({"conflict": Conflict("Folder q4 overlaps")}, Wait.STORAGE_CONFLICT),
    ],
)
def test_what_blocks_the_whole_collection_needs_a_person(parts: dict[str, Any], reason: Wait) -> None:
    found = wait(A, **parts)
    assert (found.reason, found.stalled) == (reason, True)
    assert found.message


def test_a_refused_job_repeats_the_api_server() -> None:
    found = wait(A, schedule=scheduling(refusal="The API server refuses collectors' Jobs: exceeded quota"))
    assert (found.reason, found.stalled) == (Wait.CLUSTER_CAPACITY, True)
    assert "exceeded quota" in found.message


@pytest.mark.parametrize(
    ("state", "reason", "word"),
    [
        (
            {"waiting_reason": "ErrImagePull", "waiting_message": "manifest unknown"},
            Wait.IMAGE_PULL,
            "manifest unknown",
        ),
        ({"waiting_reason": "ImagePullBackOff", "waiting_message": "Back-off"}, Wait.IMAGE_PULL, "Back-off"),
        (
            {"waiting_reason": "CreateContainerConfigError", "waiting_message": 'secret "hunter-api-key" not found'},
            Wait.KEY_MISSING,
            "spec.apiKeySecretRef",
        ),
        (
            {
                "waiting_reason": "CreateContainerConfigError",
                "waiting_message": "couldn't find key HUNTER_API_KEY in Secret sales/hunter-api-key",
            },
            Wait.KEY_MISSING,
            "spec.apiKeySecretRef",
        ),
        (
            {"waiting_reason": "CreateContainerConfigError", "waiting_message": 'secret "proxy" not found'},
            Wait.POD_REFUSED,
            "collector.proxy.secretRef",
        ),
        (
            {"waiting_reason": "CreateContainerConfigError", "waiting_message": "image will run as root"},
            Wait.POD_REFUSED,
            "run as root",
        ),
        ({"unschedulable": 'persistentvolumeclaim "collections" not found'}, Wait.STORAGE, "collections"),
    ],
)
def test_a_pod_that_can_not_start_names_its_cause_at_once(state: dict[str, str], reason: Wait, word: str) -> None:
    found = wait(A, jobs=[job(A)], pods=[pod(job(A), **STUCK, **state)])
    assert (found.reason, found.stalled) == (reason, True)
    assert word in found.message


@pytest.mark.parametrize(("age", "stalled"), [(CAPACITY_GRACE - SECOND, False), (CAPACITY_GRACE, True)])
def test_a_pod_without_a_node_needs_a_person_after_a_minute(age: timedelta, *, stalled: bool) -> None:
    made = job(A, created=NOW - age)
    found = wait(A, jobs=[made], pods=[pod(made, **STUCK, unschedulable="0/3 nodes: insufficient memory")])
    assert (found.reason, found.stalled) == (Wait.CLUSTER_CAPACITY, stalled)


@pytest.mark.parametrize(
    ("taken_up", "reason", "word", "stalled"),
    [(False, Wait.JOB_CONTROLLER, "--concurrent-job-syncs", False), (True, Wait.POD_REFUSED, "admission policy", True)],
)
def test_a_job_without_a_pod_tells_a_slow_job_controller_from_pods_that_are_refused(
    *, taken_up: bool, reason: Wait, word: str, stalled: bool
) -> None:
    young = job(A, active=0, taken_up=taken_up, created=NOW - JOB_CONTROLLER_GRACE + SECOND)
    assert find_wait(outlook(A, jobs=[young]), scheduling(), None) is None
    found = wait(A, jobs=[job(A, active=0, taken_up=taken_up, created=NOW - JOB_CONTROLLER_GRACE)])
    assert (found.reason, found.stalled) == (reason, stalled)
    assert word in found.message


def test_the_gravest_problem_is_named_first() -> None:
    slow = job(A, active=0, created=NOW - MINUTE)
    broken = pod(job(B), **STUCK, waiting_reason="ErrImagePull", waiting_message="manifest unknown")
    assert wait(A, B, jobs=[slow, job(B)], pods=[broken], pace=PACE).reason == Wait.IMAGE_PULL


@pytest.mark.parametrize("state", [{"waiting_reason": "ContainerCreating"}, {"deleting": True}, {}])
def test_a_pod_on_its_way_is_no_problem(state: dict[str, Any]) -> None:
    starting: Pod = pod(job(A), **STUCK, **state)
    assert find_wait(outlook(A, jobs=[job(A)], pods=[starting]), scheduling(), None) is None


def test_a_suspended_collection_does_not_promise_that_one_domain_tries_again() -> None:
    refused = result(A, Reason.KEY_REFUSED, ended_at=at(0))
    assert find_wait(outlook(A, of=collection(spec(suspend=True)), results=[refused]), scheduling(), None) is None


def test_a_budget_that_is_used_up_needs_a_person_and_says_what_helps() -> None:
    of = collection(spec(budget={"maxCredits": 25}))
    found = wait(A, B, of=of, results=[result(B, credits_total=20)])
    assert (found.reason, found.stalled) == (Wait.BUDGET, True)
    assert found.message == (
        "20 of 25 credits are used, 5 left, fewer than the next page can cost; 1 domains wait. "
        "Raise spec.budget.maxCredits."
    )


def test_a_budget_that_may_come_back_from_what_runs_needs_nobody() -> None:
    of = collection(spec(budget={"maxCredits": 10, "period": "Month"}))
    running = job(A, reservation=Reservation(10))
    found = wait(A, B, of=of, jobs=[running], pods=[pod(running)])
    assert (found.reason, found.stalled) == (Wait.BUDGET, False)
    assert found.message == (
        "0 of 10 credits are used, 10 set aside; 1 domains wait. "
        "Raise spec.budget.maxCredits, or wait for the month after 2026-11 (UTC)."
    )


def test_domains_that_have_spent_their_share_are_counted() -> None:
    of = collection(spec(budget={"maxCreditsPerDomain": 5}))
    spent = result(A, Reason.INTERRUPTED, outcome=Outcome.PENDING, credits_total=5)
    found = wait(A, of=of, results=[spent])
    assert (found.reason, found.stalled) == (Wait.BUDGET, True)
    assert found.message == "1 domains have spent their share of 5 credits. Raise spec.budget.maxCreditsPerDomain."
