"""The collector on a person's command line: lists, options, output formats, sums, and a reader that goes."""

import asyncio
import csv
import io
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from contract.collector.running import (
    DOMAIN,
    Process,
    asked,
    ended,
    environ,
    opened_when_read,
    run_process,
    started,
    stored,
)
from hunter_simulator import AnswerStatus, CutBody, Fault, Proceed, Simulator, found, read_filters, truth
from novahunt_collector.storage.checkpoints import checkpoint_path
from novahunt_contract import tables
from novahunt_contract.exitcodes import ExitCode
from novahunt_contract.outcomes import Reason


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path


def collected(folder: Path, domain: str) -> set[str]:
    document = stored(folder, domain)
    return {item.email for item in document.items} if document is not None else set()


def expected(size: int, **filters: str) -> set[str]:
    """Return what Hunter has for these filters."""
    return {person.value for person in found(truth(DOMAIN, size), read_filters(filters))}


def last_line(process: Process) -> str:
    return process.log.splitlines()[-1].partition(" INFO ")[2]


# ---------------------------------------------------------------------- lists


async def test_domains_come_from_arguments_files_and_standard_input_each_once(
    simulator: Simulator, place: Path
) -> None:
    (place / "leads").write_text("n1.example # first\nhttps://WWW.n2.example/about\n")
    process = await run_process(
        ["n3.example", "-f", "leads", "--file", "-", "n1.example"],
        environ(simulator, place / "c"),
        place,
        stdin=b"n4.example\nn2.example\n",
    )
    assert process.code == ExitCode.DONE
    assert asked(simulator) == ["n3.example", "n1.example", "n2.example", "n4.example"]
    assert last_line(process) == "4 domains: 4 collected; 10 addresses, 4 credits"


async def test_every_wrong_entry_of_a_list_is_named_at_once_and_nothing_is_asked(
    simulator: Simulator, place: Path
) -> None:
    (place / "leads").write_text("n1.example\njane@example.com\n\nlocalhost\n")
    process = await run_process(["-f", "leads"], environ(simulator, place / "c"), place)
    assert process.code == ExitCode.USAGE
    lines = [line.partition(" ERROR ")[2] for line in process.log.splitlines()]
    assert lines[0].startswith("leads line 2 is no domain: it holds an @")
    assert lines[1].startswith("leads line 4 is no domain: it is a single label")
    assert lines[2].startswith("2 entries are no domains")
    assert "jane" not in process.log
    assert "localhost" not in process.log
    assert simulator.report().requests == 0


# ---------------------------------------------------------------------- options


async def test_options_win_over_the_environment(simulator: Simulator, place: Path) -> None:
    environment = environ(
        simulator,
        place / "from-environment",
        HUNTER_MAX_COLLECT="3",
        HUNTER_PAGE_SIZE="1",
        NOVAHUNT_SEARCH='{"type": "generic", "department": ["it"]}',
    )
    line = "example.com --max-results 20 --page-size 10 --folder from-option --type personal"
    process = await run_process(line.split(), environment, place)
    assert process.code == ExitCode.DONE
    assert collected(place / "from-option", DOMAIN) == expected(25, type="personal", department="it")
    assert (simulator.report().log[0].limit, simulator.report().log[0].offset) == (10, 0)
    assert not (place / "from-environment").exists()


async def test_every_filter_has_its_option(simulator: Simulator, place: Path) -> None:
    simulator.set_domain(DOMAIN, 1000)
    line = (
        "example.com --seniority junior,senior --department it --department sales "
        "--required-field full_name --verification-status valid,unknown"
    )
    process = await run_process(line.split(), environ(simulator, place / "c"), place)
    assert process.code == ExitCode.DONE
    wanted = expected(
        1000, seniority="junior,senior", department="it,sales", required_field="full_name",
        verification_status="valid,unknown",
    )  # fmt: skip
    assert len(wanted) > 5
    assert collected(place / "c", DOMAIN) == wanted


async def test_what_a_suppression_list_names_is_neither_stored_nor_printed(simulator: Simulator, place: Path) -> None:
    never = min(expected(25))
    (place / "never").write_text(f"# asked us to stop\n{never.upper()}\nn3.example\n")
    arguments = [DOMAIN, "n3.example", "--suppress", "never", "--output", "jsonl"]
    process = await run_process(arguments, environ(simulator, place / "c"), place)
    assert process.code == ExitCode.DONE
    assert collected(place / "c", DOMAIN) == expected(25) - {never}
    assert never not in process.output.decode() + process.log
    assert asked(simulator) == [DOMAIN]
    assert "1 collected, 1 empty" in last_line(process)


