"""An errand's process: whatever ends it, a receipt says so, with the counts until then."""

import asyncio
import os
import signal
import threading
from pathlib import Path

import pytest

from novahunt_collector import errand, program
from novahunt_collector.errors import KeyRefusedError, UsageError
from novahunt_contract import environment as names
from novahunt_contract import errands
from novahunt_contract.errands import ErrandReceipt, Task
from novahunt_contract.exitcodes import ExitCode
from novahunt_contract.outcomes import Reason


class Counting(errand.Errand):
    """Does one thing, and then what it is told."""

    def __init__(self, end: BaseException | None = None, *, waits: bool = False) -> None:
        self.end = end
        self.waits = waits
        self.done = 0

    async def run(self) -> str:
        self.done += 1
        if self.waits:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()
        if self.end is not None:
            raise self.end
        return "all of it is done"

    def receipt(self, reason: Reason, message: str) -> ErrandReceipt:
        return ErrandReceipt(Task.SWEEP, "sweep-1", reason, message, domains=self.done)


def run(of: errand.Errand, place: Path) -> tuple[ExitCode, ErrandReceipt]:
    log = place / "receipt"
    code = errand.main(Task.SWEEP, lambda _: of, {names.TERMINATION_LOG: str(log)})
    return code, errands.decode(log.read_bytes())


def test_done_is_0_and_says_what_was_done(tmp_path: Path) -> None:
    code, receipt = run(Counting(), tmp_path)
    assert (code, receipt.reason, receipt.message, receipt.domains) == (0, Reason.COLLECTED, "all of it is done", 1)


def test_a_failure_has_its_reason_its_code_and_the_counts_until_then(tmp_path: Path) -> None:
    code, receipt = run(Counting(KeyRefusedError("not this key")), tmp_path)
    assert (code, receipt.reason, receipt.message, receipt.domains) == (11, Reason.KEY_REFUSED, "not this key", 1)


def test_a_defect_is_told_by_its_type_alone(tmp_path: Path) -> None:
    code, receipt = run(Counting(ValueError("jane@example.com")), tmp_path)
    assert (code, receipt.reason) == (ExitCode.INTERRUPTED, Reason.INTERRUPTED)
    assert "ValueError" in receipt.message
    assert "jane" not in receipt.message


def test_a_signal_ends_it_with_what_was_done(tmp_path: Path) -> None:
    code, receipt = run(Counting(waits=True), tmp_path)
    assert (code, receipt.reason, receipt.domains) == (ExitCode.INTERRUPTED, Reason.INTERRUPTED, 1)
    # What would end the process hard after eight seconds is called off.
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]


def test_an_errand_that_can_not_be_made_leaves_a_receipt_as_well(tmp_path: Path) -> None:
    def refuse(_: object) -> errand.Errand:
        raise UsageError("NOVAHUNT_DOMAINS holds nothing")

    log = tmp_path / "receipt"
    environ = {names.TERMINATION_LOG: str(log), names.JOB_ID: "estimate-1"}
    assert errand.main(Task.ESTIMATE, refuse, environ) is ExitCode.USAGE
    receipt = errands.decode(log.read_bytes())
    assert (receipt.job_id, receipt.reason) == ("estimate-1", Reason.USAGE)


def test_done_without_a_receipt_is_a_failed_storage(tmp_path: Path) -> None:
    environ = {names.TERMINATION_LOG: str(tmp_path / "nowhere" / "receipt")}
    assert errand.main(Task.SWEEP, lambda _: Counting(), environ) is ExitCode.STORAGE_FAILED


def test_a_task_that_is_none_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main([], {names.TASK: "dance"}) is ExitCode.USAGE
    assert "NOVAHUNT_TASK must be one of collect" in capsys.readouterr().err
