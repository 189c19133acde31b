"""Suppression lists in a run: what they name is never stored, named domains are never asked for, all fails closed."""

import asyncio
import json
from pathlib import Path

import pytest

from contract.collector.failing_intake import FailingIntake
from contract.collector.planted import LIST_NAME, Lists, traces
from contract.collector.raw_hunter import http, raw_hunter
from contract.collector.resuming import interrupted, names_in, saved, until_asked
from contract.collector.running import DOMAIN, collect, collect_with, ended, environ, run_process, started, stored
from hunter_simulator import AnswerStatus, Fault, Proceed, Simulator
from novahunt_contract import document as documents
from novahunt_contract.exitcodes import ExitCode
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_contract.receipt import Changed


@pytest.fixture
def lists(tmp_path: Path) -> Lists:
    return Lists(tmp_path / "lists")


def somebody(simulator: Simulator, number: int = 0) -> str:
    """Return an address that the simulator lists for the domain."""
    return simulator.truth(DOMAIN)[number].value.lower()


def made(folder: Path) -> bool:
    return folder.exists()


# ---------------------------------------------------------------------- what is named is never kept


async def test_a_named_address_is_in_no_document_checkpoint_log_receipt_or_call(
    simulator: Simulator, intake: FailingIntake, lists: Lists, tmp_path: Path
) -> None:
    simulator.set_domain(DOMAIN, 250)
    person, other = somebody(simulator, 3), somebody(simulator, 240)
    lists.write(f"  {person.upper()}  # by letter", other.title())
    folder, place = tmp_path / "c", tmp_path / "pod"
    place.mkdir()
    simulator.add_fault(Fault(action=Proceed(), offset=200, delay=0.5))
    environment = environ(simulator, folder, **intake.environ(place), **lists.environ)
    async with started([DOMAIN], environment, place) as process:
        await until_asked(simulator, 3)
        assert len(saved(folder).pages) == 2
        assert traces(person, folder, place) == []
        result = await ended(process, place)
    assert result.code == ExitCode.DONE
    assert traces(person, folder, place, result.output, result.log, intake.heard) == []
    assert traces(other, folder, place, result.output, result.log, intake.heard) == []
    # The search itself finds what is there.
    assert traces(somebody(simulator, 4), folder) == [str(folder / f"{DOMAIN}.json")]
    document = stored(folder)
    assert document is not None
    assert (document.total, document.suppressed, document.reported) == (248, 2, 250)
    assert result.receipt is not None
    assert (result.receipt.items, result.receipt.suppressed, len(result.receipt.suppression)) == (248, 2, 32)


async def test_in_config_maps_a_named_address_does_not_even_reach_the_intake(
    simulator: Simulator, intake: FailingIntake, lists: Lists, tmp_path: Path
) -> None:
    person = somebody(simulator)
    lists.write(person)
    more = {**intake.environ(tmp_path), **lists.environ, "NOVAHUNT_STORAGE": "intake"}
    result = await collect(simulator, tmp_path / "c", more)
    assert (result.receipt.items, result.receipt.suppressed) == (24, 1)
    assert traces(person, tmp_path / "c", intake.stored, intake.heard, result.receipt) == []


async def test_a_domain_wide_entry_leaves_an_empty_document_and_asks_for_all_pages(
    simulator: Simulator, lists: Lists, folder: Path
) -> None:
    simulator.set_domain(DOMAIN, 95)
    lists.write(f"@{DOMAIN}")
    result = await collect(simulator, folder, lists.environ, HUNTER_PAGE_SIZE="10")
    # Ten pages without one address to keep are no sign that Hunter repeats itself.
    assert simulator.report().requests == 10
    assert (result.receipt.outcome, result.receipt.items, result.receipt.suppressed) == (Outcome.EMPTY, 0, 95)
    assert result.document is not None
    assert (result.document.items, result.document.reported, result.document.truncated) == ((), 95, None)