async def test_a_suppression_list_that_is_missing_stops_all_domains_before_anything_is_asked(
    simulator: Simulator, place: Path
) -> None:
    arguments = [DOMAIN, "n3.example", "--suppress", "never"]
    process = await run_process(arguments, environ(simulator, place / "c"), place)
    assert process.code == ExitCode.BAD_REQUEST
    assert "never can't be read" in process.log
    assert "1 failed, 1 not tried" in last_line(process)
    assert simulator.report().requests == 0


async def test_quiet_says_nothing_where_nothing_is_amiss(simulator: Simulator, place: Path) -> None:
    simulator.add_fault(Fault(action=AnswerStatus(status=400, error_id="invalid_domain"), domain="n7.example"))
    environment = environ(simulator, place / "c")
    process = await run_process(["--quiet", DOMAIN, "n7.example"], environment, place)
    assert process.code == ExitCode.DOMAIN_REFUSED
    lines = process.log.splitlines()
    # The simulator is asked without encryption, which is worth a warning.
    assert ["WARNING" in line or "ERROR" in line for line in lines] == [True, True]
    assert "n7.example" in lines[1]


async def test_max_credits_holds_over_all_domains(simulator: Simulator, place: Path) -> None:
    simulator.set_domain(DOMAIN, 300)
    arguments = ["n25.example", DOMAIN, "n9.example", "--max-credits", "17"]
    process = await run_process(arguments, environ(simulator, place / "c"), place)
    assert process.code == ExitCode.BUDGET_REFUSED
    assert stored(place / "c", "n25.example") is not None
    assert stored(place / "c") is None
    report = simulator.report()
    assert report.credits <= 17
    assert report.of_domain("n9.example").requests == 0
    assert "raise --max-credits to go on" in process.log
    assert "1 collected, 2 failed" in last_line(process)


async def test_a_higher_max_credits_goes_on_with_the_pages_that_are_paid_for(simulator: Simulator, place: Path) -> None:
    simulator.set_domain(DOMAIN, 330)
    environment = environ(simulator, place / "c")
    first = await run_process([DOMAIN, "--max-credits", "20"], environment, place)
    assert first.code == ExitCode.BUDGET_REFUSED
    # 13 buy the rest; whether there is more can cost one.
    second = await run_process([DOMAIN, "--max-credits", "14"], environment, place)
    assert second.code == ExitCode.DONE
    report = simulator.report()
    assert report.credits == 33
    assert (report.repeats_free, report.repeats_charged) == (0, 0)
    assert collected(place / "c", DOMAIN) == expected(330)


async def test_an_answer_that_was_lost_is_asked_for_again_within_the_credits_that_it_may_have_cost(
    simulator: Simulator, place: Path
) -> None:
    simulator.add_fault(Fault(action=CutBody(), times=2))
    process = await run_process([DOMAIN, "--max-credits", "10"], environ(simulator, place / "c"), place)
    assert process.code == ExitCode.DONE
    assert process.receipt is not None
    assert (process.receipt.reason, process.receipt.requests) == (Reason.COLLECTED, 3)


async def test_max_credits_0_answers_from_storage_alone(simulator: Simulator, place: Path) -> None:
    environment = environ(simulator, place / "c")
    await run_process([DOMAIN], environment, place)
    process = await run_process([DOMAIN, "n9.example", "--max-credits", "0", "--output", "csv"], environment, place)
    assert process.code == ExitCode.BUDGET_REFUSED
    assert len(process.output.splitlines()) == 26
    assert simulator.report().requests == 1


async def test_a_domain_that_would_cost_something_keeps_no_stored_one_back(simulator: Simulator, place: Path) -> None:
    environment = environ(simulator, place / "c")
    await run_process(["n25.example", "n9.example"], environment, place)
    domains = ["n77.example", "n25.example", "n76.example", "n9.example"]
    process = await run_process([*domains, "--max-credits", "0", "--output", "csv"], environment, place)
    assert process.code == ExitCode.BUDGET_REFUSED
    assert len(process.output.splitlines()) == 1 + 25 + 9
    assert "2 collected, 2 failed" in last_line(process)
    assert sorted(asked(simulator)) == ["n25.example", "n9.example"]


