"""Starts a cluster's components one by one, records each at once, and waits until it is ready."""

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Final

from devcluster import requirements
from devcluster.commands import tail
from devcluster.control_plane import Command
from devcluster.errors import ComponentError, DeadlineError, DevclusterError
from devcluster.paths import RunFolder
from devcluster.processes import MARK, Identity, ProcessTable, Started, identity_of, start

POLL: Final = 0.05
"""Seconds between two looks at a condition."""


class Launcher:
    """The components that one `up` starts."""

    def __init__(self, folder: RunFolder, enter: Sequence[str] = ()) -> None:
        self._folder = folder
        self._enter = tuple(enter)
        self._table = ProcessTable(folder.processes)
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        folder.logs.mkdir(parents=True, exist_ok=True)
        # No proxy of this machine's stands between the parts of a cluster.
        self._environment = {
            name: value
            for name, value in os.environ.items()
            if name.lower() not in {"http_proxy", "https_proxy", "all_proxy", "kubeconfig"}
        }
        self._environment[MARK] = str(folder.path)
        self._environment["PATH"] = requirements.search_path()

    def start(self, command: Command) -> None:
        """Start a component; one that cannot even be started is `ComponentError`."""
        log = self._folder.log(command.component)
        try:
            argv = (*self._enter, *command.argv)
            child = start(argv, log=log, environment=self._environment)
        except OSError as error:
            raise ComponentError(command.component, "could not be started", str(error)) from error
        self._children[command.component] = child
        identity = identity_of(child.pid)
        if identity is None:
            raise self._ended(command.component)
        self._table.add(Started(command.component, identity, argv))

    def wait(self, component: str, what: str, condition: Callable[[], bool], deadline: float = 120) -> None:
        """Wait until the condition is true; `ComponentError` if it is not within `deadline` seconds.

        Fails at once when any component ends meanwhile.
        """
        until = time.monotonic() + deadline
        while not self._holds(condition):
            self.check()
            if time.monotonic() > until:
                reason = f"was not {what} after {deadline:.0f} s"
                raise ComponentError(component, reason, tail(self._folder.log(component))) from DeadlineError()
            time.sleep(POLL)

    @staticmethod
    def _holds(condition: Callable[[], bool]) -> bool:
        try:
            return condition()
        except ComponentError:
            raise
        except DevclusterError:
            # Not yet: the API server may still be missing a path or refuse a user.
            return False

    def check(self) -> None:
        """Fail if a component that was started has ended."""
        for component, child in self._children.items():
            if child.poll() is not None:
                raise self._ended(component)

    def _ended(self, component: str) -> ComponentError:
        code = self._children[component].wait()
        return ComponentError(component, f"ended with {code}", tail(self._folder.log(component)))


def living(table: ProcessTable) -> tuple[list[Started], list[Started]]:
    """The recorded components that live, and those that have ended."""
    alive: list[Started] = []
    ended: list[Started] = []
    for started in table.read():
        current: Identity | None = identity_of(started.identity.pid)
        (alive if current == started.identity else ended).append(started)
    return alive, ended
