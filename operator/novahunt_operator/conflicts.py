"""Finds collections that would write into the same folder of a claim."""

from collections.abc import Iterable

import msgspec

from novahunt_api.domaincollections import Collection
from novahunt_operator.pods import volume_path


class Conflict(msgspec.Struct, frozen=True):
    """Why a collection may not store anything in its folder."""

    message: str
    passes: bool = False
    """Whether it is over soon, without a person."""


def storage_conflict(collection: Collection, others: Iterable[Collection]) -> Conflict | None:
    """Return why the younger of two collections with overlapping folders may not start; None: no overlap."""
    volume, path = collection.spec.volume, volume_path(collection)
    if volume is None or path is None:
        return None
    for other in others:
        other_volume, other_path = other.spec.volume, volume_path(other)
        if (
            other.uid == collection.uid
            or other.key.namespace != collection.key.namespace
            or other_volume is None
            or other_path is None
            or other_volume.claim_name != volume.claim_name
            or (other.created, other.uid) > (collection.created, collection.uid)
        ):
            continue
        if overlap(path, other_path):
            return Conflict(
                f"Folder {path} of claim {volume.claim_name} overlaps with that of the older collection "
                f"{other.key.name} ({other_path}): set another spec.storage.persistentVolumeClaim.path."
            )
    return None


def overlap(one: str, other: str) -> bool:
    """Tell whether two folders of a claim are the same, or one lies in the other."""
    first, second = _parts(one), _parts(other)
    length = min(len(first), len(second))
    return first[:length] == second[:length]


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]
