"""Lists that people paste and upload."""

import pytest

from novahunt_client.lists import UnreadableListError
from novahunt_contract import wanted
from novahunt_gateway import jobs
from novahunt_gateway.page import entries


def test_a_preview_names_what_is_left_out_and_what_it_can_cost() -> None:
    found = entries.preview(wanted.from_text("list", "Example.com\nfoo\nexample.com # again\na@b.example\n"), 5000, 100)
    assert found.domains == ("example.com",)
    assert [(one.place, one.text) for one in found.invalid] == [("list line 2", "foo"), ("list line 4", None)]
    assert (found.duplicates, found.worst_case) == (1, 500)
    assert found.repeated == (("example.com", 2),)


def test_what_exceeds_ten_thousand_is_counted_and_not_all_named() -> None:
    found = entries.preview(wanted.from_text("list", "\n".join(f"c{n}.example" for n in range(10_500))), 10, 10)
    assert (len(found.domains), found.invalid_count, len(found.invalid)) == (10_000, 500, entries.SHOWN)


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.txt", b"a.example\nb.example", ["a.example", "b.example"]),
        ("a.csv", b"a.example,1\nb.example,2", ["a.example", "b.example"]),
        ("a.CSV", b"Name,Website\nA,a.example\nB,b.example\n", ["a.example", "b.example"]),
        ("a.csv", b'name;"Domain"\r\n"A; Co";a.example\r\n', ["a.example"]),
        ("a.csv", b"domain\n\nshort\n", ["short"]),
        ("a.csv", b"", []),
        ("a.txt", "b\u00fccher.example".encode("utf-16"), ["b\u00fccher.example"]),
    ],
)
def test_a_file_is_read_by_its_kind(name: str, data: bytes, expected: list[str]) -> None:
    assert [one.text for one in entries.from_file(name, data).entries] == expected


def test_a_table_tells_the_row_of_an_entry() -> None:
    found = entries.from_file("a.csv", b"domain\nfoo\n")
    assert (found.entries[0].place, found.how) == ("file row 2", "file: CSV, column 'domain'")


@pytest.mark.parametrize("data", [b"PK\x03\x04\x00\x00", b"\xe4.example", b"x" * (entries.MAX_BYTES + 1)])
def test_what_is_no_text_or_too_much_is_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(UnreadableListError):
        entries.from_file("a.csv", data)


@pytest.mark.parametrize("text", ["", "0", "-5", "1.5", "ten", "1e3", "٣", "9999999999"])
def test_a_budget_is_a_whole_positive_number(text: str) -> None:
    assert entries.read_budget(text) is None


def test_suggested_names_can_be_had() -> None:
    for domains in (["example.com"], ["x" * 60 + ".example"], ["a.example", "b.example"]):
        assert entries.refused_name(entries.suggested_name(domains, "20261124-120000")) is None
    assert entries.suggested_name(["example.com"], "") == jobs.collection_name("example.com")


@pytest.mark.parametrize("name", ["", "A", "-a", "a-", "a/b", "a" * 64, "a b", "a\n"])
def test_a_name_that_kubernetes_refuses_is_refused_at_once(name: str) -> None:
    assert entries.refused_name(name) is not None
