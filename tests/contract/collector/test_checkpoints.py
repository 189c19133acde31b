"""Checkpoints against a Hunter that charges repeats: which saved pages are gone on with, and which are dropped."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from contract.collector.resuming import (
    CHARGES_REPEATS,
    COST,
    PAGES,
    SIZE,
    asked,
    interrupted,
    is_the_truth,
    names_in,
    saved,
    until_answered,
)
from contract.collector.running import DOMAIN, collect
from hunter_simulator import (
    DEFAULT_KEY,
    AnswerStatus,
    Domain,
    Fault,
    Listing,
    Plan,
    Proceed,
    Simulator,
    running_simulator,
)
from novahunt_collector import checkpoint as checkpoints
from novahunt_collector.storage.checkpoints import checkpoint_path
from novahunt_contract import times
from novahunt_contract.outcomes import Reason


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with running_simulator(CHARGES_REPEATS) as running:
        yield running


# ---------------------------------------------------------------------- going on


@pytest.mark.parametrize("pages", range(PAGES))
async def test_a_plan_that_is_used_up_on_the_way_costs_no_page_twice(
    simulator: Simulator, folder: Path, pages: int
) -> None:
    first = await interrupted(simulator, folder, pages)
    assert (first.receipt.credits, first.receipt.credits_saved) == (10 * pages, 0)
    assert (f"{pages} page" in first.receipt.message) is (pages > 0)
    second = await collect(simulator, folder, NOVAHUNT_RUN="2")
    assert is_the_truth(simulator, second, folder)
    assert (second.receipt.credits, second.receipt.credits_saved) == (COST - 10 * pages, 10 * pages)
    assert second.receipt.requests == PAGES - pages
    assert second.document is not None
    # The request that was refused led to no page: it is the first run's alone.
    assert second.document.requests == PAGES
    assert (second.document.run, second.document.page_size) == (2, 100)


@pytest.mark.parametrize("pages", range(1, PAGES))
async def test_a_real_used_up_plan_is_gone_on_with_in_the_next_period(
    simulator: Simulator, folder: Path, pages: int
) -> None:
    simulator.set_key(DEFAULT_KEY, Plan(credits=10 * pages))
    first = await collect(simulator, folder)
    assert first.receipt.reason is Reason.QUOTA_EXHAUSTED
    simulator.advance_clock(timedelta(days=40))
    simulator.set_key(DEFAULT_KEY, Plan(credits=100))
    assert is_the_truth(simulator, await collect(simulator, folder), folder)


async def test_it_may_be_interrupted_at_every_page(simulator: Simulator, folder: Path) -> None:
    for pages in range(1, PAGES):
        await interrupted(simulator, folder, pages)
        assert len(saved(folder).pages) == pages
    result = await collect(simulator, folder)
    assert is_the_truth(simulator, result, folder)
    assert (result.receipt.credits, result.receipt.credits_saved) == (3, 40)


@pytest.mark.parametrize(
    "action",
    [
        AnswerStatus(status=401),
        AnswerStatus(status=400),
        AnswerStatus(status=503),
        AnswerStatus(status=403, form="text"),
    ],
)
async def test_whatever_ends_a_run_keeps_its_pages(simulator: Simulator, folder: Path, action: AnswerStatus) -> None:
    number = simulator.add_fault(Fault(action=action, offset=200, times=None))
    first = await collect(simulator, folder)
    assert first.document is None
    assert len(saved(folder).pages) == 2
    simulator.remove_fault(number)
    assert is_the_truth(simulator, await collect(simulator, folder), folder)


async def test_a_document_that_can_not_be_stored_costs_nothing_the_next_time(
    simulator: Simulator, folder: Path
) -> None:
    # A folder of the document's name, which only a person can make; all pages are saved by the time it matters.
    simulator.add_fault(Fault(action=Proceed(), offset=400, delay=0.5))
    running = asyncio.create_task(collect(simulator, folder))
    await until_answered(simulator, 400)
    (folder / f"{DOMAIN}.json").mkdir()
    first = await running
    assert first.receipt.reason is Reason.STORAGE
    assert "5 pages are saved" in first.receipt.message
    (folder / f"{DOMAIN}.json").rmdir()
    second = await collect(simulator, folder)
    assert is_the_truth(simulator, second, folder)
    assert (second.receipt.requests, second.receipt.credits, second.receipt.credits_saved) == (0, 0, COST)


async def test_the_age_of_the_addresses_is_that_of_the_first_page(simulator: Simulator, folder: Path) -> None:
    before = datetime.now(UTC)
    await interrupted(simulator, folder, 2)
    after = datetime.now(UTC)
    result = await collect(simulator, folder)
    assert result.document is not None
    assert before - timedelta(milliseconds=1) <= times.from_text(result.document.collected_at) <= after
    assert result.receipt.collected_at == result.document.collected_at


@pytest.mark.parametrize(
    "listing", [Listing(repeat_every=7), Listing(reported_share=0.2), Listing(order="within_page")]
)
async def test_going_on_ends_as_a_run_without_an_interruption_does(
    simulator: Simulator, folder: Path, tmp_path: Path, listing: Listing
) -> None:
    simulator.set_domain(DOMAIN, Domain(size=SIZE, listing=listing))
    whole = await collect(simulator, tmp_path / "whole")
    await interrupted(simulator, folder, 3)
    result = await collect(simulator, folder)
    assert result.document is not None
    assert whole.document is not None
    for field in ("reported", "truncated", "total", "pages", "credits", "requests"):
        assert getattr(result.document, field) == getattr(whole.document, field)
    assert {item.email for item in result.document.items} == {item.email for item in whole.document.items}


async def test_pages_without_a_new_address_count_across_an_interruption(simulator: Simulator, folder: Path) -> None:
    # Hunter's key for smoke tests always gets the same five addresses, whatever the offset.
    more = {"HUNTER_API_KEY": "test-api-key", "HUNTER_PAGE_SIZE": "5"}
    number = simulator.add_fault(Fault(action=AnswerStatus(status=402), offset=15, times=None))
    await collect(simulator, folder, more)
    assert [page.new for page in saved(folder).pages] == [5, 0, 0]
    simulator.remove_fault(number)
    result = await collect(simulator, folder, more)
    assert (result.receipt.reason, result.receipt.requests) == (Reason.PLAN_LIMIT, 1)


# ---------------------------------------------------------------------- which pages are continued


async def test_another_page_size_goes_on_with_the_first_one(
    simulator: Simulator, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await interrupted(simulator, folder, 2)
    with caplog.at_level("INFO"):
        result = await collect(simulator, folder, HUNTER_PAGE_SIZE="30")
    assert is_the_truth(simulator, result, folder)
    assert result.document is not None
    assert result.document.page_size == 100
    assert "pages of 100, as it was begun with, and not of 30" in caplog.text


@pytest.mark.parametrize(
    ("cap", "pages", "total"), [("430", 5, 430), ("250", 3, 250), ("200", 2, 200), ("150", 2, 200)]
)
async def test_another_cap_is_the_pagings_to_decide(
    simulator: Simulator, folder: Path, cap: str, pages: int, total: int
) -> None:
    await interrupted(simulator, folder, 2)
    result = await collect(simulator, folder, HUNTER_MAX_COLLECT=cap)
    assert result.document is not None
    assert (len(result.document.pages), result.document.total) == (pages, total)
    assert set(asked(simulator).values()) == {1}


async def test_pages_of_another_search_are_dropped(
    simulator: Simulator, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await interrupted(simulator, folder, 2)
    result = await collect(simulator, folder, NOVAHUNT_SEARCH='{"type": "personal"}')
    assert "2 pages of an unfinished run are dropped: it is of another search" in caplog.text
    assert result.document is not None
    assert result.document.items
    assert all(item.type == "personal" for item in result.document.items)
    assert result.receipt.credits_saved == 0
    assert names_in(folder) == [f"{DOMAIN}.json"]


@pytest.mark.parametrize(("age", "taken"), [(timedelta(hours=-1), True), (timedelta(hours=1), False)])
async def test_pages_from_before_a_wish_for_newer_addresses_are_dropped(
    simulator: Simulator,
    folder: Path,
    age: timedelta,
    taken: bool,  # noqa: FBT001 - a table
) -> None:
    await interrupted(simulator, folder, 2)
    result = await collect(simulator, folder, NOVAHUNT_NOT_BEFORE=times.to_text(datetime.now(UTC) + age))
    assert (result.receipt.credits_saved > 0) is taken
    assert asked(simulator)[0] == (1 if taken else 2)


async def test_a_wish_whose_clock_is_ahead_of_ours_is_met_by_what_is_asked_for_after_it(
    simulator: Simulator, folder: Path
) -> None:
    wish = times.to_text(datetime.now(UTC) + timedelta(minutes=2))
    await interrupted(simulator, folder, 2, NOVAHUNT_NOT_BEFORE=wish)
    assert is_the_truth(simulator, await collect(simulator, folder, NOVAHUNT_NOT_BEFORE=wish), folder)
    again = await collect(simulator, folder, NOVAHUNT_NOT_BEFORE=wish)
    assert again.receipt.from_storage


async def test_again_begins_anew(simulator: Simulator, folder: Path) -> None:
    await interrupted(simulator, folder, 2)
    result = await collect(simulator, folder, again=True)
    assert result.receipt.credits_saved == 0
    assert asked(simulator)[0] == asked(simulator)[100] == 2


async def test_an_interrupted_again_is_gone_on_with_by_the_command_without_it(
    simulator: Simulator, folder: Path
) -> None:
    await collect(simulator, folder, HUNTER_REPEATS_CHARGED="true")
    simulator.clear_report()
    number = simulator.add_fault(Fault(action=AnswerStatus(status=402), offset=300, times=None))
    await collect(simulator, folder, again=True, HUNTER_REPEATS_CHARGED="true")
    simulator.remove_fault(number)
    result = await collect(simulator, folder, HUNTER_REPEATS_CHARGED="true")
    # The stored document is fresh, but somebody wanted newer addresses and has paid for most of them.
    assert not result.receipt.from_storage
    assert is_the_truth(simulator, result, folder)
    assert result.receipt.credits_saved == 30
    assert (await collect(simulator, folder)).receipt.from_storage


async def test_pages_that_are_older_than_the_document_are_dropped(
    simulator: Simulator, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # What is left when a checkpoint could not be removed, and the domain was collected anew since.
    await interrupted(simulator, folder, 2)
    left = checkpoint_path(folder, DOMAIN).read_bytes()
    await collect(simulator, folder, again=True, HUNTER_MAX_COLLECT="300")
    checkpoint_path(folder, DOMAIN).write_bytes(left)
    result = await collect(simulator, folder)
    assert "2 pages of an unfinished run are dropped: it is older" in caplog.text
    assert (result.receipt.from_storage, result.receipt.credits_saved) == (False, 0)
    assert names_in(folder) == [f"{DOMAIN}.json"]


async def test_pages_that_outlived_a_document_at_its_cap_save_a_higher_cap_their_cost(
    simulator: Simulator, folder: Path
) -> None:
    await interrupted(simulator, folder, 2)
    left = checkpoint_path(folder, DOMAIN).read_bytes()
    await collect(simulator, folder, HUNTER_MAX_COLLECT="200")
    checkpoint_path(folder, DOMAIN).write_bytes(left)
    assert is_the_truth(simulator, await collect(simulator, folder), folder)


async def test_a_damaged_checkpoint_is_not_trusted(simulator: Simulator, folder: Path) -> None:
    await interrupted(simulator, folder, 2)
    path = checkpoint_path(folder, DOMAIN)
    path.write_bytes(path.read_bytes().replace(b'"received":100', b'"received":900', 1))
    result = await collect(simulator, folder)
    assert result.document is not None
    assert result.document.total == SIZE
    assert result.receipt.credits_saved == 0
    assert names_in(folder) == [f"{DOMAIN}.json"]


async def test_a_checkpoint_of_another_domain_is_not_trusted(simulator: Simulator, folder: Path) -> None:
    await interrupted(simulator, folder, 2)
    other = checkpoint_path(folder, "n150.example")
    checkpoint_path(folder, DOMAIN).rename(other)
    result = await collect(simulator, folder, domain="n150.example")
    assert result.receipt.items == 150
    assert result.receipt.credits_saved == 0
    assert not other.exists()


# ---------------------------------------------------------------------- the end


async def test_a_finished_collection_leaves_no_checkpoint(simulator: Simulator, folder: Path) -> None:
    assert is_the_truth(simulator, await collect(simulator, folder), folder)


async def test_a_checkpoint_that_outlived_its_document_goes_when_the_document_answers(
    simulator: Simulator, folder: Path
) -> None:
    # What a kill between the two leaves behind.
    await interrupted(simulator, folder, 4)
    left = checkpoint_path(folder, DOMAIN).read_bytes()
    await collect(simulator, folder)
    checkpoint_path(folder, DOMAIN).write_bytes(left)
    simulator.clear_report()
    result = await collect(simulator, folder)
    assert result.receipt.from_storage
    assert simulator.report().requests == 0
    assert names_in(folder) == [f"{DOMAIN}.json"]


@pytest.mark.parametrize("action", [AnswerStatus(status=400, error_id="invalid_domain"), AnswerStatus(status=451)])
async def test_an_owner_or_a_person_who_wants_out_has_saved_pages_removed(
    simulator: Simulator, folder: Path, action: AnswerStatus
) -> None:
    simulator.add_fault(Fault(action=action, offset=200, times=None))
    result = await collect(simulator, folder)
    assert result.receipt.reason in {Reason.DOMAIN_REFUSED, Reason.CLAIMED}
    assert result.receipt.message.endswith("what was stored for it is removed")
    assert names_in(folder) == []


async def test_a_run_that_a_later_one_overtook_leaves_no_checkpoint(simulator: Simulator, folder: Path) -> None:
    await collect(simulator, folder, NOVAHUNT_RUN="5", NOVAHUNT_JOB_ID=f"collect-{DOMAIN}-2000")
    result = await collect(simulator, folder, again=True, NOVAHUNT_RUN="4", NOVAHUNT_JOB_ID=f"collect-{DOMAIN}-1000")
    assert "later run" in result.receipt.message
    assert names_in(folder) == [f"{DOMAIN}.json"]


# ---------------------------------------------------------------------- privacy


async def test_no_address_of_a_checkpoint_is_logged(
    simulator: Simulator, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    addresses = [person.value.lower() for person in simulator.truth(DOMAIN)]
    await interrupted(simulator, folder, 2)
    path = checkpoint_path(folder, DOMAIN)
    for damage in _damages(path.read_bytes()):
        path.write_bytes(damage)
        number = simulator.add_fault(Fault(action=AnswerStatus(status=402), times=None))
        await collect(simulator, folder)
        simulator.remove_fault(number)
    assert "is set aside" in caplog.text
    assert not any(address in caplog.text for address in addresses)


def _damages(data: bytes) -> Sequence[bytes]:
    header, first, second = data.splitlines(keepends=True)
    payload = header.partition(b" ")[2].strip()
    line, before = checkpoints.seal(payload, "")
    page = msgspec.json.decode(first.partition(b" ")[2])
    page["items"][0]["confidence"] = page["items"][0]["email"]
    wrong, _ = checkpoints.seal(msgspec.json.encode(page), before)
    return [
        header + second,
        line + wrong,
        header[: len(header) // 2],
        data.replace(b"@", b"#"),
        os.urandom(100) + b"\n",
    ]
