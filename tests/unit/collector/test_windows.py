"""Self-pacing: no window ever holds more requests than it may, and no time is wasted."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novahunt_collector.settings import Pace
from novahunt_collector.windows import Windows


def play(windows: Windows, latencies: Sequence[float]) -> list[tuple[float, float]]:
    """Return (sent, answered) of requests that follow each other as fast as they may."""
    now, history = 1000.0, []
    for latency in latencies:
        now += windows.wait(now)
        windows.sent(now)
        sent = now
        now += latency
        windows.answered(now)
        history.append((sent, now))
    return history


def test_the_first_requests_go_at_once_and_the_next_waits_for_the_second_to_pass() -> None:
    history = play(Windows(Pace(per_second=3, per_minute=500)), [0.0] * 4)
    assert [sent - 1000 for sent, _ in history] == [0, 0, 0, 1]


def test_the_minute_holds_too() -> None:
    history = play(Windows(Pace(per_second=1000, per_minute=5)), [0.0] * 11)
    assert [sent - 1000 for sent, _ in history] == [0] * 5 + [60] * 5 + [120]


def test_a_share_below_one_stretches_the_window() -> None:
    history = play(Windows(Pace(per_second=0.25, per_minute=500)), [0.0] * 3)
    assert [sent - 1000 for sent, _ in history] == [0, 4, 8]


def test_an_answer_that_nothing_was_sent_for_changes_nothing() -> None:
    windows = Windows(Pace(per_second=1, per_minute=1))
    windows.answered(5.0)
    assert windows.wait(5.0) == 0


@given(
    st.integers(1, 20),
    st.integers(1, 60),
    st.lists(st.floats(0, 3), min_size=1, max_size=120),
    st.floats(0, 1),
)
def test_wherever_between_sending_and_answer_hunter_counts_no_window_overflows(
    per_second: int, per_minute: int, latencies: list[float], position: float
) -> None:
    history = play(Windows(Pace(per_second=per_second, per_minute=per_minute)), latencies)
    arrivals = [sent + (answered - sent) * position for sent, answered in history]
    for limit, length in ((per_second, 1.0), (per_minute, 60.0)):
        for earlier, later in zip(arrivals, arrivals[limit:], strict=False):
            assert later - earlier >= length - 1e-6


@pytest.mark.parametrize("latency", [0.0, 0.01])
def test_the_full_rate_is_used(latency: float) -> None:
    history = play(Windows(Pace(per_second=15, per_minute=500)), [latency] * 500)
    assert history[-1][0] - history[0][0] < 500 / 15 * (1 + latency * 15) + 1
