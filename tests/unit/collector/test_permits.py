"""The permit protocol's book-keeping: one permit at a time, each reported once, none used when it is too old."""

from hypothesis import given
from hypothesis import strategies as st

from novahunt_collector.permits import Permits
from novahunt_contract.intake import PERMIT_SECONDS, Answered, PermitAnswer, Progress

PROGRESS = Progress(percent=10, emails=5, requests=1)


def with_permit(now: float = 100.0) -> Permits:
    permits = Permits("f")
    permits.heard(permits.call(PROGRESS, wanted=True), PermitAnswer(permit="p1"), now)
    return permits


def test_one_call_reports_the_last_permit_and_the_progress_and_asks_for_the_next() -> None:
    permits = with_permit()
    permits.used()
    call = permits.call(PROGRESS, wanted=True)
    assert call.fingerprint == "f"
    assert call.wanted
    assert call.progress == PROGRESS
    assert call.answered == Answered(permit="p1")


def test_a_fresh_permit_may_be_used_and_an_old_one_is_given_back_unused() -> None:
    permits = with_permit(now=100.0)
    assert permits.usable(100.0 + PERMIT_SECONDS)
    assert not permits.usable(100.01 + PERMIT_SECONDS)
    assert permits.call(PROGRESS, wanted=True).answered == Answered(permit="p1", unused=True)
    assert not permits.usable(100.0)


def test_without_a_permit_nothing_may_be_used() -> None:
    permits = Permits("f")
    permits.heard(permits.call(PROGRESS, wanted=True), PermitAnswer(retry_after_seconds=2), 100.0)
    assert not permits.usable(100.0)
    permits.used()
    assert not permits.owes_report


def test_a_throttle_is_reported_with_hunters_retry_after() -> None:
    permits = with_permit()
    permits.used(throttled=True, retry_after=7.0)
    call = permits.call(None, wanted=False)
    assert call.answered == Answered(permit="p1", throttled=True, retry_after_seconds=7.0)
    assert not call.wanted


def test_a_report_that_was_not_heard_is_made_again() -> None:
    permits = with_permit()
    permits.used()
    lost = permits.call(PROGRESS, wanted=True)
    again = permits.call(PROGRESS, wanted=True)
    assert again.answered == lost.answered == Answered(permit="p1")
    permits.heard(again, PermitAnswer(permit="p2"), 101.0)
    permits.used()
    assert permits.call(PROGRESS, wanted=False).answered == Answered(permit="p2")


def test_requests_without_a_permit_are_told_until_they_are_heard_or_a_minute_old() -> None:
    permits = Permits("f")
    for now in (100.0, 130.0, 160.0):
        permits.sent_alone(now)
    assert permits.call(PROGRESS, wanted=True).alone == 2
    call = permits.call(PROGRESS, wanted=True)
    assert call.alone == 2
    permits.heard(call, PermitAnswer(permit="p1"), 161.0)
    assert permits.call(PROGRESS, wanted=True).alone == 0


def test_nothing_is_owed_once_the_end_is_heard() -> None:
    permits = with_permit()
    assert permits.owes_report
    permits.heard(permits.call(PROGRESS, wanted=False), PermitAnswer(), 100.0)
    assert not permits.owes_report


@given(st.lists(st.sampled_from(["grant", "refuse", "lose", "use", "throttle"]), max_size=40))
def test_every_permit_is_reported_exactly_once_as_what_it_was(steps: list[str]) -> None:
    permits, number, held = Permits("f"), 0, ""
    expected: dict[str, str] = {}
    reported: list[tuple[str, str]] = []
    for step in [*steps, "refuse"]:
        if step in ("use", "throttle"):
            if held:
                expected[held] = step
                held = ""
            permits.used(throttled=step == "throttle")
            continue
        call = permits.call(PROGRESS, wanted=True)
        if held:
            expected[held], held = "unused", ""
        if step == "lose":
            continue
        if call.answered is not None:
            kind = "unused" if call.answered.unused else "throttle" if call.answered.throttled else "use"
            reported.append((call.answered.permit, kind))
        if step == "grant":
            number += 1
            held = f"p{number}"
        permits.heard(call, PermitAnswer(permit=held or None), 0.0)
    assert dict(reported) == expected
    assert len(reported) == len(expected)
