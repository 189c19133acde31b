"""Permits: first come, first served per key; a time-out leaves nothing behind, and every key has its own pace."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from builders import KEY
from novahunt_api.objects import Key
from novahunt_contract.intake import Answered
from novahunt_operator.metrics import Metrics
from novahunt_operator.permits import KeyState, Permits
from virtual_time import run

OTHER = Key("sales", "other")
Clock = Callable[[], float]
Scene = Callable[[Clock], Coroutine[Any, Any, None]]


def test_permits_are_handed_out_in_the_order_of_asking() -> None:
    async def scene(clock: Clock) -> None:
        permits, order = Permits(1, 500, clock=clock), list[tuple[int, float]]()

        async def ask(number: int) -> None:
            permit = await permits.acquire("key", KEY, f"pod-{number}", seconds=100)
            assert permit is not None
            order.append((number, clock() - 1000))
            permits.report("key", "a", Answered(permit))

        async with asyncio.TaskGroup() as group:
            for number in range(5):
                group.create_task(ask(number))
        assert order == [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4)]

    run(scene)


def test_one_that_times_out_gets_nothing_leaves_no_ghost_and_does_not_hold_up_the_next() -> None:
    async def scene(clock: Clock) -> None:
        permits = Permits(1, 1, clock=clock)
        first = await permits.acquire("key", KEY, "a", seconds=1)
        assert first is not None
        permits.report("key", "a", Answered(first))
        patient = asyncio.ensure_future(permits.acquire("key", OTHER, "c", seconds=100))
        await asyncio.sleep(0)
        impatient = await permits.acquire("key", KEY, "b", seconds=5)
        assert (impatient, clock()) == (None, 1005)
        assert permits.pace_of(KEY) is None
        assert await patient is not None
        assert clock() == 1060

    run(scene)


def test_requests_that_were_sent_without_a_permit_count_from_when_they_are_told() -> None:
    async def scene(clock: Clock) -> None:
        permits = Permits(100, 3, clock=clock)
        permits.report_alone("key", 2)
        assert await permits.acquire("key", KEY, "a", seconds=1) is not None
        assert await permits.acquire("key", KEY, "b", seconds=59) is None
        assert (await permits.acquire("key", KEY, "b", seconds=5), clock()) == ("2", 1060)
        # Nobody is believed more than would close the key.
        permits.report_alone("key", 10**12)
        assert await permits.acquire("key", KEY, "b", seconds=59) is None

    run(scene)


def test_the_one_at_the_head_may_time_out_and_the_next_takes_its_place() -> None:
    async def scene(clock: Clock) -> None:
        permits = Permits(1, 1, clock=clock)
        permits.report("key", "a", Answered("0"))
        head = asyncio.ensure_future(permits.acquire("key", KEY, "a", seconds=5))
        await asyncio.sleep(0)
        second = asyncio.ensure_future(permits.acquire("key", KEY, "b", seconds=100))
        assert await head is None
        assert await second is not None
        assert (clock(), permits.pace_of(KEY)) == (1060, None)

    run(scene)


def test_a_collector_that_hangs_up_leaves_no_ghost() -> None:
    async def scene(clock: Clock) -> None:
        permits = Permits(1, 1, clock=clock)
        permits.report("key", "a", Answered("0"))
        waiting = asyncio.ensure_future(permits.acquire("key", KEY, "a", seconds=100))
        await asyncio.sleep(1)
        assert permits.pace_of(KEY) is not None
        waiting.cancel()
        await asyncio.wait([waiting])
        assert permits.pace_of(KEY) is None
        assert await permits.acquire("key", KEY, "b", seconds=100) is not None

    run(scene)


def test_a_permit_that_is_given_back_goes_to_the_next_at_once() -> None:
    async def scene(clock: Clock) -> None:
        permits = Permits(1, 1, clock=clock)
        permit = await permits.acquire("key", KEY, "a", seconds=1)
        assert permit is not None
        waiting = asyncio.ensure_future(permits.acquire("key", KEY, "b", seconds=100))
        await asyncio.sleep(0.25)
        permits.report("key", "a", Answered(permit, unused=True))
        assert await waiting is not None
        assert clock() == 1000.25

    run(scene)


def test_an_answer_lets_the_next_go_when_the_window_has_passed() -> None:
    async def scene(clock: Clock) -> None:
        permits = Permits(1, 500, clock=clock)
        permit = await permits.acquire("key", KEY, "a", seconds=1)
        assert permit is not None
        waiting = asyncio.ensure_future(permits.acquire("key", KEY, "b", seconds=100))
        await asyncio.sleep(0.5)
        permits.report("key", "a", Answered(permit))
        await waiting
        assert clock() == 1001.5

    run(scene)


def test_keys_do_not_wait_for_each_other() -> None:
    async def scene(clock: Clock) -> None:
        permits = Permits(1, 1, clock=clock)
        assert await permits.acquire("one", KEY, "a", seconds=1) is not None
        assert await permits.acquire("two", KEY, "b", seconds=1) is not None
        assert clock() == 1000

    run(scene)


def test_after_a_start_the_minute_counts_as_used_for_every_key() -> None:
    async def scene(clock: Clock) -> None:
        permits = Permits(15, 500, clock=clock)
        permits.report("known", "a", Answered("0"))
        permits.assume_used(until=clock() + 60)
        assert await permits.acquire("known", KEY, "a", seconds=59) is None
        assert await permits.acquire("new", KEY, "a", seconds=100) is not None
        assert clock() == 1060

    run(scene)


def test_a_throttle_closes_the_key_for_as_long_as_hunter_said() -> None:
    async def scene(clock: Clock) -> None:
        permits = Permits(4, 500, clock=clock)
        permit = await permits.acquire("key", KEY, "a", seconds=1)
        assert permit is not None
        permits.report("key", "a", Answered(permit, throttled=True, retry_after_seconds=7))
        await permits.acquire("key", KEY, "a", seconds=100)
        assert clock() == 1007

    run(scene)


def test_the_pace_of_a_key_is_told_to_the_collections_that_wait_for_it() -> None:
    async def scene(clock: Clock) -> None:
        permits = Permits(2, 3, clock=clock)
        for name in ("a", "b"):
            await permits.acquire("key", KEY, name, seconds=1)
        assert permits.pace_of(KEY) is None
        waiting = [asyncio.ensure_future(permits.acquire("key", KEY, name, seconds=5)) for name in ("c", "d")]
        await asyncio.sleep(0.1)
        pace = permits.pace_of(KEY)
        assert pace is not None
        assert (pace.fingerprint, pace.waiting, pace.used_second, pace.used_minute) == ("key", 2, 2, 2)
        assert (pace.per_second, pace.per_minute, pace.slowed) == (2, 3, 1.0)
        assert permits.pace_of(OTHER) is None
        await asyncio.gather(*waiting)

    run(scene)


def test_a_retried_call_of_a_pod_does_not_hide_that_it_still_waits() -> None:
    async def scene(clock: Clock) -> None:
        permits = Permits(1, 1, clock=clock)
        permits.report("key", "a", Answered("0"))
        first = asyncio.ensure_future(permits.acquire("key", KEY, "a", seconds=2))
        await asyncio.sleep(1)
        second = asyncio.ensure_future(permits.acquire("key", KEY, "a", seconds=10))
        await first
        assert permits.pace_of(KEY) is not None
        await second

    run(scene)


def test_an_answer_with_a_number_that_was_never_granted_counts_as_a_request() -> None:
    async def scene(clock: Clock) -> None:
        permits = Permits(1, 500, clock=clock)
        permits.report("key", "a", Answered("rubbish"))
        await permits.acquire("key", KEY, "a", seconds=10)
        assert clock() == 1001

    run(scene)


def test_the_end_of_a_permit_that_a_pod_tells_again_counts_once() -> None:
    async def scene(clock: Clock) -> None:
        permits = Permits(100, 3, clock=clock)
        permit = await permits.acquire("key", KEY, "a", seconds=1)
        assert permit is not None
        for _ in range(3):
            permits.report("key", "a", Answered(permit, throttled=True))
        assert permits.states() == [KeyState("key", waiting=0, pace=0.5)]
        # Another pod may hold a permit of that number from the operator before this one.
        permits.report("key", "b", Answered(permit))
        assert [state.pace for state in permits.states()] == [0.55]
        assert await permits.acquire("key", KEY, "a", seconds=59) is None

    run(scene)


def test_permits_requests_throttles_and_waits_are_counted_by_the_first_digits_of_the_key() -> None:
    async def scene(clock: Clock) -> None:
        metrics = Metrics()
        permits = Permits(1, 500, metrics=metrics, clock=clock)

        def value(name: str, **labels: str) -> float | None:
            return metrics.registry.get_sample_value(f"novahunt_{name}", labels)

        first = await permits.acquire("3fa9c0ffee", KEY, "a", seconds=1)
        assert first is not None
        permits.report("3fa9c0ffee", "a", Answered(first))
        second = await permits.acquire("3fa9c0ffee", KEY, "a", seconds=5)
        assert second is not None
        permits.report("3fa9c0ffee", "a", Answered(second, throttled=True, retry_after_seconds=100))
        assert await permits.acquire("3fa9c0ffee", KEY, "a", seconds=5) is None
        await asyncio.sleep(100)
        third = await permits.acquire("3fa9c0ffee", KEY, "a", seconds=5)
        assert third is not None
        permits.report("3fa9c0ffee", "a", Answered(third, unused=True))
        assert value("permits_granted_total", key="3fa9") == 3
        assert value("hunter_requests_total", key="3fa9") == 2
        assert value("hunter_throttles_total", key="3fa9") == 1
        # The first and the third came at once, the second after the window's second.
        assert value("permit_wait_seconds_count", result="granted") == 3
        assert value("permit_wait_seconds_sum", result="granted") == 1
        assert value("permit_wait_seconds_sum", result="none") == 5

    run(scene)


def test_how_it_stands_with_each_key_is_told() -> None:
    async def scene(clock: Clock) -> None:
        permits = Permits(1, 500, clock=clock)
        assert permits.states() == []
        permits.report("slow", "a", Answered("0", throttled=True))
        permits.report("quick", "a", Answered("0"))
        asking = [("a", KEY), ("a", KEY), ("b", OTHER)]
        waiting = [asyncio.ensure_future(permits.acquire("slow", key, pod, seconds=0.5)) for pod, key in asking]
        await asyncio.sleep(0.1)
        assert permits.states() == [KeyState("slow", waiting=2, pace=0.5), KeyState("quick", waiting=0, pace=1.0)]
        await asyncio.gather(*waiting)

    run(scene)


def test_the_end_of_a_permit_that_the_process_before_gave_hides_none_of_this_one() -> None:
    async def scene(clock: Clock) -> None:
        before = Permits(15, 500, clock=clock, last_permit=lambda: 1_000)
        old = await before.acquire("key", KEY, "a", seconds=1)
        assert old == "1001"
        permits = Permits(15, 500, clock=clock, last_permit=lambda: 2_000)
        permits.report("key", "a", Answered(old))
        new = await permits.acquire("key", KEY, "a", seconds=1)
        assert new is not None
        permits.report("key", "a", Answered(new, throttled=True))
        assert [state.pace for state in permits.states()] == [0.5]

    run(scene)
