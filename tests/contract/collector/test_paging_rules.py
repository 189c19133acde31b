"""One test for each paging rule, against lists that behave as Hunter's do: approximate, repeating, moving."""

import json
from pathlib import Path

import pytest

from contract.collector.running import DOMAIN, collect
from hunter_simulator import DEFAULT_KEY, AnswerStatus, Domain, Fault, Listing, Plan, Simulator
from novahunt_contract.outcomes import Outcome, Reason


def addresses(simulator: Simulator) -> set[str]:
    return {person.value.lower() for person in simulator.truth(DOMAIN)}


async def test_every_page_is_read_and_every_field_kept(simulator: Simulator, folder: Path) -> None:
    simulator.set_domain(DOMAIN, 250)
    ended = await collect(simulator, folder)
    assert ended.document is not None
    truth = {person.value.lower(): person for person in simulator.truth(DOMAIN)}
    assert [item.email for item in ended.document.items] == [
        person.value.lower() for person in sorted(truth.values(), key=lambda p: (-p.confidence, p.value.lower()))
    ]
    for item in ended.document.items:
        person = truth[item.email]
        assert item.confidence == person.confidence / 100
        assert item.title == person.position
        assert item.name == (" ".join(filter(None, (person.first_name, person.last_name))) or None)
        assert (item.type, item.department, item.seniority) == (person.type, person.department, person.seniority)
        assert {source.uri for source in item.sources} <= {source.uri for source in person.sources}
        assert len(item.sources) == min(5, len(person.sources))
        assert item.verification.status == person.verification.status
    report = simulator.report()
    assert report.of_domain(DOMAIN).pages == ((0, 100), (100, 100), (200, 100))
    assert ended.receipt.credits == ended.document.credits == report.credits == 25
    assert ended.receipt.requests == ended.document.requests == report.requests == 3
    assert (ended.receipt.items, ended.receipt.reported, ended.document.total) == (250, 250, 250)


@pytest.mark.parametrize("domain", [Domain(known=False), Domain(webmail=True), Domain(size=0)])
async def test_an_unknown_a_webmail_and_an_empty_domain_are_stored_as_empty(
    simulator: Simulator, folder: Path, domain: Domain
) -> None:
    simulator.set_domain(DOMAIN, domain)
    ended = await collect(simulator, folder)
    assert ended.receipt.reason is Reason.NOTHING_FOUND
    assert ended.document is not None
    assert ended.document.total == 0
    assert (ended.receipt.requests, ended.receipt.credits) == (1, 0)


@pytest.mark.parametrize("size", [99, 100, 101, 200])
async def test_it_stops_at_an_empty_page_or_a_short_one_with_all_seen(
    simulator: Simulator, folder: Path, size: int
) -> None:
    simulator.set_domain(DOMAIN, size)
    ended = await collect(simulator, folder)
    assert ended.receipt.items == size
    # A full last page is followed by one more, which is empty and free.
    assert ended.receipt.requests == size // 100 + 1
    assert ended.receipt.credits == simulator.report().credits


async def test_the_cap_is_exact_and_nothing_beyond_it_is_paid(simulator: Simulator, folder: Path) -> None:
    simulator.set_domain(DOMAIN, 400)
    ended = await collect(simulator, folder, HUNTER_MAX_COLLECT="130")
    assert ended.receipt.reason is Reason.MAX_RESULTS
    assert (ended.receipt.items, ended.receipt.reported) == (130, 400)
    assert simulator.report().of_domain(DOMAIN).pages == ((0, 100), (100, 30))
    assert ended.receipt.credits == simulator.report().credits == 13


