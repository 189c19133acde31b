"""The CSV table: which columns, what is in them, and no cell that a spreadsheet would run."""

import csv
import io
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novahunt_contract import tables
from novahunt_contract.document import Item, Source, Verification

JANE = Item(
    email="jane@example.com",
    name="Jane Roe",
    title="Head of Sales, EMEA",
    confidence=0.95,
    source="https://example.com/team",
    type="personal",
    sources=(
        Source("https://example.com/team", extracted_on="2026-01-08", last_seen_on="2026-05-22"),
        Source("https://example.com/old", extracted_on="2023-11-14", last_seen_on="2024-02-01"),
        Source("https://example.com/undated"),
    ),
    verification=Verification(status="valid", date="2026-05-01"),
    department="sales",
    seniority="senior",
)

BARE = Item(email="info@example.com", name=None, title=None, confidence=0.5, source=None)

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def read_back(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def test_the_columns_are_these_and_lines_end_as_rfc_4180_says() -> None:
    assert tables.header() == (
        "email,name,title,confidence,source,type,department,seniority,verification,first_seen,last_seen\r\n"
    )


def test_an_address_is_one_line_with_the_earliest_and_the_latest_date_of_its_sources() -> None:
    assert tables.line(JANE) == (
        'jane@example.com,Jane Roe,"Head of Sales, EMEA",0.95,https://example.com/team,personal,sales,senior,valid,'
        "2023-11-14,2026-05-22\r\n"
    )


def test_what_is_not_known_is_empty() -> None:
    assert tables.line(BARE) == "info@example.com,,,0.5,,,,,,,\r\n"


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+49 30 1234",
        "-1",
        "@SUM(A1)",
        "  =1",
        "\u00a0=1",
        "\u3000=1",
        "\ufeff=1",
        "\u200b=1",
        "\u202e=1",
        "\x00=1",
        "\uff1d1+1",
        "\uff0b1",
        "\uff0d1",
        "\uff20SUM",
        "\ufe661",
        "\ufe6bSUM",
        "\u22121",
        " \uff1d1",
        "=",
        "-",
        '"=1+1"',
    ],
)
def test_what_a_spreadsheet_would_run_is_made_text(cell: str) -> None:
    assert tables.harmless(cell) == f"'{cell}"


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("CEO;=1+1", "CEO;'=1+1"),
        ("CEO; =1+1", "CEO;' =1+1"),
        ("CEO\t=1+1", "CEO\t'=1+1"),
        ("CEO\n=1+1", "CEO\n'=1+1"),
        ("CEO\r\n=1+1", "CEO\r\n'=1+1"),
        ("CEO;;\uff1d1;-1", "CEO;;'\uff1d1;'-1"),
        ('CEO;"=1+1&"', 'CEO;\'"=1+1&"'),
        (";=1", ";'=1"),
        ("=1;=2", "'=1;'=2"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\n=1", "'\n'=1"),
    ],
)
def test_what_begins_a_cell_where_semicolon_or_tab_separates_is_made_text(cell: str, written: str) -> None:
    assert tables.harmless(cell) == written


CALM = (
    "",
    "Jane",
    "a=b",
    "1-1",
    "0.95",
    "https://example.com/?a=@b",
    "'=1",
    " Jane",
    "’s",
    "Sales; EMEA",
    "a;b=c",
    '"x"',
    ";",
)


@pytest.mark.parametrize("cell", CALM)
def test_everything_else_stays_as_it_is(cell: str) -> None:
    assert tables.harmless(cell) == cell


texts = st.text(st.characters(codec="utf-8") | st.sampled_from("=+-@;\t\r\n\"', \uff1d\u200b"), max_size=6)
maybe = st.none() | texts
items = st.builds(
    Item,
    email=texts,
    name=maybe,
    title=maybe,
    confidence=st.floats(0, 1),
    source=maybe,
    type=maybe,
    department=maybe,
    seniority=maybe,
    verification=st.builds(Verification, status=maybe),
    sources=st.lists(st.builds(Source, uri=texts, extracted_on=maybe, last_seen_on=maybe), max_size=3).map(tuple),
)


@given(st.lists(items, max_size=4))
def test_a_reader_gets_back_what_was_written_and_no_cell_begins_a_formula(written: list[Item]) -> None:
    text = tables.header() + "".join(map(tables.line, written))
    lines = read_back(text.encode().decode())
    assert lines == [list(tables.COLUMNS), *(list(tables.row(item)) for item in written)]
    for cell in (cell for line in lines[1:] for cell in line):
        assert not cell.startswith(FORMULA_SIGNS)
        seen = "".join(sign for sign in cell if unicodedata.category(sign)[0] not in "CZ")
        assert not unicodedata.normalize("NFKC", seen).startswith(FORMULA_SIGNS)


@given(st.lists(items, max_size=4), st.sampled_from(";\t"))
def test_nothing_begins_a_formula_where_another_sign_separates(written: list[Item], separator: str) -> None:
    """A quote inside a field is a sign like any other, so a line of ours is cut wherever the separator stands."""
    text = "".join(map(tables.line, written))
    for piece in re.split(f"[{separator}\r\n]", text):
        seen = "".join(sign for sign in piece if unicodedata.category(sign)[0] not in "CZ").lstrip('"')
        assert not unicodedata.normalize("NFKC", seen).startswith(FORMULA_SIGNS)


def test_what_another_program_takes_for_a_separator_stands_in_quotes() -> None:
    assert tables.record(["a", "b;c", "d\te", 'f"g', "h,i", None, 0.5]) == 'a,"b;c","d\te","f""g","h,i",,0.5\r\n'


@given(texts)
def test_only_apostrophes_are_ever_added(cell: str) -> None:
    written = tables.harmless(cell)
    assert written.replace("'", "") == cell.replace("'", "")
    assert written.count("'") >= cell.count("'")
    assert tables.harmless(written) == written
