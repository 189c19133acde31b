"""Runs the gateway from the checkout as a process, with the account and rights that the chart gives it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx

from cluster.control_plane import ROOT, ControlPlane
from cluster.operator_process import free_port
from tools.accounts import write_kubeconfig

TOKEN = "token-of-the-test"
ACCOUNT = "novahunt-gateway"
SECONDS = 60.0


@dataclass
class GatewayProcess:
    """One replica for one namespace. `settings` are environment variables over the defaults below."""

    plane: ControlPlane
    namespace: str
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    health_port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is called."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def health_url(self) -> str:
        """Where it tells of itself."""
        return f"http://127.0.0.1:{self.health_port}"

    @property
    def log(self) -> str:
        """What it has logged."""
        file = self.folder / "gateway.log"
        return file.read_text() if file.is_file() else ""

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None, "it runs"
        return self._process.pid

    def client(self, token: str | None = TOKEN) -> httpx.Client:
        """Return a caller with a token."""
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Run it until it is ready, and stop it at the end."""
        (self.folder / "token").write_text(TOKEN)
        with (self.folder / "gateway.log").open("ab") as log:
            command = [sys.executable, "-m", "novahunt_gateway"]
            self._process = subprocess.Popen(command, env=self._environment(), cwd=self.folder, stdout=log, stderr=log)
        try:
            self._wait()
            yield self
        finally:
            self._process.terminate()
            self._process.wait(timeout=30)

    def _wait(self) -> None:
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                answer = httpx.get(f"{self.health_url}/readyz")
            except httpx.TransportError:
                said = "nothing"
            else:
                if answer.status_code == 200:
                    return
                said = answer.text
            assert self._process is not None
            assert self._process.poll() is None, f"it has ended:\n{self.log}"
            assert time.monotonic() < deadline, f"not ready: {said}\n{self.log}"
            time.sleep(0.1)

    def _environment(self) -> dict[str, str]:
        token = self.plane.kubectl("create", "token", ACCOUNT, "-n", self.namespace, "--duration=2h").strip()
        kubeconfig = self.folder / "gateway-kubeconfig"
        write_kubeconfig(kubeconfig, admin=self.plane.kubeconfig, token=token)
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT / 'common'}:{ROOT / 'gateway'}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "KUBECONFIG": str(kubeconfig),
            "NOVAHUNT_NAMESPACE": self.namespace,
            "NOVAHUNT_GATEWAY_TOKEN_FILE": str(self.folder / "token"),
            "NOVAHUNT_GATEWAY_PORT": str(self.port),
            "NOVAHUNT_GATEWAY_HEALTH_PORT": str(self.health_port),
            "NOVAHUNT_LOG_FORMAT": "text",
            **self.settings,
        }
