"""Errands whose pods can't start: they give their slot back, and the next one waits for a pause that grows."""

import itertools
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from builders import HOUR, MINUTE, NOW, SECOND, collection, errand, outlook, pod, scheduling, spec
from novahunt_api.objects import Key
from novahunt_contract import times
from novahunt_contract.errands import Task
from novahunt_operator.estimates import chunks
from novahunt_operator.hindrances import GIVEN_UP_AFTER, GivenUp
from novahunt_operator.lists import Lists
from novahunt_operator.planner import Outlook, plan
from novahunt_operator.records import Errand, Pod
from novahunt_operator.scheduler import Scheduler, StartLimit
from novahunt_operator.status import compute
from novahunt_operator.waits import find_wait

LIST = {"configMapKeyRef": {"name": "blocked", "key": "list.txt"}}
VOLUME = {"persistentVolumeClaim": {"claimName": "collections"}}
ESTIMATE = spec(mode="Estimate", concurrency=2)
SWEEP = spec(suppressionFrom=[LIST], storage=VOLUME)
MANY = [f"d{number:04}.example" for number in range(1200)]
NO_SECRET = {"waiting_reason": "CreateContainerConfigError", "waiting_message": 'secret "novahunt" not found'}


class Life:
    """A collection whose errands' pods can't start, and an operator that looks at it whenever it wants to."""

    def __init__(self, wishes: Any, **stuck: Any) -> None:
        self.wishes, self.stuck, self.now = wishes, stuck or NO_SECRET, NOW
        self.live: list[Errand] = []
        self.given_up: Mapping[Task, GivenUp] = {}
        self.starts: list[datetime] = []
        self.sweep_wish = ""

    def look(self) -> Outlook:
        found = outlook(
            *(MANY if self.wishes is ESTIMATE else []),
            of=collection(self.wishes, sweep_wish=self.sweep_wish),
            errands=self.live,
            pods=[self.pod(one) for one in self.live if not self.is_without_pods],
            lists=Lists(digests=("one",)),
            given_up=self.given_up,
            now=self.now,
        )
        self.given_up = found.errands.given_up
        return found

    @property
    def is_without_pods(self) -> bool:
        return self.stuck.get("active") == 0

    def pod(self, of: Errand) -> Pod:
        return pod(of, **{"started": False, "phase": "Pending", **self.stuck})

    def step(self) -> Outlook:
        """Look, delete what is to go, and make what is to start."""
        found = self.look()
        decided = plan(found, 0, allowed_errands=9)
        self.live = [one for one in self.live if one not in decided.delete_errands]
        for start in decided.start_errands:
            self.starts.append(self.now)
            job_id = f"{start.task}-q4-{times.to_milliseconds(self.now)}"
            name = f"{start.task}-{start.of}-{len(self.starts)}"
            fields: dict[str, Any] = {"created": self.now, "job_id": job_id, "key": Key("sales", name), "uid": name}
            self.live.append(errand(start.task, start.of, active=0 if self.is_without_pods else 1, **fields))
        return found

    def until(self, end: datetime) -> None:
        """Do what is to be done, each time the operator wants to look again."""
        while self.now < end:
            self.step()
            again = self.look().wake_at
            self.now = min(end, again or end)


@pytest.mark.parametrize("wishes", [ESTIMATE, SWEEP], ids=["estimate", "sweep"])
@pytest.mark.parametrize(
    "stuck",
    [NO_SECRET, {"waiting_reason": "ImagePullBackOff", "waiting_message": "no such image"}, {"active": 0}],
    ids=["no Secret", "no image", "no pod"],
)
def test_an_errand_that_can_not_start_gives_its_slot_back_after_a_minute(wishes: Any, stuck: dict[str, Any]) -> None:
    life = Life(wishes, **stuck)
    life.step()
    assert life.look().demand.running > 0
    life.now += GIVEN_UP_AFTER - SECOND
    assert plan(life.look(), 0).delete_errands == ()
    assert life.look().wake_at == NOW + GIVEN_UP_AFTER, "nothing else may happen meanwhile"
    life.now += SECOND
    live = tuple(life.live)
    assert life.step().errands.delete == live
    assert life.look().demand.running == 0


