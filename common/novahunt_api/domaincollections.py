"""DomainCollection as NovaHunt's programs read it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from novahunt_api import names, wire
from novahunt_api.conditions import ConditionType, find
from novahunt_api.objects import Key
from novahunt_api.spec import CollectionSpec
from novahunt_api.statusobject import CollectionStatus

_EPOCH = datetime.fromtimestamp(0, UTC)


class CollectionObject(msgspec.Struct, frozen=True):
    """A DomainCollection; spec and status are read in a second step, so that a bad one is named, not lost."""

    metadata: wire.Meta
    spec: dict[str, Any] = {}
    status: dict[str, Any] = {}


class Collection(msgspec.Struct, frozen=True):
    """A DomainCollection as last seen."""

    key: Key
    uid: str
    generation: int
    resource_version: int
    created: datetime
    deleting: bool
    spec: CollectionSpec
    status: CollectionStatus
    spec_error: str | None = None
    """Why the spec can't be read (an object older than its schema); then `spec` is all defaults."""
    sweep_wish: str = ""
    """The value of the annotation that asks for a sweep."""

    @property
    def is_ready(self) -> bool:
        """Whether everything has come to its end; what is said of an older generation does not count."""
        ready = find(self.status.conditions, ConditionType.READY)
        return self.status.observed_generation >= self.generation and ready is not None and ready.status == "True"


def read(raw: Mapping[str, Any]) -> Collection:
    """Read a DomainCollection; a spec that can't be read is named in `spec_error`."""
    return of(msgspec.convert(raw, CollectionObject))


def of(found: CollectionObject) -> Collection:
    """Read a DomainCollection that has come over the wire, as `read` does."""
    spec, spec_error = CollectionSpec(), None
    try:
        # Through JSON, because parts of the pod template are kept raw.
        spec = msgspec.json.decode(msgspec.json.encode(found.spec), type=CollectionSpec)
    except msgspec.ValidationError as error:
        spec_error = f"spec can't be read: {error}"
    try:
        status = msgspec.convert(found.status, CollectionStatus)
    except msgspec.ValidationError:
        # It is computed anew from what there is; only times of the past are lost.
        status = CollectionStatus()
    meta = found.metadata
    return Collection(
        key=wire.key(meta),
        uid=meta.uid,
        generation=meta.generation,
        resource_version=int(meta.resource_version),
        created=meta.creation_timestamp or _EPOCH,
        deleting=meta.deletion_timestamp is not None,
        spec=spec,
        status=status,
        spec_error=spec_error,
        sweep_wish=meta.annotations.get(names.SWEEP_ANNOTATION, ""),
    )
