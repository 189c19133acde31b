"""The breaker: a failure that any other run would repeat stops the starts, and the newest end decides."""

import itertools
from datetime import timedelta

import pytest

from builders import NOW, at, result
from novahunt_contract.outcomes import Reason
from novahunt_contract.times import from_text
from novahunt_operator.breaker import SHARED, find_open, ready_at
from novahunt_operator.records import Result
from novahunt_operator.settle import Lost

PROBE = timedelta(seconds=60)


def ended(seconds: float, reason: str, domain: str = "a.example", **fields: object) -> Result:
    return result(domain, reason, ended_at=at(seconds), **fields)


@pytest.mark.parametrize("reason", sorted(SHARED))
def test_a_failure_that_all_domains_share_opens_it(reason: str) -> None:
    found = find_open([ended(-5, reason)], PROBE)
    assert found is not None
    assert (found.reason, found.message) == (reason, f"{reason}.")
    assert found.since == from_text(at(-5))
    assert found.probe_at == from_text(at(55))


@pytest.mark.parametrize("reason", sorted(({*Reason} | {*Lost}) - SHARED))
def test_any_other_end_does_not(reason: str) -> None:
    assert find_open([ended(-5, reason)], PROBE) is None


def test_nothing_is_open_before_anything_ended() -> None:
    assert find_open([], PROBE) is None
    assert find_open([result(reason=Reason.KEY_REFUSED, ended_at=None)], PROBE) is None


@pytest.mark.parametrize("closing", [Reason.COLLECTED, Reason.NOTHING_FOUND, Reason.DOMAIN_REFUSED])
def test_a_later_answer_of_hunter_closes_it(closing: Reason) -> None:
    refused = ended(-5, Reason.KEY_REFUSED)
    assert find_open([refused, ended(-4, closing, "b.example")], PROBE) is None
    assert find_open([refused, ended(-6, closing, "b.example")], PROBE) is not None


@pytest.mark.parametrize("silent", [*Lost, Reason.STORAGE, Reason.INTERRUPTED, Reason.USAGE])
def test_an_end_that_says_nothing_of_hunter_leaves_it_open(silent: str) -> None:
    assert find_open([ended(-5, Reason.KEY_REFUSED), ended(-4, silent, "b.example")], PROBE) is not None


def test_ends_in_the_same_second_decide_alike_in_whatever_order_they_are_known() -> None:
    # Kubernetes gives the end of a Job in whole seconds.
    ends = [
        ended(-5, Reason.KEY_REFUSED, "a.example"),
        ended(-5, Reason.COLLECTED, "b.example"),
        ended(-5, Reason.BAD_REQUEST, "c.example"),
    ]
    answers = {find_open(order, PROBE) for order in itertools.permutations(ends)}
    assert answers == {None}
    both = {find_open(order, PROBE) for order in itertools.permutations([ends[0], ends[2]])}
    assert len(both) == 1


@pytest.mark.parametrize(("run", "seconds"), [(1, 2), (2, 4), (5, 32), (6, 60), (400, 60)])
def test_a_domain_whose_receipt_was_lost_comes_back_after_a_growing_pause(run: int, seconds: int) -> None:
    assert ready_at(ended(0, Lost.RECEIPT_MISSING, run=run)) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "last", [None, result(), ended(0, Lost.SUPERSEDED), ended(0, Reason.KEY_REFUSED), ended(0, Reason.CLAIMED)]
)
def test_other_domains_are_ready_at_once(last: Result | None) -> None:
    assert ready_at(last) is None
