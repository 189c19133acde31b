"""Backoff: full jitter below a doubling cap, Retry-After to the letter, and an end to failing."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novahunt_collector.errors import RetryableError, TooFastError, UnavailableError
from novahunt_collector.settings import Backoff
from novahunt_collector.waits import waits

BACKOFF = Backoff(base=1.0, cap=60.0, patience=1800.0, max_failures=8)


def play(errors: Sequence[RetryableError], backoff: Backoff = BACKOFF, *, largest: bool = True) -> list[float]:
    """Return the waits after each error, up to the end if it comes first."""
    generator = waits(backoff, (lambda _, high: high) if largest else (lambda low, _: low))
    next(generator)
    given_waits: list[float] = []
    for error in errors:
        try:
            given_waits.append(generator.send(error))
        except StopIteration:
            break
    return given_waits


def test_the_upper_bound_doubles_up_to_the_cap_and_throttling_never_ends() -> None:
    assert play([TooFastError("x")] * 10) == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert len(play([TooFastError("x")] * 2000)) == 2000


def test_the_jitter_is_full() -> None:
    assert play([TooFastError("x")] * 5, largest=False) == [0, 0, 0, 0, 0]


def test_failing_ends_after_the_bounded_number_of_tries() -> None:
    assert len(play([UnavailableError("x")] * 20)) == 7


def test_throttling_between_failures_is_no_failure() -> None:
    errors = [UnavailableError("x"), TooFastError("x")] * 8
    assert len(play(errors)) == 14


@pytest.mark.parametrize("kind", [TooFastError, UnavailableError])
def test_retry_after_is_kept_exactly_even_above_the_cap(kind: type[RetryableError]) -> None:
    assert play([kind("x", retry_after=90.5)]) == [90.5]
    assert play([kind("x", retry_after=0.25)]) == [0.25]


def test_a_retry_after_of_zero_leaves_the_wait_to_the_jitter() -> None:
    assert play([TooFastError("x", retry_after=0.0)] * 3) == [1, 2, 4]


def test_a_retry_after_beyond_all_patience_ends_at_once() -> None:
    assert play([TooFastError("x", retry_after=1800.1)]) == []


@given(
    st.floats(0.001, 60),
    st.floats(0.001, 3600),
    st.lists(
        st.builds(TooFastError, st.just("x"), st.none() | st.floats(0, 1000))
        | st.builds(UnavailableError, st.just("x"), st.none() | st.floats(0, 1000)),
        max_size=60,
    ),
    st.integers(),
)
def test_every_wait_is_within_its_bounds(base: float, cap: float, errors: list[RetryableError], seed: int) -> None:
    generator = waits(Backoff(base=base, cap=cap, patience=1000.0, max_failures=10**6), Random(seed).uniform)
    next(generator)
    for number, error in enumerate(errors):
        wait = generator.send(error)
        if error.retry_after:
            assert wait == error.retry_after
        else:
            assert 0 <= wait <= min(cap, base * 2**number)
