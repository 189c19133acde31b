"""The parts of pods, Secrets and tokens that the player of the kubelet reads, as they come over the wire."""

from typing import Any

import msgspec

from cluster.pod_files import Mount, Volume


class Ref(msgspec.Struct):
    name: str
    key: str


class From(msgspec.Struct, rename="camel"):
    secret_key_ref: Ref


class Variable(msgspec.Struct, rename="camel"):
    name: str
    value: str = ""
    value_from: From | None = None


class ContainerSpec(msgspec.Struct, rename="camel"):
    name: str
    env: tuple[Variable, ...] = ()
    volume_mounts: tuple[Mount, ...] = ()


class PodSpec(msgspec.Struct, rename="camel"):
    containers: tuple[ContainerSpec, ...]
    volumes: tuple[Volume, ...] = ()
    service_account_name: str = "default"
    node_name: str = ""


class PodMeta(msgspec.Struct, rename="camel"):
    name: str
    namespace: str
    uid: str
    resource_version: str
    deletion_timestamp: str | None = None


class PodStatus(msgspec.Struct, frozen=True):
    phase: str = "Pending"


class Pod(msgspec.Struct):
    metadata: PodMeta
    spec: PodSpec
    status: PodStatus = PodStatus()

    @property
    def deleting(self) -> bool:
        return self.metadata.deletion_timestamp is not None

    @property
    def ended(self) -> bool:
        return self.status.phase in ("Succeeded", "Failed")

    @property
    def path(self) -> str:
        return f"/api/v1/namespaces/{self.metadata.namespace}/pods/{self.metadata.name}"


class PodPage(msgspec.Struct):
    metadata: dict[str, Any]
    items: tuple[Pod, ...]


class TokenStatus(msgspec.Struct):
    token: str


class Token(msgspec.Struct):
    status: TokenStatus
