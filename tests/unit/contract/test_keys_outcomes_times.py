"""The contract's small parts: fingerprints, the table of ends, the one form of time."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novahunt_contract.exitcodes import PERMANENT, ExitCode
from novahunt_contract.keys import fingerprint
from novahunt_contract.outcomes import ENDINGS, Outcome, Reason
from novahunt_contract.times import from_text, to_milliseconds, to_text


def test_a_fingerprint_is_what_it_has_always_been_and_does_not_tell_the_key() -> None:
    assert fingerprint("test-api-key") == "d0d580c31bb8397b"
    assert fingerprint("test-api-key") != fingerprint("test-api-keY")
    assert len(fingerprint("")) == 16


def test_every_reason_has_one_ending() -> None:
    assert set(ENDINGS) == set(Reason)


def test_every_exit_code_is_some_reasons_end() -> None:
    assert {ending.exit_code for ending in ENDINGS.values()} == set(ExitCode)


def test_only_exit_code_0_stands_for_an_answer() -> None:
    answers = {Outcome.COLLECTED, Outcome.EMPTY, Outcome.TRUNCATED}
    assert all((end.exit_code is ExitCode.DONE) == (end.outcome in answers) for end in ENDINGS.values())


def test_permanent_codes_are_2_and_10_to_15_and_all_but_the_domains_own_go_on_by_themselves() -> None:
    assert [int(code) for code in PERMANENT] == [2, 10, 11, 12, 13, 14, 15]
    waiting = {end.exit_code for end in ENDINGS.values() if end.outcome is Outcome.PENDING}
    assert waiting == set(PERMANENT) - {ExitCode.DOMAIN_REFUSED}


_moments = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(_moments, st.integers(-14, 14))
def test_a_time_has_one_text_whatever_its_zone_and_is_read_back_to_the_millisecond(
    moment: datetime, hours: int
) -> None:
    text = to_text(moment.astimezone(timezone(timedelta(hours=hours))))
    assert text == to_text(moment)
    assert len(text) == len("2024-11-21T12:00:00.000Z")
    assert text.endswith("Z")
    assert timedelta(0) <= moment - from_text(text) < timedelta(milliseconds=1)


@given(_moments)
def test_milliseconds_since_1970_agree_with_the_text(moment: datetime) -> None:
    exact = (from_text(to_text(moment)) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert to_milliseconds(moment) == exact


def test_texts_of_times_sort_as_the_times_do() -> None:
    assert to_text(datetime(2026, 1, 1, tzinfo=UTC)) < to_text(datetime(2026, 1, 1, 0, 0, 0, 1000, tzinfo=UTC))


def test_kubernetes_whole_seconds_are_read() -> None:
    assert from_text("2026-11-24T12:00:00Z") == datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-24T12:00:00", "2026-11-24"])
def test_text_without_a_zone_or_a_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_text(text)
