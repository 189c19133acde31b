"""The collector as a real process: exit codes, receipts, logs, signals and storage that fails."""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from contract.collector.running import DOMAIN, ended, environ, opened_when_read, run_process, started, stored
from hunter_simulator import DEFAULT_KEY, AnswerStatus, Fault, Plan, Proceed, Simulator
from novahunt_collector import checkpoint as checkpoints
from novahunt_collector.storage.checkpoints import checkpoint_path
from novahunt_collector.storage.files import PROBE_BYTES
from novahunt_contract import environment as names
from novahunt_contract.exitcodes import ExitCode
from novahunt_contract.outcomes import Outcome, Reason

LIMITED = (
    sys.executable,
    "-c",
    (
        "import os, resource, sys;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2);"
        "os.execvp(sys.argv[2], sys.argv[2:])"
    ),
)
"""Runs a program with a limit on the size of files: it fails in the middle of a write, as a full disk does."""

WITHOUT_OVERRIDE = (
    sys.executable,
    "-c",
    (
        "import ctypes, os, sys;"
        "[ctypes.CDLL(None).prctl(24, capability) for capability in (1, 2)];"
        "os.execvp(sys.argv[1], sys.argv[1:])"
    ),
)
"""Runs a program without root's right to write everywhere (PR_CAPBSET_DROP of both DAC capabilities)."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path


async def test_done_is_0_with_a_receipt_and_a_document(simulator: Simulator, place: Path) -> None:
    process = await run_process([DOMAIN], environ(simulator, place / "c"), place)
    assert process.code == ExitCode.DONE
    assert process.receipt is not None
    assert (process.receipt.outcome, process.receipt.items) == (Outcome.COLLECTED, 25)
    document = stored(place / "c")
    assert document is not None
    assert document.total == 25
    assert process.output == b""
    assert list(simulator.report().user_agents) == ["novahunt-collector/0.1.0"]
    assert simulator.report().keys_in_query == 0


async def test_a_job_names_its_domain_in_the_environment(simulator: Simulator, place: Path) -> None:
    environment = environ(simulator, place / "c", NOVAHUNT_DOMAIN=DOMAIN, NOVAHUNT_RUN="3", NOVAHUNT_JOB_ID="collect-x")
    process = await run_process([], environment, place)
    assert process.code == ExitCode.DONE
    assert process.receipt is not None
    assert (process.receipt.domain, process.receipt.run, process.receipt.job_id) == (DOMAIN, 3, "collect-x")


@pytest.mark.parametrize(
    ("fault", "code", "reason"),
    [
        (AnswerStatus(status=400, error_id="invalid_domain"), 10, Reason.DOMAIN_REFUSED),
        (AnswerStatus(status=451), 10, Reason.CLAIMED),
        (AnswerStatus(status=401), 11, Reason.KEY_REFUSED),
        (AnswerStatus(status=402), 12, Reason.QUOTA_EXHAUSTED),
        (AnswerStatus(status=400), 14, Reason.BAD_REQUEST),
        (AnswerStatus(status=403, form="text"), 14, Reason.BAD_REQUEST),
        (AnswerStatus(status=503), 20, Reason.HUNTER_UNAVAILABLE),
    ],
)
async def test_each_failure_has_its_exit_code_and_its_receipt(
    simulator: Simulator, place: Path, fault: AnswerStatus, code: int, reason: Reason
) -> None:
    simulator.add_fault(Fault(action=fault, times=None))
    process = await run_process([DOMAIN], environ(simulator, place / "c"), place)
    assert process.code == code
    assert process.receipt is not None
    assert process.receipt.reason is reason
    assert process.receipt.message


async def test_hunter_that_does_not_answer_at_all_is_20(simulator: Simulator, place: Path) -> None:
    environment = environ(simulator, place / "c", HUNTER_BASE_URL="http://127.0.0.1:1/v2")
    process = await run_process([DOMAIN], environment, place)
    assert process.code == ExitCode.HUNTER_UNAVAILABLE
    assert process.receipt is not None
    assert process.receipt.requests == 4


@pytest.mark.parametrize(
    ("arguments", "change", "code", "words"),
    [
        ([], {}, 2, "no domain is given"),
        (["jane@example.com"], {}, 2, "argument 1 is no domain"),
        (["--nonsense"], {}, 2, "--help"),
        ([DOMAIN], {"HUNTER_PAGE_SIZE": "1000"}, 2, "HUNTER_PAGE_SIZE must be a whole number from 1 to 100"),
        ([DOMAIN], {"HUNTER_BASE_URL": "ftp://x"}, 2, "HUNTER_BASE_URL must be a URL"),
        ([DOMAIN], {"NOVAHUNT_LOG_FORMAT": "xml"}, 2, "NOVAHUNT_LOG_FORMAT must be text or json"),
        ([DOMAIN], {"HTTPS_PROXY": "gopher://u:word@x"}, 2, "HTTPS_PROXY"),
        ([DOMAIN], {"HUNTER_API_KEY": ""}, 11, "HUNTER_API_KEY is empty"),
    ],
)
async def test_a_wrong_call_says_what_where_and_what_to_do(
    simulator: Simulator, place: Path, *, arguments: list[str], change: dict[str, str], code: int, words: str
) -> None:
    process = await run_process(arguments, environ(simulator, place / "c", **change), place)
    assert process.code == code
    assert words in process.log
    assert "Traceback" not in process.log
    assert "jane" not in process.log
    assert "word@" not in process.log
    assert process.receipt is not None
    assert process.receipt.reason is (Reason.USAGE if code == 2 else Reason.KEY_REFUSED)
    assert simulator.report().requests == 0


async def test_a_missing_key_is_a_wrong_call(simulator: Simulator, place: Path) -> None:
    environment = environ(simulator, place / "c")
    del environment["HUNTER_API_KEY"]
    process = await run_process([DOMAIN], environment, place)
    assert process.code == ExitCode.USAGE
    assert "https://hunter.io/api-keys" in process.log


async def test_help_and_version_end_well(simulator: Simulator, place: Path) -> None:
    for option in ("--help", "--version"):
        process = await run_process([option], environ(simulator, place / "c"), place)
        assert process.code == ExitCode.DONE
        assert b"novahunt-collector" in process.output


@pytest.mark.parametrize(("size", "wasted"), [(15, True), (100, False)])
async def test_a_page_size_that_wastes_credits_is_warned_of(
    simulator: Simulator,
    place: Path,
    size: int,
    wasted: bool,  # noqa: FBT001 - a table
) -> None:
    process = await run_process([DOMAIN], environ(simulator, place / "c", HUNTER_PAGE_SIZE=str(size)), place)
    assert process.code == ExitCode.DONE
    warning = "HUNTER_PAGE_SIZE=15 is no multiple of 10: each page costs as much as one of 20"
    assert (warning in process.log) is wasted


async def test_json_logs_name_collection_domain_and_run(simulator: Simulator, place: Path) -> None:
    more = {names.LOG_FORMAT: "json", names.COLLECTION: "q4", names.RUN: "2", names.JOB_ID: "collect-example.com-5"}
    process = await run_process([DOMAIN], environ(simulator, place / "c", **more), place)
    lines = [json.loads(line) for line in process.log.splitlines()]
    messages = [line["message"] for line in lines]
    assert "[CollectionWorker] Processing job collect-example.com-5 for domain: example.com" in messages
    assert "[CollectionWorker] Successfully completed job collect-example.com-5 for example.com" in messages
    about = [line for line in lines if line["message"].startswith("[CollectionWorker]")]
    assert all((line["collection"], line["domain"], line["run"]) == ("q4", DOMAIN, 2) for line in about)
    assert all(line["time"].endswith("Z") and line["level"] for line in lines)


async def test_several_domains_are_collected_in_turn_and_the_first_failure_tells(
    simulator: Simulator, place: Path
) -> None:
    simulator.add_fault(Fault(action=AnswerStatus(status=400, error_id="invalid_domain"), domain="n7.example"))
    process = await run_process(["n5.example", "n7.example", "n9.example"], environ(simulator, place / "c"), place)
    assert process.code == ExitCode.DOMAIN_REFUSED
    assert sorted(path.name for path in (place / "c").glob("*.json")) == ["n5.example.json", "n9.example.json"]


async def test_a_refused_domain_hides_no_later_failure_and_each_domain_has_its_receipt(
    simulator: Simulator, place: Path
) -> None:
    simulator.add_fault(Fault(action=AnswerStatus(status=451), domain="n7.example"))
    simulator.set_key(DEFAULT_KEY, Plan(credits=1))
    domains = ["n7.example", "n5.example", "n9.example", "n3.example"]
    process = await run_process(domains, environ(simulator, place / "c"), place)
    assert process.code == ExitCode.QUOTA_EXHAUSTED
    assert process.receipt is not None
    assert (process.receipt.domain, process.receipt.reason) == ("n9.example", Reason.QUOTA_EXHAUSTED)


async def test_a_signal_after_a_refused_domain_is_still_an_interruption(simulator: Simulator, place: Path) -> None:
    simulator.add_fault(Fault(action=AnswerStatus(status=451), domain="n7.example"))
    simulator.add_fault(Fault(action=Proceed(), domain="n9.example", delay=60, times=None))
    async with started(["n7.example", "n9.example"], environ(simulator, place / "c"), place) as running:
        async with asyncio.timeout(20):
            while simulator.report().of_domain("n9.example").requests == 0:  # noqa: ASYNC110 - the simulator rings no bell
                await asyncio.sleep(0.01)
        running.send_signal(signal.SIGTERM)
        process = await ended(running, place)
    assert process.code == ExitCode.INTERRUPTED
    assert process.receipt is not None
    assert process.receipt.reason is Reason.INTERRUPTED


async def test_what_concerns_the_key_stops_all_domains(simulator: Simulator, place: Path) -> None:
    simulator.set_key(DEFAULT_KEY, Plan(credits=1))
    process = await run_process(["n5.example", "n7.example", "n9.example"], environ(simulator, place / "c"), place)
    assert process.code == ExitCode.QUOTA_EXHAUSTED
    assert sorted(path.name for path in (place / "c").glob("*.json")) == ["n5.example.json"]
    assert simulator.report().of_domain("n9.example").requests == 0


async def test_a_person_who_runs_it_again_does_not_pay_twice_unless_asked(simulator: Simulator, place: Path) -> None:
    environment = environ(simulator, place / "c")
    await run_process([DOMAIN], environment, place)
    second = await run_process([DOMAIN], environment, place)
    assert "Hunter was not asked (--again asks Hunter anew)" in second.log
    assert simulator.report().requests == 1
    await run_process(["--again", DOMAIN], environment, place)
    assert simulator.report().of_domain(DOMAIN).requests == 2


async def test_the_default_folder_is_below_the_working_directory(simulator: Simulator, place: Path) -> None:
    environment = environ(simulator, place)
    del environment[names.STORAGE]
    process = await run_process([DOMAIN], environment, place)
    assert process.code == ExitCode.DONE
    assert stored(place / "data" / "collections") is not None


async def test_a_used_up_budget_prints_no_earlier_document_in_place_of_saved_pages(
    simulator: Simulator, place: Path
) -> None:
    environment = environ(simulator, place / "c")
    await run_process([DOMAIN], environment, place)
    simulator.set_domain(DOMAIN, 500)
    arguments = ["--again", "--output", "jsonl", "--max-credits", "30", DOMAIN]
    process = await run_process(arguments, environment, place)
    assert (process.code, process.output) == (ExitCode.BUDGET_REFUSED, b"")


# ---------------------------------------------------------------------- storage that fails


async def test_a_chosen_folder_that_can_not_be_made_is_21_before_anything_is_paid(
    simulator: Simulator, place: Path
) -> None:
    (place / "file").write_text("x")
    process = await run_process([DOMAIN], environ(simulator, place / "file" / "c"), place)
    assert process.code == ExitCode.STORAGE_FAILED
    assert process.receipt is not None
    assert process.receipt.reason is Reason.STORAGE
    assert f"{place / 'file' / 'c'} can't be used" in process.log
    assert simulator.report().requests == 0


async def test_a_file_system_that_takes_no_files_is_21(simulator: Simulator, place: Path) -> None:
    process = await run_process([DOMAIN], environ(simulator, Path("/proc/self/fdinfo")), place)
    assert process.code == ExitCode.STORAGE_FAILED
    assert simulator.report().requests == 0


async def test_a_folder_that_may_not_be_written_is_21_and_names_the_group(simulator: Simulator, place: Path) -> None:
    folder = place / "c"
    folder.mkdir()
    folder.chmod(0o500)
    process = await run_process([DOMAIN], environ(simulator, folder), place, prefix=WITHOUT_OVERRIDE)
    assert process.code == ExitCode.STORAGE_FAILED
    assert "fsGroup" in process.log
    assert simulator.report().requests == 0


async def test_a_volume_that_fills_up_in_the_middle_is_21_and_leaves_the_old_document_whole(
    simulator: Simulator, place: Path
) -> None:
    folder = place / "c"
    assert (await run_process([DOMAIN], environ(simulator, folder), place)).code == ExitCode.DONE
    before = (folder / "example.com.json").read_bytes()
    simulator.set_domain(DOMAIN, 5000)
    prefix = (*LIMITED, str(PROBE_BYTES))
    process = await run_process(["--again", DOMAIN], environ(simulator, folder), place, prefix=prefix)
    assert process.code == ExitCode.STORAGE_FAILED
    assert process.receipt is not None
    assert "file size limit" in process.receipt.message
    # The page that did not fit is counted as well: it was paid for. The first one was, by the run before.
    pages = len(checkpoints.decode(checkpoint_path(folder, DOMAIN).read_bytes()).pages)
    assert pages > 1
    assert process.receipt.credits == 10 * pages == simulator.report().credits - 3
    assert sorted(path.name for path in folder.iterdir()) == [checkpoint_path(folder, DOMAIN).name, "example.com.json"]
    assert (folder / "example.com.json").read_bytes() == before


async def test_a_folder_that_hangs_is_21_and_the_process_ends_though_its_thread_does_not(
    simulator: Simulator, place: Path
) -> None:
    # Reading a pipe that nobody writes to hangs as a lost file server does.
    (place / "c").mkdir()
    os.mkfifo(place / "c" / "example.com.json")
    environment = environ(simulator, place / "c", NOVAHUNT_STORAGE_PATIENCE_SECONDS="0.5")
    began = time.monotonic()
    process = await run_process([DOMAIN], environment, place)
    assert time.monotonic() - began < 20
    assert process.code == ExitCode.STORAGE_FAILED
    assert process.receipt is not None
    assert process.receipt.reason is Reason.STORAGE
    assert f"{place / 'c'} can't be used: it did not answer within 0.5 s" in process.receipt.message
    assert simulator.report().requests == 0


async def test_a_receipt_that_can_not_be_written_is_no_success(simulator: Simulator, place: Path) -> None:
    for receipt in (place / "no" / "folder", Path("/dev/full")):
        environment = environ(simulator, place / "c", NOVAHUNT_TERMINATION_LOG=str(receipt))
        process = await run_process([DOMAIN], environment, place)
        assert process.code == ExitCode.STORAGE_FAILED
        assert "the receipt can't be written" in process.log


# ---------------------------------------------------------------------- signals


async def until(*, simulator: Simulator, requests: int) -> None:
    """Wait until the simulator has seen so many requests."""
    async with asyncio.timeout(20):
        while simulator.report(with_log=False).requests < requests:  # noqa: ASYNC110 - the simulator rings no bell
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_a_waiting_request_with_a_receipt(
    simulator: Simulator, place: Path, number: signal.Signals
) -> None:
    simulator.add_fault(Fault(action=Proceed(), offset=100, delay=60, times=None))
    simulator.set_domain(DOMAIN, 300)
    environment = environ(simulator, place / "c", NOVAHUNT_REQUEST_TIMEOUT_SECONDS="60")
    async with started([DOMAIN, "n5.example"], environment, place) as running:
        await until(simulator=simulator, requests=2)
        began = time.monotonic()
        running.send_signal(number)
        process = await ended(running, place)
    assert time.monotonic() - began < 10
    assert process.code == ExitCode.INTERRUPTED
    assert process.receipt is not None
    assert (process.receipt.domain, process.receipt.reason) == (DOMAIN, Reason.INTERRUPTED)
    # The answer that was on its way may have been charged.
    assert (process.receipt.requests, process.receipt.credits) == (2, 20)
    assert "Traceback" not in process.log
    assert "1 page is saved" in process.receipt.message
    assert list((place / "c").iterdir()) == [checkpoint_path(place / "c", DOMAIN)]
    assert simulator.report().of_domain("n5.example").requests == 0


async def test_a_signal_ends_a_long_backoff(simulator: Simulator, place: Path) -> None:
    simulator.add_fault(Fault(action=AnswerStatus(status=403, retry_after=15), times=None))
    async with started([DOMAIN], environ(simulator, place / "c"), place) as running:
        assert running.stderr is not None
        async with asyncio.timeout(20):
            while b"backing off 15000ms" not in await running.stderr.readline():
                pass
        running.send_signal(signal.SIGTERM)
        process = await ended(running, place)
    assert process.code == ExitCode.INTERRUPTED
    assert process.receipt is not None
    assert process.receipt.reason is Reason.INTERRUPTED


async def test_a_signal_ends_even_what_hangs_in_the_file_system(simulator: Simulator, place: Path) -> None:
    # Reading a pipe that nobody writes to hangs as a lost file server does.
    (place / "c").mkdir()
    pipe = place / "c" / "example.com.json"
    os.mkfifo(pipe)
    async with started([DOMAIN], environ(simulator, place / "c"), place) as running:
        writing = await opened_when_read(pipe)
        began = time.monotonic()
        running.send_signal(signal.SIGTERM)
        process = await ended(running, place)
        os.close(writing)
    assert time.monotonic() - began < 10
    assert process.code == ExitCode.INTERRUPTED
    assert process.receipt is not None
    assert process.receipt.reason is Reason.INTERRUPTED


async def test_a_signal_during_the_start_is_heeded_even_by_a_containers_first_process(place: Path) -> None:
    # The first process of a container loses signals that it has no handler for; Python's start takes a while.
    script = """
