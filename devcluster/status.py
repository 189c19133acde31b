"""`status`: what a person wants to see of the clusters on this machine."""

from collections.abc import Sequence
from dataclasses import dataclass

from devcluster.api import ApiClient, ApiRefusedError, ApiUnreachableError, NodeState
from devcluster.launcher import living
from devcluster.paths import RunFolder
from devcluster.processes import ProcessTable
from devcluster.record import ClusterRecord, Registry, State


@dataclass(frozen=True)
class ClusterStatus:
    """One cluster as it is now."""

    record: ClusterRecord
    folder: RunFolder
    alive: tuple[str, ...]
    ended: tuple[str, ...]
    nodes: tuple[NodeState, ...] | None
    """Nothing when the API server does not answer."""

    @property
    def word(self) -> str:
        """The whole cluster in one or two words."""
        if self.record.state is State.STARTING:
            return "starting or half started"
        if not self.alive:
            return "ended"
        return "damaged" if self.ended or self.nodes is None else "up"


def look(registry: Registry, record: ClusterRecord) -> ClusterStatus:
    """Look at one cluster."""
    folder = registry.folder(record.name)
    alive, ended = living(ProcessTable(folder.processes))
    nodes: tuple[NodeState, ...] | None = None
    if alive and folder.admin_kubeconfig.exists():
        try:
            nodes = tuple(ApiClient(record, folder, timeout=3).nodes())
        except (ApiUnreachableError, ApiRefusedError, OSError):
            nodes = None
    return ClusterStatus(
        record,
        folder,
        tuple(started.component for started in alive),
        tuple(started.component for started in ended),
        nodes,
    )


def _node_words(status: ClusterStatus) -> str:
    if status.nodes is None:
        return "?"
    real = [node for node in status.nodes if not node.simulated]
    simulated = [node for node in status.nodes if node.simulated]
    words = [f"{node.name} {'ready' if node.ready else 'not ready'}" for node in real]
    if simulated:
        words.append(f"{sum(node.ready for node in simulated)}/{len(simulated)} simulated ready")
    return ", ".join(words) or "none"


def table(statuses: Sequence[ClusterStatus]) -> str:
    """The table that `status` prints."""
    if not statuses:
        return "no cluster; `python -m devcluster up` starts one"
    rows = [("NAME", "KIND", "STATE", "API", "NODES", "COMPONENTS")]
    rows += [
        (
            status.record.name,
            status.record.kind,
            status.word,
            status.record.server,
            _node_words(status),
            f"{len(status.alive)} up" + (f", down: {' '.join(status.ended)}" if status.ended else ""),
        )
        for status in statuses
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    for status in statuses:
        lines += ["", f"{status.record.name}:", *(f"  {line}" for line in _places(status))]
    return "\n".join(lines)


def _places(status: ClusterStatus) -> list[str]:
    folder = status.folder
    found = [f"components   {' '.join(status.alive) or 'none'}", f"kubeconfig   {folder.admin_kubeconfig}"]
    found.append(f"logs         {folder.logs}")
    if status.record.link is not None:
        found.append(f"volumes      {folder.volumes}")
        found.append(f"this machine {status.record.link.host} (host.devcluster.internal in pods)")
    if status.record.audit_log:
        found.append(f"audit log    {folder.audit_log}")
    return found
