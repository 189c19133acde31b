"""Estimates: the errand that the operator starts, and `--estimate` on a command line. Neither spends anything."""

import asyncio
import json
import signal
import time
from pathlib import Path
from typing import Literal

import pytest

from contract.collector.failing_intake import FailingIntake, running
from contract.collector.running import Process, asked, ended, environ, run_process, started
from hunter_simulator import (
    DEFAULT_KEY,
    AnswerStatus,
    BrokenJson,
    CutBody,
    EmptyBody,
    Fault,
    HugeBody,
    Plan,
    Proceed,
    Reset,
    Settings,
    Simulator,
    WrongTypes,
    truth,
)
from hunter_simulator.faults import Action
from novahunt_contract import environment as names
from novahunt_contract.errands import MAX_ESTIMATED, ErrandReceipt, Task
from novahunt_contract.exitcodes import ExitCode
from novahunt_contract.intake import Progress
from novahunt_contract.outcomes import Reason

DOMAINS = "n25.example\nn3.example\nunknown.example\nn120.example\n"


def errand(simulator: Simulator, folder: Path, domains: str = DOMAINS, **more: str) -> dict[str, str]:
    """Return the environment of an estimate's Job."""
    given = {names.TASK: "estimate", names.DOMAINS: domains, names.JOB_ID: "estimate-q4-1", **more}
    return environ(simulator, folder / "c", **given)


async def estimate(simulator: Simulator, folder: Path, domains: str = DOMAINS, **more: str) -> Process:
    return await run_process([], errand(simulator, folder, domains, **more), folder)


def receipt_of(process: Process) -> ErrandReceipt:
    assert process.errand is not None
    return process.errand


# ---------------------------------------------------------------------- the operator's errand


async def test_the_receipt_holds_the_sums_and_nothing_is_spent_or_stored(simulator: Simulator, tmp_path: Path) -> None:
    process = await estimate(simulator, tmp_path)
    assert process.code == ExitCode.DONE
    assert receipt_of(process) == ErrandReceipt(
        task=Task.ESTIMATE,
        job_id="estimate-q4-1",
        reason=Reason.COLLECTED,
        message="4 domains: 148 addresses to collect, 16 credits at most",
        domains=4,
        emails=148,
        credits=16,
        requests=4,
    )
    report = simulator.report()
    assert {entry.path for entry in report.log} == {"/v2/email-count"}
    assert (report.credits, report.keys_in_query) == (0, 0)
    assert not (tmp_path / "c").exists()
    assert process.output == b""


async def test_what_it_says_is_what_collecting_costs(simulator: Simulator, tmp_path: Path) -> None:
    told = receipt_of(await estimate(simulator, tmp_path, HUNTER_PAGE_SIZE="30", HUNTER_MAX_COLLECT="100"))
    paying = environ(simulator, tmp_path / "c", HUNTER_PAGE_SIZE="30", HUNTER_MAX_COLLECT="100")
    await run_process(DOMAINS.split(), paying, tmp_path)
    assert told.credits == simulator.report().credits


async def test_the_only_filter_that_counts_is_the_type(simulator: Simulator, tmp_path: Path) -> None:
    generic = sum(person.type == "generic" for person in truth("n120.example", 120))
    search = '{"type": "generic", "seniority": ["senior"]}'
    process = await estimate(simulator, tmp_path, "n120.example", NOVAHUNT_SEARCH=search)
    assert 0 < receipt_of(process).emails == generic < 120


async def test_a_domain_that_hunter_refuses_counts_as_nothing(simulator: Simulator, tmp_path: Path) -> None:
    simulator.add_fault(Fault(action=AnswerStatus(status=400, error_id="invalid_domain"), domain="n25.example"))
    simulator.add_fault(Fault(action=AnswerStatus(status=451), domain="n3.example"))
    process = await estimate(simulator, tmp_path)
    assert process.code == ExitCode.DONE
    assert (receipt_of(process).domains, receipt_of(process).emails) == (4, 120)


@pytest.mark.parametrize(
    ("fault", "code", "reason"),
    [
        (AnswerStatus(status=401), 11, Reason.KEY_REFUSED),
        (AnswerStatus(status=429, error_id="restricted_account"), 11, Reason.KEY_REFUSED),
        (AnswerStatus(status=402), 12, Reason.QUOTA_EXHAUSTED),
        (AnswerStatus(status=429, details="You reached the usage limit of your plan."), 12, Reason.QUOTA_EXHAUSTED),
        (AnswerStatus(status=400), 14, Reason.BAD_REQUEST),
        (AnswerStatus(status=403, form="text"), 14, Reason.BAD_REQUEST),
        (AnswerStatus(status=503), 20, Reason.HUNTER_UNAVAILABLE),
    ],
)
async def test_what_concerns_every_domain_ends_it_with_the_counts_until_then(
    simulator: Simulator, tmp_path: Path, fault: AnswerStatus, code: int, reason: Reason
) -> None:
    simulator.add_fault(Fault(action=fault, domain="n3.example", times=None))
    process = await estimate(simulator, tmp_path)
    assert process.code == code
    assert (receipt_of(process).reason, receipt_of(process).domains, receipt_of(process).emails) == (reason, 1, 25)
    assert receipt_of(process).message
    assert "n120.example" not in asked(simulator)


