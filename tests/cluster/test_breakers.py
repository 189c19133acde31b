"""What would end any other run stops the starts, fails no domain, and is over as soon as one probe says so."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from cluster.operator_process import PROBE_SECONDS
from cluster.world import CollectionObject, World
from hunter_simulator import DEFAULT_KEY, AnswerStatus, Fault, Plan, Reset
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_operator.breaker import RARELY

pytestmark = pytest.mark.cluster

NAMED = 20.0
"""Seconds within which what stops a collection is named, attempts included."""


HASTY = {"NOVAHUNT_BACKOFF_BASE_SECONDS": "0.01", "NOVAHUNT_MAX_FAILURES": "2"}
"""A collector that gives up in a moment what it would wait a minute for."""


def domains(count: int) -> list[str]:
    return [f"n{number}.example" for number in range(1, count + 1)]


def waits_for(found: CollectionObject, reason: str) -> bool:
    return found.condition("Waiting") == ("True", reason)


@pytest.mark.timeout(240, func_only=True)
async def test_while_hunter_is_away_no_domain_fails_and_all_go_on_when_it_is_back(world: World) -> None:
    world.kubelet.environment = HASTY
    fault = world.simulator.add_fault(Fault(action=Reset(), times=None))
    world.apply("away", domains(12), concurrency=3, retry={"maxAttempts": 1})
    await world.until("away", lambda found: waits_for(found, "HunterUnavailable"), "waiting for Hunter", 90)
    started, began = len(world.kubelet.started), time.monotonic()
    await world.until_true(lambda: len(world.kubelet.started) >= started + 2, "probed twice")
    assert len(world.kubelet.started) - started <= 1 + (time.monotonic() - began) // PROBE_SECONDS
    found = await world.collection("away")
    assert found.condition("Reconciling") == ("True", "InProgress")
    assert found.status.domains is not None
    assert (found.status.domains.failed, found.status.domains.succeeded) == (0, 0)
    world.simulator.remove_fault(fault)
    ready = await world.ready("away", 120)
    assert ready.condition("Ready") == ("True", "Completed")
    assert ready.status.emails == sum(range(1, 13))


@pytest.mark.timeout(240, func_only=True)
async def test_a_domain_that_hunter_alone_does_not_answer_fails_after_three_runs_and_keeps_nothing_else_up(
    world: World,
) -> None:
    world.kubelet.environment = HASTY
    world.simulator.add_fault(Fault(action=AnswerStatus(status=500), domain="broken.example", times=None))
    world.apply("broken", ["broken.example", *domains(5)], retry={"maxAttempts": 1})
    ready = await world.ready("broken", 200)
    assert ready.condition("Ready") == ("True", "CompletedWithFailures")
    results = await world.results("broken")
    broken = results.pop("broken.example")
    assert (broken.outcome, broken.reason, broken.run, broken.in_a_row) == (
        Outcome.FAILED,
        Reason.HUNTER_UNAVAILABLE,
        3,
        3,
    )
    assert {result.run for result in results.values()} == {1}


async def test_what_one_collection_learns_of_a_key_holds_for_all_that_use_it(world: World) -> None:
    world.set_key("no-such-key")
    world.apply("first", domains(3))
    await world.until("first", lambda found: found.condition("Stalled")[1] == "KeyRefused", "stalled", NAMED)
    started, began = len(world.kubelet.started), time.monotonic()
    names = [f"later-{number}" for number in range(4)]
    for name in names:
        world.apply(name, domains(5), concurrency=5)
    for name in names:
        await world.until(name, lambda found: found.condition("Stalled")[1] == "KeyRefused", "stalled", NAMED)
    # All of them together start no more than the one probe that is due.
    assert len(world.kubelet.started) - started <= 1 + (time.monotonic() - began) // PROBE_SECONDS
    world.set_key(DEFAULT_KEY)
    for name in ("first", *names):
        await world.ready(name, 90)


async def test_a_used_up_plan_says_when_it_goes_on_and_a_person_may_have_it_tried_before(world: World) -> None:
    day = (datetime.now(UTC) + timedelta(days=5)).date()
    world.simulator.set_key(DEFAULT_KEY, Plan(credits=0, reset_date=day))
    world.apply("quota", domains(4))
    found = await world.until(
        "quota", lambda found: found.condition("Stalled")[1] == "QuotaExhausted", "stalled", NAMED
    )
    message = next(one.message for one in found.status.conditions if one.type == "Stalled")
    assert f"its next billing period begins on {day}" in message
    assert {result.outcome for result in (await world.results("quota")).values()} == {Outcome.PENDING}
    requests = world.simulator.report().requests
    # It is not probed every minute: nothing but the date, or a raised plan, ends it.
    await asyncio.sleep(3 * PROBE_SECONDS)
    assert world.simulator.report().requests == requests
    world.simulator.set_key(DEFAULT_KEY, Plan())
    world.apply("quota", domains(4), retryFailed="plan raised")
    assert (await world.ready("quota", RARELY * PROBE_SECONDS / 2)).status.emails == 10


async def test_a_refused_request_is_tried_again_when_the_collection_is_edited(world: World) -> None:
    world.simulator.add_fault(Fault(action=AnswerStatus(status=400), endpoint="domain-search", times=None))
    world.apply("wrong", domains(4), concurrency=1)
    await world.until("wrong", lambda found: found.condition("Stalled")[1] == "BadRequest", "stalled", NAMED)
    world.simulator.clear_faults()
    world.apply("wrong", domains(4), concurrency=1, pageSize=50)
    assert (await world.ready("wrong", RARELY * PROBE_SECONDS / 2)).status.emails == 10


async def test_pods_that_a_quota_refuses_are_told_from_a_slow_job_controller(world: World) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none", "namespace": world.namespace},
        "spec": {"hard": {"pods": "0"}},
    }
    world.plane.kubectl("apply", "-f", "-", stdin=json.dumps(quota))
    world.apply("refused", domains(3))
    found = await world.until("refused", lambda found: found.condition("Stalled")[1] == "PodRefused", "stalled", 40)
    assert "a quota or an admission policy refuses its pods" in found.status.conditions[0].message
    world.plane.kubectl("delete", "resourcequota", "none", "-n", world.namespace)
    assert (await world.ready("refused", 90)).status.emails == 6


@pytest.mark.timeout(240, func_only=True)
async def test_jobs_that_can_not_start_give_their_slots_back_to_other_collections(world: World) -> None:
    world.apply("stuck", domains(30), concurrency=30, apiKeySecretRef={"name": "absent", "key": "HUNTER_API_KEY"})
    await world.until("stuck", lambda found: found.condition("Stalled")[1] == "KeyMissing", "stalled", NAMED)
    world.apply("other", domains(6), concurrency=2)
    assert (await world.ready("other", 120)).status.emails == 21
    found = await world.collection("stuck")
    assert found.condition("Stalled") == ("True", "KeyMissing")
    world.set_key(DEFAULT_KEY, name="absent")
    assert (await world.ready("stuck", 90)).status.emails == sum(range(1, 31))