async def test_a_cap_that_hunter_does_not_exceed_is_no_truncation(simulator: Simulator, folder: Path) -> None:
    simulator.set_domain(DOMAIN, 100)
    ended = await collect(simulator, folder, HUNTER_MAX_COLLECT="100")
    assert ended.receipt.reason is Reason.COLLECTED
    assert ended.receipt.requests == 1


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
async def test_an_approximate_total_does_not_end_the_reading(simulator: Simulator, folder: Path, share: float) -> None:
    simulator.set_domain(DOMAIN, Domain(size=250, listing=Listing(reported_share=share)))
    ended = await collect(simulator, folder)
    assert ended.receipt.reason is Reason.COLLECTED
    assert ended.receipt.items == 250


async def test_an_approximate_total_at_the_cap_is_truncated(simulator: Simulator, folder: Path) -> None:
    simulator.set_domain(DOMAIN, Domain(size=250, listing=Listing(reported_share=0.1)))
    ended = await collect(simulator, folder, HUNTER_MAX_COLLECT="100")
    assert ended.receipt.reason is Reason.MAX_RESULTS


async def test_duplicates_across_pages_are_stored_once(simulator: Simulator, folder: Path) -> None:
    simulator.set_domain(DOMAIN, Domain(size=250, listing=Listing(repeat_every=7)))
    ended = await collect(simulator, folder)
    assert ended.document is not None
    emails = [item.email for item in ended.document.items]
    assert len(emails) == len(set(emails))
    assert set(emails) <= addresses(simulator)
    # What was returned is what is paid for, repeated or not.
    assert ended.receipt.credits == simulator.report().credits


async def test_an_order_that_changes_within_pages_makes_no_difference(simulator: Simulator, folder: Path) -> None:
    simulator.set_domain(DOMAIN, Domain(size=250, listing=Listing(order="within_page", seed=5)))
    ended = await collect(simulator, folder)
    assert ended.document is not None
    assert {item.email for item in ended.document.items} == addresses(simulator)


async def test_an_order_that_changes_between_pages_still_ends_with_addresses_of_the_domain(
    simulator: Simulator, folder: Path
) -> None:
    simulator.set_domain(DOMAIN, Domain(size=250, listing=Listing(order="everywhere", seed=5)))
    ended = await collect(simulator, folder)
    assert ended.document is not None
    assert 100 <= ended.document.total <= 250
    assert {item.email for item in ended.document.items} <= addresses(simulator)


async def test_a_total_that_grows_while_paging_is_followed(simulator: Simulator, folder: Path) -> None:
    simulator.set_domain(DOMAIN, Domain(size=150, listing=Listing(growth=100, growth_ends_at=350)))
    ended = await collect(simulator, folder)
    assert ended.receipt.items == 350


async def test_a_total_that_shrinks_while_paging_ends_it(simulator: Simulator, folder: Path) -> None:
    simulator.set_domain(DOMAIN, Domain(size=350, listing=Listing(growth=-100, growth_ends_at=120)))
    ended = await collect(simulator, folder)
    assert ended.receipt.reason is Reason.COLLECTED
    assert ended.receipt.items >= 120


async def test_a_total_that_grows_for_ever_ends_at_the_cap(simulator: Simulator, folder: Path) -> None:
    simulator.set_domain(DOMAIN, Domain(size=150, listing=Listing(growth=200)))
    ended = await collect(simulator, folder, HUNTER_MAX_COLLECT="1000")
    assert ended.receipt.reason is Reason.MAX_RESULTS
    assert ended.receipt.items == 1000


async def test_a_list_without_end_is_ended_by_the_limit_on_pages(simulator: Simulator, folder: Path) -> None:
    simulator.set_domain(DOMAIN, Domain(size=100, listing=Listing(growth=100, reported_share=0.0)))
    ended = await collect(
        simulator, folder, HUNTER_PAGE_SIZE="10", HUNTER_MAX_COLLECT="1000000", NOVAHUNT_MAX_OFFSET="500"
    )
    assert ended.receipt.reason is Reason.PLAN_LIMIT
    assert (ended.receipt.requests, ended.receipt.items) == (51, 510)