async def test_again_ends_with_its_credits_and_leaves_the_pages_that_other_domains_have_saved(
    simulator: Simulator, place: Path
) -> None:
    environment = environ(simulator, place / "c")
    simulator.set_domain("n400.example", 400)
    simulator.add_fault(Fault(action=AnswerStatus(status=402), offset=300))
    await run_process(["n400.example"], environment, place)
    saved = checkpoint_path(place / "c", "n400.example").read_bytes()
    simulator.clear_report()
    process = await run_process(["--again", "--max-credits", "0", DOMAIN, "n400.example"], environment, place)
    assert process.code == ExitCode.BUDGET_REFUSED
    assert "1 failed, 1 not tried" in last_line(process)
    assert checkpoint_path(place / "c", "n400.example").read_bytes() == saved
    assert simulator.report().requests == 0


# ---------------------------------------------------------------------- output


async def test_json_is_the_stored_documents_in_one_array(simulator: Simulator, place: Path) -> None:
    domains = [DOMAIN, "n2.example", "unknown.example"]
    process = await run_process([*domains, "--output", "json"], environ(simulator, place / "c"), place)
    assert process.code == ExitCode.DONE
    assert json.loads(process.output) == [json.loads((place / "c" / f"{name}.json").read_bytes()) for name in domains]


async def test_json_lines_are_one_address_a_line_with_its_domain(simulator: Simulator, place: Path) -> None:
    process = await run_process([DOMAIN, "n2.example", "--output", "jsonl"], environ(simulator, place / "c"), place)
    lines = [json.loads(line) for line in process.output.splitlines()]
    assert [line["domain"] for line in lines] == [DOMAIN] * 25 + ["n2.example"] * 2
    document = json.loads((place / "c" / "n2.example.json").read_bytes())
    assert lines[25:] == [{"domain": "n2.example", **item} for item in document["items"]]


async def test_csv_is_a_table_that_any_reader_understands(simulator: Simulator, place: Path) -> None:
    process = await run_process([DOMAIN, "n2.example", "--output", "csv"], environ(simulator, place / "c"), place)
    rows = list(csv.DictReader(io.StringIO(process.output.decode(), newline=""), strict=True))
    assert list(rows[0]) == list(tables.COLUMNS)
    everybody = {person.value for person in (*truth(DOMAIN, 25), *truth("n2.example", 2))}
    assert {row["email"].removeprefix("'") for row in rows} == everybody


async def test_what_is_answered_from_storage_is_printed_as_well(simulator: Simulator, place: Path) -> None:
    environment = environ(simulator, place / "c")
    first = await run_process([DOMAIN, "--output", "csv"], environment, place)
    second = await run_process([DOMAIN, "--output", "csv"], environment, place)
    assert first.output == second.output
    assert simulator.report().requests == 1


async def test_a_domain_that_fails_leaves_the_output_whole(simulator: Simulator, place: Path) -> None:
    simulator.add_fault(Fault(action=AnswerStatus(status=400, error_id="invalid_domain"), domain="n7.example"))
    arguments = ["n2.example", "n7.example", "n3.example", "--output", "json"]
    process = await run_process(arguments, environ(simulator, place / "c"), place)
    assert process.code == ExitCode.DOMAIN_REFUSED
    assert [document["domain"] for document in json.loads(process.output)] == ["n2.example", "n3.example"]


async def test_where_nothing_can_be_stored_the_output_takes_the_place_of_the_documents(
    simulator: Simulator, place: Path
) -> None:
    environment = environ(simulator, place)
    del environment["NOVAHUNT_STORAGE"]
    (place / "data").write_text("a file in the way")
    process = await run_process([DOMAIN, "--output", "csv"], environment, place)
    assert process.code == ExitCode.DONE
    assert len(list(csv.reader(io.StringIO(process.output.decode(), newline="")))) == 26


async def test_each_domain_is_printed_before_the_next_one_is_asked_for(simulator: Simulator, place: Path) -> None:
    simulator.add_fault(Fault(action=Proceed(), domain="n3.example", delay=60, times=None))
    arguments = ["n2.example", "n3.example", "--output", "json"]
    async with started(arguments, environ(simulator, place / "c"), place) as running:
        assert running.stdout is not None
        async with asyncio.timeout(20):
            opening = await running.stdout.readline()
            document = await running.stdout.readuntil(b"}")
        running.send_signal(signal.SIGINT)
        process = await ended(running, place)
    assert process.code == ExitCode.INTERRUPTED
    # What was printed is a whole array even so.
    assert [one["domain"] for one in json.loads(opening + document + process.output)] == ["n2.example"]


CLOSING = (
    sys.executable,
    "-c",
    (
        "import os, sys; reading, writing = os.pipe(); os.dup2(writing, 1); os.close(reading);"
        "os.close(writing); os.execvp(sys.argv[1], sys.argv[1:])"
    ),
)
"""Runs a program whose standard output nobody reads any more."""


