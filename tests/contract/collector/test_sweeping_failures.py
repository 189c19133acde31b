"""Sweeps that are killed, stopped or hindered: nothing half, nothing said that the next sweep would not do."""

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from contract.collector.failing_intake import FailingIntake
from contract.collector.planted import LIST_NAME, Lists
from contract.collector.running import DOMAIN
from contract.collector.sweeps import (
    contents,
    document,
    no_traces,
    put,
    sweep,
    sweep_environ,
    sweeping,
    swept,
)
from contract.collector.test_process import WITHOUT_OVERRIDE
from novahunt_contract import document as documents
from novahunt_contract import intake as contract
from novahunt_contract.exitcodes import ExitCode
from novahunt_contract.outcomes import Reason


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    folder.chmod(0o555)
    yield
    folder.chmod(0o755)


async def test_a_sweep_that_is_killed_between_its_word_and_its_deed_is_healed_by_the_next(
    intake: FailingIntake, lists: Lists, folder: Path, place: Path
) -> None:
    put(folder, document(), document("other.example"))
    before = contents(folder)
    intake.may_answer.clear()
    environment = sweep_environ(folder, lists.environ, intake.environ(place))
    async with sweeping(environment, place) as process:
        async with asyncio.timeout(20):
            await intake.told.wait()
        process.kill()
        await process.wait()
    assert contents(folder) == before
    assert [told.domain for told in intake.swept] == [DOMAIN]
    intake.may_answer.set()
    end = await sweep(environment, place)
    assert (end.code, end.receipt.changed) == (ExitCode.DONE, 2)
    assert [told.domain for told in intake.swept] == [DOMAIN, DOMAIN, "other.example"]
    data = contents(folder)["example.com.json"]
    assert (intake.swept[1].sha256, intake.swept[1].bytes) == (documents.digest(data), len(data))
    assert no_traces(folder, place, intake, end)


async def test_a_removal_that_is_killed_between_word_and_deed_is_healed_as_well(
    intake: FailingIntake, lists: Lists, folder: Path, place: Path
) -> None:
    put(folder, document())
    lists.write(DOMAIN)
    intake.may_answer.clear()
    environment = sweep_environ(folder, lists.environ, intake.environ(place))
    async with sweeping(environment, place) as process:
        async with asyncio.timeout(20):
            await intake.told.wait()
        process.kill()
        await process.wait()
    assert list(contents(folder)) == ["example.com.json"]
    intake.may_answer.set()
    await sweep(environment, place)
    assert contents(folder) == {}
    assert intake.swept == [contract.Swept(DOMAIN, removed=True)] * 2


async def test_a_signal_ends_it_between_two_documents(
    intake: FailingIntake, lists: Lists, folder: Path, place: Path
) -> None:
    put(folder, document(), document("other.example"))
    untouched = contents(folder)["other.example.json"]
    intake.may_answer.clear()
    async with sweeping(sweep_environ(folder, lists.environ, intake.environ(place)), place) as process:
        async with asyncio.timeout(20):
            await intake.told.wait()
        process.send_signal(signal.SIGTERM)
        asyncio.get_running_loop().call_later(0.5, intake.may_answer.set)
        end = await swept(process, place)
    assert (end.code, end.receipt.reason) == (ExitCode.INTERRUPTED, Reason.INTERRUPTED)
    assert (end.receipt.domains, end.receipt.changed, end.receipt.emails) == (1, 1, 1)
    assert documents.decode(contents(folder)["example.com.json"]).total == 2
    assert contents(folder)["other.example.json"] == untouched
    assert [told.domain for told in intake.swept] == [DOMAIN]


async def test_an_intake_that_does_not_answer_holds_a_stop_up_for_six_seconds_only(
    intake: FailingIntake, lists: Lists, folder: Path, place: Path
) -> None:
    put(folder, document())
    before = contents(folder)
    intake.may_answer.clear()
    async with sweeping(sweep_environ(folder, lists.environ, intake.environ(place)), place) as process:
        async with asyncio.timeout(20):
            await intake.told.wait()
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        end = await swept(process, place)
    assert time.monotonic() - began < 9
    assert (end.code, contents(folder)) == (ExitCode.INTERRUPTED, before)