def test_two_that_can_not_start_leave_other_collections_their_slots() -> None:
    life, other, scheduler = Life(ESTIMATE), Key("sales", "other"), Scheduler(2, StartLimit(0, MINUTE))
    life.until(NOW + HOUR)
    scheduler.tell(Key("sales", "q4"), life.look().demand)
    scheduler.tell(other, outlook("a.example").demand)
    assert scheduler.allowed(other, life.now) == 1


@pytest.mark.parametrize("wishes", [ESTIMATE, SWEEP], ids=["estimate", "sweep"])
def test_one_at_a_time_is_tried_again_after_a_pause_that_grows_to_five_minutes(wishes: Any) -> None:
    life = Life(wishes)
    life.until(NOW + HOUR)
    tries = sorted(set(life.starts))
    pauses = [later - earlier - GIVEN_UP_AFTER for earlier, later in itertools.pairwise(tries)]
    assert pauses[:6] == [number * MINUTE for number in (1, 2, 3, 4, 5, 5)]
    assert len(life.starts) - len(tries) == (1 if wishes is ESTIMATE else 0), "only the first ones start together"


@pytest.mark.parametrize("wishes", [ESTIMATE, SWEEP], ids=["estimate", "sweep"])
def test_what_kept_it_from_starting_is_told_during_the_pause_and_the_next_try(wishes: Any) -> None:
    life = Life(wishes)
    life.until(NOW + GIVEN_UP_AFTER)
    life.step()
    assert life.live == []

    def stalled() -> str:
        found = life.look()
        shown = compute(found, find_wait(found, scheduling(), None)).conditions
        reasons = {one.type: (one.reason, one.message) for one in shown}
        assert reasons["Stalled"][0] == "PodRefused"
        return reasons["Stalled"][1]

    task = "estimate" if wishes is ESTIMATE else "sweep"
    assert stalled().endswith(f"The {task} is tried again at 12:02:00Z.")
    life.now = NOW + 2 * MINUTE
    life.step()
    assert len(life.live) == 1
    life.stuck = {"waiting_reason": "ContainerCreating"}
    assert stalled().endswith(f"The {task} is tried now.")


def test_a_pod_that_starts_ends_it_and_the_others_follow() -> None:
    life = Life(ESTIMATE)
    life.until(NOW + 3 * MINUTE - SECOND)
    (probe,) = life.live
    life.stuck = {"started": True, "phase": "Running"}
    found = life.step()
    assert (found.errands.given_up, found.errands.estimate_setbacks) == ({}, ())
    assert [one.of for one in life.live] == [probe.of, chunks(MANY, ESTIMATE)[1].of]


def test_other_settings_are_tried_at_once() -> None:
    life = Life(ESTIMATE)
    life.until(NOW + GIVEN_UP_AFTER)
    life.step()
    assert life.look().errands.startable == ()
    known = life.given_up[Task.ESTIMATE]
    life.given_up = {Task.ESTIMATE: GivenUp(known.of, known.at, 4, known.hindrance, "older settings")}
    assert len(life.look().errands.startable) == 2


def test_a_person_s_wish_for_a_sweep_does_not_wait_for_the_pause() -> None:
    life = Life(SWEEP)
    life.until(NOW + GIVEN_UP_AFTER)
    life.step()
    assert life.look().errands.startable == ()
    life.sweep_wish = "again"
    assert len(life.look().errands.startable) == 1


def test_one_that_finds_no_node_is_kept_because_autoscalers_see_it_wait() -> None:
    life = Life(SWEEP, unschedulable="0/3 nodes are available")
    life.until(NOW + timedelta(days=1))
    assert len(life.starts) == 1
    assert len(life.live) == 1
