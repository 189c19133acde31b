"""Freshness: when a stored document is as good as a new one, and so nothing is paid; and what changed when not."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from novahunt_collector.changes import changed
from novahunt_collector.freshness import is_fresh
from novahunt_contract import times
from novahunt_contract.document import Document, Item
from novahunt_contract.receipt import Changed

COLLECTED = datetime(2026, 11, 20, tzinfo=UTC)


def item(email: str, confidence: float = 0.5) -> Item:
    return Item(email=email, name=None, title=None, confidence=confidence, source=None)


def document(**fields: object) -> Document:
    base = Document(
        domain="example.com",
        items=(),
        total=0,
        stored_at="",
        collected_at=times.to_text(COLLECTED),
        job_id="",
        search_hash="v1-a",
    )
    return msgspec.structs.replace(base, **fields)


def fresh(
    stored: Document,
    *,
    search_hash: str = "v1-a",
    hours: float | None = None,
    max_results: int = 5000,
    max_credits: int | None = None,
) -> bool:
    not_before = None if hours is None else COLLECTED + timedelta(hours=hours)
    return is_fresh(
        stored, search_hash=search_hash, not_before=not_before, max_results=max_results, max_credits=max_credits
    )


def test_a_complete_document_of_the_same_search_is_fresh() -> None:
    assert fresh(document())


def test_another_search_is_not_answered() -> None:
    assert not fresh(document(), search_hash="v1-b")


@pytest.mark.parametrize(("hours", "expected"), [(-1, True), (0, True), (0.001, False)])
def test_what_was_collected_before_the_wish_is_too_old(hours: float, expected: bool) -> None:  # noqa: FBT001 - a table
    assert fresh(document(), hours=hours) is expected


def test_a_time_that_can_not_be_read_is_too_old_only_where_time_matters() -> None:
    assert fresh(document(collected_at="once"))
    assert not fresh(document(collected_at="once"), hours=-1)


@pytest.mark.parametrize(("max_results", "expected"), [(50, True), (100, True), (101, False), (5000, False)])
def test_only_a_higher_cap_would_add_to_what_ended_at_a_cap(max_results: int, expected: bool) -> None:  # noqa: FBT001
    stored = document(truncated="MaxResults", total=97, max_results=100)
    assert fresh(stored, max_results=max_results) is expected


def test_what_a_used_up_budget_cut_off_is_no_answer() -> None:
    assert not fresh(document(truncated="Budget"))


def test_a_plans_limit_is_not_moved_by_a_higher_cap() -> None:
    assert fresh(document(truncated="PlanLimit", total=10, credits=1))


def test_changes_are_counted_by_address() -> None:
    before = document(items=(item("a@x.example"), item("b@x.example"), item("c@x.example")))
    after = document(items=(item("b@x.example"), item("c@x.example", 0.9), item("d@x.example"), item("e@x.example")))
    assert changed(before, after) == Changed(added=2, removed=1, changed=1)
    assert changed(after, after) == Changed()


@pytest.mark.parametrize(("max_credits", "expected"), [(10, True), (9, True), (11, False), (None, False)])
def test_what_a_budget_cut_off_is_fresh_until_the_budget_allows_more(
    max_credits: int | None,
    expected: bool,  # noqa: FBT001 - a table
) -> None:
    assert fresh(document(truncated="DomainBudget", max_credits=10), max_credits=max_credits) is expected
