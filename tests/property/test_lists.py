"""Whatever a person's list holds, it is read or refused by name, and each entry tells a line that is there."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from novahunt_client import lists
from novahunt_contract import wanted

_PIECES = st.sampled_from(
    ["domain", "url", ",", ";", "\t", '"', "\n", "\r", "\r\n", "#", "@", "small.example", "\x00", "é"]
)
_TEXT = st.text() | st.lists(_PIECES | st.text(max_size=3)).map("".join)
_COUNTED: st.SearchStrategy[lists.Counted] = st.sampled_from(["line", "row"])
_DOMAINS = st.lists(st.from_regex(r"[a-z]{1,8}\.example", fullmatch=True), min_size=1, max_size=8)
_CELLS = st.text("ab ,;\t\"'\r\n#é", max_size=8)


@given(_TEXT, st.sampled_from(["leads.csv", "leads.txt", ""]), _COUNTED)
def test_every_text_is_read_or_refused(text: str, file_name: str, counted: lists.Counted) -> None:
    try:
        found = lists.read(text, "list", file_name=file_name, counted=counted)
    except lists.UnreadableListError:
        return
    lines = text.count("\n") + text.count("\r") + 1
    numbers = []
    for entry in found.entries:
        source, unit, number = entry.place.split(" ")
        assert (source, unit) in (("list", "line"), ("list", counted))
        assert 1 <= int(number) <= lines
        numbers.append(int(number))
    assert numbers == sorted(set(numbers))
    assert len(lists.repeats(found.entries)) == wanted.resolve(found.entries).duplicates


@given(
    _DOMAINS,
    st.sampled_from(lists.HEADINGS),
    st.lists(_CELLS, max_size=3),
    st.integers(0, 3),
    st.tuples(
        st.sampled_from(",;\t"),
        st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
        st.sampled_from(["\n", "\r\n", "\r"]),
    ),
)
def test_a_table_is_read_as_it_was_written(
    domains: list[str], heading: str, others: list[str], at: int, form: tuple[str, str, str]
) -> None:
    separator, encoding, line_end = form

    def row(text: str) -> list[str]:
        return [*others[:at], text, *others[at:]]

    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=separator, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([row(heading.upper()), *map(row, domains)])
    found = lists.read(lists.decoded(written.getvalue().encode(encoding)), "list")
    assert [entry.text for entry in found.entries] == domains


@given(_DOMAINS, st.sampled_from(["", " ", " # a note", "#"]), st.sampled_from(["\n", "\r\n", "\r"]))
def test_a_text_is_read_as_it_was_written(domains: list[str], after: str, line_end: str) -> None:
    found = lists.read(line_end.join(domain + after for domain in domains), "list", file_name="list.txt")
    assert [entry.text for entry in found.entries] == domains
    assert [entry.place for entry in found.entries] == [f"list line {number + 1}" for number in range(len(domains))]
