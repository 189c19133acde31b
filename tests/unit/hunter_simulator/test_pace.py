"""The rate windows: both at once, sliding, per key, at arrival."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hunter_simulator import Config, Settings
from hunter_simulator.windows import RateLimiter, Rates, SlidingWindow
from unit.hunter_simulator.asking import Answer, Asking


def _burst(hunter: Asking, number: int, key: str = "demo-key") -> list[int]:
    return [hunter.get("account", key=key).status for _ in range(number)]


def _ask_faster_than_allowed(settings: Settings) -> Answer:
    hunter = Asking(Config(settings=settings))
    _burst(hunter, settings.per_second)
    return hunter.get("account")


def test_the_sixteenth_request_of_a_second_is_refused_in_hunters_form(hunter: Asking) -> None:
    assert _burst(hunter, 15) == [200] * 15
    answer = hunter.search("n5.example")
    assert answer.error_id == (403, "too_many_requests")
    assert (answer.entry.outcome, answer.credits, answer.outgoing.headers) == ("throttled", 0, ())


def test_the_window_slides(hunter: Asking) -> None:
    _burst(hunter, 8)
    hunter.clock.seconds += 0.6
    _burst(hunter, 7)
    hunter.clock.seconds += 0.39
    assert _burst(hunter, 1) == [403]
    hunter.clock.seconds += 0.01
    assert _burst(hunter, 9) == [200] * 8 + [403]


def test_the_minute_window_holds_beside_the_second(hunter: Asking) -> None:
    for _ in range(50):
        assert _burst(hunter, 10) == [200] * 10
        hunter.clock.seconds += 1
    assert _burst(hunter, 1) == [403]
    hunter.clock.seconds += 9.99
    assert _burst(hunter, 1) == [403]
    hunter.clock.seconds += 0.01
    assert _burst(hunter, 11) == [200] * 10 + [403]


def test_each_key_has_windows_of_its_own(hunter: Asking) -> None:
    hunter.simulator.set_key("other")
    assert _burst(hunter, 16) == [200] * 15 + [403]
    assert _burst(hunter, 16, key="other") == [200] * 15 + [403]


def test_a_refused_request_takes_no_place_by_default(hunter: Asking) -> None:
    _burst(hunter, 15)
    hunter.clock.seconds += 0.5
    assert _burst(hunter, 20) == [403] * 20
    hunter.clock.seconds += 0.5
    assert _burst(hunter, 15) == [200] * 15


def test_a_refused_request_takes_a_place_by_a_switch() -> None:
    hunter = Asking(Config(settings=Settings(refused_count=True)))
    _burst(hunter, 15)
    hunter.clock.seconds += 0.5
    assert _burst(hunter, 20) == [403] * 20
    hunter.clock.seconds += 0.5
    assert _burst(hunter, 1) == [403]
    hunter.clock.seconds += 1.0
    assert _burst(hunter, 1) == [200]


def test_both_limits_can_be_set() -> None:
    hunter = Asking(Config(settings=Settings(per_second=2, per_minute=3)))
    assert _burst(hunter, 3) == [200, 200, 403]
    hunter.clock.seconds += 1
    assert _burst(hunter, 2) == [200, 403]


def test_in_the_other_world_too_fast_is_429() -> None:
    answer = _ask_faster_than_allowed(Settings(throttled_status=429))
    assert answer.error_id == (429, "too_many_requests")
    assert "per second" in answer.error[2]


def test_retry_after_comes_with_a_throttle_only_by_a_switch() -> None:
    assert _ask_faster_than_allowed(Settings()).outgoing.headers == ()
    assert _ask_faster_than_allowed(Settings(throttled_retry_after=3)).outgoing.headers == (("Retry-After", "3"),)


def test_free_calls_share_the_windows_of_searches(hunter: Asking) -> None:
    assert [hunter.get("email-count", domain="n5.example").status for _ in range(15)] == [200] * 15
    assert hunter.search("n5.example").status == 403


def test_free_calls_have_windows_of_their_own_by_a_switch() -> None:
    hunter = Asking(Config(settings=Settings(free_calls_apart=True)))
    assert _burst(hunter, 16) == [200] * 15 + [403]
    assert hunter.search("n5.example").status == 200


def test_requests_that_hunter_never_saw_take_no_place(hunter: Asking) -> None:
    for _ in range(30):
        hunter.get("account", agent="python-httpx/0.28.1")
        hunter.get("account", key="wrong")
    assert hunter.get("account").status == 200


def test_the_report_tells_the_most_arrivals_in_any_window(hunter: Asking) -> None:
    for size in (3, 9, 4):
        _burst(hunter, size)
        hunter.clock.seconds += 1
    key = hunter.simulator.report().of_key("demo-key")
    assert (key.most_in_a_second, key.most_in_a_minute) == (9, 16)


def test_the_report_counts_refused_arrivals_in_its_windows_too(hunter: Asking) -> None:
    _burst(hunter, 20)
    key = hunter.simulator.report().of_key("demo-key")
    assert (key.most_in_a_second, key.throttled, key.requests) == (20, 5, 20)


def test_moving_the_wall_clock_does_not_open_the_windows(hunter: Asking) -> None:
    _burst(hunter, 15)
    hunter.simulator.move_clock_to(hunter.clock.wall.replace(year=2027))
    assert _burst(hunter, 1) == [403]


@given(st.lists(st.floats(0, 0.4), max_size=120))
def test_no_window_ever_admits_more_than_its_limit(gaps: list[float]) -> None:
    limiter, now, admitted = RateLimiter(), 0.0, list[float]()
    for gap in gaps:
        now += gap
        if limiter.admit(now, Rates(4, 30), refused_count=False):
            admitted.append(now)
    for start in admitted:
        assert sum(0 <= moment - start < 1 for moment in admitted) <= 4
        assert sum(0 <= moment - start < 60 for moment in admitted) <= 30


@given(st.lists(st.floats(0, 2), max_size=60))
def test_the_peak_is_the_largest_count_of_any_window(gaps: list[float]) -> None:
    window, now, arrivals = SlidingWindow(1.0), 0.0, list[float]()
    for gap in gaps:
        now += gap
        arrivals.append(now)
        window.add(now)
    assert window.peak == max((sum(0 <= end - moment < 1 for moment in arrivals) for end in arrivals), default=0)


@pytest.mark.parametrize("field", ["per_second", "per_minute"])
def test_a_limit_of_nothing_is_no_setting(field: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({field: 0}, Settings)
