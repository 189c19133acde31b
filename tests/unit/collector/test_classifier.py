"""The table from what Hunter answers to what it means, row by row and in all forms of a body."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novahunt_collector.classifier import classify, shown_by_plan
from novahunt_collector.errors import (
    REASONS,
    AnswerLostError,
    BadRequestError,
    ClaimedError,
    ClientRefusedError,
    CollectorError,
    DomainRefusedError,
    KeyRefusedError,
    PlanLimitError,
    QuotaUsedUpError,
    RetryableError,
    TooFastError,
    UnavailableError,
    UnclearRefusalError,
)
from novahunt_collector.refusals import read_refusal, read_retry_after

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)

FORMS = {
    "today's form": lambda error: json.dumps({"errors": [error]}),
    "old form": lambda error: json.dumps({"error": error}),
    "today's form, cut": lambda error: json.dumps({"errors": [error]})[:-4],
    "old form, cut": lambda error: json.dumps({"error": error})[:-3],
}

ROWS = [
    (402, "payment_required", "Upgrade.", None, QuotaUsedUpError),
    (403, "too_many_requests", "You have reached the rate limit.", None, TooFastError),
    (429, "restricted_account", "Your account is restricted. Upgrade your plan.", None, KeyRefusedError),
    (429, "usage", "You reached your limit for this billing period.", None, QuotaUsedUpError),
    (429, "usage", "You have reached the usage limit.", None, QuotaUsedUpError),
    (429, "usage", "Not enough on your current plan.", None, QuotaUsedUpError),
    (429, "usage", "Your quota is exhausted.", "5", QuotaUsedUpError),
    (429, "usage", "Please upgrade.", None, QuotaUsedUpError),
    (429, "slow", "Only 15 requests per second.", None, TooFastError),
    (429, "slow", "Only 500 requests per minute.", None, TooFastError),
    (429, "slow", "You hit the rate limit.", None, TooFastError),
    (429, "slow", "Too many requests.", "3", TooFastError),
    (429, "slow", "Too many requests.", None, UnclearRefusalError),
    (429, "slow", "Rate limit of your plan reached.", None, UnclearRefusalError),
    (429, "slow", "An explanation follows.", None, UnclearRefusalError),
    (500, "server_error", "Sorry.", None, UnavailableError),
    (503, "unavailable", "Sorry.", "7", UnavailableError),
    (599, "unavailable", "Sorry.", None, UnavailableError),
    (
        400,
        "pagination_error",
        "The search results are limited to 10 email addresses on your current plan.",
        None,
        PlanLimitError,
    ),
    (400, "pagination_error", "The limit should be a number between 1 and 100.", None, BadRequestError),
    (400, "invalid_domain", "The domain name is invalid.", None, DomainRefusedError),
    (400, "wrong_params", "You are missing the domain.", None, BadRequestError),
    (400, "invalid_seniority", "The supplied seniority is invalid.", None, BadRequestError),
    (401, "authentication_failed", "No user found for the API key supplied.", None, KeyRefusedError),
    (451, "claimed_email", "The owner asked us to stop.", None, ClaimedError),
    (404, "not_found", "No such thing.", None, BadRequestError),
    (422, "invalid_request", "Not so.", None, BadRequestError),
    (301, "moved", "Elsewhere.", None, ClientRefusedError),
    (502, "bad_gateway", "Sorry.", None, AnswerLostError),
    (504, "timeout", "Sorry.", "7", AnswerLostError),
    (520, "unknown", "Sorry.", None, AnswerLostError),
    (524, "timeout", "Sorry.", None, AnswerLostError),
    (204, "nothing", "Nothing.", None, AnswerLostError),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("status", "identifier", "details", "retry_after", "meaning"), ROWS)
def test_each_row_means_the_same_in_every_form_of_the_body(
    *, form: str, status: int, identifier: str, details: str, retry_after: str | None, meaning: type[CollectorError]
) -> None:
    body = FORMS[form]({"id": identifier, "code": status, "details": details}).encode()
    error = classify(read_refusal(status, body, retry_after, NOW))
    assert type(error) is meaning
    if retry_after and isinstance(error, RetryableError):
        assert error.retry_after == float(retry_after)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"error code: 1010",
        b"<html><body>Forbidden</body></html>",
        b'{"error": "forbidden"}',
        b'{"message": "Forbidden"}',
        b'{"errors": []}',
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_403_without_an_error_of_hunters_is_a_refused_client(body: bytes) -> None:
    assert type(classify(read_refusal(403, body, None, NOW))) is ClientRefusedError


@pytest.mark.parametrize("status", [401, 402, 451, 502])
def test_a_proxys_page_does_not_change_what_the_status_says(status: int) -> None:
    body = b"<html><body>Sorry</body></html>"
    expected = {401: KeyRefusedError, 402: QuotaUsedUpError, 451: ClaimedError, 502: AnswerLostError}[status]
    assert type(classify(read_refusal(status, body, None, NOW))) is expected


@given(st.integers(-1, 1200), st.binary(max_size=300), st.none() | st.text(max_size=30))
def test_anything_at_all_is_one_of_our_errors(status: int, body: bytes, retry_after: str | None) -> None:
    assert type(classify(read_refusal(status, body, retry_after, NOW))) in REASONS


@given(st.sampled_from(ROWS), st.sampled_from(sorted(FORMS)), st.data())
def test_a_body_cut_anywhere_is_one_of_our_errors(
    row: tuple[int, str, str, str | None, type[CollectorError]], form: str, data: st.DataObject
) -> None:
    body = FORMS[form]({"id": row[1], "code": row[0], "details": row[2]}).encode()
    cut = body[: data.draw(st.integers(0, len(body)))]
    assert type(classify(read_refusal(row[0], cut, None, NOW))) in REASONS


def test_an_error_never_repeats_hunters_words_which_may_hold_an_address() -> None:
    body = b'{"errors": [{"id": "claimed_email", "code": 451, "details": "jane@example.com is claimed"}]}'
    error = classify(read_refusal(451, body, None, NOW))
    assert str(error) == "a person asked Hunter to be left alone (HTTP 451, claimed_email)"


def test_an_identifier_that_is_no_identifier_is_not_repeated() -> None:
    body = b'{"errors": [{"id": "jane@example.com", "details": "x"}]}'
    assert "jane" not in str(classify(read_refusal(400, body, None, NOW)))


@pytest.mark.parametrize(
    ("details", "shown"),
    [
        ("limited to 10 email addresses on your current plan", 10),
        ("are limited to 1,000 email addresses on your", 1000),
        ("limited to 0 email addresses", 0),
        ("limited to few email addresses", None),
        ("", None),
    ],
)
def test_the_number_that_a_plan_shows_is_read(details: str, shown: int | None) -> None:
    assert shown_by_plan(details) == shown


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("0", 0.0),
        ("12", 12.0),
        (" 1.5 ", 1.5),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("Tue, 24 Nov 2026 12:00:10 -0000", 10.0),
        # The two older forms of an HTTP date, which a reader must know (RFC 9110, section 5.6.7).
        ("Tuesday, 24-Nov-26 12:00:10 GMT", 10.0),
        ("Tue Nov 24 12:00:10 2026", 10.0),
        ("9" * 5000, 10 * 365 * 86_400.0),
        ("1.0000000001", 1.0000000001),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 10 * 365 * 86_400.0),
        ("12, 12", None),
        ("1e3", None),
        ("nan", None),
        ("\u0661\u0662", None),
        ("Tue, 99 Nov 2026 12:00:10 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_and_as_a_date(header: str | None, seconds: float | None) -> None:
    assert read_retry_after(header, NOW) == seconds
