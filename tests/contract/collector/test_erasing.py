"""Erasing: what a deleted collection has stored in a folder goes, and nothing else."""

import asyncio
import errno
from pathlib import Path

import msgspec
import pytest

from contract.collector.resuming import interrupted
from contract.collector.running import DOMAIN
from contract.collector.sweeps import contents, document, put, sweep, sweep_environ, sweeping
from hunter_simulator import Simulator
from novahunt_collector.erasing import Erasing
from novahunt_contract import environment as names
from novahunt_contract.document import Document
from novahunt_contract.errands import ErrandReceipt, Task
from novahunt_contract.exitcodes import ExitCode
from novahunt_contract.outcomes import Reason


def erase_environ(folder: Path | str) -> dict[str, str]:
    """Return the environment of an erasure: it knows no key, no list and no intake."""
    return sweep_environ(folder, {names.TASK: "erase", names.JOB_ID: "erase-q4-1"})


def there(folder: Path) -> bool:
    return folder.exists()


def of_another(domain: str) -> Document:
    return msgspec.structs.replace(document(domain), collection="q3")


async def test_all_documents_of_the_collection_go_and_the_folder_with_them(folder: Path, place: Path) -> None:
    put(folder, document(), document("third.example", "a@third.example"))
    end = await sweep(erase_environ(folder), place)
    assert (end.code, there(folder)) == (ExitCode.DONE, False)
    message = "2 documents removed, 0 files of unfinished runs too; the folder is gone"
    assert end.receipt == ErrandReceipt(
        Task.ERASE, "erase-q4-1", Reason.COLLECTED, message, domains=2, emails=4, removed=2
    )
    assert not any(address in end.log for address in ("jane", "a@third"))


async def test_what_others_have_stored_there_stays(folder: Path, place: Path) -> None:
    standalone = msgspec.structs.replace(document("alone.example"), collection=None)
    put(folder, document(), of_another("other.example"), standalone)
    (folder / "notes.txt").write_text("ours")
    (folder / "broken.example.json").write_text("{")
    before = contents(folder)
    end = await sweep(erase_environ(folder), place)
    del before["example.com.json"]
    assert (end.code, contents(folder)) == (ExitCode.DONE, before)
    assert "3 documents of others left" in end.receipt.message


async def test_what_unfinished_runs_left_goes_as_well(simulator: Simulator, folder: Path, place: Path) -> None:
    simulator.set_domain(DOMAIN, 230)
    await interrupted(simulator, folder, 1)
    (folder / f".novahunt-{'0' * 16}-{'1' * 16}.tmp").write_bytes(b"half")
    assert len(contents(folder)) == 2
    end = await sweep(erase_environ(folder), place)
    assert (end.code, there(folder)) == (ExitCode.DONE, False)
    assert "2 files of unfinished runs" in end.receipt.message


async def test_a_folder_that_is_not_there_is_erased(folder: Path, place: Path) -> None:
    end = await sweep(erase_environ(folder), place)
    assert (end.code, end.receipt.reason) == (ExitCode.DONE, Reason.COLLECTED)


async def test_one_that_was_killed_is_finished_by_the_next(folder: Path, place: Path) -> None:
    put(folder, *(document(f"d{number}.example") for number in range(600)))
    environ = erase_environ(folder)
    async with sweeping(environ, place) as process:
        async with asyncio.timeout(20):
            while len(contents(folder)) == 600:  # noqa: ASYNC110 - the process rings no bell
                await asyncio.sleep(0.001)
        process.kill()
        await process.wait()
    assert 0 < len(contents(folder)) < 600
    end = await sweep(environ, place)
    assert (end.code, there(folder)) == (ExitCode.DONE, False)


@pytest.mark.parametrize("missing", [names.COLLECTION, names.STORAGE])
async def test_without_a_collection_or_a_folder_nothing_is_erased(folder: Path, place: Path, missing: str) -> None:
    put(folder, document())
    environ = {name: value for name, value in erase_environ(folder).items() if name != missing}
    end = await sweep(environ | ({names.STORAGE: "intake"} if missing == names.STORAGE else {}), place)
    assert (end.code, end.receipt.reason) == (ExitCode.USAGE, Reason.USAGE)
    assert len(contents(folder)) == 1


async def test_an_empty_folder_that_may_not_be_removed_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, document())

    def refuse(self: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "rmdir", refuse)
    message = await Erasing("q4", folder, 10.0, "erase-q4-1").run()
    assert message == "1 document removed, 0 files of unfinished runs too"
    assert contents(folder) == {}
