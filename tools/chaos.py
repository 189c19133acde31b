"""The kill table: everything is killed at every step on real control planes and on a whole node, and judged.

Results are kept in the cache as they come, so that a run that was cut short, or split, can be gone on with.
"""

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from chaos import node_trials, plan
from chaos.course import Played
from chaos.node_trials import NodeTrial
from chaos.running import LANES, Lane, run, running_stages, serve_kinds, tidiness
from chaos.table import problems, table
from chaos.trials import Havoc, Trial
from cluster.control_plane import running
from devcluster.paths import cache_root
from e2e.node import running_node

PLANE, NODE = "control plane", "whole node"
_TWO_STAGES = (Lane(), Lane(charged=True))


_TWO_STAGES = (Lane(), Lane(charged=True))

AnyTrial = Trial | Havoc | NodeTrial


class Kept(msgspec.Struct, frozen=True):
    """One result in the file."""

    number: int
    where: str
    played: Played


class Results:
    """The file of results: one line each."""

    def __init__(self, file: Path, *, go_on: bool) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file
        if not go_on:
            file.write_bytes(b"")

    def read(self) -> dict[int, Kept]:
        """Return all results, by the number of their trial."""
        lines = self._file.read_bytes().splitlines() if self._file.is_file() else []
        return {one.number: one for one in (msgspec.json.decode(line, type=Kept) for line in lines)}

    def add(self, trial: AnyTrial, played: Played) -> None:
        """Keep a result, and show it."""
        where = NODE if isinstance(trial, NodeTrial) else PLANE
        with self._file.open("ab") as file:
            file.write(msgspec.json.encode(Kept(trial.number, where, played)) + b"\n")
        word = "; ".join(played.verdict.words) or "nothing lost, doubled, paid twice or stuck"
        click.echo(f"{trial}: {word}; {played.seconds:.1f} s", err=True)


async def play_plane(
    name: str, lanes: Sequence[Lane], trials: Sequence[Trial | Havoc], into: Results, end: float
) -> None:
    """Play trials on a control plane of their own; with all of them played, look for what is left behind."""
    known = into.read()
    waiting = plan.mixed([trial for trial in trials if trial.number not in known])
    if not waiting or time.monotonic() > end:
        return
    with tempfile.TemporaryDirectory(prefix="novahunt-chaos-") as folder, running(name) as plane:
        serve_kinds(plane)
        async with running_stages(plane, lanes, Path(folder)) as stages:
            await run(stages, waiting, into.add, deadline=end, one_at_a_time=lanes is _TWO_STAGES)
            if time.monotonic() < end and (left := await tidiness(stages)).verdict.words:
                into.add(waiting[-1], left)


def play_node(name: str, into: Results, end: float) -> None:
    """Play the trials of the whole node."""
    known = into.read()
    if {trial.number for trial in node_trials.trials()} <= known.keys() or time.monotonic() > end:
        return
    with running_node(name) as node:
        node.set_key()
        asyncio.run(node_trials.play_all(node, known.keys(), into.add, end))


@click.command()
@click.option("--go-on", is_flag=True, help="Keep earlier results, and play only what is missing.")
@click.option("--minutes", type=float, default=float("inf"), help="Begin no trial after so many minutes.")
def main(*, go_on: bool, minutes: float) -> None:
    """Kill everything at every step, and print the tables; the whole node's needs root."""
    # So that clusters are taken down on `kill` as on Ctrl-C.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(128 + signal.SIGTERM))
    end = time.monotonic() + 60 * minutes
    results = Results(cache_root() / "chaos" / "results.jsonl", go_on=go_on)
    alone: list[Trial | Havoc] = [*plan.trials(plan.ALONE), *plan.havocs()]
    of_all: list[Trial | Havoc] = [*plan.trials(plan.OF_ALL)]
    wanted: list[AnyTrial] = [*alone, *of_all]
    process = os.getpid()
    asyncio.run(play_plane(f"chaos{process}", LANES, alone, results, end))
    # What hits all stages of a control plane at once plays one at a time, so that each kill has one result.
    asyncio.run(play_plane(f"chaosall{process}", _TWO_STAGES, of_all, results, end))
    if os.geteuid() == 0:
        wanted += node_trials.trials()
        play_node(f"chaosnode{process}", results, end)
    else:
        click.echo("the whole node needs root, and is left out", err=True)
    known = results.read()
    for where in (PLANE, NODE):
        played = [known[number].played for number in sorted(known) if known[number].where == where]
        if played:
            click.echo("\n".join(["", f"{where}:", "", *table(played)]))
    wrong = problems(one.played for one in known.values())
    for line in wrong:
        click.echo(line, err=True)
    missing = {trial.number for trial in wanted} - known.keys()
    if missing:
        click.echo(f"{len(missing)} trials are missing: play them with --go-on", err=True)
    sys.exit(1 if missing or wrong else 0)


if __name__ == "__main__":
    main()
