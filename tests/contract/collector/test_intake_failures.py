"""The intake away, busy, refusing or overtaken: no request without a permit or a share, no document lost."""

import asyncio
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from contract.collector.failing_intake import PLACE, FailingIntake, running
from contract.collector.running import DOMAIN, collect, ended, environ, started, stored
from hunter_simulator import DEFAULT_KEY, AnswerStatus, Fault, Proceed, Simulator
from novahunt_collector.storage import intake_calls
from novahunt_contract import document as documents
from novahunt_contract import keys
from novahunt_contract.exitcodes import ExitCode
from novahunt_contract.intake import Answered
from novahunt_contract.outcomes import Reason


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# ---------------------------------------------------------------------- permits


async def test_one_call_a_page_reports_and_asks_and_the_last_one_gives_up_its_place(
    simulator: Simulator, intake: FailingIntake, tmp_path: Path
) -> None:
    simulator.set_domain(DOMAIN, 250)
    result = await collect(simulator, tmp_path / "c", intake.environ(tmp_path))
    assert result.receipt.reason is Reason.COLLECTED
    assert [call.wanted for call in intake.calls] == [True, True, True, False]
    assert [call.answered for call in intake.calls] == [None, Answered("1"), Answered("2"), Answered("3")]
    assert {call.fingerprint for call in intake.calls} == {keys.fingerprint(DEFAULT_KEY)}
    progress = [(call.progress.percent, call.progress.emails) for call in intake.calls if call.progress]
    assert progress == [(0, 0), (40, 100), (80, 200), (100, 250)]
    assert simulator.report().requests == 3


async def test_a_throttle_is_reported_at_once_with_its_retry_after(
    simulator: Simulator, intake: FailingIntake, tmp_path: Path
) -> None:
    simulator.add_fault(Fault(action=AnswerStatus(status=403, retry_after=1)))
    await collect(simulator, tmp_path / "c", intake.environ(tmp_path))
    first, report, second, last = intake.calls
    assert (first.wanted, report.wanted, second.wanted, last.wanted) == (True, False, True, False)
    assert report.answered == Answered("1", throttled=True, retry_after_seconds=1.0)
    assert second.answered is None
    assert last.answered == Answered("2")


async def test_the_account_page_takes_a_permit_as_well(
    simulator: Simulator, intake: FailingIntake, tmp_path: Path
) -> None:
    simulator.add_fault(Fault(action=AnswerStatus(status=429), endpoint="domain-search"))
    await collect(simulator, tmp_path / "c", intake.environ(tmp_path))
    assert sum(call.wanted for call in intake.calls) == simulator.report().requests == 3


async def test_while_the_intake_is_busy_no_request_is_sent(
    simulator: Simulator, intake: FailingIntake, tmp_path: Path
) -> None:
    intake.permit_statuses = [503, 500, 503, 502, 503, 200]
    result = await collect(simulator, tmp_path / "c", intake.environ(tmp_path))
    assert result.receipt.reason is Reason.COLLECTED
    assert len(intake.tokens) == 7
    assert simulator.report().requests == 1


