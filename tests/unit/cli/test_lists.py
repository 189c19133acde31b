"""Which entries a person's lists hold, and where they stand."""

import pytest

from novahunt_cli import lists
from novahunt_contract import wanted


def read(source: str, text: str) -> tuple[list[tuple[str, str]], str]:
    found = lists.of_text(source, text)
    return [(entry.place, entry.text) for entry in found.entries], found.how


def test_a_text_has_one_entry_a_line_and_comments() -> None:
    entries, how = read("list.txt", "small.example # ours\n\n# none\nexample.com\n")
    assert entries == [("list.txt line 1", "small.example"), ("list.txt line 4", "example.com")]
    assert how == "list.txt: one entry a line"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_is_known_by_its_header(separator: str) -> None:
    text = '\ufeffName;Website;Town\nOurs;https://small.example/;X\n"Two\nlines";example.com;Y\n'
    entries, how = read("standard input", text.replace(";", separator))
    assert entries == [
        ("standard input line 2", "https://small.example/"),
        ("standard input line 4", "example.com"),
    ]
    assert how == "standard input: CSV, column 'website'"


def test_of_several_columns_the_one_named_domain_is_taken() -> None:
    assert read("a.csv", "url,domain\nx.example,y.example\n")[0] == [("a.csv line 2", "y.example")]


def test_a_table_without_a_known_header_gives_its_first_column() -> None:
    assert read("a.csv", "small.example,5\nexample.com,6\n") == (
        [("a.csv line 1", "small.example"), ("a.csv line 2", "example.com")],
        "a.csv: CSV, the first column, no header",
    )
    assert read("a.csv", "company,size\nexample.com,6\n")[1] == "a.csv: CSV, column 'company'"


def test_an_empty_table_has_none() -> None:
    assert read("a.csv", "\n\n")[0] == []


def test_repeated_domains_are_named_with_both_places() -> None:
    entries = lists.of_arguments(["example.com", "nothing", "https://www.example.com/"])
    assert lists.repeated(entries) == ["argument 3 (example.com, first in argument 1)"]
    assert wanted.resolve(entries).domains == ("example.com",)
