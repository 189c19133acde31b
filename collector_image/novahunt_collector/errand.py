"""Runs an errand, which serves a whole collection instead of one domain, and leaves its receipt however it ends."""

import abc
import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable, Mapping

from novahunt_collector import loops, receipts
from novahunt_collector.errors import CollectorError, StoppedError, reason_of
from novahunt_contract import environment, errands
from novahunt_contract.errands import ErrandReceipt, Task
from novahunt_contract.exitcodes import ExitCode
from novahunt_contract.outcomes import ENDINGS, Reason

_log = logging.getLogger(__name__)

HARD_STOP_SECONDS = 8.0
"""After a signal, for what does not heed it: a file server that hangs holds a thread for ever."""


class Errand(abc.ABC):
    """One errand, made from the environment of its process."""

    @abc.abstractmethod
    async def run(self) -> str:
        """Do all of it; return a sentence on what was done, without any address.

        A cancellation means that a signal asks to stop: end soon, and leave nothing half.

        Raises:
            CollectorError: it can't be finished.
        """

    @abc.abstractmethod
    def receipt(self, reason: Reason, message: str) -> ErrandReceipt:
        """Return how it ended, with the counts of what was done until now."""


Maker = Callable[[Mapping[str, str]], Errand]
"""Makes an errand of the environment, or raises a CollectorError."""


def main(task: Task, make: Maker, environ: Mapping[str, str]) -> ExitCode:
    """Run an errand; write its receipt; return the exit code.

    Args:
        task: Which errand it is.
        make: Makes it.
        environ: The environment.
    """
    job_id = environ.get(environment.JOB_ID, "")
    errand: Errand | None = None
    try:
        errand = make(environ)
        message = loops.run(_until_signal(errand, environ))
        reason = Reason.COLLECTED
        _log.info("%s: %s", task, message)
    except CollectorError as error:
        reason, message = reason_of(error), str(error)
        _log.error("%s failed: %s", task, message)
    except Exception as error:  # noqa: BLE001 - whatever it is, the receipt must say that it happened
        reason, message = reason_of(error), f"a defect of the collector ({type(error).__name__})"
        _log.exception("%s failed: a defect of the collector", task)
    receipt = errand.receipt(reason, message) if errand else ErrandReceipt(task, job_id, reason, message)
    written = receipts.write_bytes(errands.encode(receipt), environ)
    code = ENDINGS[reason].exit_code
    return ExitCode.STORAGE_FAILED if code is ExitCode.DONE and not written else code


async def _until_signal(errand: Errand, environ: Mapping[str, str]) -> str:
    """Run the errand until it is done or a signal cuts it short.

    Raises:
        CollectorError: the errand's own, or StoppedError after a signal.
    """
    task = asyncio.ensure_future(errand.run())
    timer = threading.Timer(HARD_STOP_SECONDS, _stop_hard, (errand, environ))
    timer.daemon = True

    def stop() -> None:
        if not timer.is_alive() and task.cancel():
            _log.info("a signal asks to stop")
            timer.start()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        return await task
    except asyncio.CancelledError:
        raise StoppedError("stopped by a signal before it was finished") from None
    finally:
        # It ended in time; what follows is the receipt.
        timer.cancel()
        if timer.is_alive():
            timer.join()


def _stop_hard(errand: Errand, environ: Mapping[str, str]) -> None:
    message = f"stopped by a signal; something did not end within {HARD_STOP_SECONDS:g} s"
    receipts.write_bytes(errands.encode(errand.receipt(Reason.INTERRUPTED, message)), environ)
    os._exit(ExitCode.INTERRUPTED)