@pytest.fixture
def short_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what others may have been permitted be used up in a moment; a unit test waits the whole minute."""
    monkeypatch.setattr("novahunt_collector.intake_pace.MINUTE_SECONDS", 0.2)


@pytest.mark.usefixtures("short_minute")
async def test_an_intake_that_can_not_be_reached_leaves_the_static_share(
    simulator: Simulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    simulator.set_domain(DOMAIN, 110)
    away = FailingIntake()
    away.url = f"http://127.0.0.1:{free_port()}"
    result = await collect(
        simulator,
        tmp_path / "c",
        away.environ(tmp_path),
        HUNTER_PAGE_SIZE="10",
        HUNTER_REQUESTS_PER_SECOND="5",
    )
    assert result.receipt.items == 110
    assert simulator.report().of_key(DEFAULT_KEY).most_in_a_second == 5
    assert caplog.text.count("the operator's intake can't be reached") == 1


@pytest.mark.usefixtures("short_minute")
async def test_an_intake_that_comes_back_is_asked_again(simulator: Simulator, tmp_path: Path) -> None:
    simulator.set_domain(DOMAIN, 150)
    simulator.add_fault(Fault(action=Proceed(), offset=0, delay=0.5))
    intake = FailingIntake()
    port = free_port()
    intake.url = f"http://127.0.0.1:{port}"
    collecting = asyncio.create_task(collect(simulator, tmp_path / "c", intake.environ(tmp_path)))
    async with asyncio.timeout(20):
        while simulator.report(with_log=False).requests < 1:  # noqa: ASYNC110 - the simulator rings no bell
            await asyncio.sleep(0.005)
    async with running(intake, port=port):
        result = await collecting
    assert result.receipt.items == 150
    assert [call.wanted for call in intake.calls] == [True, False]


@pytest.mark.usefixtures("short_minute")
async def test_a_name_without_address_leaves_the_static_share(simulator: Simulator, tmp_path: Path) -> None:
    away = FailingIntake()
    away.url = "http://novahunt-intake.invalid:8080"
    result = await collect(simulator, tmp_path / "c", away.environ(tmp_path))
    assert result.receipt.reason is Reason.COLLECTED


async def test_the_replica_that_is_not_the_active_one_is_passed_over(
    simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.set_domain(DOMAIN, 250)
    passive, active = FailingIntake(), FailingIntake()
    passive.permit_statuses = [503]
    port = free_port()
    loop = asyncio.get_running_loop()
    real = loop.getaddrinfo

    async def resolve(host: Any, *arguments: Any, **options: Any) -> Any:
        if host != "intake.sales.svc":
            return await real(host, *arguments, **options)
        dead = "127.0.0.4"
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in (dead, "127.0.0.2", "127.0.0.3")
        ]

    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    async with running(passive, "127.0.0.2", port), running(active, "127.0.0.3", port):
        active.url = f"http://intake.sales.svc:{port}"
        result = await collect(simulator, tmp_path / "c", active.environ(tmp_path))
    assert result.receipt.reason is Reason.COLLECTED
    assert len(active.calls) == 4
    # The one that answered is asked first from then on.
    assert len(passive.tokens) == 1


async def test_a_renewed_token_is_read_anew(simulator: Simulator, intake: FailingIntake, tmp_path: Path) -> None:
    environment = intake.environ(tmp_path)
    intake.accepted_token = "renewed"
    collecting = asyncio.create_task(
        collect(simulator, tmp_path / "c", environment, NOVAHUNT_BACKOFF_BASE_SECONDS="0.3")
    )
    async with asyncio.timeout(20):
        while not intake.tokens:  # noqa: ASYNC110 - the list rings no bell
            await asyncio.sleep(0.005)
    (tmp_path / "token").write_text("renewed\n")
    result = await collecting
    assert result.receipt.reason is Reason.COLLECTED
    assert intake.tokens[0] == "first"
    assert set(intake.tokens[1:]) == {"renewed"}


@pytest.mark.parametrize(("status", "tries"), [(401, 6), (403, 1), (400, 1)])
async def test_an_intake_that_does_not_accept_this_pod_ends_it_as_interrupted(
    simulator: Simulator, intake: FailingIntake, tmp_path: Path, status: int, tries: int
) -> None:
    intake.permit_statuses = [status]
    result = await collect(simulator, tmp_path / "c", intake.environ(tmp_path))
    assert result.receipt.reason is Reason.INTERRUPTED
    assert "the operator's intake does not" in result.receipt.message
    assert len(intake.tokens) == tries
    assert simulator.report().requests == 0


async def test_a_token_that_is_not_there_is_named(simulator: Simulator, intake: FailingIntake, tmp_path: Path) -> None:
    environment = intake.environ(tmp_path)
    (tmp_path / "token").unlink()
    result = await collect(simulator, tmp_path / "c", environment)
    assert result.receipt.reason is Reason.INTERRUPTED
    assert str(tmp_path / "token") in result.receipt.message


async def test_a_signal_during_a_request_reports_the_permit_as_used(
    simulator: Simulator, intake: FailingIntake, tmp_path: Path
) -> None:
    simulator.add_fault(Fault(action=Proceed(), delay=60))
    environment = environ(simulator, tmp_path / "c", **intake.environ(tmp_path), NOVAHUNT_REQUEST_TIMEOUT_SECONDS="60")
    async with started([DOMAIN], environment, tmp_path) as process:
        async with asyncio.timeout(20):
            while simulator.report(with_log=False).requests < 1:  # noqa: ASYNC110 - the simulator rings no bell
                await asyncio.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        result = await ended(process, tmp_path)
    assert result.code == ExitCode.INTERRUPTED
    assert [(call.wanted, call.answered) for call in intake.calls] == [(True, None), (False, Answered("1"))]


async def test_a_signal_while_waiting_for_a_permit_ends_at_once(
    simulator: Simulator, intake: FailingIntake, tmp_path: Path
) -> None:
    intake.hold.clear()
    environment = environ(simulator, tmp_path / "c", **intake.environ(tmp_path))
    async with started([DOMAIN], environment, tmp_path) as process:
        async with asyncio.timeout(20):
            await intake.held.wait()
            process.send_signal(signal.SIGTERM)
            result = await ended(process, tmp_path)
    assert result.code == ExitCode.INTERRUPTED
    assert result.receipt is not None
    assert result.receipt.requests == 0
    assert simulator.report().requests == 0


async def test_a_signal_after_the_receipt_does_not_spoil_a_good_end(
    simulator: Simulator, intake: FailingIntake, tmp_path: Path
) -> None:
    intake.hold.clear()
    intake.holds_reports = True
    environment = environ(simulator, tmp_path / "c", **intake.environ(tmp_path))
    async with started([DOMAIN], environment, tmp_path) as process:
        async with asyncio.timeout(20):
            await intake.held.wait()
            process.send_signal(signal.SIGTERM)
            result = await ended(process, tmp_path)
    assert result.code == ExitCode.DONE
    assert result.receipt is not None
    assert result.receipt.reason is Reason.COLLECTED
    assert "Traceback" not in result.log


async def test_the_key_never_reaches_the_intake(simulator: Simulator, intake: FailingIntake, tmp_path: Path) -> None:
    await collect(simulator, tmp_path / "c", intake.environ(tmp_path))
    assert b"fingerprint" in intake.heard
    assert DEFAULT_KEY.encode() not in intake.heard


# ---------------------------------------------------------------------- documents


async def test_a_document_goes_to_the_intake_packed_and_its_place_into_the_receipt(
    simulator: Simulator, intake: FailingIntake, tmp_path: Path
) -> None:
    result = await collect(simulator, tmp_path, intake.environ(tmp_path), NOVAHUNT_STORAGE="intake")
    assert intake.stored is not None
    assert documents.decode(intake.stored).total == 25
    assert result.receipt.config_map == PLACE
    assert (result.receipt.sha256, result.receipt.bytes) == (documents.digest(intake.stored), len(intake.stored))
    assert stored(tmp_path) is None


async def test_a_document_that_is_being_stored_when_a_signal_comes_is_stored(
    simulator: Simulator, intake: FailingIntake, tmp_path: Path
) -> None:
    intake.may_store.clear()
    environment = environ(simulator, tmp_path, **intake.environ(tmp_path), NOVAHUNT_STORAGE="intake")
    async with started([DOMAIN], environment, tmp_path) as process:
        assert process.stderr is not None
        async with asyncio.timeout(20):
            await intake.storing.wait()
            process.send_signal(signal.SIGTERM)
            while b"a signal asks to stop" not in await process.stderr.readline():
                pass
            intake.may_store.set()
            result = await ended(process, tmp_path)
    assert result.code == ExitCode.DONE
    assert result.receipt is not None
    assert (result.receipt.items, result.receipt.config_map) == (25, PLACE)


async def test_a_document_that_can_not_be_stored_before_the_end_is_no_success(
    simulator: Simulator, intake: FailingIntake, tmp_path: Path
) -> None:
    intake.may_store.clear()
    environment = environ(simulator, tmp_path, **intake.environ(tmp_path), NOVAHUNT_STORAGE="intake")
    async with started([DOMAIN], environment, tmp_path) as process:
        async with asyncio.timeout(20):
            await intake.storing.wait()
            began = asyncio.get_running_loop().time()
            process.send_signal(signal.SIGTERM)
            result = await ended(process, tmp_path)
            assert asyncio.get_running_loop().time() - began < 10
    assert result.code == ExitCode.INTERRUPTED
    assert result.receipt is not None
    assert (result.receipt.reason, result.receipt.credits) == (Reason.INTERRUPTED, 3)


@pytest.mark.parametrize("statuses", [[500, 503, 200], [502, 200]])
async def test_an_intake_that_fails_for_a_while_loses_no_document(
    simulator: Simulator, intake: FailingIntake, tmp_path: Path, statuses: list[int]
) -> None:
    intake.put_statuses = list(statuses)
    intake.get_statuses = list(statuses)
    result = await collect(simulator, tmp_path, intake.environ(tmp_path), NOVAHUNT_STORAGE="intake")
    assert result.receipt.reason is Reason.COLLECTED
    assert intake.puts == len(statuses)
    assert simulator.report().requests == 1


async def test_an_intake_that_stays_away_is_a_storage_failure_before_anything_is_paid(
    simulator: Simulator, tmp_path: Path
) -> None:
    away = FailingIntake()
    away.url = f"http://127.0.0.1:{free_port()}"
    more = {"NOVAHUNT_STORAGE": "intake", "NOVAHUNT_STORAGE_PATIENCE_SECONDS": "0.3"}
    result = await collect(simulator, tmp_path, away.environ(tmp_path) | more)
    assert result.receipt.reason is Reason.STORAGE
    assert "check that the operator runs" in result.receipt.message
    assert simulator.report().requests == 0


async def test_an_intake_that_goes_away_after_hunter_was_paid_is_a_storage_failure_that_says_what_it_cost(
    simulator: Simulator, intake: FailingIntake, tmp_path: Path
) -> None:
    intake.put_statuses = [503]
    more = {"NOVAHUNT_STORAGE": "intake", "NOVAHUNT_STORAGE_PATIENCE_SECONDS": "0.3"}
    result = await collect(simulator, tmp_path, intake.environ(tmp_path) | more)
    assert (result.receipt.reason, result.receipt.credits) == (Reason.STORAGE, 3)
    assert (intake.puts > 1, intake.stored) == (True, None)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "did not take the document: told so by the test"),
        (413, "finds the document too large: told so by the test: use a volume"),
        (415, "did not take the document: told so by the test"),
    ],
)
async def test_a_document_that_is_not_taken_is_a_storage_failure_at_once(
    simulator: Simulator, intake: FailingIntake, tmp_path: Path, status: int, words: str
) -> None:
    intake.put_statuses = [status]
    result = await collect(simulator, tmp_path, intake.environ(tmp_path), NOVAHUNT_STORAGE="intake")
    assert (result.receipt.reason, result.receipt.credits) == (Reason.STORAGE, 3)
    assert result.receipt.message == f"the operator's intake {words}"
    assert intake.puts == 1


async def test_where_there_is_no_room_the_intakes_own_sentence_ends_the_run_at_once(
    simulator: Simulator, intake: FailingIntake, tmp_path: Path
) -> None:
    intake.put_statuses = [503, 507]
    result = await collect(simulator, tmp_path, intake.environ(tmp_path), NOVAHUNT_STORAGE="intake")
    assert (result.receipt.reason, result.receipt.message) == (Reason.STORAGE, "told so by the test")
    assert (intake.puts, result.receipt.credits) == (2, 3)


async def test_where_there_is_no_room_still_hunter_is_not_asked_again(
    simulator: Simulator, intake: FailingIntake, tmp_path: Path
) -> None:
    intake.get_statuses = [507]
    result = await collect(simulator, tmp_path, intake.environ(tmp_path), NOVAHUNT_STORAGE="intake")
    assert (result.receipt.reason, result.receipt.message) == (Reason.STORAGE, "told so by the test")
    assert simulator.report().requests == 0


async def test_an_intake_that_is_too_slow_is_asked_again_and_no_document_is_lost(
    simulator: Simulator, intake: FailingIntake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_calls, "READ_SECONDS", 0.2)
    intake.may_store.clear()
    collecting = asyncio.create_task(collect(simulator, tmp_path, intake.environ(tmp_path), NOVAHUNT_STORAGE="intake"))
    async with asyncio.timeout(20):
        while intake.puts < 2:  # noqa: ASYNC110 - the intake rings no bell for the second
            await asyncio.sleep(0.01)
        intake.may_store.set()
        result = await collecting
    assert (result.receipt.reason, result.receipt.config_map) == (Reason.COLLECTED, PLACE)
    assert simulator.report().requests == 1


async def test_a_document_whose_answer_is_lost_is_handed_over_again(
    simulator: Simulator, intake: FailingIntake, tmp_path: Path
) -> None:
    intake.lost_answers = 2
    result = await collect(simulator, tmp_path, intake.environ(tmp_path), NOVAHUNT_STORAGE="intake")
    assert (result.receipt.reason, result.receipt.config_map) == (Reason.COLLECTED, PLACE)
    assert intake.puts == 3
    assert simulator.report().requests == 1


async def test_without_an_account_of_the_document_the_run_fails_and_the_next_finds_what_was_stored(
    simulator: Simulator, intake: FailingIntake, tmp_path: Path
) -> None:
    intake.garbled = True
    environment = {**intake.environ(tmp_path), "NOVAHUNT_STORAGE": "intake"}
    failed = await collect(simulator, tmp_path, environment)
    assert (failed.receipt.reason, failed.receipt.config_map) == (Reason.STORAGE, None)
    intake.garbled = False
    result = await collect(simulator, tmp_path, environment)
    assert (result.receipt.from_storage, result.receipt.config_map) == (True, PLACE)
    assert simulator.report().requests == 1


async def test_a_document_of_another_domain_is_not_taken_for_this_ones(
    simulator: Simulator, intake: FailingIntake, tmp_path: Path
) -> None:
    environment = {**intake.environ(tmp_path), "NOVAHUNT_STORAGE": "intake"}
    await collect(simulator, tmp_path, environment, domain="other.example")
    result = await collect(simulator, tmp_path, environment)
    assert result.receipt.reason is Reason.STORAGE
    assert "the document of another domain than example.com" in result.receipt.message


async def test_409_says_that_a_later_run_stored_and_ends_quietly(
    simulator: Simulator, intake: FailingIntake, tmp_path: Path
) -> None:
    environment = {**intake.environ(tmp_path), "NOVAHUNT_STORAGE": "intake"}
    await collect(simulator, tmp_path, environment, NOVAHUNT_RUN="5")
    later = intake.stored
    intake.put_statuses = [409]
    result = await collect(simulator, tmp_path, environment, again=True, NOVAHUNT_RUN="4")
    assert result.receipt.reason is Reason.COLLECTED
    assert "later run" in result.receipt.message
    assert intake.stored == later


async def test_a_fresh_document_is_handed_over_again_as_this_runs_so_that_the_receipt_names_its_place(
    simulator: Simulator, intake: FailingIntake, tmp_path: Path
) -> None:
    environment = {**intake.environ(tmp_path), "NOVAHUNT_STORAGE": "intake"}
    await collect(simulator, tmp_path, environment)
    result = await collect(simulator, tmp_path, environment, NOVAHUNT_RUN="2")
    assert (result.receipt.from_storage, result.receipt.config_map) == (True, PLACE)
    assert simulator.report().requests == 1
    assert intake.stored is not None
    assert documents.decode(intake.stored).run == 2


async def test_a_domain_that_wants_out_is_left_to_the_operator_by_the_receipts_reason(
    simulator: Simulator, intake: FailingIntake, tmp_path: Path
) -> None:
    environment = {**intake.environ(tmp_path), "NOVAHUNT_STORAGE": "intake"}
    await collect(simulator, tmp_path, environment)
    simulator.add_fault(Fault(action=AnswerStatus(status=451), times=None))
    result = await collect(simulator, tmp_path, environment, again=True)
    assert result.receipt.reason is Reason.CLAIMED
    assert "removed" not in result.receipt.message


async def test_a_damaged_stored_document_is_collected_again(
    simulator: Simulator, intake: FailingIntake, tmp_path: Path
) -> None:
    intake.stored = b"{"
    result = await collect(simulator, tmp_path, intake.environ(tmp_path), NOVAHUNT_STORAGE="intake")
    assert result.receipt.reason is Reason.COLLECTED
    assert intake.stored != b"{"
