"""Kills, signals and two processes at once, with a Hunter that charges repeats: no saved page is paid for again."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contract.collector.failing_intake import FailingIntake
from contract.collector.failing_intake import running as running_intake
from contract.collector.resuming import (
    CHARGES_REPEATS,
    PAGES,
    SIZE,
    asked,
    is_the_truth,
    names_in,
    saved,
    until_answered,
    until_asked,
)
from contract.collector.running import DOMAIN, collect, ended, environ, run_process, started
from hunter_simulator import AnswerStatus, Fault, Proceed, Simulator, running_simulator
from novahunt_contract.exitcodes import ExitCode
from novahunt_contract.outcomes import Reason


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with running_simulator(CHARGES_REPEATS) as running:
        yield running


@pytest.mark.parametrize("pages", range(PAGES))
async def test_a_kill_at_any_page_costs_at_most_the_page_on_its_way(
    simulator: Simulator, folder: Path, tmp_path: Path, pages: int
) -> None:
    simulator.add_fault(Fault(action=Proceed(), offset=100 * pages, delay=60, times=1))
    async with started([DOMAIN], environ(simulator, folder), tmp_path) as process:
        await until_answered(simulator, 100 * pages)
        process.kill()
        killed = await ended(process, tmp_path)
    assert killed.receipt is None
    result = await collect(simulator, folder)
    assert (result.receipt.items, result.receipt.credits_saved) == (SIZE, 10 * pages)
    # What was on its way had not arrived, so it could not be saved.
    assert asked(simulator) == {0: 1, 100: 1, 200: 1, 300: 1, 400: 1, 100 * pages: 2}
    assert names_in(folder) == [f"{DOMAIN}.json"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("pages", [0, 3])
async def test_the_answer_on_its_way_when_a_signal_comes_is_waited_for_and_saved(
    simulator: Simulator, folder: Path, tmp_path: Path, pages: int, number: signal.Signals
) -> None:
    simulator.add_fault(Fault(action=Proceed(), offset=100 * pages, delay=1.5, times=1))
    async with started([DOMAIN], environ(simulator, folder), tmp_path) as process:
        await until_answered(simulator, 100 * pages)
        began = asyncio.get_running_loop().time()
        process.send_signal(number)
        stopped = await ended(process, tmp_path)
    assert asyncio.get_running_loop().time() - began < 10
    assert stopped.code == ExitCode.INTERRUPTED
    assert stopped.receipt is not None
    assert (stopped.receipt.reason, stopped.receipt.credits) == (Reason.INTERRUPTED, 10 * (pages + 1))
    assert len(saved(folder).pages) == pages + 1
    assert is_the_truth(simulator, await collect(simulator, folder), folder)


async def test_the_last_page_on_its_way_when_a_signal_comes_finishes_the_domain(
    simulator: Simulator, folder: Path, tmp_path: Path
) -> None:
    simulator.add_fault(Fault(action=Proceed(), offset=400, delay=1.5, times=1))
    async with started([DOMAIN], environ(simulator, folder), tmp_path) as process:
        await until_answered(simulator, 400)
        process.send_signal(signal.SIGTERM)
        result = await ended(process, tmp_path)
    assert result.code == ExitCode.DONE
    assert result.receipt is not None
    assert result.receipt.items == SIZE
    assert names_in(folder) == [f"{DOMAIN}.json"]


@pytest.mark.parametrize("action", [AnswerStatus(status=403, retry_after=30), AnswerStatus(status=503)])
async def test_an_answer_that_is_none_ends_it_at_once_when_a_signal_has_come(
    simulator: Simulator, folder: Path, tmp_path: Path, action: AnswerStatus
) -> None:
    simulator.add_fault(Fault(action=action, offset=200, delay=1, times=1))
    async with started([DOMAIN], environ(simulator, folder), tmp_path) as process:
        await until_asked(simulator, 3)
        began = asyncio.get_running_loop().time()
        process.send_signal(signal.SIGTERM)
        result = await ended(process, tmp_path)
    assert asyncio.get_running_loop().time() - began < 4
    assert result.code == ExitCode.INTERRUPTED
    assert result.receipt is not None
    assert (result.receipt.reason, result.receipt.requests) == (Reason.INTERRUPTED, 3)
    assert len(saved(folder).pages) == 2


async def test_a_used_up_plan_that_answers_after_a_signal_is_told(
    simulator: Simulator, folder: Path, tmp_path: Path
) -> None:
    simulator.add_fault(Fault(action=AnswerStatus(status=402), offset=200, delay=1, times=None))
    async with started([DOMAIN], environ(simulator, folder), tmp_path) as process:
        await until_asked(simulator, 3)
        process.send_signal(signal.SIGTERM)
        result = await ended(process, tmp_path)
    assert result.code == ExitCode.QUOTA_EXHAUSTED


async def test_a_stopped_collector_tells_the_intake_so_and_a_finished_one_does_not(
    simulator: Simulator, folder: Path, tmp_path: Path
) -> None:
    async with running_intake(FailingIntake()) as intake:
        simulator.add_fault(Fault(action=Proceed(), offset=200, delay=1, times=1))
        environment = environ(simulator, folder, **intake.environ(tmp_path))
        async with started([DOMAIN], environment, tmp_path) as process:
            await until_answered(simulator, 200)
            process.send_signal(signal.SIGTERM)
            stopped = await ended(process, tmp_path)
        assert stopped.code == ExitCode.INTERRUPTED
        last = intake.calls[-1]
        assert (last.wanted, last.stopping, last.spent) == (False, True, 30)
        assert last.answered is not None
        assert not last.answered.unused
        result = await run_process([DOMAIN], environment, tmp_path)
        assert result.code == ExitCode.DONE
        assert (intake.calls[-1].stopping, intake.calls[-1].spent) == (False, 13)
    assert set(asked(simulator).values()) == {1}


async def test_without_a_volume_the_answer_on_its_way_is_not_waited_for(simulator: Simulator, tmp_path: Path) -> None:
    async with running_intake(FailingIntake()) as intake:
        simulator.add_fault(Fault(action=Proceed(), offset=200, delay=60, times=1))
        environment = environ(simulator, tmp_path, **intake.environ(tmp_path), NOVAHUNT_STORAGE="intake")
        async with started([DOMAIN], environment, tmp_path) as process:
            await until_answered(simulator, 200)
            began = asyncio.get_running_loop().time()
            process.send_signal(signal.SIGTERM)
            stopped = await ended(process, tmp_path)
        assert asyncio.get_running_loop().time() - began < 3
    assert stopped.code == ExitCode.INTERRUPTED


# ---------------------------------------------------------------------- two at once


async def test_of_two_processes_with_one_domain_the_later_one_goes_on_and_the_earlier_one_ends(
    simulator: Simulator, folder: Path, tmp_path: Path
) -> None:
    # A pod of a lost node that comes back while its successor is at work.
    places = [tmp_path / "earlier", tmp_path / "later"]
    for place in places:
        place.mkdir()
    simulator.add_fault(Fault(action=Proceed(), offset=200, delay=1, times=1))
    environment = environ(simulator, folder)
    async with started([DOMAIN], environment, places[0]) as earlier:
        await until_answered(simulator, 200)
        earlier.send_signal(signal.SIGSTOP)
        later = await run_process([DOMAIN], environment, places[1])
        earlier.send_signal(signal.SIGCONT)
        lost = await ended(earlier, places[0])
    assert later.code == ExitCode.DONE
    assert later.receipt is not None
    assert (later.receipt.items, later.receipt.credits_saved) == (SIZE, 20)
    assert lost.code == ExitCode.INTERRUPTED
    assert lost.receipt is not None
    assert "another process" in lost.receipt.message
    # Only the page that the earlier one waited for was paid for twice.
    assert asked(simulator) == {0: 1, 100: 1, 200: 2, 300: 1, 400: 1}
    assert names_in(folder) == [f"{DOMAIN}.json"]
