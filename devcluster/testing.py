"""A cluster as a test uses it: through the command line and kubectl, with everything checked that `down` promises."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from devcluster import containers, network
from devcluster.paths import SOURCES, RunFolder, cache_root, run_root
from devcluster.processes import ProcessTable, Started, marked
from devcluster.programs import Programs
from devcluster.record import Registry, namespace_of

REPOSITORY = SOURCES.parent


@dataclass(frozen=True)
class Answer:
    """What a verb said, and how it ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Cluster:
    """One cluster; its name is the test's choice."""

    name: str

    @property
    def registry(self) -> Registry:
        """The clusters of this user."""
        return Registry(run_root())

    @property
    def folder(self) -> RunFolder:
        """Where this cluster's files are."""
        return self.registry.folder(self.name)

    @property
    def components(self) -> dict[str, Started]:
        """What was started of it, whether alive or not."""
        return {started.component: started for started in ProcessTable(self.folder.processes).read()}

    def launch(self, *words: str) -> "subprocess.Popen[str]":
        """Begin a verb, without waiting for its end."""
        return subprocess.Popen(
            [sys.executable, "-m", "devcluster", *words],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def verb(self, *words: str) -> Answer:
        """Carry out a verb, whatever comes of it."""
        with self.launch(*words) as process:
            out, err = process.communicate()
        return Answer(process.returncode, out, err)

    def up(self, *words: str) -> Answer:
        """Start the cluster; an `AssertionError` says why it did not."""
        return _good(self.verb("up", "--name", self.name, *words))

    def down(self) -> Answer:
        """Take the cluster down; an `AssertionError` says why it is not."""
        return _good(self.verb("down", "--name", self.name))

    def kubectl(self, *words: str, send: str | None = None) -> str:
        """Run kubectl as the admin and give back what it printed; an `AssertionError` has its words."""
        done = subprocess.run(
            [Programs.cached(cache_root()).component("kubectl"), *words],
            env={**os.environ, "KUBECONFIG": str(self.folder.admin_kubeconfig)},
            input=send,
            capture_output=True,
            text=True,
            check=False,
        )
        return _good(Answer(done.returncode, done.stdout, done.stderr)).out

    def get(self, *words: str) -> Any:
        """What `kubectl get` has of these, parsed."""
        return json.loads(self.kubectl("get", *words, "--output=json"))

    def what_is_left(self) -> list[str]:
        """Everything of this cluster that the machine still has."""
        folder = self.folder.path
        left = [f"process {identity.pid}" for identity in (*marked(folder), *containers.rooted_below(folder))]
        left += [f"mount {point}" for point in containers.mounts_below(folder)]
        left += [str(place) for place in (folder, network.NAMESPACES / namespace_of(self.name)) if place.exists()]
        return left


def _good(answer: Answer) -> Answer:
    if answer.code != 0:
        raise AssertionError(f"ended with {answer.code}: {answer.err.strip()}")
    return answer


def wait_until(condition: Callable[[], bool], what: str, deadline: float = 60) -> None:
    """Wait for a condition, at most `deadline` seconds; an `AssertionError` says for what it waited in vain."""
    until = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"not within {deadline} s: {what}")
        time.sleep(0.05)
