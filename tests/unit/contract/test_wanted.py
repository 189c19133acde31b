"""The wanted domains: lists are brought to one form, and what is left out is counted and named."""

import pytest

from novahunt_contract import wanted
from novahunt_contract.wanted import Entry, from_text, listed, resolve


def test_domains_stay_in_the_order_of_the_lists_and_the_first_of_each_counts() -> None:
    found = resolve(listed(["b.example", "https://www.a.example/x", "B.example.", "c.example", "a.example"]))
    assert found.domains == ("b.example", "a.example", "c.example")
    assert found.duplicates == 2
    assert found.invalid == ()


def test_entries_are_named_by_their_place() -> None:
    entries = [*listed(["ok.example", "nope"]), *from_text("ConfigMap leads, domains.txt", "# x\n\nbad_name.example")]
    places = [entry.place for entry in resolve(entries).invalid]
    assert places == ["spec.domains[1]", "ConfigMap leads, domains.txt line 3"]


def test_the_text_of_an_invalid_entry_is_kept_for_its_author() -> None:
    (invalid,) = resolve(listed(["not a domain"])).invalid
    assert invalid.text == "not a domain"
    assert "valid domain" in invalid.reason


@pytest.mark.parametrize(
    "text", ["john@example.com", "x" * 200 + "john@example.com", "john＠example.com", "john﹫example.com"]
)
def test_a_text_that_may_be_somebodys_address_is_not_kept(text: str) -> None:
    (invalid,) = resolve(listed([text])).invalid
    assert invalid.text is None
    assert "john" not in invalid.reason


def test_a_long_text_is_cut() -> None:
    (invalid,) = resolve(listed(["x" * 3000])).invalid
    assert invalid.text == "x" * 80


def test_more_domains_than_a_collection_holds_are_invalid_and_not_silently_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wanted, "MAX_DOMAINS", 2)
    found = resolve(listed(["a.example", "b.example", "c.example", "a.example"]))
    assert found.domains == ("a.example", "b.example")
    assert [entry.place for entry in found.invalid] == ["spec.domains[2]"]
    assert "at most 2" in found.invalid[0].reason
    assert found.duplicates == 1


def test_missing_sources_are_handed_on() -> None:
    assert resolve([Entry("x", "a.example")], ["ConfigMap leads is not there"]).missing == (
        "ConfigMap leads is not there",
    )
