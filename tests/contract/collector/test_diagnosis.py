"""What a failed run finds out for the operator: when a used-up plan goes on, and whose failure it is."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from contract.collector.running import DOMAIN, collect, ended, environ, run_process, started
from hunter_simulator import DEFAULT_KEY, AnswerStatus, Fault, Plan, Proceed, Reset, Simulator
from novahunt_contract import keys
from novahunt_contract.exitcodes import ExitCode
from novahunt_contract.outcomes import Reason

LONGEST = ".".join(["a" * 62] * 3 + ["b" * 56, "example"])
"""253 characters, as many as a domain may have; with an ending it is no file name any more."""


async def test_a_used_up_plan_says_when_its_next_billing_period_begins(simulator: Simulator, folder: Path) -> None:
    simulator.set_key(DEFAULT_KEY, Plan(credits=0))
    result = await collect(simulator, folder)
    reset = simulator.keys()[0].plan.reset_date
    assert reset is not None
    assert (result.receipt.reason, result.receipt.reset_date) == (Reason.QUOTA_EXHAUSTED, reset.isoformat())
    assert f"its next billing period begins on {reset}" in result.receipt.message
    assert result.receipt.credits == 0


async def test_without_an_account_page_the_date_is_not_known(simulator: Simulator, folder: Path) -> None:
    simulator.set_key(DEFAULT_KEY, Plan(credits=0))
    simulator.add_fault(Fault(action=AnswerStatus(status=404), endpoint="account", times=None))
    result = await collect(simulator, folder)
    assert (result.receipt.reason, result.receipt.reset_date) == (Reason.QUOTA_EXHAUSTED, "")


@pytest.mark.parametrize("action", [AnswerStatus(status=500), Reset()])
async def test_a_search_that_fails_while_the_account_page_answers_is_the_domains_own_failure(
    simulator: Simulator, folder: Path, action: AnswerStatus | Reset
) -> None:
    simulator.add_fault(Fault(action=action, endpoint="domain-search", times=None))
    result = await collect(simulator, folder)
    assert (result.receipt.reason, result.receipt.own) == (Reason.HUNTER_UNAVAILABLE, True)


async def test_while_hunter_answers_nothing_it_is_nobodys(simulator: Simulator, folder: Path) -> None:
    simulator.add_fault(Fault(action=Reset(), times=None))
    result = await collect(simulator, folder)
    assert (result.receipt.reason, result.receipt.own) == (Reason.HUNTER_UNAVAILABLE, False)


async def test_a_signal_that_comes_while_the_account_page_is_waited_for_ends_it_as_any_other(
    simulator: Simulator, folder: Path
) -> None:
    simulator.add_fault(Fault(action=AnswerStatus(status=500), endpoint="domain-search", times=None))
    simulator.add_fault(Fault(action=Proceed(), endpoint="account", delay=60, times=None))
    environment = environ(simulator, folder)
    async with started([DOMAIN], environment, folder.parent) as process:
        async with asyncio.timeout(20):
            while "/v2/account" not in simulator.report().paths:  # noqa: ASYNC110 - the simulator rings no bell
                await asyncio.sleep(0.01)
        process.terminate()
        end = await ended(process, folder.parent)
    assert end.code == ExitCode.INTERRUPTED
    assert "Traceback" not in end.log
    assert end.receipt is not None
    assert end.receipt.reason is Reason.INTERRUPTED


async def test_a_name_that_is_too_long_for_a_file_is_the_domains_own_failure(
    simulator: Simulator, folder: Path
) -> None:
    simulator.set_domain(LONGEST, 5)
    process = await run_process([LONGEST], environ(simulator, folder), folder.parent)
    assert process.receipt is not None
    assert (process.receipt.reason, process.receipt.own) == (Reason.STORAGE, True)


async def test_each_receipt_names_the_key_by_its_fingerprint(simulator: Simulator, folder: Path) -> None:
    fingerprint = keys.fingerprint(DEFAULT_KEY)
    assert (await collect(simulator, folder)).receipt.key == fingerprint
    simulator.remove_key(DEFAULT_KEY)
    refused = (await collect(simulator, folder, domain=DOMAIN, again=True)).receipt
    assert (refused.reason, refused.key) == (Reason.KEY_REFUSED, fingerprint)
    assert DEFAULT_KEY.encode() not in msgspec.json.encode(refused)
