"""Judges how much room a collection's documents take in ConfigMaps: etcd holds them, and has to be spared."""

from collections.abc import Mapping

import msgspec

from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Result
from novahunt_operator.stored import config_map_bytes
from novahunt_operator.survey import Survey

ENOUGH_DOCUMENTS = 5
"""So many stored documents are a ground to judge by what the others will take."""

BYTES_PER_ADDRESS = 200
"""A guess while too little is stored: about 500 in a small document, which lies plain, 50 to 150 in a packed one."""

_REMEDY = (
    "Set spec.storage.persistentVolumeClaim: what is stored stays where it is and is read there, the rest goes to "
    "the volume."
)


class Room(msgspec.Struct, frozen=True):
    """Bytes of a collection's documents in ConfigMaps."""

    used: int
    limit: int
    """`NOVAHUNT_MAX_CONFIGMAP_BYTES` of the operator."""
    average: int = 0
    """What a document takes; 0: too few are stored to tell."""
    promised: int = 0
    """What running Jobs are expected to add."""
    expected: int = 0
    """What all domains are expected to take; 0: there is no ground for it yet."""
    refused: bool = False
    """Whether a document was refused for want of room, and would be again."""

    @property
    def is_full(self) -> bool:
        """Whether one more document is not expected to fit, even if the running Jobs store nothing."""
        return self.refused or self.used + _first(self.average) > self.limit

    @property
    def is_scarce(self) -> bool:
        """Whether all domains are expected to take more than there is."""
        return self.expected > self.limit

    def sentence(self, waiting: int) -> str:
        """Return what is used of what there is, how many domains wait for room, and what to do."""
        return (
            f"The documents take {_size(self.used)} of the {_size(self.limit)} that this collection may use in "
            f"ConfigMaps; {waiting} domains wait. {_REMEDY}"
        )

    def warning(self) -> str:
        """Return what is expected, and what to do."""
        return scarcity(self.expected, self.limit)


def judge(collection: Collection, results: Mapping[str, Result], found: Survey, limit: int) -> Room | None:
    """Judge the room of a collection; None where its documents go to a volume.

    Args:
        collection: Whose.
        results: Its domains' records, those of domains that are not wanted any more included.
        found: Its domains by state.
        limit: Bytes that its documents may take.
    """
    if collection.spec.volume is not None:
        return None
    sizes = [size for result in results.values() if (size := config_map_bytes(result))]
    used = sum(sizes)
    average = -(-used // len(sizes)) if len(sizes) >= ENOUGH_DOCUMENTS else 0
    at_work = [job.domain for job in (*found.live, *found.unsettled) if job.claim_name is None]
    unanswered = (*found.due, *found.held, *(job.domain for job in (*found.running, *found.backing_off)))
    open_domains = sum(domain not in found.refreshing for domain in unanswered)
    return Room(
        used=used,
        limit=limit,
        average=average,
        promised=sum(_growth(results.get(domain), average) for domain in at_work),
        expected=_expected(collection, used, open_domains, average),
        refused=any(refused_now(results.get(domain), used, limit) for domain in unanswered),
    )


def fitting(room: Room | None, domains: list[str], results: Mapping[str, Result], most: int) -> list[str]:
    """Return so many domains at most, in their order, whose documents are expected to fit."""
    if room is None:
        return domains[:most]
    chosen: list[str] = []
    left = room.limit - room.used - room.promised
    for domain in domains if not room.refused else ():
        if len(chosen) == most:
            break
        growth = _growth(results.get(domain), room.average)
        if growth <= left:
            left -= growth
            chosen.append(domain)
    return chosen


def refused_now(result: Result | None, used: int, limit: int) -> bool:
    """Tell whether a domain's document was refused for want of room, and would be again."""
    if result is None or not result.refused_bytes:
        return False
    return used - config_map_bytes(result) + result.refused_bytes > limit


def scarcity(expected: int, limit: int) -> str:
    """Return that more is expected than there is, and what to do."""
    return (
        f"The documents are expected to take {_size(expected)} in ConfigMaps, and {_size(limit)} is the limit. "
        f"{_REMEDY}"
    )


def refusal(size: int, used: int, limit: int) -> str:
    """Return why a document of this size is not taken, and what to do."""
    return (
        f"the document takes {_size(size)} in ConfigMaps, where the collection's documents take {_size(used)} of "
        f"{_size(limit)}. {_REMEDY}"
    )


def _growth(result: Result | None, average: int) -> int:
    """Return what a run of a domain is expected to add; what takes the place of a document is not expected to grow."""
    held = config_map_bytes(result)
    if result is not None and result.refused_bytes:
        return max(0, result.refused_bytes - held)
    return 0 if held else _first(average)


def _first(average: int) -> int:
    return max(1, average)


def _expected(collection: Collection, used: int, open_domains: int, average: int) -> int:
    if average:
        return used + open_domains * average
    estimate = collection.status.estimate
    return max(used, estimate.emails * BYTES_PER_ADDRESS) if estimate is not None else 0


def _size(count: int) -> str:
    """Return bytes for people."""
    for unit, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}".replace(".0 ", " ")
    return f"{count} bytes"
