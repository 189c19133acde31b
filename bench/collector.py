"""Measures the collector over 5,000 addresses in 50 pages, beside a bare Python and a bare client in the same run.

Its environment is the image's: only `requirements/collector.txt`, and compiled code. `BENCH_RUNS` says how often (5).
"""

import asyncio
import os
import platform
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from hunter_simulator import DEFAULT_KEY, Config, Domain, Settings, Simulator, running_simulator
from novahunt_contract import document as documents
from novahunt_contract import environment as names
from tools import shell
from tools.shell import ROOT

ADDRESSES = 5000
PAGES = 50
DOMAIN = "large.example"

MEMORY_BOUND = 80.0
"""MiB."""
CPU_BOUND = 2.0
"""Seconds, for the whole run."""
START_BOUND = 0.7
"""Seconds of processor time from the process's start to its first request."""


class Used(msgspec.Struct, frozen=True):
    """What one process used."""

    cpu: float
    """Seconds of processor time."""
    seconds: float
    peak_kib: int
    code: int

    @property
    def mib(self) -> float:
        """Peak memory."""
        return self.peak_kib / 1024


class Round(msgspec.Struct, frozen=True):
    """One measurement of everything."""

    python: Used
    client: Used
    start: Used
    collector: Used


class Row(msgspec.Struct, frozen=True):
    """One line of the table."""

    name: str
    of: Callable[[Round], float]
    unit: str = ""
    bound: float | None = None


ROWS = (
    Row("collector, peak memory", lambda one: one.collector.mib, "MiB", MEMORY_BOUND),
    Row("… of a bare Python's", lambda one: one.collector.mib / one.python.mib, "×"),
    Row("… of a bare client's", lambda one: one.collector.mib / one.client.mib, "×"),
    Row("collector, processor time", lambda one: one.collector.cpu, "s", CPU_BOUND),
    Row("… of a bare Python's", lambda one: one.collector.cpu / one.python.cpu, "×"),
    Row("… of a bare client's", lambda one: one.collector.cpu / one.client.cpu, "×"),
    Row("collector, from start to end", lambda one: one.collector.seconds, "s"),
    Row("start to first request, processor time", lambda one: one.start.cpu, "s", START_BOUND),
    Row("… of a bare Python's", lambda one: one.start.cpu / one.python.cpu, "×"),
    Row("bare Python, processor time", lambda one: one.python.cpu, "s"),
    Row("bare Python, peak memory", lambda one: one.python.mib, "MiB"),
    Row("bare client, processor time", lambda one: one.client.cpu, "s"),
    Row("bare client, peak memory", lambda one: one.client.mib, "MiB"),
)


class Bench:
    """The programs that are measured, with all that they need."""

    def __init__(self, scratch: Path, simulator: Simulator) -> None:
        """Lay the collector out as its image does."""
        self._scratch = scratch
        self._simulator = simulator
        self._python = Path(shell.ask(["scripts/venv", "--lock", "collector"], seconds=600).strip()) / "bin/python"
        self._code = scratch / "code"
        for package in ("common/novahunt_contract", "collector_image/novahunt_collector"):
            target = self._code / Path(package).name
            shutil.copytree(ROOT / package, target, ignore=shutil.ignore_patterns("__pycache__"))
            shell.ask([self._python, "-m", "compileall", "-q", target])

    async def round(self, number: int) -> Round:
        """Measure each program once."""
        folder = self._scratch / f"collections-{number}"
        collecting: tuple[str | Path, ...] = (self._python, "-m", "novahunt_collector", DOMAIN)
        result = Round(
            python=await self._run([self._python, "-c", "pass"]),
            client=await self._run([self._python, ROOT / "bench/bare_client.py", DOMAIN, str(PAGES)]),
            start=await self._run(["--until-request", *collecting], {names.STORAGE: str(folder)}),
            collector=await self._run(collecting, {names.STORAGE: str(folder)}),
        )
        if any(used.code for used in (result.python, result.client, result.collector)):
            raise SystemExit(f"bench: a program failed: {result}")
        document = documents.decode((folder / documents.file_name(DOMAIN)).read_bytes())
        if document.total != ADDRESSES:
            raise SystemExit(f"bench: {document.total} addresses were stored, not {ADDRESSES}")
        return result

    async def _run(self, arguments: Sequence[str | Path], more: Mapping[str, str] | None = None) -> Used:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(self._code),
            "PYTHONDONTWRITEBYTECODE": "1",
            names.HUNTER_API_KEY: DEFAULT_KEY,
            names.HUNTER_BASE_URL: self._simulator.base_url,
            names.HUNTER_REQUESTS_PER_SECOND: "10000",
            names.HUNTER_REQUESTS_PER_MINUTE: "100000",
            **(more or {}),
        }
        process = await asyncio.create_subprocess_exec(
            self._python,
            ROOT / "bench/measured.py",
            *arguments,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        output, _ = await process.communicate()
        return msgspec.json.decode(output, type=Used)


async def main() -> int:
    """Print the table; return 1 if a median is above its bound."""
    runs = int(os.environ.get("BENCH_RUNS") or 5)
    unhurried = Settings(per_second=100_000, per_minute=1_000_000)
    config = Config(settings=unhurried, domains={DOMAIN: Domain(size=ADDRESSES)})
    with tempfile.TemporaryDirectory() as scratch:
        async with running_simulator(config) as simulator:
            bench = Bench(Path(scratch), simulator)
            # The first one fills caches: the simulator's people, the disk's.
            await bench.round(0)
            rounds = [await bench.round(number) for number in range(1, runs + 1)]
    sys.stdout.write("\n".join(_table(rounds)) + "\n")
    return 1 if _above(rounds) else 0


def _table(rounds: Sequence[Round]) -> list[str]:
    python, processors = platform.python_version(), os.cpu_count()
    lines = [
        f"{ADDRESSES:,} addresses in {PAGES} pages, {len(rounds)} runs, Python {python}, {processors} processors",
        "",
        "| measured | min | median | max | bound |",
        "|---|--:|--:|--:|--:|",
    ]
    for row in ROWS:
        values = sorted(row.of(one) for one in rounds)
        figures = (values[0], statistics.median(values), values[-1])
        bound = "" if row.bound is None else f"{row.bound:g} {row.unit}"
        lines.append(f"| {row.name} | {' | '.join(f'{figure:.2f} {row.unit}' for figure in figures)} | {bound} |")
    return lines


def _above(rounds: Sequence[Round]) -> list[str]:
    return [
        row.name
        for row in ROWS
        if row.bound is not None and statistics.median(row.of(one) for one in rounds) > row.bound
    ]


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
