"""Which entries people's lists hold, and where they stand."""

import pytest

from novahunt_client import lists
from novahunt_client.lists import Repeat
from novahunt_contract import wanted
from novahunt_contract.wanted import Entry


def read(name: str, text: str) -> tuple[list[tuple[str, str]], str]:
    found = lists.read(text, name, file_name=name)
    return [(entry.place, entry.text) for entry in found.entries], found.how


def texts(name: str, text: str) -> list[str]:
    return [entry for _, entry in read(name, text)[0]]


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


def test_a_spreadsheets_rows_are_counted_as_it_counts_them() -> None:
    text = 'name,website\n"Two\nlines",a.example\n\n"And\nagain",b.example\n'
    found = lists.read(text, "file", file_name="a.CSV", counted="row")
    assert [(entry.place, entry.text) for entry in found.entries] == [
        ("file row 2", "a.example"),
        ("file row 4", "b.example"),
    ]


@pytest.mark.parametrize(
    "heading",
    ["domain", "Domains", "website", "WEBSITES", "url", "web", "company domain", "Company_Domain", " company-domain "],
)
def test_every_heading_of_page_and_command_line_is_known(heading: str) -> None:
    assert texts("list", f"name,{heading}\nA,a.example\n") == ["a.example"]


def test_of_several_columns_the_best_heading_is_taken() -> None:
    assert texts("a.csv", "url,domain\nx.example,y.example\n") == ["y.example"]
    assert texts("a.csv", "web;Company Domain;website\nx.example;y.example;z.example\n") == ["y.example"]


def test_a_heading_tells_the_separator_whatever_else_the_first_row_holds() -> None:
    assert texts("a.csv", '"Name, first, and last";Website\n"A, B, and C";a.example\n') == ["a.example"]
    assert texts("a.csv", 'name;"Domain"\r\n"A; Co";a.example\r\n') == ["a.example"]
    assert texts("a.csv", '"The\ncompany",Size,"Web"\nA,5,a.example\n') == ["a.example"]


def test_a_table_without_a_known_header_gives_its_first_column() -> None:
    assert read("a.csv", "small.example,5\nexample.com,6\n") == (
        [("a.csv line 1", "small.example"), ("a.csv line 2", "example.com")],
        "a.csv: CSV, the first column, no header",
    )
    assert read("a.csv", "company,size\nexample.com,6\n")[1] == "a.csv: CSV, column 'company'"
    assert texts("a.csv", "a.example,1\nb.example,2") == ["a.example", "b.example"]


@pytest.mark.parametrize("address", ["jane@small.example", "jane\uff20small.example"])
def test_an_address_is_an_entry_and_no_heading_that_would_be_shown(address: str) -> None:
    entries, how = read("a.csv", f"{address},5\nexample.com,6\n")
    assert len(entries) == 2
    assert "jane" not in how
    assert wanted.resolve(Entry(*entry) for entry in entries).invalid[0].text is None


def test_a_row_without_an_entry_is_named_and_an_empty_one_is_none() -> None:
    entries, _ = read("a.csv", "name,domain\nA\n,\n\nB,b.example\n")
    assert entries == [("a.csv line 2", ""), ("a.csv line 5", "b.example")]


@pytest.mark.parametrize("text", ["", "\n\n", " \n", "\ufeff"])
def test_an_empty_table_has_none(text: str) -> None:
    assert texts("a.csv", text) == []


def test_a_table_that_is_none_is_refused_by_its_line() -> None:
    with pytest.raises(lists.UnreadableListError, match="near line 3"):
        read("a.csv", "domain\na.example\n" + "x" * 200_000)


def test_repeated_domains_are_named_with_both_places() -> None:
    entries = [Entry("one", "example.com"), Entry("two", "nothing"), Entry("three", "https://www.example.com/")]
    assert lists.repeats(entries) == (Repeat("three", "example.com", "one"),)


def test_what_exceeds_a_collection_is_no_repeat() -> None:
    entries = [Entry("", f"c{number}.example") for number in range(wanted.MAX_DOMAINS)]
    entries += [Entry("", "more.example"), Entry("", "more.example"), Entry("", "c0.example")]
    assert [repeat.domain for repeat in lists.repeats(entries)] == ["c0.example"]
    assert wanted.resolve(entries).duplicates == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_is_read_as_spreadsheets_save_it(encoding: str) -> None:
    assert lists.decoded("bücher.example".encode(encoding)) == "bücher.example"


@pytest.mark.parametrize("data", [b"PK\x03\x04\x00\x00", b"\xff\xfe\x00", b"\xe4.example"])
def test_what_is_no_text_is_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(lists.UnreadableListError, match="save"):
        lists.decoded(data)


@pytest.mark.parametrize(("name", "first"), [("list.txt", ""), ("leads.csv", ""), ("leads.csv", "domain\n")])
def test_a_list_without_end_is_not_read_to_its_end(name: str, first: str) -> None:
    whole = lists.read(first + "a.example\n" * lists.MAX_ENTRIES, name, file_name=name)
    assert len(whole.entries) == lists.MAX_ENTRIES
    with pytest.raises(lists.UnreadableListError, match="it has more than 50,000 entries"):
        lists.read(first + "a.example\n" * (lists.MAX_ENTRIES + 1), name, file_name=name)


def test_empty_lines_and_comments_are_no_entries() -> None:
    text = "# none\n\n" * lists.MAX_ENTRIES + "a.example\n"
    assert texts("list.txt", text) == ["a.example"]
