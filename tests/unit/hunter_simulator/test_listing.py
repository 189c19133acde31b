"""Order, repeats and totals from page to page."""

from collections import Counter

import pytest

from hunter_simulator import Config, Domain, Listing, Settings, truth
from unit.hunter_simulator.asking import Asking

TRUTH = [person.value for person in truth("listed.example", 230)]


def _listed(listing: Listing, size: int = 230) -> Asking:
    return Asking(Config(domains={"listed.example": Domain(size=size, listing=listing)}))


def test_the_order_is_stable_by_default(hunter: Asking) -> None:
    assert hunter.search("n50.example", limit=50).emails == hunter.search("n50.example", limit=50).emails


def test_shuffling_within_pages_changes_the_order_and_loses_nobody() -> None:
    hunter = _listed(Listing(order="within_page", seed=7))
    pages = [hunter.search("listed.example", limit=100).emails for _ in range(2)]
    assert pages[0] != pages[1]
    assert sorted(pages[0]) == sorted(pages[1]) == sorted(TRUTH[:100])
    assert sorted(hunter.all_pages("listed.example")) == sorted(TRUTH)


def test_shuffling_everywhere_moves_people_between_pages() -> None:
    hunter = _listed(Listing(order="everywhere", seed=7))
    found = hunter.all_pages("listed.example")
    assert len(found) == 230
    assert set(found) < set(TRUTH)


def test_shuffling_is_the_same_for_the_same_seed() -> None:
    one, same, other = (
        _listed(Listing(order="everywhere", seed=seed)).all_pages("listed.example") for seed in (1, 1, 2)
    )
    assert one == same != other


def test_repeated_addresses_come_between_pages_and_hide_nobody() -> None:
    hunter = _listed(Listing(repeat_every=10))
    found = hunter.all_pages("listed.example")
    assert len(found) == 230 + 23
    assert set(found) == set(TRUTH)
    later_pages = Counter(found[100:])
    assert any(address in later_pages for address in found[:100])
    assert hunter.search("listed.example").results == 230


def test_repeated_addresses_are_charged_like_others() -> None:
    hunter = _listed(Listing(repeat_every=1), size=10)
    assert hunter.search("listed.example", limit=100).credits == 2


def test_an_approximate_total_is_a_marked_lower_bound() -> None:
    hunter = _listed(Listing(reported_share=0.5))
    answer = hunter.search("listed.example")
    assert (answer.results, answer.body["meta"]["results_approximate"]) == (115, True)
    assert hunter.all_pages("listed.example") == TRUTH


def test_an_exact_total_is_not_marked(hunter: Asking) -> None:
    assert "results_approximate" not in hunter.search("n5.example").body["meta"]


def test_totals_grow_while_paging_up_to_a_bound() -> None:
    hunter = _listed(Listing(growth=60, growth_ends_at=300), size=150)
    results = [hunter.search("listed.example", limit=100, offset=offset).results for offset in (0, 100, 200, 300)]
    assert results == [150, 210, 270, 300]
    assert len(hunter.simulator.truth("listed.example")) == 300


def test_totals_shrink_while_paging_down_to_a_bound() -> None:
    hunter = _listed(Listing(growth=-100, growth_ends_at=20))
    results = [hunter.search("listed.example", limit=100, offset=offset).results for offset in (0, 100, 200, 300)]
    assert results == [230, 130, 30, 20]


def test_shrinking_ends_at_nothing() -> None:
    hunter = _listed(Listing(growth=-200))
    assert [hunter.search("listed.example").results for _ in range(3)] == [230, 30, 0]


def test_setting_a_domain_again_begins_its_growth_anew() -> None:
    hunter = _listed(Listing(growth=10))
    hunter.search("listed.example")
    hunter.simulator.set_domain("listed.example", Domain(size=5, listing=Listing(growth=10)))
    assert hunter.search("listed.example").results == 5


def test_the_settings_give_a_listing_to_all_other_domains() -> None:
    hunter = Asking(Config(settings=Settings(listing=Listing(reported_share=0))))
    assert hunter.search("n25.example").results == 0


@pytest.mark.parametrize("limit", [7, 100])
def test_repeats_and_shuffled_pages_together_still_hold_everybody(limit: int) -> None:
    hunter = _listed(Listing(order="within_page", seed=3, repeat_every=4))
    found = list[str]()
    for offset in range(0, 400, limit):
        hunter.clock.seconds += 1
        found += hunter.search("listed.example", limit=limit, offset=offset).emails
    assert set(found) == set(TRUTH)
