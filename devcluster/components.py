"""`kill` and `restart`: single components of a running cluster, for whoever wants to see what an outage does."""

from pathlib import Path
from typing import Final

from devcluster.api import ApiClient
from devcluster.control_plane import Command
from devcluster.errors import RefusedInputError
from devcluster.launcher import Launcher
from devcluster.paths import RunFolder
from devcluster.processes import ProcessTable, Started, end_all, is_alive
from devcluster.record import Registry

_NEEDED_BY_ALL: Final = ("etcd", "kube-apiserver")


def kill(registry: Registry, name: str, component: str) -> None:
    """End a component at once, as a crash would, and wait until it is gone; it stays away until `restart`.

    Raises:
        UnknownClusterError: there is no such cluster.
        RefusedInputError: it has no such component; the text names those that it has.
    """
    registry.get(name)
    end_all([_find(registry.folder(name), component).identity])


def restart(registry: Registry, name: str, component: str) -> None:
    """Start a component with the command line that it had, ending it first if it runs.

    Waits until the API server is ready again where the component is one that it needs. Its data and addresses stay.

    Raises:
        UnknownClusterError: there is no such cluster.
        RefusedInputError: it has no such component; the text names those that it has.
        ComponentError: it ended at once, or the API server was not ready in time.
    """
    record, folder = registry.get(name), registry.folder(name)
    with registry.cluster_lock(name):
        started = _find(folder, component)
        end_all([started.identity])
        launcher = Launcher(folder)
        launcher.start(Command(component, started.argv))
        if component in _NEEDED_BY_ALL and _all_alive(folder):
            launcher.wait(component, "letting the API server be ready", ApiClient(record, folder).ready)
        launcher.check()


def _find(folder: RunFolder, component: str) -> Started:
    table = {started.component: started for started in ProcessTable(folder.processes).read()}
    if component not in table or not table[component].argv:
        raise RefusedInputError(f"cluster {Path(folder.path).name!r} has no {component!r}: it has {', '.join(table)}")
    return table[component]


def _all_alive(folder: RunFolder) -> bool:
    """Whether nothing else is down for which one would wait in vain."""
    table = ProcessTable(folder.processes).read()
    return all(is_alive(started.identity) for started in table if started.component in _NEEDED_BY_ALL)
