"""The parts of Kubernetes objects that are read, as they come over the wire."""

from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from novahunt_api.objects import Key


class Owner(msgspec.Struct, frozen=True):
    """An owner reference."""

    kind: str
    name: str
    uid: str
    controller: bool = False


class Meta(msgspec.Struct, frozen=True, rename="camel"):
    """Object metadata."""

    name: str
    uid: str = ""
    namespace: str = ""
    resource_version: str = "0"
    generation: int = 0
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: tuple[Owner, ...] = ()

    @property
    def controller(self) -> Owner | None:
        """The owner that controls the object, if one does."""
        return next((owner for owner in self.owner_references if owner.controller), None)


class JobCondition(msgspec.Struct, frozen=True, rename="camel"):
    """A Job's condition."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None


class JobStatus(msgspec.Struct, frozen=True, rename="camel"):
    """A Job's status."""

    active: int = 0
    failed: int = 0
    succeeded: int = 0
    terminating: int = 0
    start_time: str | None = None
    conditions: tuple[JobCondition, ...] = ()


class JobSpec(msgspec.Struct, frozen=True):
    """A Job's spec."""

    suspend: bool = False


class JobObject(msgspec.Struct, frozen=True):
    """A Job."""

    metadata: Meta
    spec: JobSpec = JobSpec()
    status: JobStatus = JobStatus()


class SecretObject(msgspec.Struct, frozen=True):
    """A Secret."""

    metadata: Meta
    data: dict[str, bytes] = {}


class Terminated(msgspec.Struct, frozen=True, rename="camel"):
    """How a container ended."""

    exit_code: int = 0
    reason: str = ""
    message: str = ""


class Waiting(msgspec.Struct, frozen=True):
    """Why a container does not run yet."""

    reason: str = ""
    message: str = ""


class ContainerState(msgspec.Struct, frozen=True):
    """One of these is set; `running` only tells that it is there."""

    waiting: Waiting | None = None
    running: dict[str, Any] | None = None
    terminated: Terminated | None = None


class ContainerStatus(msgspec.Struct, frozen=True):
    """A container's status."""

    name: str = ""
    state: ContainerState = ContainerState()


class PodStatus(msgspec.Struct, frozen=True, rename="camel"):
    """A pod's status."""

    phase: str = "Pending"
    reason: str = ""
    conditions: tuple[JobCondition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()


class PodObject(msgspec.Struct, frozen=True):
    """A pod."""

    metadata: Meta
    status: PodStatus = PodStatus()


class ListMeta(msgspec.Struct, frozen=True, rename="camel"):
    """A list's metadata."""

    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


Item = TypeVar("Item")


class Page(msgspec.Struct, Generic[Item], frozen=True):
    """A page of a list."""

    metadata: ListMeta
    items: tuple[Item, ...] = ()


class WatchEvent(msgspec.Struct, frozen=True):
    """One line of a watch; the object is read in a second step, by its type."""

    type: str
    object: msgspec.Raw


class StatusObject(msgspec.Struct, frozen=True):
    """The API server's word on a failed call."""

    code: int = 0
    reason: str = ""
    message: str = ""


class Version(msgspec.Struct, frozen=True, rename="camel"):
    """Of any object's metadata, which one it is and in which state: a bookmark has nothing but the version."""

    resource_version: str
    uid: str = ""


class Kind(msgspec.Struct, frozen=True):
    """Any object, of which only the kind is wanted."""

    kind: str = ""


class Versioned(msgspec.Struct, frozen=True):
    """Any object, of which only UID and version are wanted."""

    metadata: Version


class ConfigMapObject(msgspec.Struct, frozen=True, rename="camel"):
    """A ConfigMap; binary data is base64 text."""

    metadata: Meta
    data: dict[str, str] = {}
    binary_data: dict[str, str] = {}


class LeaseSpec(msgspec.Struct, frozen=True, rename="camel"):
    """A Lease's spec."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None


class LeaseObject(msgspec.Struct, frozen=True):
    """A Lease."""

    metadata: Meta
    spec: LeaseSpec = LeaseSpec()


def key(meta: Meta) -> Key:
    """Return what names the object with this metadata."""
    return Key(meta.namespace, meta.name)
