"""Plays the container runtime: prepares what a collector's pod is given, and runs it as a process of this machine."""

import asyncio
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cluster.pod_files import Secret, write_lists
from cluster.pod_objects import Pod, Token
from novahunt_api.cluster import Cluster
from novahunt_contract import environment as env
from novahunt_contract.intake import AUDIENCE
from novahunt_operator.pods import SUPPRESSION_FOLDER, TOKEN_FOLDER, VOLUME_FOLDER

ROOT = Path(__file__).resolve().parents[2]


def now() -> str:
    """Return the time as Kubernetes writes it."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass
class Container:
    """A pod's process, and the folder that is its own."""

    purpose: str
    """The domain, or an errand's task."""
    process: asyncio.subprocess.Process
    private: tempfile.TemporaryDirectory[str]
    started_at: str

    @property
    def log(self) -> Path:
        """What it has logged."""
        return Path(self.private.name) / "log"

    @property
    def message(self) -> str:
        """Its termination message."""
        file = Path(self.private.name) / "termination"
        return file.read_text() if file.is_file() else ""

    async def remove(self) -> None:
        """End it if it runs, and remove its folder."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        self.private.cleanup()


@dataclass
class Containers:
    """Starts containers; `admin` may do what a kubelet may."""

    admin: Cluster
    namespace: str
    volume: Path
    """Stands for the claims: `/collections` in a pod is this folder."""
    path: tuple[Path, ...] = ()
    """Where Python looks for modules first: for a test's own `sitecustomize`."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that a test gives to each process."""

    async def start(self, pod: Pod) -> Container:
        """Start a pod's process.

        Raises:
            NotFoundError: a Secret or ConfigMap that the pod needs is not there.
        """
        private = tempfile.TemporaryDirectory(prefix="novahunt-pod-", ignore_cleanup_errors=True)
        folder = Path(private.name)
        try:
            environment = await self._environment(pod, folder)
            with (folder / "log").open("wb") as log:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "novahunt_collector", env=environment, cwd=folder, stdout=log, stderr=log
                )
        except BaseException:
            private.cleanup()
            raise
        return Container(environment.get(env.DOMAIN) or environment[env.TASK], process, private, now())

    async def _environment(self, pod: Pod, private: Path) -> Mapping[str, str]:
        values = {}
        for variable in pod.spec.containers[0].env:
            values[variable.name] = variable.value
            if variable.value_from is not None:
                ref = variable.value_from.secret_key_ref
                secret = await self.admin.get(f"/api/v1/namespaces/{self.namespace}/secrets/{ref.name}", Secret)
                values[variable.name] = secret.data[ref.key].decode()
        if env.INTAKE_TOKEN_FILE in values:
            token = private / "token"
            token.write_text(await self._token(pod))
            values[env.INTAKE_TOKEN_FILE] = values[env.INTAKE_TOKEN_FILE].replace(f"{TOKEN_FOLDER}/token", str(token))
        for name, folder, place in (
            (env.STORAGE, VOLUME_FOLDER, self.volume),
            (env.SUPPRESSION, SUPPRESSION_FOLDER, private / "lists"),
        ):
            if name in values:
                values[name] = values[name].replace(folder, str(place))
        mounts = pod.spec.containers[0].volume_mounts
        await write_lists(self.admin, self.namespace, pod.spec.volumes, mounts, private / "lists")
        values[env.TERMINATION_LOG] = str(private / "termination")
        folders = (*self.path, ROOT / "common", ROOT / "collector_image")
        return {
            **values,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": ":".join(map(str, folders)),
            "PYTHONDONTWRITEBYTECODE": "1",
            **self.environment,
        }

    async def _token(self, pod: Pod) -> str:
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {
                "audiences": [AUDIENCE],
                "expirationSeconds": 600,
                "boundObjectRef": {
                    "kind": "Pod",
                    "apiVersion": "v1",
                    "name": pod.metadata.name,
                    "uid": pod.metadata.uid,
                },
            },
        }
        account = pod.spec.service_account_name
        path = f"/api/v1/namespaces/{self.namespace}/serviceaccounts/{account}/token"
        return (await self.admin.create(path, body, Token)).status.token
