"""The kill table: everything is killed at every step on real control planes and on a whole node, and judged.

Results are kept in the cache as they come, so that a run that was cut short, or split, can be gone on with.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from chaos import plan
from chaos.course import Played
from chaos.running import LANES, Lane, run, running_stages, serve_kinds, tidiness
from chaos.table import problems, table
from chaos.trials import Havoc, Trial
from cluster.control_plane import running
from devcluster.paths import cache_root

_TWO_STAGES = (Lane(), Lane(charged=True))


class Kept(msgspec.Struct, frozen=True):
    """One result in the file."""

    number: int
    played: Played


class Results:
    """The file of results: one line each."""

    def __init__(self, file: Path, *, go_on: bool) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file
        if not go_on:
            file.write_bytes(b"")

    def read(self) -> dict[int, Played]:
        """Return all results, by the number of their trial."""
        lines = self._file.read_bytes().splitlines() if self._file.is_file() else []
        kept = [msgspec.json.decode(line, type=Kept) for line in lines]
        return {one.number: one.played for one in kept}

    def add(self, trial: Trial | Havoc, played: Played) -> None:
        """Keep a result, and show it."""
        with self._file.open("ab") as file:
            file.write(msgspec.json.encode(Kept(trial.number, played)) + b"\n")
        word = "; ".join(played.verdict.words) or "nothing lost, doubled, paid twice or stuck"
        click.echo(f"{trial}: {word}; {played.seconds:.1f} s", err=True)


async def _play(
    name: str, lanes: Sequence[Lane], trials: Sequence[Trial | Havoc], results: Results, deadline: float
) -> None:
    """Play trials on a control plane of their own; with all of them played, look for what is left behind."""
    known = results.read()
    waiting = [trial for trial in trials if trial.number not in known]
    if not waiting:
        return
    with tempfile.TemporaryDirectory(prefix="novahunt-chaos-") as folder, running(name) as plane:
        serve_kinds(plane)
        async with running_stages(plane, lanes, Path(folder)) as stages:
            await run(stages, waiting, results.add, deadline=deadline, one_at_a_time=lanes is _TWO_STAGES)
            if time.monotonic() < deadline:
                left = await tidiness(stages)
                if left.verdict.words:
                    results.add(waiting[-1], left)


def _numbers(trials: Sequence[Trial | Havoc]) -> set[int]:
    return {trial.number for trial in trials}


@click.command()
@click.option("--go-on", is_flag=True, help="Keep earlier results, and play only what is missing.")
@click.option("--minutes", type=float, default=float("inf"), help="Begin no trial after so many minutes.")
def main(*, go_on: bool, minutes: float) -> None:
    """Kill everything at every step, and print the table."""
    deadline = time.monotonic() + 60 * minutes
    results = Results(cache_root() / "chaos" / "results.jsonl", go_on=go_on)
    alone: list[Trial | Havoc] = [*plan.trials(plan.ALONE), *plan.havocs()]
    of_all: list[Trial | Havoc] = [*plan.trials(plan.OF_ALL)]
    process = os.getpid()
    asyncio.run(_play(f"chaos{process}", LANES, alone, results, deadline))
    # What hits all stages of a control plane at once plays one at a time, so that each kill has one result.
    asyncio.run(_play(f"chaosall{process}", _TWO_STAGES, of_all, results, deadline))
    known = results.read()
    missing = (_numbers(alone) | _numbers(of_all)) - known.keys()
    played = [known[number] for number in sorted(known)]
    click.echo("\n".join(table(played)))
    for line in problems(played):
        click.echo(line, err=True)
    if missing:
        click.echo(f"{len(missing)} trials are missing: go on with --go-on", err=True)
    sys.exit(1 if missing or problems(played) else 0)


if __name__ == "__main__":
    main()
