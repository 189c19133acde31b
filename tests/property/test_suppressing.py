"""What `forget` adds to a list is there afterwards, and nothing else of the list has changed."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from novahunt_cli import suppressing

_PIECES = st.sampled_from(
    ["domain", "url", ",", ";", "\t", '"', "\n", "\r", "\r\n", "#", "@", "small.example", "\x00", "é"]
)
_TEXT = st.text() | st.lists(_PIECES | st.text(max_size=3)).map("".join)


@given(_TEXT, _TEXT)
def test_an_entry_that_was_added_is_there_and_nothing_else_has_changed(content: str, text: str) -> None:
    with contextlib.suppress(suppressing.NotAnEntryError):
        entry = suppressing.entry_of(text)
        changed = suppressing.added(content, entry)
        if changed is not None:
            assert changed.startswith(content)
            assert suppressing.added(changed, entry) is None
        assert suppressing.entry_of(entry) == entry
