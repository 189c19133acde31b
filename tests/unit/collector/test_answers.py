"""Hunter's answers are read leniently: only an address is needed, and no body breaks the reader."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from novahunt_collector import answers
from novahunt_collector.items import Items, to_items


def body(emails: object, **meta: object) -> bytes:
    return json.dumps({"data": {"domain": "example.com", "emails": emails}, "meta": meta}).encode()


def test_an_entry_needs_nothing_but_its_address() -> None:
    page = answers.read_page(body([{"value": "a@example.com"}], results=1))
    assert page.entries == (answers.Entry(value="a@example.com"),)
    assert (page.received, page.results, page.approximate) == (1, 1, False)


def test_unknown_keys_and_nulls_are_no_problem() -> None:
    entry = {"value": "a@example.com", "confidence": None, "sources": None, "first_name": None, "mood": {"x": 1}}
    assert answers.read_page(body([entry])).entries == (answers.Entry(value="a@example.com"),)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("type", 1),
        ("confidence", "high"),
        ("confidence", True),
        ("sources", "none"),
        ("first_name", ["x"]),
        ("position", {}),
        ("phone_number", 49),
        ("verification", "valid"),
        ("linkedin", False),
    ],
)
def test_a_wrong_type_in_an_optional_field_counts_as_missing(field: str, wrong: object) -> None:
    entry = {"value": "a@example.com", "last_name": "Doe", field: wrong}
    (read,) = answers.read_page(body([entry], results=1)).entries
    assert read.last_name == "Doe"
    assert getattr(read, field) in (None, answers.Verification())


def test_a_wrong_source_does_not_take_the_right_ones_with_it() -> None:
    sources = [{"uri": "https://example.com/a", "extracted_on": 5}, "x", {"uri": 7, "last_seen_on": "2026-01-01"}]
    (read,) = answers.read_page(body([{"value": "a@example.com", "sources": sources}])).entries
    assert read.sources == [
        answers.Source(uri="https://example.com/a"),
        answers.Source(last_seen_on="2026-01-01"),
    ]


def test_entries_without_an_address_are_skipped_but_counted() -> None:
    page = answers.read_page(body([{"type": "generic"}, {"value": None}, 3, {"value": "a@example.com"}]))
    assert [entry.value for entry in page.entries] == ["a@example.com"]
    assert page.received == 4


def test_a_lone_surrogate_costs_only_its_own_field() -> None:
    raw = b'{"data": {"emails": [{"value": "a@example.com", "position": "C\\ud800", "last_name": "Doe"}]}, "meta": {}}'
    (read,) = answers.read_page(raw).entries
    assert (read.position, read.last_name) == (None, "Doe")


@pytest.mark.parametrize("emails", [None, []])
def test_an_unknown_domain_is_an_empty_answer(emails: object) -> None:
    assert answers.read_page(body(emails, results=0)).received == 0


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"data": null}',
        b'{"data": []}',
        b'{"data": {}}',
        b'{"data": {"emails": {}}}',
        b'{"data": {"emails": "x"}}',
        b'{"data": {"emails": [',
        b'{"data": {"emails": [{"value": "a@example.com", "confidence": NaN}]}}',
        b"<html></html>",
        b"[" * 200_000,
        b'{"data": {"emails": [' + b"9" * 5000 + b"]}}",
    ],
)
def test_what_is_no_answer_is_refused(raw: bytes) -> None:
    with pytest.raises(answers.UnreadableAnswerError):
        answers.read_page(raw)


@pytest.mark.parametrize("results", ["many", -1, None, [], 10**30])
def test_a_strange_total_never_fails_the_page(results: object) -> None:
    page = answers.read_page(body([{"value": "a@example.com"}], results=results))
    assert page.received == 1
    assert page.results is None or page.results >= 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "data",
                    "meta",
                    "emails",
                    "value",
                    "confidence",
                    "sources",
                    "uri",
                    "verification",
                    "status",
                    "results",
                    "first_name",
                    "type",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=30,
)


@given(JSON)
def test_any_json_is_an_answer_or_refused_and_what_is_read_can_be_stored(value: Any) -> None:
    raw = json.dumps({"data": {"emails": value}, "meta": value}).encode()
    try:
        page = answers.read_page(raw)
    except answers.UnreadableAnswerError:
        return
    items = Items()
    items.add(to_items(page.entries))
    assert msgspec.json.decode(msgspec.json.encode(items.in_order())) is not None


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_refused(raw: bytes) -> None:
    try:
        answers.read_page(raw)
    except answers.UnreadableAnswerError as error:
        assert str(error).startswith("the answer is")  # noqa: PT017 - either way is right


@pytest.mark.parametrize(
    ("requests", "left"),
    [
        ({"credits": {"used": 10, "available": 50}}, 40),
        ({"credits": {"used": 1, "available": 2, "remaining": 0.5}}, 0.5),
        ({"searches": {"used": 50, "available": 50}}, 0),
        ({"searches": {"used": 1, "available": 50}, "credits": {"used": 50, "available": 50}}, 0),
        ({"searches": {"used": "1", "available": 50}}, None),
        ({"searches": 7}, None),
        (None, None),
    ],
)
def test_what_the_account_has_left_is_read_from_either_form(requests: object, left: float | None) -> None:
    assert answers.read_searches_left(json.dumps({"data": {"requests": requests}}).encode()) == left


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"total": 81, "personal_emails": 65, "generic_emails": 16, "department": {"it": 3}}, (81, 65, 16)),
        ({"total": 0, "personal_emails": None, "generic_emails": None}, (0, None, None)),
        ({"total": 5}, (5, None, None)),
        ({"total": 5, "personal_emails": "many", "generic_emails": -1}, (5, None, None)),
        ({"total": None, "personal_emails": 2, "generic_emails": 3}, (5, 2, 3)),
        ({"total": True, "personal_emails": 2, "generic_emails": 3}, (5, 2, 3)),
        ({"total": 2**70, "personal_emails": 2, "generic_emails": 3, "new": [1]}, (5, 2, 3)),
    ],
)
def test_a_count_is_read_leniently(data: dict[str, object], expected: tuple[int, int | None, int | None]) -> None:
    count = answers.read_email_count(json.dumps({"data": data}).encode())
    assert (count.total, count.personal, count.generic) == expected


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"data": []}', b'{"data": {}}', b'{"data": {"total": "1"}}'])
def test_a_count_without_a_number_is_no_answer(body: bytes) -> None:
    with pytest.raises(answers.UnreadableAnswerError):
        answers.read_email_count(body)


@given(JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(("total", "personal_emails", "generic_emails"), JSON)))
def test_any_json_is_a_count_or_refused(value: Any) -> None:
    try:
        count = answers.read_email_count(json.dumps({"data": value}).encode())
    except answers.UnreadableAnswerError:
        return
    numbers = [number for number in (count.total, count.personal, count.generic) if number is not None]
    assert all(type(number) is int and number >= 0 for number in numbers)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_count_or_refused(raw: bytes) -> None:
    try:
        answers.read_email_count(raw)
    except answers.UnreadableAnswerError as error:
        assert str(error).startswith("the answer is")  # noqa: PT017 - either way is right
