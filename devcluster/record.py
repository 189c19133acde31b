"""What is remembered of each cluster on disk: its kind, its place and how far its start got."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Self

from devcluster.allocation import NAME, Link, Ports
from devcluster.cache import locked
from devcluster.errors import DamagedRecordError, UnknownClusterError
from devcluster.paths import RunFolder


class Kind(StrEnum):
    """What a cluster consists of."""

    CONTROL_PLANE = "control-plane"
    NODE = "node"


class State(StrEnum):
    """How far a cluster's start got; whether its parts live is seen from its processes."""

    STARTING = "starting"
    RUNNING = "running"


def namespace_of(name: str) -> str:
    """The network namespace of the whole node of this name."""
    return f"novahunt-{name}"


@dataclass(frozen=True)
class Limits:
    """The controller-manager's client limits towards the API server, in requests a second and at once."""

    qps: int
    burst: int


@dataclass(frozen=True)
class ClusterRecord:
    """One cluster, as its own folder remembers it."""

    name: str
    kind: Kind
    state: State
    ports: Ports
    index: int | None = None
    """Which link a whole node has; a control plane has none."""
    simulated_nodes: int = 0
    audit_log: bool = False
    limits: Limits | None = None

    @property
    def link(self) -> Link | None:
        """The wire of a whole node."""
        return None if self.index is None else Link(self.index)

    @property
    def api_host(self) -> str:
        """The address of the API server as this machine sees it."""
        link = self.link
        return "127.0.0.1" if link is None else str(link.node)

    @property
    def server(self) -> str:
        """The URL of the API server."""
        return f"https://{self.api_host}:{self.ports.api}"

    @property
    def namespace(self) -> str:
        """The network namespace of a whole node."""
        return namespace_of(self.name)

    @property
    def node_name(self) -> str:
        """The name of the real node."""
        return f"{self.name}-node"

    def running(self) -> Self:
        """The same cluster, once all of it has started."""
        return replace(self, state=State.RUNNING)

    def to_json(self) -> str:
        """The record as it is written to disk."""
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The record as it was written; whatever is missing or odd is a `ValueError`, `KeyError` or `TypeError`."""
        read = json.loads(text)
        limits = read["limits"]
        return cls(
            name=str(read["name"]),
            kind=Kind(read["kind"]),
            state=State(read["state"]),
            ports=Ports(**{key: int(port) for key, port in read["ports"].items()}),
            index=None if read["index"] is None else int(read["index"]),
            simulated_nodes=int(read["simulated_nodes"]),
            audit_log=bool(read["audit_log"]),
            limits=None if limits is None else Limits(int(limits["qps"]), int(limits["burst"])),
        )


@dataclass(frozen=True)
class Registry:
    """All clusters below one run root."""

    root: Path

    def folder(self, name: str) -> RunFolder:
        """The folder of a cluster, whether there or not."""
        return RunFolder(self.root, name)

    @contextmanager
    def cluster_lock(self, name: str) -> Iterator[None]:
        """Held by `up` and `down` of one cluster from begin to end; freed by the kernel if they die."""
        file = self.root / ".locks" / f"{name}.lock"
        with locked(file):
            try:
                yield
            finally:
                if not self.folder(name).path.exists():
                    file.unlink(missing_ok=True)

    @contextmanager
    def allocation_lock(self) -> Iterator[None]:
        """Held while free ports and addresses are chosen and recorded."""
        # A name that no cluster can have.
        with locked(self.root / ".locks" / ".allocation.lock"):
            yield

    def names(self) -> list[str]:
        """Every cluster, however little there is of it."""
        if not self.root.is_dir():
            return []
        return sorted(
            entry.name for entry in self.root.iterdir() if NAME.fullmatch(entry.name) and self.has(entry.name)
        )

    def has(self, name: str) -> bool:
        """Whether there is a cluster, or the beginning of one; other people's folders are none of ours."""
        folder = self.folder(name)
        return folder.record.is_file() or folder.new_record.is_file()

    def find(self, name: str) -> ClusterRecord | None:
        """The record of a cluster, or nothing if there is none or it was never written whole."""
        file = self.folder(name).record
        try:
            return ClusterRecord.from_json(file.read_text())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedRecordError(file, error) from error

    def get(self, name: str) -> ClusterRecord:
        """The record of a cluster; `UnknownClusterError` if there is none."""
        record = self.find(name)
        if record is None:
            raise UnknownClusterError(name)
        return record

    def all(self) -> list[ClusterRecord]:
        """Every cluster whose record can be read; what hinders one cluster must not hinder the others."""
        found = []
        for name in self.names():
            with suppress(DamagedRecordError):
                if (record := self.find(name)) is not None:
                    found.append(record)
        return found

    def write(self, record: ClusterRecord) -> None:
        """Write a record so that a reader sees the old or the new one, never half of one."""
        folder = self.folder(record.name)
        folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.new_record.write_text(record.to_json())
        folder.new_record.replace(folder.record)
