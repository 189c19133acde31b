"""Sweeps of what unfinished runs left: saved pages that a run can still go on with, and temporary files."""

import os
import time
from pathlib import Path

import pytest

from contract.collector.failing_intake import FailingIntake
from contract.collector.planted import Lists, traces
from contract.collector.resuming import interrupted, is_the_truth, saved
from contract.collector.running import DOMAIN, collect
from contract.collector.sweeps import JANE, contents, document, put, sweep, sweep_environ
from hunter_simulator import Simulator
from novahunt_collector.storage import files
from novahunt_collector.storage.checkpoints import checkpoint_path
from novahunt_collector.storage.unfinished import LEFTOVER_SECONDS
from novahunt_contract import document as documents
from novahunt_contract import environment as names
from novahunt_contract.exitcodes import ExitCode


async def test_saved_pages_lose_whom_a_list_names_and_are_gone_on_with(
    simulator: Simulator, intake: FailingIntake, lists: Lists, folder: Path, place: Path
) -> None:
    simulator.set_domain(DOMAIN, 250)
    person = simulator.truth(DOMAIN)[120].value.lower()
    await interrupted(simulator, folder, 2)
    lists.write(person)
    before = saved(folder)
    assert traces(person, folder) != []
    end = await sweep(sweep_environ(folder, lists.environ, intake.environ(place)), place)
    assert traces(person, folder, end.log, end.receipt) == []
    after = saved(folder)
    assert [page.held_back for page in after.pages] == [0, 1]
    assert [page.new for page in after.pages] == [page.new for page in before.pages]
    assert after.header.nonce != before.header.nonce
    result = await collect(simulator, folder, lists.environ)
    assert (result.receipt.items, result.receipt.suppressed, result.receipt.requests) == (249, 1, 1)


async def test_saved_pages_of_nobody_named_stay_byte_for_byte(
    simulator: Simulator, lists: Lists, folder: Path, place: Path
) -> None:
    simulator.set_domain(DOMAIN, 430)
    await interrupted(simulator, folder, 2)
    before = contents(folder)
    lists.write("nobody@example.com")
    await sweep(sweep_environ(folder, lists.environ), place)
    assert contents(folder) == before
    simulator.clear_faults()
    result = await collect(simulator, folder, lists.environ)
    assert is_the_truth(simulator, result, folder)


async def test_saved_pages_that_are_too_old_go(simulator: Simulator, folder: Path, place: Path) -> None:
    simulator.set_domain(DOMAIN, 250)
    await interrupted(simulator, folder, 2)
    await sweep(sweep_environ(folder, {names.RETAIN_FROM: "2100-01-01T00:00:00.000Z"}), place)
    assert contents(folder) == {}


@pytest.mark.parametrize("damage", [b"jane.doe@example.com\n", b""])
async def test_saved_pages_that_can_not_be_read_go(folder: Path, lists: Lists, place: Path, damage: bytes) -> None:
    put(folder)
    checkpoint_path(folder, DOMAIN).write_bytes(damage)
    end = await sweep(sweep_environ(folder, lists.environ), place)
    assert (end.code, contents(folder)) == (ExitCode.DONE, {})


async def test_saved_pages_in_the_place_of_another_domains_go(
    simulator: Simulator, folder: Path, lists: Lists, place: Path
) -> None:
    simulator.set_domain(DOMAIN, 250)
    await interrupted(simulator, folder, 2)
    checkpoint_path(folder, DOMAIN).rename(checkpoint_path(folder, "other.example"))
    await sweep(sweep_environ(folder, lists.environ), place)
    assert contents(folder) == {}


async def test_a_line_that_a_crash_cut_off_goes_with_whom_it_names(
    simulator: Simulator, folder: Path, lists: Lists, place: Path
) -> None:
    simulator.set_domain(DOMAIN, 250)
    await interrupted(simulator, folder, 2)
    pages = saved(folder).pages
    with checkpoint_path(folder, DOMAIN).open("ab") as file:
        file.write(b'0123 {"items": [{"email": "jane.doe@example.com"')
    await sweep(sweep_environ(folder, lists.environ), place)
    assert traces(JANE, folder) == []
    assert saved(folder).pages == pages


async def test_temporary_files_go_once_no_run_can_be_at_work_with_them(lists: Lists, folder: Path, place: Path) -> None:
    put(folder)
    old, young = files.temporary(folder, DOMAIN), files.temporary(folder, DOMAIN)
    for path, age in ((old, LEFTOVER_SECONDS + 5), (young, LEFTOVER_SECONDS - 60)):
        path.write_bytes(documents.encode(document()))
        os.utime(path, (time.time() - age,) * 2)
    (folder / ".other.tmp").write_bytes(b"not ours")
    end = await sweep(sweep_environ(folder, lists.environ), place)
    assert sorted(contents(folder)) == sorted([young.name, ".other.tmp"])
    assert "1 temporary file removed" in end.log
