"""The errand of a sweep: holds all that is stored for a collection to the lists and the retention of now."""

import logging
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from novahunt_collector import intake_link, logs
from novahunt_collector import settings as configuration
from novahunt_collector.attempts import Attempts
from novahunt_collector.display import counted
from novahunt_collector.errand import Errand
from novahunt_collector.intake_link import IntakeLink
from novahunt_collector.settings import Settings
from novahunt_collector.storage.folder_holding import FolderHolding
from novahunt_collector.storage.holding import Holding
from novahunt_collector.storage.intake_calls import IntakeCalls
from novahunt_collector.storage.intake_holding import IntakeHolding, tell
from novahunt_collector.storage.interface import Kept
from novahunt_collector.storage.unfinished import Unfinished
from novahunt_collector.suppression_files import SuppressionFiles
from novahunt_collector.sweep_rules import Remove, Rules, left_of_document
from novahunt_contract import domains, times
from novahunt_contract import environment as names
from novahunt_contract.errands import ErrandReceipt, Task
from novahunt_contract.intake import Swept
from novahunt_contract.outcomes import Reason

_log = logging.getLogger(__name__)


class Sweeping(Errand):
    """Goes through what is stored, one document at a time. It may be killed anywhere: the next sweep does the rest."""

    def __init__(self, settings: Settings, retain_from: datetime | None, now: Callable[[], datetime]) -> None:
        """Take what holds for this sweep.

        Args:
            settings: The process's.
            retain_from: What was collected before is removed; None: nothing is too old.
            now: Tells UTC.
        """
        self._settings = settings
        self._retain_from = retain_from
        self._now = now
        self._suppression = ""
        self._read = 0
        self._changed = 0
        self._removed = 0
        self._emails = 0
        self._foreign = 0
        """What is named like a document, and is none of ours or can't be read."""
        self._busy = 0
        self._attempts = Attempts()

    async def run(self) -> str:
        """Sweep the folder, if there is one, and what lies at the intake, if there is one."""
        settings = self._settings
        lists = await SuppressionFiles(settings.suppression, settings.storage_patience).read()
        self._suppression = lists.digest
        rules = Rules(lists, self._retain_from)
        async with _holdings(settings) as holdings:
            for holding in holdings:
                for domain in await holding.domains():
                    await self._attempts.attempt(self._sweep(holding, domain, rules))
        if settings.folder is not None:
            await self._sweep_unfinished(Unfinished(settings.folder, settings.storage_patience), rules)
        self._warn()
        self._attempts.raise_failures("swept")
        return self._summary()

    def receipt(self, reason: Reason, message: str) -> ErrandReceipt:
        """Return what was done until now."""
        return ErrandReceipt(
            task=Task.SWEEP,
            job_id=self._settings.job_id or "",
            reason=reason,
            message=message,
            domains=self._read,
            emails=self._emails,
            changed=self._changed,
            removed=self._removed,
            suppression=self._suppression,
        )

    async def _sweep(self, holding: Holding, domain: str, rules: Rules) -> None:
        # A file of another name is none of ours, and its name may be anything, a person's address as well.
        if not _is_domain(domain):
            self._foreign += 1
            return
        with logs.about(domain):
            await self._sweep_document(holding, domain, rules)

    async def _sweep_document(self, holding: Holding, domain: str, rules: Rules) -> None:
        before = await holding.load(domain)
        if before is None:
            self._foreign += 1
            return
        self._read += 1
        left = left_of_document(before.document, rules, times.to_text(self._now()))
        if left is before.document:
            return
        total = 0 if isinstance(left, Remove) else left.total
        if isinstance(left, Remove):
            done = await holding.remove(before, expired=left.expired)
            self._removed += done
        else:
            done = await holding.replace(before, left)
            self._changed += done
        self._count(before, total, done=done)

    def _count(self, before: Kept, total: int, *, done: bool) -> None:
        domain = before.document.domain
        if not done:
            self._busy += 1
            _log.info("the document of %s is left alone: another run has it in hand", domain)
            return
        gone = before.document.total - total
        self._emails += gone
        _log.info("%s: %s removed, %d left", domain, counted(gone, "address", "es"), total)

    async def _sweep_unfinished(self, unfinished: Unfinished, rules: Rules) -> None:
        swept = 0

        async def sweep(name: str) -> None:
            nonlocal swept
            swept += await unfinished.sweep(name, rules)

        for name in await unfinished.checkpoints():
            await self._attempts.attempt(sweep(name))
        cleared = await unfinished.clear()
        if swept or cleared:
            _log.info(
                "of unfinished runs: saved pages swept in %s, %s removed",
                counted(swept, "file"), counted(cleared, "temporary file"),
            )  # fmt: skip

    def _warn(self) -> None:
        if self._foreign:
            what = counted(self._foreign, "file")
            _log.warning("%s named like a document can't be read as one, and stays as it is", what)

    def _summary(self) -> str:
        left_alone = f"; {self._busy} left alone for runs that have them in hand" if self._busy else ""
        return (
            f"{counted(self._read, 'document')} read, {self._changed} changed and {self._removed} removed: "
            f"{counted(self._emails, 'address', 'es')} less{left_alone}"
        )


def of_environment(environ: Mapping[str, str]) -> Sweeping:
    """Return the sweep that the operator asks for.

    Raises:
        UsageError: a setting can't be used.
    """
    settings = configuration.read(environ, needs_key=False)
    return Sweeping(settings, configuration.moment(environ, names.RETAIN_FROM), lambda: datetime.now(UTC))


@asynccontextmanager
async def _holdings(settings: Settings) -> AsyncIterator[Sequence[Holding]]:
    """Return where documents may lie: a collection that has changed its storage has some in either place."""
    if settings.intake is None:
        yield [*_folder(settings, _nobody_to_tell)]
        return
    uniform = random.SystemRandom().uniform
    async with intake_link.open_http(settings.intake) as http:
        link = IntakeLink(http, settings.intake, lambda: uniform(0.5, 1.5) * settings.backoff.base)
        calls = IntakeCalls(link, settings.backoff, settings.storage_patience, uniform)

        async def report(swept: Swept) -> bool:
            return await tell(calls, swept)

        yield [*_folder(settings, report), IntakeHolding(calls)]


def _folder(settings: Settings, report: Callable[[Swept], Coroutine[object, object, bool]]) -> list[Holding]:
    if settings.folder is None:
        return []
    return [FolderHolding(settings.folder, settings.storage_patience, report)]


def _is_domain(name: str) -> bool:
    try:
        return domains.normalise(name) == name
    except domains.NotADomainError:
        return False


async def _nobody_to_tell(_swept: Swept) -> bool:
    return True