@pytest.mark.parametrize(
    "fault",
    [
        AnswerStatus(status=503),
        AnswerStatus(status=403, retry_after=0),
        AnswerStatus(status=429, retry_after=1),
        AnswerStatus(status=502, form="html"),
        BrokenJson(),
        CutBody(),
        EmptyBody(),
        Reset(),
        HugeBody(),
        WrongTypes(mistake="data_is_list"),
    ],
)
async def test_what_passes_is_waited_for(simulator: Simulator, tmp_path: Path, fault: Action) -> None:
    simulator.add_fault(Fault(action=fault, domain="n3.example", times=2))
    process = await estimate(simulator, tmp_path)
    assert process.code == ExitCode.DONE
    assert (receipt_of(process).emails, receipt_of(process).requests) == (148, 6)


@pytest.mark.parametrize(("status", "used_up"), [(403, 429), (429, 402)])
async def test_in_both_worlds_it_keeps_to_the_pace_and_survives_being_throttled(
    simulator: Simulator, tmp_path: Path, status: Literal[403, 429], used_up: Literal[429, 402]
) -> None:
    simulator.set_settings(Settings(per_second=10, throttled_status=status, used_up_status=used_up))
    domains = "\n".join(f"n{size}.example" for size in range(1, 31))
    process = await estimate(simulator, tmp_path, domains, NOVAHUNT_BACKOFF_CAP_SECONDS="0.5")
    assert process.code == ExitCode.DONE
    assert receipt_of(process).emails == sum(range(1, 31))
    assert "hunter rate limited, backing off" in process.log
    assert receipt_of(process).requests > 30


async def test_an_unclear_429_asks_the_account_page(simulator: Simulator, tmp_path: Path) -> None:
    simulator.add_fault(Fault(action=AnswerStatus(status=429, error_id="odd", details="no"), domain="n3.example"))
    assert receipt_of(await estimate(simulator, tmp_path)).emails == 148
    assert "/v2/account" in {entry.path for entry in simulator.report().log}
    simulator.set_key(DEFAULT_KEY, Plan(credits=0))
    simulator.add_fault(Fault(action=AnswerStatus(status=429, error_id="odd", details="no"), domain="n3.example"))
    assert (await estimate(simulator, tmp_path)).code == ExitCode.QUOTA_EXHAUSTED


async def test_each_request_takes_a_free_permit_and_the_percent_is_told(simulator: Simulator, tmp_path: Path) -> None:
    async with running(FailingIntake()) as intake:
        process = await estimate(simulator, tmp_path, NOVAHUNT_BUDGET="true", **intake.environ(tmp_path))
        calls = intake.calls
    assert process.code == ExitCode.DONE
    assert [call.wanted for call in calls] == [True, True, True, True, False]
    assert {(call.credits, call.spent) for call in calls} == {(0, 0)}
    assert [call.progress for call in calls] == [
        Progress(percent=0, emails=0, requests=0),
        Progress(percent=25, emails=25, requests=1),
        Progress(percent=50, emails=28, requests=2),
        Progress(percent=75, emails=28, requests=3),
        Progress(percent=100, emails=148, requests=4),
    ]


async def test_sigterm_ends_it_at_once_with_the_counts_until_then(simulator: Simulator, tmp_path: Path) -> None:
    simulator.add_fault(Fault(action=Proceed(), domain="n120.example", delay=60, times=None))
    async with started([], errand(simulator, tmp_path), tmp_path) as process:
        async with asyncio.timeout(20):
            while "n120.example" not in asked(simulator):  # noqa: ASYNC110 - the simulator rings no bell
                await asyncio.sleep(0.01)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        result = await ended(process, tmp_path)
    assert time.monotonic() - began < 5
    assert result.code == ExitCode.INTERRUPTED
    assert (receipt_of(result).reason, receipt_of(result).domains) == (Reason.INTERRUPTED, 3)
    assert "Traceback" not in result.log


@pytest.mark.parametrize(
    ("domains", "words"),
    [
        ("", "must hold 1 to 500 domains"),
        ("\n".join(f"n{number}.example" for number in range(MAX_ESTIMATED + 1)), "must hold 1 to 500 domains"),
        ("a.example\njane@example.com\nfoo", "NOVAHUNT_DOMAINS line 2 is no domain"),
    ],
)
async def test_a_wrong_list_is_a_wrong_call(simulator: Simulator, tmp_path: Path, domains: str, words: str) -> None:
    process = await estimate(simulator, tmp_path, domains)
    assert process.code == ExitCode.USAGE
    assert receipt_of(process).reason is Reason.USAGE
    assert words in receipt_of(process).message
    assert "jane" not in process.log + receipt_of(process).message
    assert simulator.report().requests == 0


