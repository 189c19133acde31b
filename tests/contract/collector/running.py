"""Runs the collector against a simulator: in this process where speed matters, as a real process where that does."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

import novahunt_collector
import novahunt_contract
from hunter_simulator import DEFAULT_KEY, Simulator
from novahunt_collector import logs, settings
from novahunt_collector.assembly import open_tools
from novahunt_collector.domain_run import DomainRun
from novahunt_contract import document as documents
from novahunt_contract import environment as names
from novahunt_contract import errands
from novahunt_contract import receipt as receipts
from novahunt_contract.document import Document
from novahunt_contract.errands import ErrandReceipt
from novahunt_contract.receipt import Receipt

DOMAIN = "example.com"


class Ended(msgspec.Struct, frozen=True):
    """How a run ended, and what lies in its folder now."""

    receipt: Receipt
    document: Document | None


class Process(msgspec.Struct, frozen=True):
    """How a process ended."""

    code: int
    output: bytes
    log: str
    receipt: Receipt | None
    errand: ErrandReceipt | None = None
    """In place of a receipt, where it was no domain's run."""


def environ(simulator: Simulator, folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of a collector that does not dawdle."""
    return {
        names.HUNTER_API_KEY: DEFAULT_KEY,
        names.HUNTER_BASE_URL: simulator.base_url,
        names.STORAGE: str(folder),
        names.HUNTER_REQUESTS_PER_SECOND: "10000",
        names.HUNTER_REQUESTS_PER_MINUTE: "100000",
        settings.BACKOFF_BASE_SECONDS: "0.001",
        settings.BACKOFF_CAP_SECONDS: "0.01",
        settings.PATIENCE_SECONDS: "20",
        settings.MAX_FAILURES: "4",
        **more,
    }


async def collect(
    simulator: Simulator,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    *,
    domain: str = DOMAIN,
    again: bool = False,
    **more: str,
) -> Ended:
    """Run one domain in this process; `environment` and `more` are added to that of `environ`."""
    whole = environ(simulator, folder) | dict(environment or {}) | more
    return await collect_with(whole, folder, domain=domain, again=again)


async def collect_with(
    environment: Mapping[str, str], folder: Path, *, domain: str = DOMAIN, again: bool = False
) -> Ended:
    """Run one domain in this process, with just this environment."""
    logs.quieten()
    async with open_tools(settings.read(environment)) as tools:
        run = DomainRun(domain, tools, again=again)
        receipt = await run.run()
        await run.finish(receipt)
    return Ended(receipt, stored(folder, domain))


def stored(folder: Path, domain: str = DOMAIN) -> Document | None:
    """Return what lies in a folder for a domain."""
    path = folder / documents.file_name(domain)
    return documents.decode(path.read_bytes()) if path.is_file() else None


def command(arguments: Sequence[str]) -> tuple[str, ...]:
    """Return the command line of a real process."""
    return (sys.executable, "-m", "novahunt_collector", *arguments)


def process_environment(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return all that a real process sees of an environment; its receipt goes into the folder."""
    roots = [str(Path(str(module.__file__)).parents[1]) for module in (novahunt_collector, novahunt_contract)]
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": ":".join(roots),
        names.TERMINATION_LOG: str(folder / "receipt"),
        **environment,
    }


@asynccontextmanager
async def started(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path, *, prefix: Sequence[str] = ()
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start the collector as a real process in a folder; it is killed if it outlives the block."""
    process = await asyncio.create_subprocess_exec(
        *prefix,
        *command(arguments),
        cwd=folder,
        env=process_environment(environment, folder),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def asked(simulator: Simulator) -> list[str]:
    """Return the domains of all requests in order."""
    return [request.domain or "" for request in simulator.report().log]


async def ended(process: asyncio.subprocess.Process, folder: Path, stdin: bytes = b"") -> Process:
    """Give a process its standard input, wait for its end and read what it left."""
    output, log = await process.communicate(stdin)
    file = folder / "receipt"
    receipt = file.read_bytes() if file.exists() else b""
    of_errand = receipt.startswith(b'{"task":')
    return Process(
        code=process.returncode if process.returncode is not None else -1,
        output=output,
        log=log.decode(),
        receipt=receipts.decode(receipt) if receipt and not of_errand else None,
        errand=errands.decode(receipt) if of_errand else None,
    )


async def run_process(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    *,
    prefix: Sequence[str] = (),
    stdin: bytes = b"",
) -> Process:
    """Run the collector as a real process to its end."""
    async with started(arguments, environment, folder, prefix=prefix) as process:
        return await ended(process, folder, stdin)


async def opened_when_read(pipe: Path) -> int:
    """Open a pipe for writing as soon as somebody reads from it."""
    async with asyncio.timeout(20):
        while True:
            try:
                return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                await asyncio.sleep(0.01)
