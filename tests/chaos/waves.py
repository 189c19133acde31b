"""The collections of one trial: one in ConfigMaps and one on a volume with a budget, and what must come of them."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from chaos.ground import Ground
from chaos.waiting import until
from hunter_simulator import truth
from novahunt_api import names, paths
from novahunt_api.cluster import MERGE_PATCH
from novahunt_api.domainresults import Result
from novahunt_contract import document

BUDGET = 300
"""Credits: several times what the collection costs, since what a killed run may have spent stays set aside."""


@dataclass(frozen=True)
class Cast:
    """A collection of a trial."""

    name: str
    sizes: Mapping[str, int]
    """Addresses that Hunter has, by domain."""
    on_volume: bool

    @property
    def spec(self) -> dict[str, Any]:
        """Its wishes."""
        common = {"domains": list(self.sizes), "concurrency": 4, "pageSize": 100}
        if self.on_volume:
            return common | {
                "storage": {"persistentVolumeClaim": {"claimName": "collections"}},
                "budget": {"maxCredits": BUDGET},
                "history": {"succeededJobs": 0},
                # Of a real volume's folder, the group is what lets a pod in.
                "jobTemplate": {"podSecurityContext": {"fsGroup": 2000}},
            }
        return common | {"history": {"succeededJobs": 1}}

    def grown(self) -> "Cast":
        """Return it with more addresses in each domain, so that another document must take the place of the first."""
        return replace(self, sizes={domain: size + 3 for domain, size in self.sizes.items()})


@dataclass(frozen=True)
class Wave:
    """All collections of a trial."""

    casts: tuple[Cast, ...]

    @property
    def sizes(self) -> dict[str, int]:
        """All domains."""
        return {domain: size for cast in self.casts for domain, size in cast.sizes.items()}

    def names(self, *, on_volume: bool | None = None) -> frozenset[str]:
        """Return collections and domains, of one storage or of both."""
        casts = [cast for cast in self.casts if on_volume in (None, cast.on_volume)]
        return frozenset({cast.name for cast in casts} | {domain for cast in casts for domain in cast.sizes})

    def grown(self) -> "Wave":
        """Return it with more addresses."""
        return Wave(tuple(cast.grown() for cast in self.casts))


def wave(number: int, chance: random.Random, *, domains: int = 2) -> Wave:
    """Return a trial's collections, with names that no other trial has.

    Args:
        number: The trial's.
        chance: Draws sizes.
        domains: Of each collection.
    """
    casts = []
    for on_volume in (False, True):
        kind = "v" if on_volume else "c"
        sizes = {f"{kind}{number}-{one}.example": _size(one, chance) for one in range(domains)}
        casts.append(Cast(f"{kind}{number}", sizes, on_volume))
    return Wave(tuple(casts))


def _size(one: int, chance: random.Random) -> int:
    """Return how many addresses a domain has: every second one needs several pages."""
    return chance.randint(101, 290) if one % 2 == 0 else chance.randint(1, 99)


async def create(ground: Ground, cast: Cast) -> None:
    """Apply a collection."""
    body = {
        "apiVersion": names.API_VERSION,
        "kind": "DomainCollection",
        "metadata": {"name": cast.name},
        "spec": cast.spec,
    }
    await ground.reader.admin.call("POST", paths.collections(ground.reader.namespace), body=body)


async def recollect(ground: Ground, cast: Cast) -> None:
    """Wish that all domains are collected again."""
    for domain in cast.sizes:
        ground.observer.ask_again(domain)
    path = paths.collections(ground.reader.namespace, cast.name)
    await ground.reader.admin.call("PATCH", path, body={"spec": {"recollect": "again"}}, content_type=MERGE_PATCH)


async def is_ready(ground: Ground, cast: Cast) -> bool:
    """Tell whether all of a collection's newest wishes are carried out."""
    found = await ground.reader.collection(cast.name)
    new = found.status.observed_generation == found.metadata.generation
    return new and found.condition("Ready")[0] == "True"


async def until_ready(ground: Ground, casts: Iterable[Cast]) -> None:
    """Wait until all are ready."""
    for cast in casts:
        await until(lambda cast=cast: is_ready(ground, cast))  # type: ignore[misc]


async def stored(ground: Ground, cast: Cast, results: Mapping[str, Result]) -> dict[str, document.Document]:
    """Read a collection's documents, as its DomainResults say where they lie."""
    if not cast.on_volume:
        return await ground.reader.documents(cast.name)
    folder = ground.volume / cast.name
    files = {domain: folder / document.file_name(domain) for domain in results}
    return {domain: document.decode(file.read_bytes()) for domain, file in files.items() if file.is_file()}


def addresses(domain: str, size: int) -> set[str]:
    """Return what must be stored of a domain."""
    return {person.value for person in truth(domain, size)}