async def test_a_page_that_comes_again_and_again_still_ends_the_run_if_all_on_it_is_held_back(
    simulator: Simulator, lists: Lists, folder: Path
) -> None:
    lists.write(f"@{DOMAIN}")
    emails = [{"value": f"person.{number}@{DOMAIN}", "confidence": 90} for number in range(10)]
    body = json.dumps({"data": {"domain": DOMAIN, "emails": emails}, "meta": {"results": 900}}).encode()
    async with raw_hunter(http(body)) as hunter:
        environment = environ(
            simulator, folder, **lists.environ, HUNTER_BASE_URL=hunter.base_url, HUNTER_PAGE_SIZE="10"
        )
        result = await collect_with(environment, folder)
    assert len(hunter.asked) == 4
    assert (result.receipt.reason, result.receipt.items, result.receipt.suppressed) == (Reason.PLAN_LIMIT, 0, 10)


async def test_lists_that_name_nobody_here_change_nothing_but_are_named_in_the_receipt(
    simulator: Simulator, lists: Lists, folder: Path
) -> None:
    lists.write("jane@elsewhere.example", "@other.example")
    with_lists = await collect(simulator, folder, lists.environ)
    assert (with_lists.receipt.items, with_lists.receipt.suppressed) == (25, 0)
    assert with_lists.receipt.suppression != ""
    without = await collect(simulator, folder, again=True)
    assert (without.receipt.suppression, without.receipt.changed) == ("", Changed())


# ---------------------------------------------------------------------- refreshes and answers from storage


async def test_a_refresh_under_a_longer_list_removes_whom_it_names_and_counts_so(
    simulator: Simulator, lists: Lists, folder: Path
) -> None:
    first = await collect(simulator, folder, lists.environ)
    person = somebody(simulator)
    assert traces(person, folder) != []
    lists.write(person)
    second = await collect(simulator, folder, lists.environ, again=True, NOVAHUNT_RUN="2")
    assert traces(person, folder) == []
    assert second.receipt.changed == Changed(removed=1)
    assert second.receipt.suppression != first.receipt.suppression
    lists.write()
    third = await collect(simulator, folder, lists.environ, again=True, NOVAHUNT_RUN="3")
    assert third.receipt.changed == Changed(added=1)


async def test_a_fresh_document_that_answers_is_held_to_the_lists_of_today(
    simulator: Simulator, lists: Lists, folder: Path
) -> None:
    before = (await collect(simulator, folder, lists.environ)).document
    simulator.clear_report()
    person = somebody(simulator)
    lists.write(person)
    result = await collect(simulator, folder, lists.environ, NOVAHUNT_RUN="2")
    assert simulator.report().requests == 0
    assert result.receipt.from_storage
    assert (result.receipt.items, result.receipt.suppressed, result.receipt.changed) == (24, 1, Changed(removed=1))
    assert traces(person, folder) == []
    assert before is not None
    assert result.document is not None
    assert (result.document.collected_at, result.document.run) == (before.collected_at, before.run)
    assert result.document.stored_at > before.stored_at
    data = (folder / f"{DOMAIN}.json").read_bytes()
    assert (result.receipt.sha256, result.receipt.stored_at) == (documents.digest(data), result.document.stored_at)
    # It is clean now, and stays as it is.
    again = await collect(simulator, folder, lists.environ, NOVAHUNT_RUN="3")
    assert (again.receipt.sha256, again.receipt.changed) == (result.receipt.sha256, None)


async def test_a_fresh_document_in_config_maps_is_held_to_the_lists_of_today_as_well(
    simulator: Simulator, intake: FailingIntake, lists: Lists, tmp_path: Path
) -> None:
    more = {**intake.environ(tmp_path), **lists.environ, "NOVAHUNT_STORAGE": "intake"}
    await collect(simulator, tmp_path / "c", more)
    simulator.clear_report()
    person = somebody(simulator)
    lists.write(person)
    result = await collect(simulator, tmp_path / "c", more, NOVAHUNT_RUN="2")
    assert simulator.report().requests == 0
    assert (result.receipt.items, result.receipt.from_storage) == (24, True)
    assert intake.stored is not None
    assert traces(person, intake.stored) == []
    assert documents.decode(intake.stored).run == 2
    assert result.receipt.sha256 == documents.digest(intake.stored)


