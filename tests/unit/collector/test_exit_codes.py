"""The exit code of several domains: the first failure tells, and an expected one hides no other."""

from functools import reduce

import pytest

from novahunt_collector.exit_codes import combined
from novahunt_contract.exitcodes import ExitCode


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ((0, 0), 0),
        ((0, 21, 0), 21),
        ((21, 20), 21),
        ((20, 10, 13), 20),
        ((10, 0, 10), 10),
        ((10, 12), 12),
        ((10, 1), 1),
        ((10, 13), 13),
        ((13, 10), 13),
        ((13, 21, 1), 21),
    ],
)
def test_the_first_failure_that_is_not_to_be_expected_tells(codes: tuple[int, ...], expected: int) -> None:
    assert reduce(combined, map(ExitCode, codes)) is ExitCode(expected)
