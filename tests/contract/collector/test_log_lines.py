"""Every line of a collector that the operator has started names its collection and its domain."""

import json
import os
import signal
from pathlib import Path
from typing import Any

from contract.collector.running import DOMAIN, Process, ended, environ, opened_when_read, run_process, started
from hunter_simulator import AnswerStatus, Fault, Simulator
from novahunt_contract import environment as names

OF_A_JOB = {
    names.LOG_FORMAT: "json",
    names.DOMAIN: DOMAIN,
    names.COLLECTION: "q4",
    names.COLLECTION_NAMESPACE: "sales",
    names.RUN: "3",
    names.JOB_ID: "collect-example.com-1",
}


def lines_of(process: Process) -> list[dict[str, Any]]:
    return [json.loads(line) for line in process.log.splitlines()]


def are_named(lines: list[dict[str, Any]]) -> bool:
    named = {(line.get("collection"), line.get("domain"), line.get("run")) for line in lines}
    return named == {("sales/q4", DOMAIN, 3)}


async def test_from_the_first_warning_to_the_last_line(simulator: Simulator, place: Path) -> None:
    simulator.add_fault(Fault(action=AnswerStatus(status=403, retry_after=0), times=1))
    process = await run_process([], environ(simulator, place / "c", **OF_A_JOB, HUNTER_PAGE_SIZE="25"), place)
    lines = lines_of(process)
    said = " ".join(line["message"] for line in lines)
    for words in ("is no multiple of 10", "Processing job", "hunter rate limited", "Successfully completed"):
        assert words in said
    assert are_named(lines)


async def test_of_a_wrong_setting(simulator: Simulator, place: Path) -> None:
    process = await run_process([], environ(simulator, place / "c", **OF_A_JOB, HUNTER_PAGE_SIZE="many"), place)
    assert process.code != 0
    assert are_named(lines_of(process))


async def test_after_a_signal_and_of_the_timer_that_ends_what_hangs(simulator: Simulator, place: Path) -> None:
    (place / "c").mkdir()
    pipe = place / "c" / f"{DOMAIN}.json"
    os.mkfifo(pipe)
    async with started([], environ(simulator, place / "c", **OF_A_JOB), place) as running:
        writing = await opened_when_read(pipe)
        running.send_signal(signal.SIGTERM)
        process = await ended(running, place)
        os.close(writing)
    assert "a signal asks to stop" in process.log
    assert "failed for" in process.log
    assert are_named(lines_of(process))


async def test_what_is_no_domain_is_no_lines_domain(simulator: Simulator, place: Path) -> None:
    wrong = {**OF_A_JOB, names.DOMAIN: "jane@private.example/"}
    process = await run_process([], environ(simulator, place / "c", **wrong), place)
    assert process.code != 0
    assert all("domain" not in line or "@" not in line["domain"] for line in lines_of(process))
