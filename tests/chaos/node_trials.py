"""Plays trials on a whole node: looks for each step from outside, and kills as soon as it is seen."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from chaos import node_victims, waves
from chaos.course import NeverCameError, Played, begin, ended, not_played, not_ready, prepared
from chaos.moments import Step
from chaos.node_ground import NodeGround, node_ground
from chaos.node_victims import NodeVictim
from chaos.waiting import until
from chaos.waves import Cast, Wave
from e2e.node import Node
from novahunt_api import names, wire

Seen = Callable[[NodeGround, Wave], Awaitable[bool]]

ANSWER_SECONDS = 0.5
"""How long Hunter's stand-in takes for a page, so that each step can be caught."""

_TRIAL_SECONDS = 600.0
_BEFORE_SECONDS = 180.0
_LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class NodeTrial:
    """One kill as soon as a step is seen."""

    number: int
    victim: NodeVictim
    step: Step
    down: float
    """Seconds for which the victim stays away."""

    def __str__(self) -> str:
        return f"node {self.number}: {self.victim.name} at {self.step}, away for {self.down:.1f} s"


Told = Callable[[NodeTrial, Played], None]
"""Is told each result."""


async def play_all(node: Node, known: Container[int], told: Told, deadline: float) -> None:
    """Play all trials but those that are known; none is begun after the deadline (monotonic)."""
    waiting = [trial for trial in trials() if trial.number not in known]
    async with node_ground(node) as ground:
        await ground.pay_for_plenty()
        await ground.slow_down(ANSWER_SECONDS)
        replicas = 1
        for trial in waiting:
            if time.monotonic() > deadline:
                return
            if trial.victim.replicas != replicas:
                replicas = trial.victim.replicas
                await asyncio.to_thread(node.install, replicas=str(replicas))
            async with asyncio.timeout(_TRIAL_SECONDS):
                told(trial, await _played(ground, trial))


async def _played(ground: NodeGround, trial: NodeTrial) -> Played:
    try:
        return await play(ground, trial)
    except NeverCameError as error:
        return not_played(trial.victim.name, trial.step, error)


async def play(ground: NodeGround, trial: NodeTrial) -> Played:
    """Play a trial.

    Raises:
        NeverCameError: all was ready, and the step had not been seen.
    """
    wave, mark = await prepared(ground, waves.wave(trial.number, random.Random(trial.number)), again=False)

    async def struck() -> bool:
        return await SEEN[trial.step](ground, wave)

    async def struck_or_ready() -> bool:
        return await struck() or not await not_ready(ground, wave)

    async def at_once() -> bool:
        return True

    async with asyncio.timeout(_BEFORE_SECONDS):
        await begin(ground, wave, at_once, again=False)
        await until(struck_or_ready, _LOOK_SECONDS)
    if not await struck():
        raise NeverCameError(str(trial))
    struck_at = time.monotonic()
    await trial.victim.attack(ground, trial.down)
    return await ended(ground, wave, mark, victim=f"{trial.victim.name}", step=trial.step, kills=1, struck_at=struck_at)


def trials() -> Iterator[NodeTrial]:
    """Yield all trials; the same ones each time."""
    number = 900_000
    for victim, steps in _PLAN.items():
        for step in steps:
            number += 1
            yield NodeTrial(number, victim, step, random.Random(number).uniform(1, 4))


