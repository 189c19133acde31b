"""Which pages are free because they were paid for in the same billing period."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from novahunt_collector.billing import free_pages, may_be_free
from novahunt_collector.tally import Page
from novahunt_contract.document import Document

NOW = datetime(2026, 11, 25, tzinfo=UTC)
STORED = Document(
    domain="example.com",
    items=(),
    total=230,
    stored_at="",
    collected_at="2026-11-10T12:00:00.000Z",
    job_id="",
    search_hash="v1-a",
    credits=23,
    pages=(100, 100, 30),
    key="0123456789abcdef",
)


def test_the_pages_of_this_billing_period_are_free_at_their_offsets_and_limits() -> None:
    assert free_pages(STORED, reset=date(2026, 12, 1)) == {Page(0, 100), Page(100, 100), Page(200, 30)}


@pytest.mark.parametrize(
    ("reset", "free"),
    [
        (date(2026, 12, 10), True),
        (date(2026, 12, 11), False),
        (date(2026, 11, 30), True),
        (date(2027, 1, 1), False),
    ],
)
def test_a_period_is_the_month_that_ends_with_the_reset_date(reset: date, free: bool) -> None:  # noqa: FBT001 - a table
    assert bool(free_pages(STORED, reset=reset)) is free


def test_the_month_before_a_31st_is_the_last_day_of_a_shorter_month() -> None:
    stored = msgspec.structs.replace(STORED, collected_at="2026-02-28T00:00:00.000Z")
    assert free_pages(stored, reset=date(2026, 3, 31))


@pytest.mark.parametrize(
    "changed",
    [
        {"search_hash": "v1-b"},
        {"key": "fedcba9876543210"},
        {"key": ""},
        {"pages": ()},
        {"total": 0},
        {"collected_at": "2026-10-24T00:00:00.000Z"},
    ],
    ids=str,
)
def test_nothing_is_asked_where_nothing_can_be_free(changed: dict[str, object]) -> None:
    assert may_be_free(STORED, search_hash="v1-a", key=STORED.key, now=NOW)
    changed_one = msgspec.structs.replace(STORED, **changed)
    assert not may_be_free(changed_one, search_hash="v1-a", key=STORED.key, now=NOW)


def test_a_document_whose_time_cannot_be_read_frees_nothing() -> None:
    stored = msgspec.structs.replace(STORED, collected_at="yesterday")
    assert not may_be_free(stored, search_hash="v1-a", key=stored.key, now=NOW)
    assert not free_pages(stored, reset=date(2026, 12, 1))
