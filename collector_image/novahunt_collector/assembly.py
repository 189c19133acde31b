"""Puts the parts of a process together: clients, pace, storage."""

import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

from novahunt_collector import hunter, intake_link
from novahunt_collector import settings as configuration
from novahunt_collector.display import Display
from novahunt_collector.domain_run import Tools
from novahunt_collector.intake_link import IntakeLink
from novahunt_collector.intake_pace import IntakePace
from novahunt_collector.output import Frame, Output
from novahunt_collector.pace import Pace, SelfPace
from novahunt_collector.permits import Permits
from novahunt_collector.settings import Settings
from novahunt_collector.stopping import Stop
from novahunt_collector.storage.at_intake import IntakeStorage
from novahunt_collector.storage.folder import FolderStorage
from novahunt_collector.storage.intake_calls import IntakeCalls
from novahunt_collector.storage.interface import Storage
from novahunt_collector.storage.memory import FolderOrMemoryStorage, MemoryStorage
from novahunt_collector.suppression_files import SuppressionFiles
from novahunt_collector.watching import WatchedPace
from novahunt_collector.windows import Windows
from novahunt_contract import keys


@asynccontextmanager
async def open_tools(
    settings: Settings, display: Display | None = None, *, stop: Stop | None = None, prints: bool = True
) -> AsyncIterator[Tools]:
    """Put the parts together, and close their connections at the end.

    Args:
        settings: The process's.
        display: Of the person's terminal, if there is one.
        stop: What a signal sets; None: no signal is heeded.
        prints: Documents that can only be kept in memory are printed; false: whoever calls sees to that.

    Raises:
        UsageError: the environment names a proxy or certificates that can't be used.
    """
    display = display or Display()
    uniform = random.SystemRandom().uniform
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(hunter.open_http(settings.hunter))
        link: IntakeLink | None = None
        if settings.intake is not None:
            intake_http = await stack.enter_async_context(intake_link.open_http(settings.intake))
            link = IntakeLink(intake_http, settings.intake, lambda: uniform(0.5, 1.5) * settings.backoff.base)
        yield Tools(
            settings=settings,
            hunter=hunter.HunterClient(http, settings.hunter, settings.search, _now),
            pace=WatchedPace(_pace(settings, link), display),
            storage=_storage(settings, link, MemoryStorage(_printer(display) if prints else None)),
            now=_now,
            uniform=uniform,
            stop=stop or Stop(),
            suppression=SuppressionFiles(settings.suppression, settings.storage_patience),
        )


def _printer(display: Display) -> Callable[[bytes], object]:
    output = Output(Frame())

    def print_document(data: bytes) -> None:
        with display.aside():
            output.add([data])

    return print_document


def _pace(settings: Settings, link: IntakeLink | None) -> Pace:
    windows = Windows(settings.pace)
    if link is None:
        return SelfPace(windows, time.monotonic, settings.max_credits)
    return IntakePace(
        link,
        Permits(keys.fingerprint(settings.hunter.api_key)),
        windows,
        clock=time.monotonic,
        uniform=random.SystemRandom().uniform,
        pause=settings.backoff.base,
        budget=settings.intake is not None and settings.intake.budget,
    )


def _storage(settings: Settings, link: IntakeLink | None, memory: MemoryStorage) -> Storage:
    if settings.folder is None and link is not None:
        uniform = random.SystemRandom().uniform
        return IntakeStorage(IntakeCalls(link, settings.backoff, settings.storage_patience, uniform))
    folder = FolderStorage(settings.folder or configuration.DEFAULT_FOLDER, settings.storage_patience)
    # Where the folder was chosen, somebody expects the document there: then a failure is a failure.
    return folder if settings.folder_was_chosen else FolderOrMemoryStorage(folder, memory)


def _now() -> datetime:
    return datetime.now(UTC)
