"""Items: one per address, the surest kept, the newest sources, in one order whatever order the entries came in."""

from hypothesis import given
from hypothesis import strategies as st

from novahunt_collector import answers
from novahunt_collector.items import Items, to_item, to_items
from novahunt_contract.document import MAX_SOURCES, Item, Source, Verification
from novahunt_contract.merging import merge

DATES = st.none() | st.dates().map(str) | st.just("some day")
SOURCES = st.builds(
    answers.Source,
    uri=st.none() | st.sampled_from([f"https://example.com/{number}" for number in range(8)]),
    extracted_on=DATES,
    last_seen_on=DATES,
)
ENTRIES = st.builds(
    answers.Entry,
    value=st.sampled_from(["a@example.com", "A@Example.com ", "b@example.com", "ü@example.com", " ", "c@example.com"]),
    type=st.none() | st.sampled_from(["personal", "generic"]),
    confidence=st.none() | st.integers(-5, 10**30) | st.floats(allow_nan=False),
    sources=st.none() | st.lists(SOURCES, max_size=9),
    first_name=st.none() | st.sampled_from(["Ann", " ", "Bea"]),
    last_name=st.none() | st.sampled_from(["Doe", ""]),
    position=st.none() | st.sampled_from(["CEO", " Head  of\tIT "]),
    verification=st.none() | st.builds(answers.Verification, date=DATES, status=st.none() | st.just("valid")),
)


def test_an_entry_becomes_the_stored_form() -> None:
    entry = answers.Entry(
        value=" John@Example.COM",
        type="personal",
        confidence=95,
        sources=[
            answers.Source("https://example.com/old", "2024-01-01", "2025-05-05"),
            answers.Source("https://example.com/about", "2026-01-08", "2026-05-22"),
        ],
        first_name="John",
        last_name="Doe",
        position="CEO",
        verification=answers.Verification(date="2026-02-03", status="valid"),
    )
    assert to_item(entry) == Item(
        email="john@example.com",
        name="John Doe",
        title="CEO",
        confidence=0.95,
        source="https://example.com/about",
        type="personal",
        sources=(
            Source("https://example.com/about", "2026-01-08", "2026-05-22"),
            Source("https://example.com/old", "2024-01-01", "2025-05-05"),
        ),
        verification=Verification(status="valid", date="2026-02-03"),
    )


def test_the_most_confident_entry_is_kept_and_sources_are_merged() -> None:
    items = Items()
    weak = answers.Entry("a@example.com", confidence=40, position="Intern", sources=[answers.Source("u")])
    sure = answers.Entry("A@example.com", confidence=90, position="CTO", sources=[answers.Source("v", "2026-01-01")])
    assert items.unknown(to_items([weak, sure])) == 1
    items.add(to_items([weak]))
    assert items.unknown(to_items([sure])) == 0
    items.add(to_items([sure]))
    (item,) = items.in_order()
    assert (item.title, item.confidence, item.source) == ("CTO", 0.9, "v")
    assert [source.uri for source in item.sources] == ["v", "u"]


def test_items_are_sorted_by_confidence_then_address() -> None:
    items = Items()
    entries = [answers.Entry(f"{name}@x.example", confidence=sure) for name, sure in (("b", 5), ("c", 9), ("a", 5))]
    items.add(to_items(entries))
    assert [item.email[0] for item in items.in_order()] == ["c", "a", "b"]


@given(st.lists(ENTRIES, max_size=25), st.randoms(use_true_random=False), st.integers(1, 7))
def test_order_and_paging_of_the_entries_make_no_difference(
    entries: list[answers.Entry], random: object, size: int
) -> None:
    whole = Items()
    whole.add(to_items(entries))
    mixed = list(entries)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    paged = Items()
    counted = 0
    for start in range(0, len(mixed), size):
        page = to_items(mixed[start : start + size])
        counted += paged.unknown(page)
        paged.add(page)
    assert paged.in_order() == whole.in_order()
    assert counted == len(paged) == len(paged.in_order())


@given(st.lists(ENTRIES, max_size=25))
def test_what_is_stored_is_unique_bounded_and_in_order(entries: list[answers.Entry]) -> None:
    items = Items()
    items.add(to_items(entries))
    stored = items.in_order()
    addresses = [item.email for item in stored]
    assert len(set(addresses)) == len(addresses)
    assert set(addresses) == {entry.value.strip().lower() for entry in entries} - {""}
    assert [(-item.confidence, item.email) for item in stored] == sorted((-i.confidence, i.email) for i in stored)
    for item in stored:
        assert 0 <= item.confidence <= 1
        assert len(item.sources) <= MAX_SOURCES
        assert len({source.uri for source in item.sources}) == len(item.sources)
        assert item.source == (item.sources[0].uri if item.sources else None)


@given(ENTRIES)
def test_merging_an_item_with_itself_changes_nothing(entry: answers.Entry) -> None:
    item = to_item(entry)
    if item is not None:
        assert merge(item, item) == item
