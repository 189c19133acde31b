"""Plays a trial on a stage: with one kill at one moment, or with several at moments that are drawn."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

from chaos import waves
from chaos.course import BEFORE_SECONDS, NeverCameError, Played, begin, ended, not_ready, prepared
from chaos.director import Aim, Strike
from chaos.evidence import Mark
from chaos.moments import IN_CONFIG_MAPS, ON_VOLUMES, Fate, Moment, Side, Step
from chaos.stage import Stage
from chaos.victims import Victim
from chaos.waiting import until
from chaos.waves import Wave


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


async def play(stage: Stage, trial: Trial) -> Played:
    """Play a trial of one kill.

    Raises:
        NeverCameError: there was nothing to strike at.
    """
    wave = waves.wave(trial.number, random.Random(trial.number))
    wave, mark = await prepared(stage, wave, again=trial.again)
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
    wave, mark = await prepared(stage, waves.wave(havoc.number, chance, domains=4), again=False)
    begun = False
    for _ in range(havoc.kills):
        victim, step, side = chance.choice(havoc.victims), chance.choice(list(Step)), chance.choice(list(Side))
        strike = _strike(stage, Trial(havoc.number, victim, step, side, down=chance.uniform(0, 3)))
        stage.director.aim(Aim(step, side, wave.names(), strike))
        if not begun:
            begun = True
            await _begin(stage, wave, again=False)
        try:
            async with asyncio.timeout(chance.uniform(1, 5)):
                await stage.director.struck.wait()
        except TimeoutError:
            await stage.director.strike(strike, Moment(step, side))
        stage.director.trail.append(f"that was the {victim.name}")
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


async def _begin(stage: Stage, wave: Wave, *, again: bool) -> None:
    started = len(stage.kubelet.started)

    async def at_work() -> bool:
        return len(stage.kubelet.started) > started or stage.director.struck.is_set()

    await begin(stage, wave, at_work, again=again)


async def _until_struck_or_ready(stage: Stage, wave: Wave) -> None:
    """Wait until the kill, or until there is nothing any more to kill at.

    Raises:
        TimeoutError: neither came.
    """

    async def struck_or_ready() -> bool:
        return stage.director.struck.is_set() or not await not_ready(stage, wave)

    async with asyncio.timeout(BEFORE_SECONDS):
        await until(struck_or_ready, 0.05)


async def _ended(stage: Stage, wave: Wave, mark: Mark, *, victim: str, step: str, kills: int) -> Played:
    stage.later(stage.director.done())
    return await ended(stage, wave, mark, victim=victim, step=step, kills=kills, struck_at=stage.director.struck_at)
