"""The stored document: what is written is read back, and what is damaged is refused without its content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novahunt_contract.document import (
    Document,
    InvalidDocumentError,
    Item,
    Source,
    Verification,
    decode,
    digest,
    encode,
    file_name,
    supersedes,
)

_texts = st.text(max_size=20)
_maybe = st.none() | _texts
_items = st.builds(
    Item,
    email=_texts,
    name=_maybe,
    title=_maybe,
    confidence=st.floats(0, 1),
    source=_maybe,
    type=_maybe,
    sources=st.lists(st.builds(Source, uri=_texts, extracted_on=_maybe, last_seen_on=_maybe), max_size=3).map(tuple),
    verification=st.builds(Verification, status=_maybe, date=_maybe),
    department=_maybe,
)


def document(*items: Item, **fields: object) -> Document:
    given_fields: dict[str, object] = {
        "domain": "example.com",
        "items": items,
        "total": len(items),
        "stored_at": "2026-11-24T12:00:00.000Z",
        "collected_at": "2026-11-24T11:59:45.000Z",
        "job_id": "collect-example.com-1",
    }
    return Document(**{**given_fields, **fields})  # type: ignore[arg-type]


JOHN = Item(email="john@example.com", name="John Doe", title="CEO", confidence=0.95, source="https://example.com/about")


@given(st.lists(_items, max_size=5))
def test_what_is_written_is_read_back(items: list[Item]) -> None:
    written = document(*items)
    assert decode(encode(written)) == written


def test_the_fixed_keys_stand_first_and_in_their_order() -> None:
    text = encode(document(JOHN)).decode()
    assert text.startswith(
        '{"domain":"example.com","items":[{"email":"john@example.com","name":"John Doe","title":"CEO",'
        '"confidence":0.95,"source":"https://example.com/about",'
    )
    assert (
        '"total":1,"storedAt":"2026-11-24T12:00:00.000Z","collectedAt":"2026-11-24T11:59:45.000Z",'
        '"jobId":"collect-example.com-1"'
    ) in text


def test_keys_of_a_later_version_are_ignored() -> None:
    later = encode(document(JOHN)).replace(b'{"domain"', b'{"novelty":{"a":1},"domain"', 1)
    assert decode(later) == document(JOHN)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"not JSON",
        b"\xff\xfe",
        b'{"domain":"\xff"}',
        encode(document(JOHN))[:-1],
        encode(document(JOHN)).replace(b'"john@example.com"', b"1"),
        encode(document(JOHN)).replace(b'"items"', b'"entries"'),
    ],
)
def test_bytes_that_are_no_document_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidDocumentError, match="it is no stored document") as refusal:
        decode(data)
    assert "john" not in str(refusal.value)


@pytest.mark.parametrize("total", [0, 2])
def test_a_total_that_is_not_the_number_of_items_is_refused(total: int) -> None:
    with pytest.raises(InvalidDocumentError, match=f"says {total} items and holds 1"):
        decode(encode(document(JOHN, total=total)))


def test_the_digest_is_sha256_and_the_file_is_named_by_the_domain() -> None:
    assert digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert file_name("example.com") == "example.com.json"


@pytest.mark.parametrize(
    ("new", "old", "wins"),
    [
        ((2, 100), (1, 50), True),
        ((1, 50), (2, 100), False),
        ((1, 200), (7, 100), True),
        ((3, 100), (3, 100), True),
    ],
    ids=["a later run", "an older run that comes late", "run 1 again after its record was deleted", "the same run"],
)
def test_a_document_gives_way_to_what_started_later(new: tuple[int, int], old: tuple[int, int], wins: bool) -> None:  # noqa: FBT001 - a table
    def of(run: int, started: int) -> Document:
        return Document("a.example", (), 0, "", "", f"collect-a.example-{started}", run=run)

    assert supersedes(of(*new), of(*old)) is wins
