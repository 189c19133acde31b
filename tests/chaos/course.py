"""The course of every trial before its kill and after it: what is set off, what is waited for, and the verdict."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chaos import waves
from chaos.evidence import Mark, gather, until_settled
from chaos.ground import Ground
from chaos.judging import Verdict, judge
from chaos.waiting import until
from chaos.waves import Wave

STUCK_SECONDS = 240.0
"""What is not ready so long after the last kill is stuck; a key's minute and the pauses of Jobs take half of it."""

BEFORE_SECONDS = 120.0
"""What has not become ready in so long without any kill is not worth a trial."""


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


def not_played(victim: str, step: str, error: NeverCameError) -> Played:
    """Return the result of a trial whose moment never came: nothing is shown by it, and that is a fault as well."""
    return Played(victim, step, 0, Verdict(stuck=[f"its moment never came: {error}"]), 0.0)


async def prepared(ground: Ground, wave: Wave, *, again: bool) -> tuple[Wave, Mark]:
    """Return the wave as it will be collected, and where things stand before.

    Args:
        ground: Where.
        wave: What Hunter has.
        again: Let it be collected a first time now, and have more for the second time.
    """
    await _tell_hunter(ground, wave)
    if not again:
        return wave, await Mark.now(ground, wave, again=False)
    async with asyncio.timeout(BEFORE_SECONDS):
        for cast in wave.casts:
            await waves.create(ground, cast)
        await waves.until_ready(ground, wave.casts)
    await until_settled(ground, wave)
    mark = await Mark.now(ground, wave, again=True)
    grown = wave.grown()
    await _tell_hunter(ground, grown)
    return grown, mark


async def begin(ground: Ground, wave: Wave, at_work: Callable[[], Awaitable[bool]], *, again: bool) -> None:
    """Set off the collections: the second one when the first is at work, so that something always is."""
    for cast in wave.casts:
        await (waves.recollect if again else waves.create)(ground, cast)
        await until(at_work, 0.02)


async def ended(
    ground: Ground, wave: Wave, mark: Mark, *, victim: str, step: str, kills: int, struck_at: float
) -> Played:
    """Wait until all is ready again and what was killed is back, and judge."""
    stuck = []
    try:
        async with asyncio.timeout(STUCK_SECONDS):
            await waves.until_ready(ground, wave.casts)
            seconds = time.monotonic() - struck_at
            # What was killed may come back only now, and spoil what is done.
            await ground.recovered()
            await waves.until_ready(ground, wave.casts)
    except TimeoutError:
        seconds = STUCK_SECONDS
        stuck = await not_ready(ground, wave) or ["what was killed did not come back"]
    if not stuck:
        await until_settled(ground, wave)
    verdict = judge(await gather(ground, wave, mark, stuck))
    return Played(victim, step, kills, verdict, seconds, tuple(ground.said()) if verdict.words else ())


async def not_ready(ground: Ground, wave: Wave) -> list[str]:
    """Name the collections of which something is still to be done."""
    return [cast.name for cast in wave.casts if not await waves.is_ready(ground, cast)]


async def _tell_hunter(ground: Ground, wave: Wave) -> None:
    for domain, size in wave.sizes.items():
        await ground.hold(domain, size)
