"""Starts: never more than the limit in any interval, evenly after the first burst, and shared fairly."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import MINUTE, NOW, SECOND
from novahunt_api.objects import Key
from novahunt_operator.planner import Demand
from novahunt_operator.scheduler import Scheduler, StartLimit, share

A, B, C = Key("sales", "a"), Key("sales", "b"), Key("sales", "c")


def assert_never_more(starts: list[datetime], limit: int, interval: timedelta) -> None:
    ordered = sorted(starts)
    for earlier, later in zip(ordered, ordered[limit:], strict=False):
        assert later - earlier >= interval


@given(
    st.integers(1, 12),
    st.integers(1000, 90_000),
    st.lists(st.tuples(st.integers(0, 30_000), st.integers(1, 5)), max_size=80),
)
def test_there_are_never_more_starts_than_allowed_in_any_interval(
    limit: int, milliseconds: int, calls: list[tuple[int, int]]
) -> None:
    interval = timedelta(milliseconds=milliseconds)
    starts, counted, now = StartLimit(limit, interval), list[datetime](), NOW
    for pause, wanted in calls:
        now += timedelta(milliseconds=pause)
        allowance = starts.allowance(now)
        assert allowance is not None
        assert (starts.next_at(now) <= now) == (allowance > 0)
        for _ in range(min(wanted, allowance)):
            starts.record(now)
            counted.append(now)
    assert_never_more(counted, limit, interval)


def greedy(limit: StartLimit, until: datetime, now: datetime = NOW) -> list[datetime]:
    """Start whenever it is allowed."""
    starts = []
    while now < until:
        for _ in range(limit.allowance(now) or 0):
            limit.record(now)
            starts.append(now)
        now = max(limit.next_at(now), now + timedelta(milliseconds=1))
    return starts


@given(st.integers(1, 20), st.integers(1, 120))
def test_after_the_first_burst_starts_are_spread_evenly_and_none_is_wasted(limit: int, seconds: int) -> None:
    interval = timedelta(seconds=seconds)
    starts = greedy(StartLimit(limit, interval), NOW + 4 * interval - timedelta(milliseconds=1))
    assert starts[:limit] == [NOW] * limit
    assert len(starts) == 4 * limit
    gaps = {later - earlier for earlier, later in zip(starts[limit:], starts[limit + 1 :], strict=False)}
    assert all(abs(gap - interval / limit) <= timedelta(milliseconds=1) for gap in gaps)
    assert_never_more(starts, limit, interval)


def test_an_idle_interval_gives_the_burst_back() -> None:
    limit = StartLimit(10, MINUTE)
    first = greedy(limit, NOW + 90 * SECOND)
    again = first[-1] + MINUTE + 6 * SECOND
    assert limit.allowance(again - SECOND) == 1
    assert limit.allowance(again) == 10
    limit.record(again)
    assert limit.allowance(again) == 9
    assert limit.next_at(again) == again


@given(st.permutations(range(15)), st.integers(0, 40))
def test_rebuilt_from_the_jobs_times_in_any_order_it_allows_what_it_did_before(order: list[int], later: int) -> None:
    times = [NOW + number * 3 * SECOND for number in range(15)]
    before, rebuilt = StartLimit(5, MINUTE), StartLimit(5, MINUTE)
    for at in times:
        before.record(at)
    for index in order:
        rebuilt.record(times[index])
    now = times[-1] + timedelta(seconds=later * 2)
    assert rebuilt.allowance(now) == before.allowance(now)
    assert rebuilt.next_at(now) == before.next_at(now)


def test_without_a_limit_any_number_may_start() -> None:
    limit = StartLimit(0, MINUTE)
    limit.record(NOW)
    assert (limit.allowance(NOW), limit.next_at(NOW)) == (None, NOW)


def demand(starts: int, running: int = 0, priority: int = 0, backing_off: int = 0) -> Demand:
    return Demand(starts, running, backing_off, priority)


def test_a_small_collection_beside_a_large_one_gets_the_next_free_start() -> None:
    assert share(1, {A: demand(5000, running=9), B: demand(1)}, {}) == {A: 0, B: 1}


def test_priority_comes_before_fairness() -> None:
    assert share(3, {A: demand(2, running=9, priority=1), B: demand(5)}, {}) == {A: 2, B: 1}


def test_equals_share_alike_and_the_one_without_a_start_for_longest_is_first() -> None:
    demands = {A: demand(9), B: demand(9), C: demand(9)}
    assert share(6, demands, {}) == {A: 2, B: 2, C: 2}
    assert share(1, demands, {A: NOW, B: NOW - SECOND, C: NOW}) == {A: 0, B: 1, C: 0}
    assert share(1, demands, {A: NOW, B: NOW - SECOND}) == {A: 0, B: 0, C: 1}


_demands = st.dictionaries(
    st.builds(Key, st.just("sales"), st.sampled_from("abcdef")),
    st.builds(demand, st.integers(0, 20), st.integers(0, 20), st.integers(-2, 2)),
)


@given(st.integers(-3, 40), _demands)
def test_a_share_is_never_more_than_is_free_nor_than_is_wanted_and_leaves_nothing_idle(
    free: int, demands: dict[Key, Demand]
) -> None:
    given_out = share(free, demands, {})
    assert all(0 <= given_out[key] <= demands[key].starts for key in demands)
    assert sum(given_out.values()) == min(max(0, free), sum(one.starts for one in demands.values()))
    for one, first in demands.items():
        for other, second in demands.items():
            if first.priority > second.priority:
                assert given_out[one] == first.starts or given_out[other] == 0


def scheduler(concurrency: int = 4, max_starts: int = 0) -> Scheduler:
    return Scheduler(concurrency, StartLimit(max_starts, MINUTE))


def test_started_jobs_count_before_any_watch_has_seen_them() -> None:
    found = scheduler(concurrency=2)
    found.tell(A, demand(9))
    assert found.allowed(A, NOW) == 2
    found.started(A, NOW)
    found.started(A, NOW)
    assert (found.running, found.allowed(A, NOW)) == (2, 0)


def test_thirty_collections_that_arrive_together_do_not_exceed_the_slots() -> None:
    found, running = scheduler(concurrency=7), 0
    for number in range(30):
        key = Key("sales", f"c{number}")
        found.tell(key, demand(5))
        for _ in range(found.allowed(key, NOW)):
            found.started(key, NOW)
            running += 1
    assert running == found.running == 7


def test_as_many_jobs_backing_off_as_there_are_slots_stop_the_starts_of_all() -> None:
    found = scheduler(concurrency=2)
    found.tell(A, demand(0, backing_off=2))
    found.tell(B, demand(3))
    assert found.allowed(B, NOW) == 0
    found.tell(A, demand(0, backing_off=1))
    assert found.allowed(B, NOW) == 2


def test_the_start_limit_holds_over_all_collections_together() -> None:
    found = scheduler(concurrency=100, max_starts=3)
    found.tell(A, demand(2))
    found.tell(B, demand(5))
    for _ in range(found.allowed(A, NOW)):
        found.started(A, NOW)
    assert found.allowed(B, NOW) == 1


def test_a_collection_that_is_gone_takes_no_slot_and_an_unknown_one_gets_none() -> None:
    found = scheduler(concurrency=1)
    found.tell(A, demand(0, running=1))
    found.tell(B, demand(1))
    assert found.allowed(B, NOW) == 0
    found.forget(A)
    found.forget(A)
    assert (found.allowed(B, NOW), found.allowed(C, NOW)) == (1, 0)


def test_collections_that_could_use_a_free_slot_are_known() -> None:
    found = scheduler()
    for key, starts in ((A, 1), (B, 0), (C, 2)):
        found.tell(key, demand(starts))
    assert found.hungry(but=A) == [C]


@pytest.mark.parametrize("starts", [1, 3])
def test_a_start_is_taken_off_the_demand(starts: int) -> None:
    found = scheduler(concurrency=10)
    found.tell(A, demand(starts))
    for _ in range(starts):
        found.started(A, NOW)
    assert found.hungry(but=B) == []


def told(scheduler: Scheduler, key: Key, **demand: int) -> None:
    scheduler.tell(key, Demand(**{"starts": 0, "running": 0, "backing_off": 0, "priority": 0, **demand}))


def test_errands_take_slots_but_no_start_of_the_interval() -> None:
    scheduler = Scheduler(2, StartLimit(1, MINUTE))
    scheduler.limit.record(NOW)
    told(scheduler, A, starts=5, errands=3)
    assert (scheduler.allowed(A, NOW), scheduler.allowed_errands(A)) == (0, 2)
    scheduler.errand_started(A, NOW)
    assert (scheduler.running, scheduler.allowed_errands(A)) == (1, 1)
    assert scheduler.limit.next_at(NOW) == NOW + MINUTE


def test_errands_of_all_collections_have_their_slots_before_domains() -> None:
    scheduler = Scheduler(3, StartLimit(0, MINUTE))
    told(scheduler, A, starts=5)
    told(scheduler, B, errands=2)
    assert (scheduler.allowed(A, NOW), scheduler.allowed_errands(B)) == (1, 2)
    assert scheduler.hungry(but=A) == [B]
    scheduler.errand_started(B, NOW)
    scheduler.errand_started(B, NOW)
    assert scheduler.hungry(but=A) == []
    assert scheduler.allowed(A, NOW) == 1


def test_errands_are_shared_as_starts_are() -> None:
    scheduler = Scheduler(1, StartLimit(0, MINUTE))
    told(scheduler, A, errands=1)
    told(scheduler, B, errands=1, priority=1)
    assert (scheduler.allowed_errands(A), scheduler.allowed_errands(B)) == (0, 1)
