"""The short form of fuzzing: every input that was ever of interest, and some new ones near them.

`make fuzz` searches for minutes, guided by what each input reaches; see docs/testing.md.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.targets import TARGETS

HERE = Path(__file__).parent
EXAMPLES = max(10, settings().max_examples)


class Change(NamedTuple):
    """Bytes that are put in the place of others; `at` is a share of the length."""

    at: float
    removed: int
    added: bytes


CHANGES = st.lists(
    st.builds(
        Change,
        st.floats(0, 1),
        st.integers(0, 12),
        st.binary(max_size=4)
        | st.sampled_from([b"null", b"[]", b"{}", b"-1", b"1e999", b"9" * 30, b'"', b"\\ud800", b"\n", b"\xff", b"@"]),
    ),
    max_size=4,
)


def kept(target: str) -> Iterator[Path]:
    """Return the files of the corpus, and what once was a crash."""
    for folder in (HERE / "corpus" / target, HERE / "crashes" / target):
        yield from sorted(folder.glob("*"))


def changed(data: bytes, changes: list[Change]) -> bytes:
    for change in changes:
        start = int(len(data) * change.at)
        data = data[:start] + change.added + data[start + change.removed :]
    return data


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_kept_is_read_or_refused(name: str) -> None:
    paths = list(kept(name))
    assert paths, "a target without a corpus begins its search at nothing"
    for path in paths:
        TARGETS[name](path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_near_to_it_is_read_or_refused(name: str) -> None:
    seeds = [path.read_bytes() for path in kept(name)]

    @given(st.sampled_from(seeds), CHANGES)
    @settings(max_examples=3 * EXAMPLES)
    def search(seed: bytes, changes: list[Change]) -> None:
        TARGETS[name](changed(seed, changes))

    search()


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_are_read_or_refused(name: str) -> None:
    @given(st.binary(max_size=300))
    def search(data: bytes) -> None:
        TARGETS[name](data)

    search()


@pytest.mark.parametrize("name", TARGETS)
def test_nesting_without_end_is_read_or_refused(name: str) -> None:
    for opening in (b"[" * 100_000, b'{"x":' + b"[" * 100_000, b'{"x":' * 100_000):
        TARGETS[name](opening)
        TARGETS[name](b"\x01" + opening + b"\n")