# ---------------------------------------------------------------------- named domains


@pytest.mark.parametrize("entry", [DOMAIN, "WWW.Example.COM", "https://example.com/contact"])
async def test_a_named_domain_is_never_asked_for_and_what_is_stored_goes(
    simulator: Simulator, lists: Lists, folder: Path, entry: str
) -> None:
    await collect(simulator, folder, lists.environ)
    simulator.clear_report()
    lists.write(entry)
    result = await collect(simulator, folder, lists.environ, NOVAHUNT_RUN="2")
    assert simulator.report().requests == 0
    assert (result.receipt.outcome, result.receipt.reason) == (Outcome.EMPTY, Reason.SUPPRESSED)
    assert (result.receipt.sha256, result.receipt.items, result.receipt.credits) == (None, 0, 0)
    assert result.receipt.suppression != ""
    assert names_in(folder) == []


async def test_a_named_domain_leaves_no_saved_pages_and_nothing_of_a_killed_run(
    simulator: Simulator, lists: Lists, folder: Path, tmp_path: Path
) -> None:
    simulator.set_domain(DOMAIN, 250)
    await interrupted(simulator, folder, 2)
    simulator.add_fault(Fault(action=Proceed(), offset=200, delay=60))
    async with started([DOMAIN], environ(simulator, folder), tmp_path) as process:
        requests = simulator.report().requests
        await until_asked(simulator, requests + 1)
        process.kill()
    (folder / checkpoint_leftover(folder)).write_bytes(b"half a document")
    lists.write(DOMAIN)
    assert (await collect(simulator, folder, lists.environ)).receipt.reason is Reason.SUPPRESSED
    assert names_in(folder) == []


def checkpoint_leftover(folder: Path) -> str:
    """Return the name of a temporary file as a killed run leaves it."""
    (name,) = (name for name in names_in(folder) if name.endswith(".checkpoint"))
    return name.replace(".checkpoint", "-0123456789abcdef.tmp")


async def test_a_named_domain_does_not_even_make_a_folder(simulator: Simulator, lists: Lists, folder: Path) -> None:
    lists.write(DOMAIN)
    result = await run_process([DOMAIN], environ(simulator, folder, **lists.environ), folder.parent)
    assert (result.code, made(folder)) == (ExitCode.DONE, False)
    assert simulator.report().requests == 0


async def test_of_several_domains_only_those_that_are_not_named_are_collected(
    simulator: Simulator, lists: Lists, folder: Path
) -> None:
    simulator.set_domain("other.example", 5)
    lists.write(DOMAIN)
    arguments = [DOMAIN, "shop.example.com", "other.example"]
    result = await run_process(arguments, environ(simulator, folder, **lists.environ), folder.parent)
    assert result.code == ExitCode.DONE
    assert names_in(folder) == ["other.example.json"]
    assert {entry.domain for entry in simulator.report().log} == {"other.example"}


# ---------------------------------------------------------------------- lists that change meanwhile


async def test_who_is_added_while_a_domain_is_collected_is_not_stored(
    simulator: Simulator, lists: Lists, folder: Path
) -> None:
    simulator.add_fault(Fault(action=Proceed(), delay=0.5))
    collecting = asyncio.create_task(collect(simulator, folder, lists.environ))
    await until_asked(simulator, 1)
    person = somebody(simulator)
    lists.write(person)
    result = await collecting
    assert (result.receipt.items, result.receipt.suppressed) == (24, 1)
    assert traces(person, folder) == []


async def test_a_domain_that_is_added_while_it_is_collected_is_not_stored(
    simulator: Simulator, lists: Lists, folder: Path
) -> None:
    simulator.add_fault(Fault(action=Proceed(), delay=0.5))
    collecting = asyncio.create_task(collect(simulator, folder, lists.environ))
    await until_asked(simulator, 1)
    lists.write(DOMAIN)
    result = await collecting
    assert (result.receipt.reason, result.receipt.credits) == (Reason.SUPPRESSED, 3)
    assert names_in(folder) == []


