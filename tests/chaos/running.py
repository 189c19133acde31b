"""Plays a list of trials on stages side by side, and tells each result as soon as it is there."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from chaos.course import NeverCameError, Played, not_played
from chaos.evidence import until_tidy
from chaos.judging import Verdict
from chaos.stage import PER_MINUTE, TIGHT, Stage, running_stage
from chaos.trials import Havoc, Trial, play, play_havoc
from cluster.control_plane import ROOT, ControlPlane

Told = Callable[[Trial | Havoc, Played], None]
"""Is told each result."""

_TRIAL_SECONDS = 600.0
"""No trial takes so long; one that does is broken itself."""

_TIDY_SECONDS = 300.0
"""ConfigMaps of a storing that broke off are gone within this."""

_SECOND_TRY = 500_000
"""Added to a trial's number, which names its collections, where its moment did not come."""


@dataclass(frozen=True)
class Lane:
    """What a stage is like."""

    replicas: int = 1
    charged: bool = False
    """Whether Hunter charges for repeats."""
    per_minute: int = PER_MINUTE
    """Requests that Hunter takes."""


LANES = (
    *(Lane(charged=charged) for charged in (False, True) for _ in range(3)),
    *(Lane(replicas=2, charged=charged) for charged in (False, True) for _ in range(2)),
    *(Lane(charged=charged, per_minute=TIGHT) for charged in (False, True)),
)
"""Of the whole table: most of a trial's time is a key's minute, in which the machine has nothing to do."""


def lane_of(trial: Trial | Havoc) -> Lane:
    """Return on which kind of stage a trial plays: always the same."""
    charged = trial.number % 2 == 1
    if isinstance(trial, Havoc):
        return Lane(charged=charged, per_minute=TIGHT)
    return Lane(trial.victim.replicas, charged)


def serve_kinds(plane: ControlPlane) -> None:
    """Let a control plane serve both kinds."""
    plane.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(ROOT / "crds"))
    plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", str(ROOT / "crds"))


@asynccontextmanager
async def running_stages(
    plane: ControlPlane, lanes: Iterable[Lane], folder: Path
) -> AsyncIterator[list[tuple[Lane, Stage]]]:
    """Set up a stage for each lane. All end together: a node that goes takes other stages' pods along."""
    async with AsyncExitStack() as stack:
        stages = []
        for number, lane in enumerate(lanes):
            stage = running_stage(
                plane,
                folder / f"stage-{number}",
                replicas=lane.replicas,
                charged=lane.charged,
                per_minute=lane.per_minute,
            )
            stages.append((lane, await stack.enter_async_context(stage)))
        yield stages


async def run(
    stages: Sequence[tuple[Lane, Stage]],
    trials: Sequence[Trial | Havoc],
    told: Told,
    *,
    deadline: float = float("inf"),
    one_at_a_time: bool = False,
) -> None:
    """Play trials, each stage those of its kind.

    Args:
        stages: Of a control plane.
        trials: For any of them.
        told: Is told each result.
        deadline: Of the monotonic clock: after it, none is begun.
        one_at_a_time: For what hits all stages at once, so that each kill has one result.
    """
    waiting = list(trials)
    turn = asyncio.Semaphore(1 if one_at_a_time else len(stages))

    async def work(lane: Lane, stage: Stage) -> None:
        while True:
            async with turn:
                mine = next((trial for trial in waiting if lane_of(trial) == lane), None)
                if mine is None or time.monotonic() > deadline:
                    return
                waiting.remove(mine)
                told(mine, await _played(stage, mine))

    async with asyncio.TaskGroup() as group:
        for lane, stage in stages:
            group.create_task(work(lane, stage))


async def tidiness(stages: Sequence[tuple[Lane, Stage]]) -> Played:
    """Return what is left of storings that broke off, when the operator has had time to find it."""
    left = []
    began = time.monotonic()
    for _, stage in stages:
        left += await until_tidy(stage, _TIDY_SECONDS)
    words = [f"ConfigMap {name}, which no DomainResult lists" for name in left]
    return Played("none", "at the end of all", 0, Verdict(left=words), time.monotonic() - began)


async def _played(stage: Stage, trial: Trial | Havoc) -> Played:
    async with asyncio.timeout(_TRIAL_SECONDS):
        if isinstance(trial, Havoc):
            return await play_havoc(stage, trial)
        try:
            return await play(stage, trial)
        except NeverCameError:
            try:
                return await play(stage, replace(trial, number=trial.number + _SECOND_TRY, skip=0))
            except NeverCameError as error:
                return not_played(trial.victim.name, trial.step, error)
