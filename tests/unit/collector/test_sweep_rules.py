"""What a sweep leaves: lists and age, of documents and of saved pages, and nothing else is touched."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from novahunt_collector.checkpoint import Checkpoint, Header, SavedPage
from novahunt_collector.suppression import Lists, fold, lists_of
from novahunt_collector.sweep_rules import Remove, Rules, left_of_checkpoint, left_of_document
from novahunt_contract import times
from novahunt_contract.document import Document, Item

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
COLLECTED = times.to_text(NOW - timedelta(days=10))
STORED_AT = times.to_text(NOW)


def rules(*entries: str, retain_from: datetime | None = None) -> Rules:
    return Rules(lists_of(map(fold, entries)) if entries else Lists(), retain_from)


def items(*emails: str) -> tuple[Item, ...]:
    return tuple(Item(email, None, None, 0.5, None) for email in emails)


def document(collected_at: str = COLLECTED) -> Document:
    found = items("a@example.com", "jane@example.com")
    return Document("example.com", found, 2, COLLECTED, collected_at, "collect-example.com-1", run=3, suppressed=1)


def page(number: int, new: int, *emails: str, held_back: int = 0) -> SavedPage:
    return SavedPage(
        number=number,
        offset=2 * number - 2,
        limit=2,
        received=2,
        results=9,
        approximate=False,
        new=new,
        credits=1,
        requests=1,
        items=items(*emails),
        held_back=held_back,
    )


def checkpoint(started: str = COLLECTED) -> Checkpoint:
    header = Header(domain="example.com", search_hash="v1-0", page_size=2, started=started)
    pages = (
        page(1, 2, "a@example.com", "jane@example.com"),
        page(2, 1, "jane@example.com", "b@example.com", held_back=1),
    )
    return Checkpoint(header, pages)


@pytest.mark.parametrize("entries", [(), ("joan@example.com", "@example.org", "other.example")])
def test_what_nobody_named_and_is_young_enough_is_the_very_same(entries: tuple[str, ...]) -> None:
    of = rules(*entries, retain_from=NOW - timedelta(days=11))
    stored, saved = document(), checkpoint()
    assert left_of_document(stored, of, STORED_AT) is stored
    assert left_of_checkpoint(saved, of) is saved


def test_only_a_named_person_goes_and_is_counted() -> None:
    left = left_of_document(document(), rules("JANE@example.com"), STORED_AT)
    assert left == msgspec.structs.replace(
        document(), items=items("a@example.com"), total=1, stored_at=STORED_AT, suppressed=2
    )


def test_of_saved_pages_a_named_person_goes_and_what_hunter_said_stays() -> None:
    left = left_of_checkpoint(checkpoint(), rules("jane@example.com"))
    assert isinstance(left, Checkpoint)
    first, second = left.pages
    assert (first.items, first.new, first.received, first.held_back) == (items("a@example.com"), 2, 2, 1)
    # She is counted once, where she came first.
    assert (second.items, second.held_back) == (items("b@example.com"), 1)
    assert left.header == checkpoint().header


@pytest.mark.parametrize("entry", ["example.com", "www.example.com"])
def test_of_a_named_domain_nothing_stays(entry: str) -> None:
    assert left_of_document(document(), rules(entry), STORED_AT) == Remove(expired=False)
    assert left_of_checkpoint(checkpoint(), rules(entry)) == Remove(expired=False)


@pytest.mark.parametrize(("older_by", "gone"), [(timedelta(0), False), (timedelta(milliseconds=1), True)])
def test_what_was_collected_before_the_limit_goes(older_by: timedelta, *, gone: bool) -> None:
    of = rules(retain_from=times.from_text(COLLECTED) + older_by)
    assert (left_of_document(document(), of, STORED_AT) == Remove(expired=True)) is gone
    assert (left_of_checkpoint(checkpoint(), of) == Remove(expired=True)) is gone


def test_a_named_domain_is_removed_as_such_even_if_it_is_too_old_as_well() -> None:
    assert left_of_document(document(), rules("example.com", retain_from=NOW), STORED_AT) == Remove(expired=False)


def test_what_does_not_say_when_it_was_collected_counts_as_too_old() -> None:
    assert left_of_document(document("some day"), rules(retain_from=NOW), STORED_AT) == Remove(expired=True)
    assert left_of_document(document("some day"), rules(), STORED_AT) == document("some day")
