"""A key's windows: whenever between grant and answer Hunter counts a request, no window ever holds too many."""

import heapq
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novahunt_operator.windows import ANSWER_SECONDS, SLOWEST, USE_SECONDS, KeyWindows, Window

SECOND, MINUTE = 1.0, 60.0


@dataclass(frozen=True)
class Way:
    """What becomes of a permit: when it is used and answered after its grant, and how."""

    arrival: float
    answer: float
    throttled: bool = False
    given_back: bool = False
    lost: bool = False


def play(windows: KeyWindows, ways: list[Way], start: float = 1000.0) -> list[tuple[float, float]]:
    """Take permits as fast as they come; return (grant, arrival) of those that were used."""
    now, seen = start, []
    open_permits: list[tuple[float, int, Way]] = []
    for way in ways:
        while (at := windows.next_at(now)) > now or (open_permits and open_permits[0][0] <= now):
            if open_permits and open_permits[0][0] <= at:
                now, permit, ended = heapq.heappop(open_permits)
                if ended.given_back:
                    windows.give_back(permit)
                elif not ended.lost:
                    windows.answer(permit, now, throttled=ended.throttled, retry_after=None)
            else:
                now = at
        permit = windows.grant(now)
        if not way.given_back:
            seen.append((now, now + way.arrival))
        heapq.heappush(open_permits, (now + way.answer, permit, way))
    return seen


def assert_never_more(seen: list[tuple[float, float]], limit: int, seconds: float) -> None:
    arrivals = sorted(arrival for _, arrival in seen)
    for earlier, later in zip(arrivals, arrivals[limit:], strict=False):
        assert later - earlier >= seconds - 1e-6


_delays = st.sampled_from([0.0, 0.05, 0.3, 1.0]) | st.floats(0, ANSWER_SECONDS)


@st.composite
def _ways(draw: st.DrawFn) -> Way:
    # Used within a second of the grant; from then on Hunter may count it at any time until it answers.
    use, wait, part = draw(st.floats(0, USE_SECONDS)), draw(_delays), draw(st.floats(0, 1))
    kind = draw(st.sampled_from(["", "", "", "throttled", "given_back", "lost"]))
    answer = use if kind == "given_back" else use + wait
    return Way(use + wait * part, answer, **({kind: True} if kind else {}))


@given(st.integers(1, 8), st.integers(1, 20), st.lists(_ways(), min_size=1, max_size=60))
def test_no_window_is_ever_overdrawn(per_second: int, per_minute: int, ways: list[Way]) -> None:
    seen = play(KeyWindows((Window(per_second, SECOND), Window(per_minute, MINUTE))), ways)
    assert_never_more(seen, per_second, SECOND)
    assert_never_more(seen, per_minute, MINUTE)


@pytest.mark.parametrize("latency", [0.0, 0.1, 0.3])
def test_at_least_95_percent_of_the_allowance_is_used_while_work_waits(latency: float) -> None:
    windows = KeyWindows((Window(15, SECOND), Window(500, MINUTE)))
    ways = [Way(latency / 2, latency)] * 5000
    seen = play(windows, ways)
    within = sum(grant - seen[0][0] < 9 * MINUTE for grant, _ in seen)
    assert within >= 0.95 * 9 * 500
    assert_never_more(seen, 15, SECOND)


def test_the_first_requests_go_at_once_and_the_next_when_the_second_has_passed() -> None:
    seen = play(KeyWindows((Window(3, SECOND), Window(500, MINUTE))), [Way(0, 0)] * 7)
    assert [grant - 1000 for grant, _ in seen] == [0, 0, 0, 1, 1, 1, 2]


def test_a_permit_counts_until_its_answer_and_the_window_after_it() -> None:
    windows = KeyWindows((Window(1, SECOND),))
    permit = windows.grant(0.0)
    assert windows.next_at(5.0) == USE_SECONDS + ANSWER_SECONDS + SECOND
    windows.answer(permit, 5.0, throttled=False, retry_after=None)
    assert windows.next_at(5.0) == 6.0
    assert windows.next_at(6.0) == 6.0


def test_a_permit_whose_collector_died_comes_free_in_the_end() -> None:
    windows = KeyWindows((Window(1, SECOND),))
    windows.grant(0.0)
    dead = USE_SECONDS + ANSWER_SECONDS
    assert windows.next_at(dead) == dead + SECOND
    assert windows.next_at(dead + SECOND) == dead + SECOND


def test_a_permit_that_is_given_back_frees_its_place_at_once() -> None:
    windows = KeyWindows((Window(1, SECOND),))
    permit = windows.grant(0.0)
    windows.give_back(permit)
    assert windows.next_at(0.0) == 0.0
    windows.give_back(permit)
    assert windows.next_at(0.0) == 0.0


def test_an_answer_to_an_unknown_permit_counts_as_a_request() -> None:
    windows = KeyWindows((Window(1, SECOND),))
    windows.answer(99, 5.0, throttled=False, retry_after=None)
    assert windows.next_at(5.0) == 6.0


def used_after(windows: KeyWindows, now: float) -> int:
    """Count the permits that can be had at once."""
    count = 0
    while windows.next_at(now) <= now:
        windows.grant(now)
        count += 1
    return count


def test_each_throttle_halves_the_pace_down_to_a_floor() -> None:
    windows = KeyWindows((Window(64, SECOND),))
    paces = []
    for _ in range(8):
        windows.answer(0, 0.0, throttled=True, retry_after=None)
        paces.append(windows.usage(0.0).slowed)
    assert paces == [0.5, 0.25, 0.125, 0.0625, SLOWEST, SLOWEST, SLOWEST, SLOWEST]
    assert used_after(windows, 100.0) == 4


def test_a_slow_key_still_gets_one_request_a_window() -> None:
    windows = KeyWindows((Window(2, SECOND),))
    for _ in range(5):
        windows.answer(0, 0.0, throttled=True, retry_after=None)
    assert used_after(windows, 100.0) == 1


def test_answers_that_are_not_throttled_restore_the_pace() -> None:
    windows = KeyWindows((Window(1000, SECOND),))
    for _ in range(4):
        windows.answer(0, 0.0, throttled=True, retry_after=None)
    answers = 0
    while windows.usage(0.0).slowed < 1:
        windows.answer(0, 0.0, throttled=False, retry_after=None)
        answers += 1
    assert 10 < answers < 100
    assert used_after(windows, 100.0) == 1000


def test_hunters_retry_after_closes_the_key_for_that_long_and_never_shortens_another_closing() -> None:
    windows = KeyWindows((Window(5, SECOND),))
    windows.answer(0, 0.0, throttled=True, retry_after=30.0)
    assert windows.next_at(2.0) == 30.0
    windows.close_until(10.0)
    assert windows.next_at(2.0) == 30.0
    windows.close_until(40.0)
    assert windows.next_at(2.0) == 40.0


def test_usage_counts_answers_in_the_window_and_requests_under_way() -> None:
    windows = KeyWindows((Window(15, SECOND), Window(500, MINUTE)))
    windows.answer(windows.grant(0.0), 0.5, throttled=False, retry_after=None)
    windows.grant(9.0)
    assert windows.usage(10.0).used == (1, 2)
    assert windows.usage(10.0).slowed == 1.0
