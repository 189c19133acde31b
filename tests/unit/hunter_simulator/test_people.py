"""The invented people: always the same ones, unique, and of a realistic shape."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hunter_simulator import MAX_SIZE, Filters, found, truth, vocabulary

PEOPLE = truth("university.example", MAX_SIZE)


def test_the_largest_domain_has_only_unique_addresses_at_itself() -> None:
    addresses = [person.value for person in PEOPLE]
    assert len(set(addresses)) == len(addresses) == MAX_SIZE
    assert all(address.endswith("@university.example") for address in addresses)
    assert all(address == address.lower() and address.isascii() for address in addresses)


@given(st.integers(0, 400), st.integers(0, 400))
def test_a_smaller_truth_is_the_beginning_of_a_larger_one(one: int, other: int) -> None:
    small, large = sorted((one, other))
    assert truth("prefix.example", large)[:small] == truth("prefix.example", small)


def test_the_truth_depends_on_nothing_but_the_domain() -> None:
    """Golden: documents of older test runs must stay comparable."""
    assert [person.value for person in truth("example.com", 3)] == [
        "info@example.com",
        "odile_bernstrom@example.com",
        "delia_granstad@example.com",
    ]
    assert truth("example.com", 3) != truth("example.org", 3)


@pytest.mark.parametrize("size", [-1, MAX_SIZE + 1])
def test_a_size_out_of_range_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="0 to 25000"):
        truth("example.com", size)


def test_generic_addresses_have_no_names_and_make_a_fifth() -> None:
    generic = found(PEOPLE, Filters(type="generic"))
    assert len(generic) == MAX_SIZE // 5
    assert all(person.first_name is person.last_name is person.position is None for person in generic)
    assert {person.value for person in generic} >= {"info@university.example", "sales@university.example"}


def test_confidence_and_sources_keep_to_hunters_limits() -> None:
    assert {person.confidence for person in PEOPLE} == set(range(101))
    assert {len(person.sources) for person in PEOPLE} == set(range(1, 21))
    for source in (source for person in PEOPLE[:2000] for source in person.sources):
        assert "2015" < source.extracted_on <= source.last_seen_on < "2026-11-24"
        assert source.uri.startswith(f"https://{source.domain}/")
        assert source.domain.endswith(".example")
    assert {source.still_on_page for person in PEOPLE[:99] for source in person.sources} == {True, False, None}


def test_verifications_are_mostly_empty_and_otherwise_dated() -> None:
    empty = [person for person in PEOPLE if person.verification.status is None]
    assert 0.65 < len(empty) / MAX_SIZE < 0.75
    assert {person.verification.status for person in PEOPLE} == {None, "valid", "accept_all", "unknown"}
    assert all((person.verification.date is None) == (person.verification.status is None) for person in PEOPLE)


def test_every_department_and_seniority_occurs_and_some_people_have_none() -> None:
    assert {person.department for person in PEOPLE} == {*vocabulary.DEPARTMENTS, None}
    assert {person.seniority for person in PEOPLE} == {*vocabulary.SENIORITIES, None}


def test_keys_come_and_go_between_addresses() -> None:
    keys = [msgspec.to_builtins(person).keys() for person in PEOPLE[:200]]
    for sometimes in ("source_type", "position_raw", "decision_maker", "crawler_build"):
        assert 0 < sum(sometimes in each for each in keys) < 200
    assert all({"value", "type", "confidence", "verification"} <= each for each in keys)


def test_names_outside_ascii_stand_beside_ascii_addresses() -> None:
    assert any(person.first_name and not person.first_name.isascii() for person in PEOPLE)