import os, signal, sys
from novahunt_collector import __main__ as entry
class Signalling:
    def find_spec(self, name, *_):
        if name == "novahunt_collector.program":
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
            os.kill(os.getpid(), signal.SIGTERM)
sys.meta_path.insert(0, Signalling())
entry.run()
"""
    # The words after -c are its arguments, which it doesn't read any more.
    process = await run_process([DOMAIN], {}, place, prefix=(sys.executable, "-c", script))
    assert process.code == ExitCode.INTERRUPTED


async def test_a_run_that_is_killed_leaves_nothing_half_and_the_next_one_finishes(
    simulator: Simulator, place: Path
) -> None:
    simulator.add_fault(Fault(action=Proceed(), offset=100, delay=60, times=1))
    simulator.set_domain(DOMAIN, 150)
    environment = environ(simulator, place / "c")
    async with started([DOMAIN], environment, place) as running:
        await until(simulator=simulator, requests=2)
        running.kill()
        killed = await ended(running, place)
    assert killed.receipt is None
    assert list((place / "c").glob("*.json")) == []
    process = await run_process([DOMAIN], environment, place)
    assert process.code == ExitCode.DONE
    document = stored(place / "c")
    assert document is not None
    assert document.total == 150


# ---------------------------------------------------------------------- the request itself


async def test_the_key_goes_in_its_header_alone_and_netrc_is_not_used(place: Path) -> None:
    heard = bytearray()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.extend(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 402 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    netrc = place / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    netrc.chmod(0o600)
    environment = {
        "HUNTER_API_KEY": "the-key",
        "HUNTER_BASE_URL": f"http://127.0.0.1:{port}/v2",
        "NETRC": str(netrc),
        "NOVAHUNT_STORAGE": str(place / "c"),
    }
    process = await run_process([DOMAIN], environment, place)
    server.close()
    await server.wait_closed()
    assert process.code == ExitCode.QUOTA_EXHAUSTED
    # The second request is for the account page.
    request = heard.decode().lower().partition("\r\n\r\n")[0] + "\r\n"
    assert request.startswith("get /v2/domain-search?domain=example.com&limit=100&offset=0 http/1.1\r\n")
    assert request.count("the-key") == 1
    assert "\r\nx-api-key: the-key\r\n" in request
    assert "\r\nuser-agent: novahunt-collector/" in request
    assert "authorization" not in request


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_certificates_that_can_not_be_read_are_named(
    simulator: Simulator, place: Path, content: str | None
) -> None:
    file = place / "ca.crt"
    if content is not None:
        file.write_text(content)
    process = await run_process([DOMAIN], environ(simulator, place / "c", SSL_CERT_FILE=str(file)), place)
    assert process.code == ExitCode.USAGE
    assert process.receipt is not None
    assert "SSL_CERT_FILE or SSL_CERT_DIR names no certificates that can be read" in process.receipt.message


async def test_the_egress_proxy_of_the_environment_is_used(simulator: Simulator, place: Path) -> None:
    seen = bytearray()

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.extend(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 402 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    more = {"HTTP_PROXY": f"http://127.0.0.1:{port}", "HUNTER_BASE_URL": "http://hunter.example/v2"}
    process = await run_process([DOMAIN], environ(simulator, place / "c", **more), place)
    server.close()
    await server.wait_closed()
    assert process.code == ExitCode.QUOTA_EXHAUSTED
    assert seen.startswith(b"GET http://hunter.example/v2/domain-search?")