_PLAN: Mapping[NodeVictim, Sequence[Step]] = {
    node_victims.OPERATOR: (Step.JOB_CREATED, Step.RESULT_WRITTEN),
    node_victims.OPERATORS_POD: (Step.PAGE_ANSWERED, Step.DOCUMENT_LISTED),
    node_victims.COLLECTOR: (Step.POD_STARTED, Step.PAGE_ANSWERED, Step.PAGE_SAVED),
    node_victims.COLLECTORS_POD: (Step.PAGE_SAVED, Step.ENDED),
    node_victims.INTAKE: (Step.POD_STARTED, Step.PAGE_ANSWERED, Step.PAGE_SAVED),
    node_victims.KUBELET: (Step.JOB_CREATED, Step.PAGE_ANSWERED, Step.FILE_STORED, Step.RESULT_WRITTEN),
    node_victims.API_SERVER: (Step.JOB_CREATED, Step.PAGE_SAVED, Step.ENDED, Step.JOB_DELETED),
    node_victims.ETCD: (Step.POD_STARTED, Step.DOCUMENT_LISTED, Step.RESULT_WRITTEN),
    node_victims.CONTROLLERS: (Step.JOB_CREATED, Step.FILE_STORED, Step.ENDED, Step.STATUS_WRITTEN),
    node_victims.PAUSED_LEADER: (Step.PAGE_ANSWERED, Step.ENDED),
}


async def _job_created(ground: NodeGround, wave: Wave) -> bool:
    return any([await ground.reader.jobs(cast.name) for cast in wave.casts])


async def _pod_started(ground: NodeGround, wave: Wave) -> bool:
    return any(pod.status.phase == "Running" for pod in await _pods(ground, wave))


async def _page_answered(ground: NodeGround, wave: Wave) -> bool:
    asked = (await ground.report(with_log=False)).domains
    return any(domain in asked for domain in wave.sizes)


async def _page_saved(ground: NodeGround, wave: Wave) -> bool:
    return _has_file(ground, wave, ".*.checkpoint")


async def _file_stored(ground: NodeGround, wave: Wave) -> bool:
    return _has_file(ground, wave, "*.json")


async def _document_listed(ground: NodeGround, wave: Wave) -> bool:
    casts = [cast for cast in wave.casts if not cast.on_volume]
    results = [result for cast in casts for result in (await ground.reader.results(cast.name)).values()]
    return any(result.storage for result in results)


async def _ended(ground: NodeGround, wave: Wave) -> bool:
    return any(pod.status.phase == "Succeeded" for pod in await _pods(ground, wave))


async def _result_written(ground: NodeGround, wave: Wave) -> bool:
    return any([await _recorded(ground, cast) for cast in wave.casts])


async def _job_deleted(ground: NodeGround, wave: Wave) -> bool:
    """Tell whether a recorded run on the volume has no Job any more: that collection keeps none."""
    for cast in (cast for cast in wave.casts if cast.on_volume):
        recorded = await _recorded(ground, cast)
        jobs = {job.metadata.annotations.get(names.DOMAIN_ANNOTATION) for job in await ground.reader.jobs(cast.name)}
        return bool(recorded - jobs)
    return False


async def _status_written(ground: NodeGround, wave: Wave) -> bool:
    return any([(await ground.reader.collection(cast.name)).status.done for cast in wave.casts])


async def _recorded(ground: NodeGround, cast: Cast) -> set[str | None]:
    return {domain for domain, result in (await ground.reader.results(cast.name)).items() if result.run}


async def _pods(ground: NodeGround, wave: Wave) -> list[wire.PodObject]:
    mine = {cast.name for cast in wave.casts}
    return [pod for pod in await ground.pods() if pod.metadata.labels.get(names.COLLECTION_LABEL) in mine]


def _has_file(ground: NodeGround, wave: Wave, pattern: str) -> bool:
    return any(any((ground.volume / cast.name).glob(pattern)) for cast in wave.casts if cast.on_volume)


SEEN: Mapping[Step, Seen] = {
    Step.JOB_CREATED: _job_created,
    Step.POD_STARTED: _pod_started,
    Step.PAGE_ANSWERED: _page_answered,
    Step.PAGE_SAVED: _page_saved,
    Step.FILE_STORED: _file_stored,
    Step.DOCUMENT_LISTED: _document_listed,
    Step.ENDED: _ended,
    Step.RESULT_WRITTEN: _result_written,
    Step.JOB_DELETED: _job_deleted,
    Step.STATUS_WRITTEN: _status_written,
}
"""How each step is seen from outside."""