@pytest.mark.parametrize("chosen", ["json", "jsonl", "csv"])
async def test_a_reader_that_goes_ends_it_after_the_domain_in_hand(
    simulator: Simulator, place: Path, chosen: str
) -> None:
    arguments = ["n2.example", "n3.example", "--output", chosen]
    process = await run_process(arguments, environ(simulator, place / "c"), place, prefix=CLOSING)
    assert process.code == ExitCode.INTERRUPTED
    assert "standard output was closed by its reader" in process.log
    assert "Traceback" not in process.log
    assert "Exception ignored" not in process.log
    assert stored(place / "c", "n2.example") is not None
    assert asked(simulator) == ["n2.example"]


async def test_help_for_a_reader_that_goes_ends_quietly(place: Path) -> None:
    process = await run_process(["--help"], {}, place, prefix=CLOSING)
    assert (process.code, process.log) == (ExitCode.DONE, "")


FULL = (
    sys.executable,
    "-c",
    "import os, sys; os.dup2(os.open('/dev/full', os.O_WRONLY), 1); os.execvp(sys.argv[1], sys.argv[1:])",
)


async def test_output_that_can_not_be_written_is_21(simulator: Simulator, place: Path) -> None:
    process = await run_process([DOMAIN, "--output", "csv"], environ(simulator, place / "c"), place, prefix=FULL)
    assert process.code == ExitCode.STORAGE_FAILED
    assert "standard output can't be written (No space left on device)" in process.log
    assert stored(place / "c") is not None


# ---------------------------------------------------------------------- Ctrl-C


async def test_ctrl_c_says_how_it_goes_on_and_what_was_done(simulator: Simulator, place: Path) -> None:
    simulator.add_fault(Fault(action=Proceed(), domain="n3.example", delay=60, times=None))
    async with started(["n2.example", "n3.example", "n4.example"], environ(simulator, place / "c"), place) as running:
        async with asyncio.timeout(20):
            while "n3.example" not in asked(simulator):  # noqa: ASYNC110 - the simulator rings no bell
                await asyncio.sleep(0.01)
        running.send_signal(signal.SIGINT)
        process = await ended(running, place)
    assert process.code == ExitCode.INTERRUPTED
    assert "Traceback" not in process.log
    assert "Stopped. The same command continues where it stopped." in process.log
    # The answer that did not come any more may have cost 10.
    assert last_line(process) == "3 domains: 1 collected, 1 stopped, 1 not tried; 2 addresses, 11 credits"
    assert asked(simulator)[-1] == "n3.example"


async def test_the_same_command_goes_on_after_ctrl_c_and_pays_for_nothing_twice(
    simulator: Simulator, place: Path
) -> None:
    simulator.set_domain(DOMAIN, 430)
    fault = simulator.add_fault(Fault(action=Proceed(), domain=DOMAIN, offset=300, delay=60, times=None))
    arguments = ["n2.example", DOMAIN, "n4.example", "--output", "json"]
    environment = environ(simulator, place / "c")
    async with started(arguments, environment, place) as running:
        async with asyncio.timeout(20):
            while asked(simulator).count(DOMAIN) < 4:  # noqa: ASYNC110 - the simulator rings no bell
                await asyncio.sleep(0.01)
        running.send_signal(signal.SIGINT)
        stopped = await ended(running, place)
    assert stopped.code == ExitCode.INTERRUPTED
    assert [document["domain"] for document in json.loads(stopped.output)] == ["n2.example"]
    simulator.remove_fault(fault)
    asked_before = len(asked(simulator))
    again = await run_process(arguments, environment, place)
    assert again.code == ExitCode.DONE
    assert [(document["domain"], document["total"]) for document in json.loads(again.output)] == [
        ("n2.example", 2),
        (DOMAIN, 430),
        ("n4.example", 4),
    ]
    assert [(entry.domain, entry.offset) for entry in simulator.report().log[asked_before:]] == [
        (DOMAIN, 300),
        (DOMAIN, 400),
        ("n4.example", 0),
    ]


async def test_ctrl_c_while_the_list_is_still_read_ends_quietly(simulator: Simulator, place: Path) -> None:
    os.mkfifo(place / "leads")
    async with started(["-f", "leads"], environ(simulator, place / "c"), place) as running:
        writing = await opened_when_read(place / "leads")
        running.send_signal(signal.SIGINT)
        process = await ended(running, place)
        os.close(writing)
    assert (process.code, process.log) == (ExitCode.INTERRUPTED, "")
