"""A default folder that can't be written: its documents and pages still count, and still go where they may not stay."""

import errno
import json
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import msgspec
import pytest

from contract.collector.running import DOMAIN, collect_with, environ, run_process, stored
from hunter_simulator import AnswerStatus, Fault, Simulator
from novahunt_collector import settings
from novahunt_collector.assembly import open_tools
from novahunt_collector.domain_run import DomainRun, Tools
from novahunt_collector.storage import files, folder
from novahunt_collector.storage.checkpoints import checkpoint_path
from novahunt_contract import document as documents
from novahunt_contract import environment as names
from novahunt_contract.exitcodes import ExitCode
from novahunt_contract.outcomes import Outcome, Reason


def no_space(_path: Path) -> None:
    raise OSError(errno.ENOSPC, "no space")


def read_only(_path: Path) -> bool:
    raise OSError(errno.EROFS, "read-only")


class Alone:
    """A person's runs in one working directory, whose default folder is full from some time on."""

    def __init__(self, simulator: Simulator, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = place / "data" / "collections"
        self._patch = monkeypatch
        self._environment = environ(simulator, place)
        del self._environment[names.STORAGE]
        monkeypatch.chdir(place)

    def fill(self) -> None:
        self._patch.setattr(files, "probe", no_space)

    def lock(self) -> None:
        self._patch.setattr(folder, "_unlinked", read_only)

    def tools(self, lists: str = "[]", max_credits: int | None = None) -> AbstractAsyncContextManager[Tools]:
        read = settings.read(self._environment | {names.SUPPRESSION: lists})
        return open_tools(msgspec.structs.replace(read, max_credits=max_credits))

    async def run(self, *, again: bool = False) -> tuple[Outcome, Reason, str]:
        ended = await collect_with(self._environment, self.folder, again=again)
        return ended.receipt.outcome, ended.receipt.reason, ended.receipt.message


@pytest.fixture
def alone(simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Alone:
    return Alone(simulator, tmp_path, monkeypatch)


async def test_where_the_default_folder_can_not_be_written_the_document_goes_to_standard_output(
    simulator: Simulator, place: Path
) -> None:
    environment = environ(simulator, place)
    del environment[names.STORAGE]
    (place / "data").write_text("a file in the way")
    process = await run_process([DOMAIN], environment, place)
    assert process.code == ExitCode.DONE
    assert "going on in memory" in process.log
    assert documents.decode(process.output).total == 25


@pytest.mark.parametrize("output", [(), ("--output", "jsonl")], ids=["document", "lines"])
async def test_in_memory_a_used_up_budget_prints_what_was_paid_for(
    simulator: Simulator, place: Path, output: tuple[str, ...]
) -> None:
    simulator.set_domain(DOMAIN, 500)
    environment = environ(simulator, place)
    del environment[names.STORAGE]
    (place / "data").write_text("a file in the way")
    process = await run_process([*output, "--max-credits", "30", DOMAIN, "other.example"], environment, place)
    assert process.code == ExitCode.BUDGET_REFUSED
    assert simulator.report().credits == 30
    assert "what came until then is in memory and standard output" in process.log
    assert "Successfully completed" not in process.log
    if output:
        assert len(process.output.splitlines()) == 300
    else:
        document = documents.decode(process.output)
        assert (document.total, document.truncated) == (300, Reason.BUDGET)


async def test_a_stored_document_answers_and_is_not_paid_for_again(simulator: Simulator, alone: Alone) -> None:
    await alone.run()
    alone.fill()
    outcome, _, message = await alone.run()
    assert outcome is Outcome.COLLECTED
    assert message.startswith("answered from storage")
    assert simulator.report().requests == 1


async def test_saved_pages_are_gone_on_with_and_stay_for_a_run_that_can_store(
    simulator: Simulator, alone: Alone
) -> None:
    simulator.set_domain(DOMAIN, 250)
    simulator.add_fault(Fault(action=AnswerStatus(status=401), offset=200))
    await alone.run()
    assert simulator.report().credits == 20
    alone.fill()
    assert (await alone.run())[0] is Outcome.COLLECTED
    assert simulator.report().credits == 25
    assert simulator.report().repeats_free == 0
    assert checkpoint_path(alone.folder, DOMAIN).exists()


async def test_pages_that_the_folder_keeps_are_not_printed_where_nothing_could_be_asked(
    simulator: Simulator, alone: Alone
) -> None:
    simulator.set_domain(DOMAIN, 250)
    simulator.add_fault(Fault(action=AnswerStatus(status=401), offset=200))
    await alone.run()
    alone.fill()
    async with alone.tools(max_credits=0) as tools:
        receipt = await DomainRun(DOMAIN, tools, again=False).run()
        assert await tools.storage.load(DOMAIN) is None
    assert receipt.reason is Reason.BUDGET


async def test_what_a_domain_on_the_list_left_is_removed(alone: Alone, tmp_path: Path) -> None:
    await alone.run()
    alone.fill()
    (tmp_path / "list").write_text(DOMAIN)
    lists = json.dumps([{"name": "list", "path": str(tmp_path / "list")}])
    # The folder is known to be full from a domain before.
    async with alone.tools(lists) as tools:
        await tools.storage.prepare("other.example")
        receipt = await DomainRun(DOMAIN, tools, again=False).run()
    assert receipt.reason is Reason.SUPPRESSED
    assert list(alone.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (AnswerStatus(status=451), Reason.CLAIMED),
        (AnswerStatus(status=400, error_id="invalid_domain"), Reason.DOMAIN_REFUSED),
    ],
)
async def test_what_a_refused_domain_left_is_removed(
    simulator: Simulator, alone: Alone, fault: AnswerStatus, reason: Reason
) -> None:
    await alone.run()
    alone.fill()
    simulator.add_fault(Fault(action=fault, times=None))
    _, ended_with, message = await alone.run(again=True)
    assert ended_with is reason
    assert "what was stored for it is removed" in message
    assert stored(alone.folder) is None


async def test_what_must_go_and_can_not_is_a_failure(simulator: Simulator, alone: Alone) -> None:
    await alone.run()
    alone.fill()
    alone.lock()
    simulator.add_fault(Fault(action=AnswerStatus(status=451), times=None))
    _, reason, message = await alone.run(again=True)
    assert reason is Reason.STORAGE
    assert "mounted read-only" in message
