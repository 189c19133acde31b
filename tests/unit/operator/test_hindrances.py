"""Jobs whose pod can't start: they are given up after a minute, hold nothing up, and one at a time tries again."""

from typing import Any

import pytest

from builders import MINUTE, NOW, SECOND, at, job, outlook, pod, result
from novahunt_api.waiting import Wait
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_operator.hindrances import GIVEN_UP, GIVEN_UP_AFTER, given_up_for
from novahunt_operator.planner import plan
from novahunt_operator.records import Job, Pod
from novahunt_operator.survey import survey

A, B = "a.example", "b.example"
KEY_SECRET = "hunter-api-key"
IMAGE = {"waiting_reason": "ImagePullBackOff", "waiting_message": "Back-off"}
SECRET = {"waiting_reason": "CreateContainerConfigError", "waiting_message": 'secret "hunter-api-key" not found'}


def stuck(state: dict[str, str], age: float = 60) -> tuple[Job, list[Pod]]:
    """Return a Job so many seconds old, and its pod if it has one."""
    made = job(A, created=NOW - age * SECOND, active=1 if state else 0)
    return made, [pod(made, started=False, phase="Pending", **state)] if state else []


@pytest.mark.parametrize(
    ("state", "reason"), [(IMAGE, Wait.IMAGE_PULL), (SECRET, Wait.KEY_MISSING), ({}, Wait.POD_REFUSED)]
)
def test_after_a_minute_it_is_given_up_and_its_domain_waits_again(state: dict[str, str], reason: Wait) -> None:
    made, pods = stuck(state)
    planned = plan(outlook(A, B, jobs=[made], pods=pods), allowed=5)
    (settlement,) = planned.settle
    assert (settlement.job, settlement.delete) == (made, True)
    recorded = settlement.result
    assert (recorded.outcome, recorded.reason, recorded.attempts) == (Outcome.PENDING, reason, 0)
    # No other is started: it would only do the same.
    assert planned.start == ()


def test_before_that_it_holds_its_slot() -> None:
    made, pods = stuck(IMAGE, 59)
    assert outlook(A, B, jobs=[made], pods=pods).demand.running == 1
    assert outlook(A, B, jobs=[made], pods=pods).wake_at == NOW + SECOND


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"failed": 1}, IMAGE),
        ({}, {"unschedulable": "0/3 nodes are available"}),
        ({}, {"waiting_reason": "ContainerCreating"}),
        ({"taken_up": False}, {}),
    ],
)
def test_what_may_pass_by_itself_is_waited_for(change: dict[str, Any], state: dict[str, str]) -> None:
    made = job(A, **{"created": NOW - 10 * MINUTE, "active": 1 if state else 0, **change})
    pods = [pod(made, started=False, **state)] if state else []
    assert not given_up_for(made, pods, NOW, KEY_SECRET)
    assert survey_live(made, pods) == (made,)


def test_a_pod_that_has_started_is_never_given_up() -> None:
    made = job(A, created=NOW - 10 * MINUTE)
    assert not given_up_for(made, [pod(made)], NOW, KEY_SECRET)


class TestTheBreaker:
    """What keeps any pod from starting is probed by one Job, at growing pauses."""

    @pytest.mark.parametrize("reason", sorted(GIVEN_UP))
    @pytest.mark.parametrize(("in_a_row", "minutes"), [(1, 1), (3, 3), (5, 5), (50, 5)])
    def test_it_opens_and_probes_after_growing_pauses(self, reason: Wait, in_a_row: int, minutes: int) -> None:
        last = given_up(reason, in_a_row=in_a_row)
        found = outlook(A, B, results=[last])
        assert found.breaker is not None
        assert (found.breaker.reason, found.breaker.probe_at) == (reason, NOW + minutes * MINUTE)
        assert found.startable == ()

    def test_a_run_whose_pod_started_closes_it_however_it_ended(self) -> None:
        later = result(B, Reason.INTERRUPTED, ended_at=at(1), attempts=1)
        assert outlook(A, B, results=[given_up(Wait.IMAGE_PULL), later]).breaker is None

    def test_an_edit_has_it_probed_at_once(self) -> None:
        found = outlook(A, B, results=[given_up(Wait.IMAGE_PULL, template_hash="before")])
        assert len(found.startable) == 1


def given_up(reason: Wait, **fields: Any) -> Any:
    return result(A, reason, outcome=Outcome.PENDING, ended_at=at(0), attempts=0, **fields)


def survey_live(made: Job, pods: list[Pod]) -> tuple[Job, ...]:
    return survey(outlook(A, jobs=[made], pods=pods).world).live


def test_the_minute_is_one() -> None:
    assert GIVEN_UP_AFTER == MINUTE
