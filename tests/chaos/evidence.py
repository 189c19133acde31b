"""Gathers what a trial is judged by: from the API server, the volume, the simulator and the observer."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from chaos import waves
from chaos.ground import Ground
from chaos.judging import CreditEvidence, DomainEvidence, Evidence, charged
from chaos.waiting import until
from chaos.waves import Cast, Wave
from novahunt_api import names
from novahunt_api.domainresults import Result

_SETTLE_SECONDS = 30.0
"""Within this, Jobs beyond history are gone and the status tells the last credits, once all is ready."""


@dataclass
class Mark:
    """Where things stood when a trial began."""

    requests: int
    killed: int
    receipts_lost: int
    again: bool
    used: dict[str, int] = field(default_factory=dict)
    """Credits, by collection."""
    runs: dict[str, int] = field(default_factory=dict)
    """The run that each domain has behind it."""

    @classmethod
    async def now(cls, ground: Ground, wave: Wave, *, again: bool) -> "Mark":
        """Take it."""
        requests = (await ground.report(with_log=False)).requests
        mark = cls(requests, len(ground.killed), ground.receipts_lost, again)
        if again:
            for cast in wave.casts:
                mark.used[cast.name] = await _used(ground, cast)
                mark.runs |= {domain: result.run for domain, result in (await ground.reader.results(cast.name)).items()}
        return mark


async def gather(ground: Ground, wave: Wave, mark: Mark, not_ready: list[str]) -> Evidence:
    """Gather all that was seen since the mark."""
    kills = Counter(ground.killed[mark.killed :])
    untouched = not kills and ground.receipts_lost == mark.receipts_lost
    asked = (await ground.report()).log[mark.requests :]
    spent = charged(asked)
    domains: list[DomainEvidence] = []
    credits_: list[CreditEvidence] = []
    for cast in wave.casts:
        results = await ground.reader.results(cast.name)
        documents = await waves.stored(ground, cast, results)
        for domain, size in cast.sizes.items():
            document = documents.get(domain)
            domains.append(
                DomainEvidence(
                    domain=domain,
                    on_volume=cast.on_volume,
                    wanted=frozenset(waves.addresses(domain, size)),
                    found=frozenset(item.email for item in document.items) if document is not None else None,
                    result=results.get(domain),
                    run=mark.runs.get(domain, 0) + 1,
                    kills=kills[domain],
                )
            )
        if cast.on_volume or untouched:
            # Without a budget, what a lost receipt would have told is not known.
            credits_.append(
                CreditEvidence(
                    collection=cast.name,
                    used=await _used(ground, cast) - mark.used.get(cast.name, 0),
                    charged=sum(spent.get(domain, 0) for domain in cast.sizes),
                    limit=waves.BUDGET - mark.used.get(cast.name, 0) if cast.on_volume else None,
                    exact=untouched and not mark.again,
                )
            )
    return Evidence(
        domains=domains,
        credits=credits_,
        asked=asked,
        doubled=ground.observer.take(),
        left=[word for cast in wave.casts for word in await _left(ground, cast)],
        not_ready=not_ready,
    )


async def until_settled(ground: Ground, wave: Wave) -> None:
    """Wait until nothing is to be done any more, or for so long that it should have been; who judges sees what is."""
    try:
        async with asyncio.timeout(_SETTLE_SECONDS):
            await until(lambda: _settled(ground, wave))
    except TimeoutError:
        return


async def until_tidy(ground: Ground, seconds: float) -> list[str]:
    """Wait until each ConfigMap of a document is listed by a DomainResult; return those that are not in time."""

    async def tidy() -> bool:
        return not await _unlisted(ground)

    try:
        async with asyncio.timeout(seconds):
            await until(tidy, 1.0)
    except TimeoutError:
        return await _unlisted(ground)
    return []


async def _settled(ground: Ground, wave: Wave) -> bool:
    for cast in wave.casts:
        credits_ = (await ground.reader.collection(cast.name)).status.credits
        if (credits_ is not None and credits_.reserved) or await _left(ground, cast):
            return False
    return True


async def _used(ground: Ground, cast: Cast) -> int:
    found = (await ground.reader.collection(cast.name)).status.credits
    return found.used if found is not None else 0


async def _left(ground: Ground, cast: Cast) -> list[str]:
    """Return what should not be there any more when all is ready."""
    words = []
    folder = ground.volume / cast.name
    if folder.is_dir():
        words += [f"file {path.name} beside the documents" for path in folder.iterdir() if path.name.startswith(".")]
    jobs = [job for job in await ground.reader.jobs(cast.name) if names.DOMAIN_ANNOTATION in job.metadata.annotations]
    kept = int(cast.spec["history"]["succeededJobs"])
    if len(jobs) > kept:
        words.append(f"{len(jobs)} Jobs of {cast.name}, where {kept} should be kept")
    return words


async def _unlisted(ground: Ground) -> list[str]:
    listed = {name for result in (await ground.reader.results()).values() for name in _parts(result)}
    return [name for name in await ground.reader.document_config_maps() if name not in listed]


def _parts(result: Result) -> tuple[str, ...]:
    place = result.storage.config_map if result.storage is not None else None
    return place.names if place is not None else ()
