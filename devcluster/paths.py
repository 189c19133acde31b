"""Where things lie: the cache of built parts, and the run folder of each cluster."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devcluster.errors import RefusedInputError

SOURCES: Final = Path(__file__).resolve().parent
GO_SOURCES: Final = SOURCES / "go"
CONFIG: Final = SOURCES / "config"

LONGEST_RUN_FOLDER: Final = 60
"""Characters. A unix socket's path may have 107, and containerd and its shims add up to 45."""


def cache_root(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of everything built: `$NOVAHUNT_CACHE`, else `novahunt` in the user's cache folder."""
    if own := environ.get("NOVAHUNT_CACHE"):
        return Path(own).absolute()
    home = environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home).absolute() / "novahunt"


def run_root(environ: Mapping[str, str] = os.environ, *, root: bool | None = None) -> Path:
    """The folder of the clusters that run: `$NOVAHUNT_DEVCLUSTER_RUN`, else a state folder of root or the user.

    Not below `/tmp` or `/run`: containerd keeps images there, and those are often held in memory.
    """
    if own := environ.get("NOVAHUNT_DEVCLUSTER_RUN"):
        folder = Path(own).absolute()
    elif os.geteuid() == 0 if root is None else root:
        folder = Path("/var/lib/novahunt")
    else:
        folder = Path(environ.get("XDG_STATE_HOME") or Path.home() / ".local/state").absolute() / "novahunt"
    return folder


@dataclass(frozen=True)
class RunFolder:
    """The folder of one cluster: its keys, logs, sockets and data."""

    root: Path
    name: str

    @property
    def path(self) -> Path:
        """The folder itself; readable by its owner alone."""
        return self.root / self.name

    @property
    def record(self) -> Path:
        """What is remembered of the cluster."""
        return self.path / "cluster.json"

    @property
    def new_record(self) -> Path:
        """A record that is being written."""
        return self.path / "cluster.new"

    @property
    def processes(self) -> Path:
        """The components that were started, one a line."""
        return self.path / "processes.jsonl"

    @property
    def logs(self) -> Path:
        """One file a component, and the pods' logs."""
        return self.path / "logs"

    @property
    def pki(self) -> Path:
        """Keys, certificates and the components' kubeconfigs."""
        return self.path / "pki"

    @property
    def admin_kubeconfig(self) -> Path:
        """The kubeconfig of the installer."""
        return self.path / "admin.kubeconfig"

    @property
    def audit_log(self) -> Path:
        """The API server's audit log, if it was asked for."""
        return self.logs / "audit.log"

    @property
    def volumes(self) -> Path:
        """For tests' hostPath volumes."""
        return self.path / "volumes"

    @property
    def containerd(self) -> Path:
        """All that containerd keeps; a short name, because sockets are below it."""
        return self.path / "ctd"

    @property
    def containerd_socket(self) -> Path:
        """Where containerd answers."""
        return self.containerd / "c.sock"

    def kubeconfig(self, component: str) -> Path:
        """The kubeconfig of a component."""
        return self.pki / f"{component}.kubeconfig"

    def log(self, component: str) -> Path:
        """The log of a component."""
        return self.logs / f"{component}.log"

    def config(self, file: str) -> Path:
        """A configuration file made from a template."""
        return self.path / "config" / file

    def refuse_if_too_long(self) -> None:
        """Refuse a folder in which no unix socket could be made."""
        if len(str(self.path)) > LONGEST_RUN_FOLDER:
            raise RefusedInputError(
                f"the run folder {self.path} is longer than {LONGEST_RUN_FOLDER} characters, too long for unix "
                "sockets; set NOVAHUNT_DEVCLUSTER_RUN to a shorter folder"
            )
