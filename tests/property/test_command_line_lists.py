"""Whatever a person's list holds, it is read or refused by name, and each entry tells a line that is there."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from novahunt_cli import lists, suppressing
from novahunt_contract import wanted

_PIECES = st.sampled_from(
    ["domain", "url", ",", ";", "\t", '"', "\n", "\r", "\r\n", "#", "@", "small.example", "\x00", "é"]
)
_TEXT = st.text() | st.lists(_PIECES | st.text(max_size=3)).map("".join)


@given(_TEXT, st.sampled_from(["leads.csv", "leads.txt", "standard input"]))
def test_every_text_is_read_or_refused(text: str, source: str) -> None:
    try:
        found = lists.of_text(source, text)
    except lists.UnreadableListError:
        return
    lines = text.count("\n") + text.count("\r") + 1
    for entry in found.entries:
        name, _, number = entry.place.rpartition(" line ")
        assert name == source
        assert 1 <= int(number) <= lines
    whole = wanted.resolve(found.entries)
    assert len(lists.repeated(found.entries)) == whole.duplicates


@given(_TEXT, _TEXT)
def test_an_entry_that_was_added_is_there_and_nothing_else_has_changed(content: str, text: str) -> None:
    with contextlib.suppress(suppressing.NotAnEntryError):
        entry = suppressing.entry_of(text)
        changed = suppressing.added(content, entry)
        if changed is not None:
            assert changed.startswith(content)
            assert suppressing.added(changed, entry) is None
        assert suppressing.entry_of(entry) == entry
