"""Decides which erasures a collection needs while it is there, and what becomes of them when it is gone. Pure.

Documents on a volume go with a collection whose deletionPolicy says so. Only a pod can remove them, and when the
collection is gone nobody knows any more what such a pod needs: so the Job is made before the first document is stored,
suspended, and let go when its collection is gone.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import Final

from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Result, StoredResult, VolumePlace
from novahunt_api.spec import DeletionPolicy
from novahunt_operator.conflicts import Conflict, overlap
from novahunt_operator.pods import volume_path
from novahunt_operator.records import Erasure, Job, JobEnd, Pod

SETTLE: Final = timedelta(seconds=5)
"""A deleted collection's last pod may be seen a little after its last Job has gone."""


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What to do about the erasures of a collection that is there."""

    make: tuple[VolumePlace, ...]
    drop: tuple[Erasure, ...]


def upkeep(
    collection: Collection,
    results: Iterable[Result],
    ours: Iterable[Erasure],
    template_hashes: Mapping[VolumePlace, str],
    *,
    may_store: bool = True,
) -> Upkeep:
    """Return what is missing and what is in excess.

    Args:
        collection: Is there.
        results: Its domains' records.
        ours: Its erasures.
        template_hashes: For each of `folders`: what an erasure that is made now is made from.
        may_store: Whether its folder is its own; in another's, only what lies there already needs one.
    """
    if collection.deleting or collection.spec_error is not None:
        # What it will need is what it needed before.
        return Upkeep((), ())
    known = list(results)
    wanted = folders(collection, known)
    used = wanted if may_store else tuple(place for place in wanted if place in _places(known))
    good: set[VolumePlace] = set()
    drop: list[Erasure] = []
    for erasure in sorted(ours, key=lambda erasure: erasure.key):
        place = VolumePlace(erasure.claim_name, erasure.path)
        fits = place in wanted and erasure.template_hash == template_hashes[place] and erasure.end is None
        if erasure.deleting:
            continue
        if fits and place not in good:
            good.add(place)
        elif place in used or place not in wanted:
            drop.append(erasure)
    return Upkeep(make=tuple(place for place in used if place not in good), drop=tuple(drop))


def folders(collection: Collection, results: Iterable[Result]) -> tuple[VolumePlace, ...]:
    """Return where documents lie, or will, that go with the collection."""
    if collection.spec.deletion_policy is not DeletionPolicy.DELETE:
        return ()
    found: dict[VolumePlace, None] = {}
    path = volume_path(collection)
    if collection.spec.volume is not None and path is not None:
        found[VolumePlace(collection.spec.volume.claim_name, path)] = None
    return tuple(found | _places(results))


def doomed(results: Iterable[StoredResult], uid: str, orphans: Sequence[Erasure]) -> frozenset[str]:
    """Return the domains whose record is about to go with a collection that is gone, or tells of a file that is.

    The next collection of that name must not take them for answers; what is retained has no owner.

    Args:
        results: Of one name's collections.
        uid: Of the collection that is there.
        orphans: The erasures of that name's collections whose collection is gone.
    """
    return frozenset(
        known.data.domain
        for known in results
        if known.owner_uid not in (None, uid) or (orphans and any(tells_of(known, erasure) for erasure in orphans))
    )


def tells_of(known: StoredResult, erasure: Erasure) -> bool:
    """Tell whether a record without an owner tells of a file that an erasure will remove.

    Its collection was deleted when the erasure was there and the record did not follow the policy yet.
    """
    erased = VolumePlace(erasure.claim_name, erasure.path)
    return erasure.is_genuine and known.owner_uid is None and erased in _places([known.data])


def going(domains: AbstractSet[str]) -> Conflict | None:
    """Return why nothing may be stored while there are doomed records."""
    if not domains:
        return None
    return Conflict(
        f"{len(domains)} DomainResults of a deleted collection of this name are about to go: "
        "Kubernetes' garbage collector removes them.",
        passes=True,
    )


class Step(Enum):
    """What to do with the erasure of a collection that is gone."""

    WAIT = auto()
    """For pods that may still store something."""
    RELEASE = auto()
    """Let its pod start."""
    WORKS = auto()
    DONE = auto()
    """All is erased; its Job may go."""
    CLAIM_GONE = auto()
    """There is nothing to erase any more; its Job may go."""
    COPY = auto()
    """It was restored from a backup, or nothing was stored under it yet: it erases nothing, and may go."""
    FAILED = auto()
    """A person is needed; its Job stays, and tells why."""


def step(erasure: Erasure, pods: Sequence[Pod], jobs: Iterable[Job], of_collection: Iterable[Pod]) -> Step:
    """Tell what comes next.

    Args:
        erasure: Its collection is gone.
        pods: The erasure's own.
        jobs: Of all collections in the namespace.
        of_collection: Pods of all collections of its collection's name.
    """
    if not erasure.is_genuine:
        # What it names may be a restored collection's by now.
        return Step.COPY
    if erasure.end is JobEnd.COMPLETE:
        return Step.DONE
    if erasure.end is JobEnd.FAILED:
        return Step.FAILED
    if not erasure.suspended:
        return Step.CLAIM_GONE if any(_lacks_its_claim(pod) for pod in pods) else Step.WORKS
    mine = {pod.uid for pod in pods}
    there = list(jobs)
    in_folder = {job.uid for job in there if job.end is None and _stores_in(job, erasure)}
    known = {job.uid for job in there}
    for pod in of_collection:
        if pod.uid not in mine and not pod.finished and (pod.job_uid in in_folder or pod.job_uid not in known):
            return Step.WAIT
    return Step.WAIT if in_folder else Step.RELEASE


def conflict(collection: Collection, erasures: Iterable[Erasure]) -> Conflict | None:
    """Return why a collection may not store into its folder: what a deleted one left there is erased first.

    Args:
        collection: Is there.
        erasures: Those whose collection is gone.
    """
    volume, path = collection.spec.volume, volume_path(collection)
    if volume is None or path is None:
        return None
    for erasure in sorted(erasures, key=lambda erasure: erasure.key):
        if erasure.key.namespace != collection.key.namespace or erasure.claim_name != volume.claim_name:
            continue
        if not overlap(path, erasure.path):
            continue
        where = f"folder {erasure.path} of claim {erasure.claim_name}"
        what = f"what the deleted collection {erasure.collection} has stored in {where}"
        if erasure.end is JobEnd.FAILED:
            name = erasure.key.name
            return Conflict(
                f"Job {name} could not erase {what} (kubectl logs job/{name}): delete the Job to keep what is left, "
                "or set another spec.storage.persistentVolumeClaim.path."
            )
        return Conflict(f"Job {erasure.key.name} erases {what}.", passes=True)
    return None


def _places(results: Iterable[Result]) -> dict[VolumePlace, None]:
    """Return where documents lie on volumes, in a stable order."""
    stored = (result.volume_place for result in results)
    return dict.fromkeys(place for place in stored if place is not None)


def _stores_in(job: Job, erasure: Erasure) -> bool:
    return (
        job.key.namespace == erasure.key.namespace
        and job.claim_name == erasure.claim_name
        and job.path is not None
        and overlap(job.path, erasure.path)
    )


def _lacks_its_claim(pod: Pod) -> bool:
    text = pod.unschedulable.lower()
    return "persistentvolumeclaim" in text and "not found" in text
