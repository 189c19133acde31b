"""The process: finds out what it is for, runs the domains in turn, and ends within ten seconds of a signal."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from novahunt_collector import arguments as command_line
from novahunt_collector import erasing, errand, estimating, logs, loops, receipts, sweeping, tracing
from novahunt_collector import settings as configuration
from novahunt_collector.assembly import open_tools
from novahunt_collector.counts import CountOutput
from novahunt_collector.display import Display, of_terminal
from novahunt_collector.domain_run import DomainRun
from novahunt_collector.errors import CollectorError, UsageError, exit_code_of, reason_of
from novahunt_collector.estimating import Estimating
from novahunt_collector.exit_codes import combined
from novahunt_collector.presenting import Presentation
from novahunt_collector.settings import Settings
from novahunt_collector.stopping import Stop
from novahunt_collector.sweeping import Sweeping
from novahunt_collector.tally import Tally
from novahunt_contract import domains, environment
from novahunt_contract.errands import Task
from novahunt_contract.exitcodes import ExitCode
from novahunt_contract.outcomes import ENDINGS, Reason
from novahunt_contract.receipt import Receipt

_log = logging.getLogger(__name__)

HARD_STOP_SECONDS = 8.0
"""After a signal, for what does not heed it: a file server that hangs holds a thread for ever."""

CONCERN_EVERY_DOMAIN = (
    Reason.KEY_REFUSED,
    Reason.QUOTA_EXHAUSTED,
    Reason.BAD_REQUEST,
    Reason.SUPPRESSION_LIST,
    Reason.THROTTLED,
    Reason.INTERRUPTED,
)
"""After these the next domain would end the same way. A used-up budget is none: what is stored costs nothing."""

ERRANDS: Mapping[Task, errand.Maker] = {
    Task.ESTIMATE: estimating.of_environment,
    Task.SWEEP: sweeping.of_environment,
    Task.ERASE: erasing.of_environment,
}
"""What a process can do beside collecting domains."""


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> ExitCode:
    """Run the collector; return its exit code.

    Args:
        arguments: The command line without the program's name.
        environ: The environment.
    """
    domain = ""
    try:
        logs.configure(_log_format(environ), _subject(arguments, environ))
        tracing.start(environ)
        task = _task(environ)
        if task is not Task.COLLECT:
            return errand.main(task, ERRANDS[task], environ)
        wanted = command_line.read(arguments, environ)
        if wanted.sweep:
            return errand.main(Task.SWEEP, lambda environ: _sweep(wanted, environ), environ)
        domain = wanted.domains[0]
        settings = wanted.options.applied(configuration.read(environ))
        display = _display(wanted, environ)
        _warn_of_waste(settings.hunter)
        if wanted.estimate:
            return errand.main(Task.ESTIMATE, lambda _: _estimate(wanted, settings, display), environ)
        return loops.run(_Process(settings, environ, display).run(wanted))
    except CollectorError as error:
        name = receipts.RunName(domain, _run_number(environ) or 1, environ.get(environment.JOB_ID, ""))
        _log_failure(name, error)
        receipts.write(receipts.of_failure(name, reason_of(error), str(error), Tally()), environ)
        return exit_code_of(error)
    finally:
        tracing.close()


class _Process:
    """The domains of one process, and its end."""

    def __init__(self, settings: Settings, environ: Mapping[str, str], display: Display) -> None:
        self._settings = settings
        self._environ = environ
        self._display = display
        self._stopping = Stop()
        self._showing = False
        """Something is written to standard output, whose reader may be slow."""
        self._in_hand: DomainRun | None = None
        """The run that a signal cuts short; None while there is none, or its receipt is written."""
        self._code = ExitCode.DONE

    async def run(self, wanted: command_line.Arguments) -> ExitCode:
        """Run the domains in turn; return 0, or the code that tells most of those that failed."""
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, task)
        shown = Presentation(wanted, self._display)
        prints = wanted.output is None
        async with open_tools(self._settings, self._display, stop=self._stopping, prints=prints) as tools:
            shown.open()
            try:
                for domain in wanted.domains:
                    logs.domain_in_hand.set(domain)
                    shown.begun(domain)
                    run = DomainRun(domain, tools, again=wanted.again)
                    receipt = await self._receipt_of(run)
                    self._code = combined(self._code, self._hand_in(receipt))
                    await run.finish(receipt)
                    could_show = await self._show(shown.ended(receipt, tools.storage))
                    # Nothing is answered from storage then, and saved pages would go for what can't be asked for.
                    is_spent = wanted.again and receipt.reason is Reason.BUDGET
                    if receipt.reason in CONCERN_EVERY_DOMAIN or is_spent or not could_show:
                        break
            finally:
                logs.domain_in_hand.set(None)
                await self._show(shown.close(stopped=self._stopping.asked))
        return self._code

    async def _show(self, showing: Awaitable[None]) -> bool:
        """Await something that a person gets to see; tell whether it could be shown."""
        self._showing = True
        try:
            await showing
        except CollectorError as error:
            _log.error("%s", error)
            self._code = combined(self._code, exit_code_of(error))
            return False
        finally:
            self._showing = False
        return True

    async def _receipt_of(self, run: DomainRun) -> Receipt:
        if self._stopping.asked:
            return run.failed(Reason.INTERRUPTED, "stopped by a signal before the domain was begun")
        self._in_hand = run
        try:
            with tracing.span("collect", domain=run.name.domain, run=run.name.run):
                receipt = await run.run()
                tracing.note(outcome=receipt.outcome, reason=receipt.reason)
                return receipt
        finally:
            self._in_hand = None

    def _hand_in(self, receipt: Receipt) -> ExitCode:
        written = receipts.write(receipt, self._environ)
        code = ENDINGS[receipt.reason].exit_code
        # Without a receipt the operator would know nothing of the document; the next try finds it at once.
        return ExitCode.STORAGE_FAILED if code is ExitCode.DONE and not written else code

    def _stop(self, task: asyncio.Task[ExitCode] | None) -> None:
        if self._stopping.asked:
            return
        self._stopping.asked = True
        _log.info("a signal asks to stop")
        self._display.stops()
        # What comes after a receipt takes seconds at most; cutting it short would spoil a good end.
        if task is not None and self._in_hand is not None:
            task.cancel()
        timer = threading.Timer(HARD_STOP_SECONDS, self._stop_hard)
        timer.daemon = True
        timer.start()

    def _stop_hard(self) -> None:
        # Whatever hangs, the terminal gets its cursor back.
        self._display.close()
        if self._in_hand is not None:
            logs.domain_in_hand.set(self._in_hand.name.domain)
            message = f"stopped by a signal; something did not end within {HARD_STOP_SECONDS:g} s"
            receipts.write(self._in_hand.failed(Reason.INTERRUPTED, message), self._environ)
            os._exit(ExitCode.INTERRUPTED)
        os._exit(combined(self._code, ExitCode.INTERRUPTED) if self._showing else self._code)


def _sweep(wanted: command_line.Arguments, environ: Mapping[str, str]) -> Sweeping:
    settings = wanted.options.applied(configuration.read(environ, needs_key=False))
    retain_from = None if wanted.older_than is None else datetime.now(UTC) - timedelta(days=wanted.older_than)
    return Sweeping(settings, retain_from, lambda: datetime.now(UTC))


def _warn_of_waste(hunter: configuration.Hunter) -> None:
    size = hunter.page_size
    if size % 10:
        _log.warning(
            "%s=%d is no multiple of 10: each page costs as much as one of %d",
            environment.HUNTER_PAGE_SIZE, size, size + 10 - size % 10,
        )  # fmt: skip
    if hunter.base_url.startswith("http:"):
        _log.warning("%s is no https:// URL: the key travels unencrypted", environment.HUNTER_BASE_URL)


def _display(wanted: command_line.Arguments, environ: Mapping[str, str]) -> Display:
    if wanted.quiet:
        logs.only_warnings()
        return Display()
    return of_terminal(sys.stderr, environ) if wanted.by_person else Display()


def _estimate(wanted: command_line.Arguments, settings: Settings, display: Display) -> Estimating:
    return Estimating(settings, wanted.domains, display=display, output=CountOutput(wanted.output, wanted.domains))


def _log_failure(name: receipts.RunName, error: CollectorError) -> None:
    if name.job_id:
        _log.error("%s Job %s failed for %s: %s", logs.WORKER, name.job_id, name.domain or "-", error)
        return
    # A person called it wrongly: a line for each thing that is wrong.
    for line in str(error).splitlines():
        _log.error("%s", line)


def _log_format(environ: Mapping[str, str]) -> str:
    """Return the format of log lines; on a terminal, unless told otherwise, short ones for people."""
    on_terminal = sys.stderr is not None and sys.stderr.isatty()
    return environ.get(environment.LOG_FORMAT) or (logs.SHORT if on_terminal else logs.TEXT)


def _subject(arguments: Sequence[str], environ: Mapping[str, str]) -> logs.Subject:
    """Return what the whole process is about, as far as that is known before anything is checked."""
    place = (environ.get(environment.COLLECTION_NAMESPACE), environ.get(environment.COLLECTION))
    domain = None
    with contextlib.suppress(domains.NotADomainError):
        # What is no domain may be somebody's address.
        domain = None if arguments else domains.normalise(environ.get(environment.DOMAIN, ""))
    return logs.Subject("/".join(filter(None, place)) or None, domain, _run_number(environ))


def _task(environ: Mapping[str, str]) -> Task:
    known = (Task.COLLECT, *ERRANDS)
    text = environ.get(environment.TASK) or Task.COLLECT
    if text not in known:
        raise UsageError(f"{environment.TASK} must be one of {', '.join(known)}: correct it, or unset it for collect")
    return Task(text)


def _run_number(environ: Mapping[str, str]) -> int | None:
    """Return the run for logs and for the receipt of a wrong call, where nothing may be raised about it."""
    text = environ.get(environment.RUN, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None  # noqa: PLR2004 - digits