async def test_a_total_that_shrinks_below_what_was_read_loses_nothing_of_it(simulator: Simulator, folder: Path) -> None:
    simulator.set_domain(DOMAIN, Domain(size=300, listing=Listing(growth=-250, growth_ends_at=40)))
    ended = await collect(simulator, folder)
    assert ended.receipt.reason is Reason.COLLECTED
    assert (ended.receipt.items, ended.receipt.requests) == (100, 2)


@pytest.mark.parametrize(("shown", "pages"), [(10, ((0, 10),)), (120, ((0, 100), (100, 20))), (100, ((0, 100),))])
async def test_a_plan_cap_is_read_to_the_last_address(
    simulator: Simulator, folder: Path, shown: int, pages: tuple[tuple[int, int], ...]
) -> None:
    simulator.set_domain(DOMAIN, 250)
    simulator.set_key(DEFAULT_KEY, Plan(result_cap=shown))
    ended = await collect(simulator, folder)
    assert ended.receipt.reason is Reason.PLAN_LIMIT
    assert ended.receipt.items == shown
    assert simulator.report().of_domain(DOMAIN).pages == pages


async def test_a_plan_cap_below_a_smaller_domain_is_no_truncation(simulator: Simulator, folder: Path) -> None:
    simulator.set_domain(DOMAIN, 7)
    simulator.set_key(DEFAULT_KEY, Plan(result_cap=10))
    ended = await collect(simulator, folder)
    assert ended.receipt.reason is Reason.COLLECTED
    assert ended.receipt.items == 7


async def test_a_plan_that_shows_nothing_is_truncated_and_no_failure(simulator: Simulator, folder: Path) -> None:
    simulator.set_key(DEFAULT_KEY, Plan(result_cap=0))
    ended = await collect(simulator, folder)
    assert ended.receipt.reason is Reason.PLAN_LIMIT
    assert (ended.receipt.items, ended.receipt.requests) == (0, 1)


@pytest.mark.parametrize("shown", [0, 10])
async def test_a_smaller_plan_takes_nothing_of_a_larger_document_away(
    simulator: Simulator, folder: Path, shown: int
) -> None:
    simulator.set_domain(DOMAIN, 400)
    first = await collect(simulator, folder)
    simulator.set_key(DEFAULT_KEY, Plan(result_cap=shown))
    smaller = await collect(simulator, folder, again=True)
    assert (smaller.receipt.outcome, smaller.receipt.reason) == (Outcome.FAILED, Reason.PLAN_REDUCED)
    assert f"the first {shown} addresses of a domain; the 400 that were collected at" in smaller.receipt.message
    assert smaller.document == first.document
    # What it gave is dropped: a run that may take what is stored does so.
    assert (await collect(simulator, folder)).receipt.from_storage
    simulator.set_key(DEFAULT_KEY, Plan())
    assert (await collect(simulator, folder, again=True)).receipt.reason is Reason.COLLECTED


async def test_a_list_is_kept_to_in_what_a_smaller_plan_leaves_as_it_is(simulator: Simulator, folder: Path) -> None:
    simulator.set_domain(DOMAIN, 400)
    first = await collect(simulator, folder)
    assert first.document is not None
    (folder.parent / "list").write_text(first.document.items[0].email)
    simulator.set_key(DEFAULT_KEY, Plan(result_cap=10))
    lists = json.dumps([{"name": "list", "path": str(folder.parent / "list")}])
    smaller = await collect(simulator, folder, again=True, NOVAHUNT_SUPPRESSION=lists)
    assert smaller.receipt.reason is Reason.PLAN_REDUCED
    assert "the 399 that were collected at" in smaller.receipt.message
    assert smaller.document is not None
    assert smaller.document.items == first.document.items[1:]


async def test_a_smaller_plan_replaces_a_document_of_another_search(simulator: Simulator, folder: Path) -> None:
    simulator.set_domain(DOMAIN, 400)
    await collect(simulator, folder)
    simulator.set_key(DEFAULT_KEY, Plan(result_cap=10))
    ended = await collect(simulator, folder, NOVAHUNT_SEARCH='{"type": "personal"}')
    assert (ended.receipt.reason, ended.receipt.items) == (Reason.PLAN_LIMIT, 10)


