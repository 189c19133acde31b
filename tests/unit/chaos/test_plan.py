"""The kill table hits every victim at every step, and adds up what came of it."""

from collections import Counter

from chaos import plan, victims
from chaos.course import Played
from chaos.judging import Verdict
from chaos.moments import Side, Step
from chaos.running import LANES, lane_of
from chaos.table import problems, table
from chaos.trials import Havoc, Trial

ALL: list[Trial | Havoc] = [*plan.trials((*plan.ALONE, *plan.OF_ALL)), *plan.havocs()]


def test_every_victim_but_single_calls_is_hit_at_every_step() -> None:
    for victim in (*plan.ALONE, *plan.OF_ALL):
        steps = {trial.step for trial in plan.trials([victim])}
        assert steps == set(Step) or victim in (victims.ONE_CALL, victims.TWICE)


def test_there_are_more_than_two_hundred_kills_with_numbers_of_their_own_each_with_a_stage() -> None:
    kills = sum(trial.kills if isinstance(trial, Havoc) else 1 for trial in ALL)
    assert kills >= 200
    assert len({trial.number for trial in ALL}) == len(ALL)
    assert {lane_of(trial) for trial in ALL} <= set(LANES)


def test_the_plan_is_the_same_each_time() -> None:
    assert [str(trial) for trial in plan.trials(plan.ALONE)] == [str(trial) for trial in plan.trials(plan.ALONE)]


def test_the_short_form_hits_every_victim_once() -> None:
    alone, of_all = plan.short()
    counts = Counter(trial.victim.name for trial in (*alone, *of_all))
    missing = {victim.name for victim in (*plan.ALONE, *plan.OF_ALL)} - counts.keys()
    # The standby's way to take over is the same when the active replica is paused.
    assert missing == {victims.LEADER.name}
    assert set(counts.values()) == {1}
    assert {lane_of(trial) for trial in (*alone, *of_all)} <= set(LANES)


def test_the_table_adds_up() -> None:
    good = Verdict()
    bad = Verdict(lost=["x", "y"], stuck=["z"])
    lines = table(
        [
            Played("operator", Step.JOB_CREATED, 1, good, 3.4),
            Played("operator", Step.JOB_CREATED, 1, bad, 240.0, ("told",)),
            Played("etcd", Step.POD_STARTED, 1, good, 7.6),
        ]
    )
    assert "| operator | 2 | 2 | 0 | 0 | 0 | 0 | 1 | 240 s |" in lines
    assert "| etcd | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 8 s |" in lines
    assert "| **all** | 3 | 2 | 0 | 0 | 0 | 0 | 1 | 240 s |" in lines
    assert "| operator | Job created | 2 | 2 | 0 | 0 | 0 | 0 | 1 | 240 s |" in lines
    assert problems([Played("etcd", "x", 1, bad, 1.0, ("told",))]) == [
        "etcd, x: lost: x; lost: y; stuck: z",
        "    told",
    ]


def test_both_sides_of_a_call_are_hit_where_the_call_is_the_operators_own() -> None:
    sides = {(trial.step, trial.side) for trial in plan.trials([victims.OPERATOR])}
    assert {(Step.JOB_CREATED, Side.BEFORE), (Step.JOB_CREATED, Side.AFTER)} <= sides