async def test_as_many_domains_as_one_estimate_may_hold(simulator: Simulator, tmp_path: Path) -> None:
    domains = "\n".join(f"n{number}.example" for number in range(MAX_ESTIMATED))
    assert receipt_of(await estimate(simulator, tmp_path, domains)).emails == sum(range(MAX_ESTIMATED))


# ---------------------------------------------------------------------- a person's command line


async def test_a_person_sees_a_table_on_standard_output(simulator: Simulator, tmp_path: Path) -> None:
    simulator.add_fault(Fault(action=AnswerStatus(status=400, error_id="invalid_domain"), domain="n3.example"))
    arguments = ["--estimate", "n25.example", "n3.example", "n120.example", "--max-results", "100"]
    process = await run_process(arguments, environ(simulator, tmp_path / "c"), tmp_path)
    assert process.code == ExitCode.DONE
    assert process.output.decode().splitlines() == [
        "domain        at Hunter  to collect  credits",
        "n25.example          25          25        3",
        "n3.example            0           0        0  refused by Hunter",
        "n120.example        120         100       10",
        "all                 145         125       13",
    ]
    assert simulator.report().credits == 0
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("chosen", ["json", "jsonl"])
async def test_a_machine_gets_the_same_as_json(simulator: Simulator, tmp_path: Path, chosen: str) -> None:
    arguments = ["--estimate", "n25.example", "n3.example", "--output", chosen]
    process = await run_process(arguments, environ(simulator, tmp_path / "c"), tmp_path)
    whole = process.output if chosen == "json" else b"[" + b",".join(process.output.splitlines()) + b"]"
    counts = json.loads(whole)
    assert [(count["domain"], count["total"], count["emails"], count["credits"]) for count in counts] == [
        ("n25.example", 25, 25, 3),
        ("n3.example", 3, 3, 1),
    ]
    assert all(count["personal"] + count["generic"] == count["total"] for count in counts)


async def test_a_person_may_estimate_more_domains_than_a_job(simulator: Simulator, tmp_path: Path) -> None:
    domains = "\n".join(f"n{number}.example" for number in range(MAX_ESTIMATED + 1)).encode()
    arguments = ["--estimate", "-f", "-", "--output", "csv"]
    process = await run_process(arguments, environ(simulator, tmp_path / "c"), tmp_path, stdin=domains)
    assert process.code == ExitCode.DONE
    assert len(process.output.splitlines()) == MAX_ESTIMATED + 2


async def test_what_was_counted_is_shown_even_if_it_can_not_be_finished(simulator: Simulator, tmp_path: Path) -> None:
    simulator.add_fault(Fault(action=AnswerStatus(status=401), domain="n3.example", times=None))
    arguments = ["--estimate", "n25.example", "n3.example"]
    process = await run_process(arguments, environ(simulator, tmp_path / "c"), tmp_path)
    assert process.code == ExitCode.KEY_REFUSED
    assert "n25.example" in process.output.decode()
    assert "n3.example" not in process.output.decode()
    assert "estimate failed: Hunter does not accept the key" in process.log


async def test_filters_that_hunter_does_not_count_are_told(simulator: Simulator, tmp_path: Path) -> None:
    for arguments, told in ((["--type", "personal"], False), (["--seniority", "senior"], True)):
        environment = environ(simulator, tmp_path / "c")
        process = await run_process(["--estimate", "n25.example", *arguments], environment, tmp_path)
        assert ("Hunter's counts know no filter but the type" in process.log) is told


async def test_a_domain_that_a_list_names_is_not_asked_about(simulator: Simulator, tmp_path: Path) -> None:
    (tmp_path / "never").write_text("n3.example # asked us to stop\njane@n25.example\n")
    arguments = ["--estimate", "n25.example", "n3.example", "--suppress", "never"]
    process = await run_process(arguments, environ(simulator, tmp_path / "c"), tmp_path)
    assert process.code == ExitCode.DONE
    assert process.output.decode().splitlines()[1:] == [
        "n25.example         25          25        3",
        "n3.example           0           0        0  suppressed",
        "all                 25          25        3",
    ]
    assert asked(simulator) == ["n25.example"]


async def test_without_its_suppression_list_nothing_is_asked(simulator: Simulator, tmp_path: Path) -> None:
    lists = json.dumps([{"name": "do-not-contact", "path": str(tmp_path / "none")}])
    process = await estimate(simulator, tmp_path, NOVAHUNT_SUPPRESSION=lists)
    assert process.code == ExitCode.BAD_REQUEST
    assert receipt_of(process).reason is Reason.SUPPRESSION_LIST
    assert "do-not-contact can't be read" in receipt_of(process).message
    assert simulator.report().requests == 0
