"""A real Kubernetes control plane for tests, brought up and down by this repository's own cluster tool."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.shell import exports

ROOT = Path(__file__).resolve().parents[2]
REUSED = "NOVAHUNT_TEST_CLUSTER"
"""Environment variable: the name of a running cluster of the cluster tool, which is then left running."""

UP_SECONDS = 1800
"""A first start builds Kubernetes; later ones take seconds."""
CALL_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """What a program said, and how it ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class ControlPlane:
    """An API server, its etcd and controllers; `environment` is what programs that use them are started with."""

    name: str
    kubeconfig: Path
    kubectl_path: Path
    environment: Mapping[str, str]

    @property
    def audit_log(self) -> Path:
        """Where the API server logs who asked for what.

        Raises:
            AssertionError: it does not; the text says how to have it.
        """
        file = self.environment.get("NOVAHUNT_DEVCLUSTER_AUDIT_LOG")
        assert file, f"cluster {self.name} has no audit log: bring it up with `devcluster up --audit-log`"
        return Path(file)

    def try_kubectl(self, *args: str, stdin: str | None = None) -> Answer:
        """Run kubectl as the cluster's administrator, and tell how it ended."""
        return _run([str(self.kubectl_path), *args], self.environment, stdin, CALL_SECONDS)

    def kubectl(self, *args: str, stdin: str | None = None) -> str:
        """Run kubectl as the cluster's administrator, and return what it printed.

        Raises:
            AssertionError: it failed; the text holds what it said.
        """
        answer = self.try_kubectl(*args, stdin=stdin)
        if answer.code:
            raise AssertionError(f"kubectl {shlex.join(args)} ended with {answer.code}: {answer.err.strip()}")
        return answer.out

    def helm(self, *args: str) -> str:
        """Run Helm as the cluster's administrator, and return what it printed.

        Raises:
            AssertionError: it failed; the text holds what it said.
        """
        answer = _run(["helm", *args], self.environment, None, CALL_SECONDS)
        if answer.code:
            raise AssertionError(f"helm {shlex.join(args)} ended with {answer.code}: {answer.err.strip()}")
        return answer.out


@contextmanager
def running(name: str, *options: str) -> Iterator[ControlPlane]:
    """Bring a control plane of that name up, and down at the end; with `NOVAHUNT_TEST_CLUSTER` use that one.

    Further options are those of `devcluster up`.
    """
    reused = os.environ.get(REUSED)
    if reused:
        yield _look_at(reused)
        return
    try:
        _devcluster("up", "--control-plane", "--name", name, *options, seconds=UP_SECONDS)
        yield _look_at(name)
    finally:
        _devcluster("down", "--name", name, seconds=CALL_SECONDS * 2)


def _look_at(name: str) -> ControlPlane:
    environment = exports(_devcluster("env", "--name", name, seconds=CALL_SECONDS))
    kubectl = next(
        folder / "kubectl" for folder in map(Path, environment["PATH"].split(":")) if (folder / "kubectl").is_file()
    )
    return ControlPlane(name, Path(environment["KUBECONFIG"]), kubectl, environment)


def _devcluster(*args: str, seconds: float) -> str:
    answer = _run([sys.executable, "-m", "devcluster", *args], dict(os.environ), None, seconds)
    if answer.code:
        raise RuntimeError(f"devcluster {shlex.join(args)} ended with {answer.code}:\n{answer.out}{answer.err}")
    return answer.out


def _run(command: list[str], environment: Mapping[str, str], stdin: str | None, seconds: float) -> Answer:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        input=stdin if stdin is not None else "",
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)
