"""Runs the operator from the checkout as a process, with the account and rights that the chart gives it."""

import os
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from cluster.control_plane import ROOT, ControlPlane
from tools.accounts import write_kubeconfig

IMAGE = "registry.example/novahunt-collector:test"

PROBE_SECONDS = 2
"""How long after a refused key one Job tries again."""


def free_port() -> int:
    """Return a port of loopback that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class OperatorProcess:
    """One replica. `settings` are environment variables over the defaults below."""

    plane: ControlPlane
    namespace: str
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    name: str = "operator-0"
    kubeconfig: Path | None = None
    """One of the chart's service account; None: it is made at each start."""
    port: int = field(default_factory=free_port)
    health_port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    def environment(self) -> dict[str, str]:
        """Return all that it is started with; a kubeconfig of the chart's account is written for it."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT / 'common'}:{ROOT / 'operator'}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "KUBECONFIG": str(self.kubeconfig or self._kubeconfig()),
            "NOVAHUNT_OPERATOR_NAMESPACE": self.namespace,
            "NOVAHUNT_POD_NAME": self.name,
            "NOVAHUNT_LEASE_NAME": "novahunt-leader",
            "NOVAHUNT_COLLECTOR_IMAGE": IMAGE,
            "NOVAHUNT_INTAKE_URL": f"https://127.0.0.1:{self.port}",
            "NOVAHUNT_CERTIFICATE_SECRET": "novahunt-certificate",
            "NOVAHUNT_INTAKE_PORT": str(self.port),
            "NOVAHUNT_HEALTH_PORT": str(self.health_port),
            "NOVAHUNT_LOG_FORMAT": "text",
            "NOVAHUNT_PROBE_SECONDS": str(PROBE_SECONDS),
            "WORKER_CONCURRENCY": "4",
            "WORKER_MAX_JOBS_PER_INTERVAL": "0",
            **self.settings,
        }

    def start(self) -> None:
        """Start it; its log goes to a file."""
        environment = self.environment()
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "novahunt_operator"], env=environment, cwd=self.folder, stdout=log, stderr=log
            )

    @property
    def pid(self) -> int | None:
        """Its process while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def log_file(self) -> Path:
        """Where its log goes."""
        return self.folder / f"{self.name}.log"

    @property
    def log(self) -> str:
        """What it has logged."""
        return self.log_file.read_text() if self.log_file.is_file() else ""

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> int:
        """End it by SIGTERM and return its exit code."""
        if self._process is None:
            return 0
        self._process.terminate()
        code = self._process.wait(timeout=20)
        self._process = None
        return code

    def _kubeconfig(self) -> Path:
        """Write a kubeconfig of the chart's service account, which is what the operator's pod would be."""
        token = self.plane.kubectl("create", "token", "novahunt", "-n", self.namespace, "--duration=2h").strip()
        path = self.folder / "kubeconfig"
        write_kubeconfig(path, admin=self.plane.kubeconfig, token=token)
        return path
