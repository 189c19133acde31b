"""Plays a trial: lets collections run, kills at one moment or at several, waits until all is done, and judges."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from chaos import waves
from chaos.director import Aim, Strike
from chaos.evidence import Mark, gather, until_settled
from chaos.judging import Verdict, judge
from chaos.moments import IN_CONFIG_MAPS, ON_VOLUMES, Fate, Moment, Side, Step
from chaos.stage import Stage
from chaos.victims import Victim
from chaos.waiting import until
from chaos.waves import Wave

STUCK_SECONDS = 240.0
"""What is not ready so long after the last kill is stuck; a key's minute and the pauses of Jobs take half of it."""

_BEFORE_SECONDS = 120.0
"""What has not become ready in so long without any kill is not worth a trial."""


@dataclass(frozen=True)
class Trial:
    """One kill at one moment."""

    number: int
    victim: Victim
    step: Step
    side: Side
    down: float
    """Seconds for which the victim stays away."""
    again: bool = False
    """Whether the collections are ready before, and are collected a second time."""
    skip: int = 0
    """So many moments of this kind pass before the kill."""

    def __str__(self) -> str:
        again = ", when collected again" if self.again else ""
        return f"{self.number}: {self.victim.name}, {self.side} {self.step}, away for {self.down:.1f} s{again}"


@dataclass(frozen=True)
class Havoc:
    """Several kills of different victims in one trial, at moments that are drawn."""

    number: int
    victims: Sequence[Victim]
    kills: int

    def __str__(self) -> str:
        return f"{self.number}: {self.kills} kills of different victims"


@dataclass(frozen=True)
class Played:
    """What came of a trial."""

    victim: str
    step: str
    kills: int
    verdict: Verdict
    seconds: float
    """From the last kill until all was ready."""
    told: tuple[str, ...] = ()
    """What happened on the way, where something is wrong."""


class NeverCameError(AssertionError):
    """All was ready, and the moment had not come."""


async def play(stage: Stage, trial: Trial) -> Played:
    """Play a trial of one kill.

    Raises:
        NeverCameError: there was nothing to strike at.
    """
    wave = waves.wave(trial.number, random.Random(trial.number))
    wave, mark = await _prepared(stage, wave, again=trial.again)
    stage.director.aim(Aim(trial.step, trial.side, _names(wave, trial.step), _strike(stage, trial), trial.skip))
    await _begin(stage, wave, again=trial.again)
    await _until_struck_or_ready(stage, wave)
    if not stage.director.struck.is_set():
        stage.director.rest()
        raise NeverCameError(str(trial))
    return await _ended(stage, wave, mark, victim=trial.victim.name, step=trial.step, kills=1)


async def play_havoc(stage: Stage, havoc: Havoc) -> Played:
    """Play a trial of several kills."""
    chance = random.Random(havoc.number)
    wave, mark = await _prepared(stage, waves.wave(havoc.number, chance, domains=4), again=False)
    told = []
    begun = False
    for _ in range(havoc.kills):
        victim, step, side = chance.choice(havoc.victims), chance.choice(list(Step)), chance.choice(list(Side))
        trial = Trial(havoc.number, victim, step, side, down=chance.uniform(0, 3))
        stage.director.aim(Aim(step, side, wave.names(), _strike(stage, trial)))
        if not begun:
            begun = True
            await _begin(stage, wave, again=False)
        try:
            async with asyncio.timeout(chance.uniform(1, 5)):
                await stage.director.struck.wait()
        except TimeoutError:
            await stage.director.strike(_strike(stage, trial), Moment(step, side))
        told.append(f"{victim.name} at {stage.director.moment}")
        await stage.director.done()
        await stage.recovered()
    return await _ended(stage, wave, mark, victim="several in one run", step="drawn", kills=havoc.kills)


def _names(wave: Wave, step: Step) -> frozenset[str]:
    if step in ON_VOLUMES:
        return wave.names(on_volume=True)
    return wave.names(on_volume=False) if step in IN_CONFIG_MAPS else wave.names()


def _strike(stage: Stage, trial: Trial) -> Strike:
    async def strike(moment: Moment) -> Fate:
        return await trial.victim.attack(stage, moment, trial.down)

    return strike


async def _prepared(stage: Stage, wave: Wave, *, again: bool) -> tuple[Wave, Mark]:
    """Return the wave as it will be collected, and where things stand before."""
    _tell_hunter(stage, wave)
    if not again:
        return wave, await Mark.now(stage, wave, again=False)
    async with asyncio.timeout(_BEFORE_SECONDS):
        for cast in wave.casts:
            await waves.create(stage, cast)
        await waves.until_ready(stage, wave.casts)
    await until_settled(stage, wave)
    mark = await Mark.now(stage, wave, again=True)
    grown = wave.grown()
    _tell_hunter(stage, grown)
    return grown, mark


def _tell_hunter(stage: Stage, wave: Wave) -> None:
    for domain, size in wave.sizes.items():
        stage.world.simulator.set_domain(domain, size)


async def _begin(stage: Stage, wave: Wave, *, again: bool) -> None:
    """Set off the collections: the second one when the first is at work, so that something always is."""
    started = len(stage.kubelet.started)

    async def at_work() -> bool:
        return len(stage.kubelet.started) > started or stage.director.struck.is_set()

    for cast in wave.casts:
        await (waves.recollect if again else waves.create)(stage, cast)
        await until(at_work, 0.02)


async def _until_struck_or_ready(stage: Stage, wave: Wave) -> None:
    """Wait until the kill, or until there is nothing any more to kill at.

    Raises:
        TimeoutError: neither came.
    """

    async def struck_or_ready() -> bool:
        return stage.director.struck.is_set() or not await _not_ready(stage, wave)

    async with asyncio.timeout(_BEFORE_SECONDS):
        await until(struck_or_ready, 0.05)


async def _ended(stage: Stage, wave: Wave, mark: Mark, *, victim: str, step: str, kills: int) -> Played:
    struck_at = stage.director.struck_at
    stuck = []
    try:
        async with asyncio.timeout(STUCK_SECONDS):
            await waves.until_ready(stage, wave.casts)
            seconds = time.monotonic() - struck_at
            # What was killed may come back only now, and spoil what is done.
            await stage.director.done()
            await stage.recovered()
            await waves.until_ready(stage, wave.casts)
    except TimeoutError:
        seconds = STUCK_SECONDS
        stuck = await _not_ready(stage, wave) or ["what was killed did not come back"]
    if not stuck:
        await until_settled(stage, wave)
    verdict = judge(await gather(stage, wave, mark, stuck))
    told = (*stage.director.trail, *_said(stage)) if verdict.words else ()
    return Played(victim, step, kills, verdict, seconds, tuple(told))


async def _not_ready(stage: Stage, wave: Wave) -> list[str]:
    return [cast.name for cast in wave.casts if not await waves.is_ready(stage, cast)]


def _said(stage: Stage) -> list[str]:
    return [f"{seat.name}: {line}" for seat in stage.seats.all for line in seat.process.log.splitlines()[-60:]]
