"""The state before the newest change of the chart: its files and images, out of this checkout's own history."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools import images
from tools.shell import ROOT, devcluster, show
from tools.target import CHART

WATCHED = ("charts", "crds")
_BUILD = "from tools import images as i; i.build((i.OPERATOR, i.COLLECTOR), own=True)"
_TAGS = "from tools import images as i; print(i.OPERATOR.tag(), i.COLLECTOR.tag())"


@dataclass(frozen=True)
class Previous:
    """An older state of this repository, unpacked, with its images built and loaded."""

    commit: str
    chart: str
    values: dict[str, str]
    """Values that make its chart run its own images."""


def commit() -> str:
    """Return the commit before the newest one that changed chart or kinds; uncommitted changes are newer still.

    It skips the test that asks in a checkout without history, such as a shallow one.
    """
    if _git("status", "--porcelain", "--", *WATCHED):
        return _git("rev-parse", "HEAD")
    changed = _git("log", "-1", "--first-parent", "--format=%H", "--", *WATCHED)
    shallow = _git("rev-parse", "--is-shallow-repository") == "true"
    parent = _git("rev-parse", "--verify", "--quiet", f"{changed}^") if changed else ""
    if not parent:
        why = "is shallow: `git fetch --unshallow` brings its history" if shallow else "has no history"
        pytest.skip(f"there is no previous chart to upgrade from: this checkout {why}")
    return parent


def unpacked(folder: Path, cluster: str) -> Previous:
    """Unpack the previous state into a folder, and build and load its images by its own tools."""
    found = commit()
    with subprocess.Popen(["git", "archive", found], cwd=ROOT, stdout=subprocess.PIPE) as archive:
        subprocess.run(["tar", "-x", "-C", str(folder)], stdin=archive.stdout, check=True)
    assert archive.returncode == 0, f"git archive {found} failed"
    _python(folder, _BUILD)
    operator, collector = _python(folder, _TAGS).split()[-2:]
    show(
        devcluster(
            "load",
            *("--name", cluster),
            *(f"{images.OPERATOR.repository(None)}:{operator}", f"{images.COLLECTOR.repository(None)}:{collector}"),
        )
    )
    return Previous(found, str(folder / CHART), {"image.tag": operator, "collector.image.tag": collector})


def _python(folder: Path, code: str) -> str:
    environment = dict(os.environ) | {"PYTHONPATH": f"{folder}:{folder / 'common'}"}
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _git(*words: str) -> str:
    """Ask git about this checkout; empty where it has no answer."""
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
