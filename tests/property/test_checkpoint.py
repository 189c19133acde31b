"""The checkpoint's format: what is written is read back, and whatever else lies there is never taken for it."""

from datetime import UTC, datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from novahunt_collector.checkpoint import (
    Checkpoint,
    Encoder,
    Header,
    InvalidCheckpointError,
    SavedPage,
    decode,
    encode,
    seal,
)
from novahunt_contract import times
from novahunt_contract.document import Item, Source, Verification

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
MAYBE = st.none() | TEXTS
COUNTS = st.integers(0, 2**70)
ITEMS = st.builds(
    Item,
    email=TEXTS,
    name=MAYBE,
    title=MAYBE,
    confidence=st.floats(0, 1),
    source=MAYBE,
    type=MAYBE,
    sources=st.lists(st.builds(Source, uri=TEXTS, extracted_on=MAYBE, last_seen_on=MAYBE), max_size=2).map(tuple),
    verification=st.builds(Verification, status=MAYBE, date=MAYBE),
    phone_number=MAYBE,
)
HEADERS = st.builds(
    Header,
    domain=TEXTS,
    search_hash=TEXTS,
    page_size=st.integers(1, 100),
    started=st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)).map(times.to_text),  # noqa: DTZ001 - in UTC, as `timezones` says
    nonce=TEXTS,
)


@st.composite
def checkpoints(draw: st.DrawFn, *, least: int = 0, most: int = 5) -> Checkpoint:
    header = draw(HEADERS)
    pages: list[SavedPage] = []
    offset = 0
    for number in range(1, draw(st.integers(least, most)) + 1):
        limit = draw(st.integers(1, header.page_size))
        page = SavedPage(
            number=number,
            offset=offset,
            limit=limit,
            received=draw(COUNTS),
            results=draw(st.none() | COUNTS),
            approximate=draw(st.booleans()),
            new=draw(COUNTS),
            credits=draw(COUNTS),
            requests=draw(COUNTS),
            items=tuple(draw(st.lists(ITEMS, max_size=3))),
        )
        offset += limit
        pages.append(page)
    return Checkpoint(header=header, pages=tuple(pages))


def read(data: bytes) -> Checkpoint | None:
    """Return what is trusted of a file; any error but our own fails the test."""
    try:
        return decode(data)
    except InvalidCheckpointError:
        return None


@given(checkpoints())
def test_what_is_written_is_read_back(written: Checkpoint) -> None:
    assert decode(encode(written)) == written


@given(checkpoints(), st.data())
def test_a_file_cut_anywhere_gives_the_whole_pages_before_the_cut(written: Checkpoint, data: st.DataObject) -> None:
    whole = encode(written)
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    lines = cut.count(b"\n")
    expected = Checkpoint(written.header, written.pages[: lines - 1]) if lines else None
    assert read(cut) == expected


@given(checkpoints(), st.data())
def test_a_change_anywhere_spoils_the_whole_or_cuts_the_last_line_off(written: Checkpoint, data: st.DataObject) -> None:
    whole = bytearray(encode(written))
    place = data.draw(st.integers(0, len(whole) - 1))
    before = whole[place]
    whole[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != before))
    left = read(bytes(whole))
    if place == len(whole) - 1 and written.pages:
        # Without its line feed the last line is one that a crash cut off.
        assert left == Checkpoint(written.header, written.pages[:-1])
    else:
        assert left is None


@given(checkpoints(least=1), st.data())
def test_bytes_put_in_anywhere_are_never_taken_for_pages(written: Checkpoint, data: st.DataObject) -> None:
    whole = encode(written)
    place = data.draw(st.integers(0, len(whole)))
    strange = data.draw(st.binary(min_size=1, max_size=40))
    left = read(whole[:place] + strange + whole[place:])
    if left is not None:
        # Only behind the last line feed, or in its place, can anything stand that is not trusted and spoils nothing.
        assert left in (written, Checkpoint(written.header, written.pages[:-1]))
        assert place >= len(whole) - 1


@given(checkpoints(least=2), st.data())
def test_lines_in_another_order_or_left_out_spoil_the_whole(written: Checkpoint, data: st.DataObject) -> None:
    lines = encode(written).splitlines(keepends=True)
    shuffled = data.draw(st.permutations(lines))
    kept = shuffled[: data.draw(st.integers(0, len(lines)))]
    assert read(b"".join(kept)) == (decode(b"".join(kept)) if kept and kept == lines[: len(kept)] else None)


@given(checkpoints(least=1), st.text("0123456789abcdef", min_size=1))
def test_a_line_of_another_file_spoils_the_whole_though_it_would_be_the_next_page(
    written: Checkpoint, nonce: str
) -> None:
    other = msgspec.structs.replace(written.header, nonce=written.header.nonce + nonce)
    strange = Encoder()
    lines = [strange.header(other), *map(strange.page, written.pages)]
    ours = encode(written).splitlines(keepends=True)
    assert read(b"".join([*ours[:-1], lines[-1]])) is None


@given(st.binary(max_size=500))
def test_any_bytes_are_no_checkpoint_and_no_crash(data: bytes) -> None:
    assert read(data) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
).map(msgspec.json.encode)
FORGED = st.fixed_dictionaries(
    {},
    optional={
        "version": st.integers(0, 2) | TEXTS,
        "domain": TEXTS | st.integers(),
        "searchHash": TEXTS,
        "pageSize": st.integers(-1, 101) | st.none(),
        "started": TEXTS | st.sampled_from(["2026-11-24T12:00:00.000Z", "0001-01-01T00:00:00+23:59", "2026-11-24"]),
        "number": st.integers(0, 3),
        "offset": st.integers(-1, 3),
        "limit": st.integers(-1, 101),
        "received": COUNTS,
        "items": st.lists(st.none() | st.dictionaries(TEXTS, TEXTS, max_size=3), max_size=3),
    },
).map(msgspec.json.encode)


@given(st.lists(JSON | FORGED | st.binary(max_size=60).map(lambda data: data.replace(b"\n", b"")), max_size=5))
def test_whatever_is_sealed_with_the_right_sums_is_read_or_refused(payloads: list[bytes]) -> None:
    lines: list[bytes] = []
    before = ""
    for payload in payloads:
        line, before = seal(payload, before)
        lines.append(line)
    left = read(b"".join(lines))
    if left is not None:
        assert decode(encode(left)) == left