async def test_a_plan_that_refuses_what_it_says_it_shows_is_not_asked_without_end(
    simulator: Simulator, folder: Path
) -> None:
    simulator.add_fault(Fault(action=cap(500), times=None))
    ended = await collect(simulator, folder)
    assert (ended.receipt.reason, ended.receipt.requests) == (Reason.BAD_REQUEST, 1)


async def test_a_plan_cap_that_falls_while_paging_is_read_to_the_last_address_it_still_shows(
    simulator: Simulator, folder: Path
) -> None:
    simulator.set_domain(DOMAIN, 400)
    simulator.add_fault(Fault(action=cap(250), offset=200))
    simulator.add_fault(Fault(action=cap(220), offset=200))
    ended = await collect(simulator, folder)
    assert (ended.receipt.reason, ended.receipt.items) == (Reason.PLAN_LIMIT, 220)
    assert ended.receipt.credits == simulator.report().credits == 22


def cap(addresses: int) -> AnswerStatus:
    details = f"The search results are limited to {addresses} email addresses on your current plan."
    return AnswerStatus(status=400, error_id="pagination_error", details=details)


async def test_the_offset_limit_truncates_with_a_message(simulator: Simulator, folder: Path) -> None:
    simulator.set_domain(DOMAIN, 450)
    ended = await collect(simulator, folder, NOVAHUNT_MAX_OFFSET="200")
    assert ended.receipt.reason is Reason.PLAN_LIMIT
    assert ended.receipt.items == 300
    assert "offset 200" in ended.receipt.message


async def test_hunters_own_offset_limit_is_never_run_into(simulator: Simulator, folder: Path) -> None:
    simulator.set_domain(DOMAIN, 12_000)
    ended = await collect(simulator, folder, HUNTER_MAX_COLLECT="20000")
    assert ended.receipt.reason is Reason.PLAN_LIMIT
    assert ended.receipt.items == 10_100
    assert set(simulator.report().statuses) == {200}


async def test_an_offset_that_is_not_heeded_is_not_paid_for_without_end(simulator: Simulator, folder: Path) -> None:
    # Hunter's key for smoke tests always gets the same five addresses, whatever the offset.
    ended = await collect(simulator, folder, HUNTER_API_KEY="test-api-key", HUNTER_PAGE_SIZE="5")
    assert ended.receipt.items == 5
    assert ended.receipt.requests <= 4


async def test_a_page_size_that_is_no_multiple_of_ten_is_used(simulator: Simulator, folder: Path) -> None:
    simulator.set_domain(DOMAIN, 40)
    ended = await collect(simulator, folder, HUNTER_PAGE_SIZE="15")
    assert ended.receipt.items == 40
    assert simulator.report().of_domain(DOMAIN).pages == ((0, 15), (15, 15), (30, 15))
    assert ended.receipt.credits == simulator.report().credits == 5


async def test_the_search_filters_are_passed_on(simulator: Simulator, folder: Path) -> None:
    simulator.set_domain(DOMAIN, 200)
    search = '{"type": "personal", "seniority": ["senior", "executive"], "requiredFields": ["full_name"]}'
    ended = await collect(simulator, folder, NOVAHUNT_SEARCH=search)
    assert ended.document is not None
    assert ended.document.items
    assert all(item.type == "personal" and item.name for item in ended.document.items)
    assert {item.seniority for item in ended.document.items} == {"senior", "executive"}


async def test_filters_that_hunter_refuses_are_a_bad_request(simulator: Simulator, folder: Path) -> None:
    ended = await collect(simulator, folder, NOVAHUNT_SEARCH='{"seniority": ["nonsense"]}')
    assert ended.receipt.reason is Reason.BAD_REQUEST
    assert "invalid_seniority" in ended.receipt.message