async def test_saved_pages_are_held_to_a_longer_list_before_a_run_goes_on_with_them(
    simulator: Simulator, lists: Lists, folder: Path, tmp_path: Path
) -> None:
    simulator.set_domain(DOMAIN, 250)
    person, other = somebody(simulator, 3), somebody(simulator, 5)
    lists.write(other)
    await interrupted(simulator, folder, 2, **lists.environ)
    assert traces(person, folder) != []
    lists.write(other, person)
    simulator.add_fault(Fault(action=Proceed(), offset=200, delay=0.5))
    requests = simulator.report().requests
    async with started([DOMAIN], environ(simulator, folder, **lists.environ), tmp_path) as process:
        await until_asked(simulator, requests + 1)
        assert len(saved(folder).pages) == 2
        assert traces(person, folder) == []
        result = await ended(process, tmp_path)
    assert result.receipt is not None
    assert (result.receipt.items, result.receipt.suppressed, result.receipt.credits) == (248, 2, 5)
    assert traces(person, folder) == []


async def test_a_list_that_goes_while_a_domain_is_collected_lets_nothing_be_stored(
    simulator: Simulator, lists: Lists, folder: Path
) -> None:
    simulator.add_fault(Fault(action=Proceed(), delay=0.5))
    collecting = asyncio.create_task(collect(simulator, folder, lists.environ))
    await until_asked(simulator, 1)
    lists.path.unlink()
    result = await collecting
    assert result.receipt.reason is Reason.SUPPRESSION_LIST
    assert result.document is None
    # What was paid for is not lost.
    lists.write()
    assert (await collect(simulator, folder, lists.environ)).receipt.credits == 0


# ---------------------------------------------------------------------- fails closed


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "can't be read: No such file"),
        (b"jane@example.com\nsecretname at example.com\n", "line 2 can't be understood"),
        (b"secretname\n", "line 1 can't be understood"),
        (b"\xff\xfesecretname", "line 1 is no UTF-8 text"),
    ],
)
async def test_without_a_whole_list_nothing_is_asked_or_stored(
    simulator: Simulator, lists: Lists, folder: Path, *, content: bytes | None, words: str
) -> None:
    lists.path.unlink()
    if content is not None:
        lists.path.write_bytes(content)
    environment = environ(simulator, folder, **lists.environ)
    result = await run_process([DOMAIN, "other.example"], environment, folder.parent)
    assert result.code == ExitCode.BAD_REQUEST
    assert result.receipt is not None
    assert (result.receipt.outcome, result.receipt.reason) == (Outcome.PENDING, Reason.SUPPRESSION_LIST)
    assert result.receipt.message.startswith(LIST_NAME)
    assert words in result.receipt.message
    assert "secretname" not in result.log + result.receipt.message
    assert simulator.report().requests == 0
    assert not made(folder)
    # The next domain would end the same way.
    assert result.log.count("Processing job") == 1


async def test_without_a_whole_list_what_is_stored_stays_and_is_not_served(
    simulator: Simulator, lists: Lists, folder: Path
) -> None:
    first = await collect(simulator, folder, lists.environ)
    lists.path.unlink()
    second = await collect(simulator, folder, lists.environ)
    assert second.receipt.reason is Reason.SUPPRESSION_LIST
    assert second.document == first.document


async def test_who_wants_out_by_way_of_hunter_leaves_nothing_of_a_killed_run_either(
    simulator: Simulator, folder: Path
) -> None:
    simulator.set_domain(DOMAIN, 250)
    await interrupted(simulator, folder, 2)
    (folder / checkpoint_leftover(folder)).write_bytes(b"half a document")
    simulator.add_fault(Fault(action=AnswerStatus(status=451), times=None))
    assert (await collect(simulator, folder)).receipt.reason is Reason.CLAIMED
    assert names_in(folder) == []