@pytest.mark.parametrize(
    ("content", "words"), [(None, "can't be read"), (b"secretname\n", "line 1 can't be understood")]
)
async def test_without_a_whole_list_nothing_is_touched(
    intake: FailingIntake, lists: Lists, folder: Path, place: Path, *, content: bytes | None, words: str
) -> None:
    put(folder, document())
    before = contents(folder)
    lists.path.unlink()
    if content is not None:
        lists.path.write_bytes(content)
    end = await sweep(sweep_environ(folder, lists.environ, intake.environ(place)), place)
    assert (end.code, end.receipt.reason) == (ExitCode.BAD_REQUEST, Reason.SUPPRESSION_LIST)
    assert end.receipt.message.startswith(LIST_NAME)
    assert words in end.receipt.message
    assert "secretname" not in end.log
    assert (contents(folder), intake.swept, intake.tokens) == (before, [], [])


async def test_an_intake_that_is_away_ends_it_before_anything_is_touched(
    lists: Lists, folder: Path, place: Path
) -> None:
    put(folder, document(), document("other.example"))
    before = contents(folder)
    away = FailingIntake()
    away.url = "http://127.0.0.1:1"
    more = {**away.environ(place), "NOVAHUNT_STORAGE_PATIENCE_SECONDS": "0.5"}
    end = await sweep(sweep_environ(folder, lists.environ, more), place)
    assert (end.code, end.receipt.reason) == (ExitCode.STORAGE_FAILED, Reason.STORAGE)
    assert end.receipt.message == "the operator's intake could not be used for 0.5 s: check that the operator runs"
    assert contents(folder) == before


async def test_an_intake_that_is_busy_for_a_while_is_waited_for(
    intake: FailingIntake, lists: Lists, folder: Path, place: Path
) -> None:
    put(folder, document())
    intake.swept_statuses = [503, 500, 200]
    end = await sweep(sweep_environ(folder, lists.environ, intake.environ(place)), place)
    assert (end.code, end.receipt.changed, len(intake.swept)) == (ExitCode.DONE, 1, 1)


async def test_an_intake_that_refuses_this_pod_ends_it(
    intake: FailingIntake, lists: Lists, folder: Path, place: Path
) -> None:
    put(folder, document())
    before = contents(folder)
    intake.swept_statuses = [403]
    end = await sweep(sweep_environ(folder, lists.environ, intake.environ(place)), place)
    assert (end.code, end.receipt.reason, contents(folder)) == (ExitCode.INTERRUPTED, Reason.INTERRUPTED, before)


async def test_a_file_that_can_not_be_read_keeps_no_other_from_being_swept(
    lists: Lists, folder: Path, place: Path
) -> None:
    put(folder, document(), document("locked.example"), document("other.example"))
    (folder / "locked.example.json").chmod(0)
    end = await sweep(sweep_environ(folder, lists.environ), place, WITHOUT_OVERRIDE)
    assert (end.code, end.receipt.reason) == (ExitCode.STORAGE_FAILED, Reason.STORAGE)
    assert end.receipt.message.startswith("1 document could not be swept; the first: ")
    assert "permission is denied" in end.receipt.message
    assert (end.receipt.domains, end.receipt.changed, end.receipt.emails) == (2, 2, 2)


async def test_a_folder_that_can_not_be_written_ends_it_after_three_documents(
    lists: Lists, folder: Path, place: Path
) -> None:
    put(folder, *(document(f"n{number}.example") for number in range(9)))
    before = contents(folder)
    with read_only(folder):
        end = await sweep(sweep_environ(folder, lists.environ), place, WITHOUT_OVERRIDE)
    assert (end.code, end.receipt.domains, end.receipt.changed) == (ExitCode.STORAGE_FAILED, 3, 0)
    assert contents(folder) == before
