"""The figures of `make bench-scale`, their bounds, and the tables that show them."""

from collections import Counter
from collections.abc import Callable, Sequence
from statistics import median, quantiles

import msgspec

from bench.lags import Lags
from bench.processes import Usage

STATUS_KIB, MEMORY_MIB, SHARE, FIRST_SECONDS = 64, 150, 95, 5
CPU_MS_ON_VOLUME, CPU_MS_IN_CONFIG_MAPS = 15, 20
"""With ConfigMaps the operator itself takes and stores each document, and its start is shared by fewer domains."""
WRITES_ON_VOLUME, WRITES_IN_CONFIG_MAPS = 3.2, 5.2
PLAN_MS, START_SECONDS, START_MIB = 50, 20, 250


class Run(msgspec.Struct, frozen=True):
    """One collection, carried out by one operator process."""

    name: str
    domains: int
    lags: Lags
    used: Usage
    writes: Counter[str]
    """The operator's, by verb and kind."""
    status_bytes: int
    object_bytes: int
    edit_seconds: float
    bare_rate: float | None = None
    """Jobs a second of the bare loop, before and after."""
    most_writes: float = WRITES_ON_VOLUME
    most_cpu_ms: float = CPU_MS_ON_VOLUME

    @property
    def rate(self) -> float:
        """Domains a second, from the collection's making to its last result."""
        return self.domains / self.lags.all_results


class Start(msgspec.Struct, frozen=True):
    """A start with many results that earlier operators have recorded."""

    results: int
    seconds: float
    """From the process's start until each collection's status counts its results."""
    used: Usage


class Scale(msgspec.Struct, frozen=True):
    """All that one measurement found."""

    runs: tuple[Run, ...]
    start: Start
    plan_ms: float
    plan_domains: int


class _Row(msgspec.Struct, frozen=True):
    name: str
    of: Callable[[Run], float | None]
    unit: str = ""
    bound: Callable[[Run], float] | None = None
    at_least: bool = False

    def breaks(self, run: Run) -> bool:
        value = self.of(run)
        if self.bound is None or value is None:
            return False
        return value < self.bound(run) if self.at_least else value > self.bound(run)


def _late(values: Sequence[float]) -> float:
    """The 95th percentile."""
    return quantiles(values, n=20)[-1] if len(values) > 1 else values[0]


ROWS = (
    _Row("rate", lambda run: run.rate, "/s"),
    _Row(
        "… of the bare loop's",
        lambda run: None if run.bare_rate is None else 100 * run.rate / run.bare_rate,
        "%",
        lambda _: SHARE,
        at_least=True,
    ),
    _Row("first result after the collection was made", lambda run: run.lags.first_result, "s", lambda _: FIRST_SECONDS),
    _Row(
        "operator, processor time per domain",
        lambda run: 1000 * run.used.cpu / run.domains,
        "ms",
        lambda run: run.most_cpu_ms,
    ),
    _Row("operator, peak memory", lambda run: run.used.peak_mib, "MiB", lambda _: MEMORY_MIB),
    _Row(
        "operator, API writes per domain",
        lambda run: run.writes.total() / run.domains,
        "",
        lambda run: run.most_writes,
    ),
    _Row("status, largest", lambda run: run.status_bytes / 1024, "KiB", lambda _: STATUS_KIB),
    _Row("whole object, largest", lambda run: run.object_bytes / 1024, "KiB"),
    _Row("pod's end to result, median", lambda run: median(run.lags.pod_to_result), "s"),
    _Row("… 95 %", lambda run: _late(run.lags.pod_to_result), "s"),
    _Row("Job's end to result, median", lambda run: median(run.lags.job_to_result), "s"),
    _Row("… 95 %", lambda run: _late(run.lags.job_to_result), "s"),
    _Row("result to next status, median", lambda run: median(run.lags.result_to_status), "s"),
    _Row("… 95 %", lambda run: _late(run.lags.result_to_status), "s"),
    _Row("change of the spec to status", lambda run: run.edit_seconds, "s"),
)


def table(scale: Scale) -> list[str]:
    """Return the lines of all tables, in Markdown."""
    runs = scale.runs
    lines = [f"| measured | {' | '.join(run.name for run in runs)} | bound |", f"|---|{'--:|' * (len(runs) + 1)}"]
    lines.append(f"| domains | {' | '.join(f'{run.domains:,}' for run in runs)} |  |")
    for row in ROWS:
        shown = [_shown(row.of(run), row) for run in runs]
        lines.append(f"| {row.name} | {' | '.join(shown)} | {_bound(row, runs)} |")
    start, used = scale.start, scale.start.used
    lines += ["", "| measured | figure | bound |", "|---|--:|--:|"]
    lines.append(f"| one plan of {scale.plan_domains:,} domains | {scale.plan_ms:.1f} ms | {PLAN_MS} ms |")
    lines.append(f"| start with {start.results:,} recorded results | {start.seconds:.1f} s | {START_SECONDS} s |")
    lines.append(f"| … peak memory | {used.peak_mib:.1f} MiB | {START_MIB} MiB |")
    lines.append(f"| … processor time | {used.cpu:.1f} s |  |")
    lines += ["", f"| API writes | {' | '.join(run.name for run in runs)} |", f"|---|{'--:|' * len(runs)}"]
    for kind in sorted({kind for run in runs for kind in run.writes}):
        lines.append(f"| {kind} | {' | '.join(f'{run.writes[kind]:,}' for run in runs)} |")
    return lines


def broken(scale: Scale) -> list[str]:
    """Name the figures that miss their bounds."""
    found = [f"{run.name}: {row.name}" for run in scale.runs for row in ROWS if row.breaks(run)]
    others = {
        "one plan": scale.plan_ms > PLAN_MS,
        "start, seconds": scale.start.seconds > START_SECONDS,
        "start, memory": scale.start.used.peak_mib > START_MIB,
    }
    return [*found, *(name for name, is_broken in others.items() if is_broken)]


def _shown(value: float | None, row: _Row) -> str:
    return "" if value is None else f"{value:.2f} {row.unit}".strip()


def _bound(row: _Row, runs: Sequence[Run]) -> str:
    if row.bound is None:
        return ""
    bounds = sorted({row.bound(run) for run in runs if row.of(run) is not None})
    sign = "≥ " if row.at_least else ""
    return " / ".join(f"{sign}{bound:g} {row.unit}".strip() for bound in bounds)
