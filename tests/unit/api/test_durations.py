"""Durations of a spec: hours, minutes and seconds, one after the other."""

from datetime import timedelta

import pytest

from novahunt_api.durations import duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("720h", timedelta(days=30)),
        ("1h30m", timedelta(minutes=90)),
        ("90s", timedelta(seconds=90)),
        ("1h2m3s", timedelta(seconds=3723)),
        ("999999h", timedelta(hours=999_999)),
    ],
)
def test_a_duration_is_the_sum_of_its_parts(text: str, expected: timedelta) -> None:
    assert duration(text) == expected
