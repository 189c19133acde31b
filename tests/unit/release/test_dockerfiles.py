"""What every Dockerfile keeps: stages, labels, an ordinary user, reviewed packages, the same bytes again."""

import os
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from tools.images import ALL, Image, labels
from unit.chart import ROOT

COMPILING = ("-m", "compileall", "-q", "-j", "1", "--invalidation-mode", "unchecked-hash")
EVERY = pytest.mark.parametrize("image", ALL, ids=lambda image: image.name)


def stages(image: Image) -> list[list[str]]:
    """Return the instructions of each stage, each on one line, without comments."""
    text = re.sub(r"(?m)^\s*#.*\n", "", (ROOT / image.dockerfile).read_text())
    lines = [line.strip() for line in re.sub(r"\\\n\s*", "", text).splitlines() if line.strip()]
    starts = [number for number, line in enumerate(lines) if line.startswith("FROM ")]
    return [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]


@EVERY
def test_nothing_runs_in_the_stage_that_is_kept(image: Image) -> None:
    first, last = stages(image)
    assert first[0] == "FROM ${BASE} AS build"
    assert last[0] == "FROM ${BASE}"
    assert not [line for line in last if line.startswith("RUN ")]


@EVERY
def test_it_runs_as_a_numbered_user_that_is_not_root(image: Image) -> None:
    assert [line for line in stages(image)[-1] if line.startswith("USER ")] == ["USER 65532:65532"]


@EVERY
def test_it_says_what_it_is(image: Image) -> None:
    (line,) = [line for line in stages(image)[-1] if line.startswith("LABEL ")]
    said = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]+)"', line))
    assert said.keys() == {"title", "description", "licenses"}
    assert said["title"] == image.name
    assert said["licenses"] == "Apache-2.0"


def test_what_only_the_builder_knows_is_said_as_far_as_it_is_known() -> None:
    known = dict(labels(revision="0" * 40, created="2026-11-26T12:00:00+00:00", source="https://git.example.com/it"))
    prefix = "org.opencontainers.image."
    assert {name.removeprefix(prefix) for name in known} == {"version", "revision", "created", "source"}
    assert [name.removeprefix(prefix) for name, _ in labels()] == ["version"]


@EVERY
def test_packages_are_wheels_with_a_reviewed_hash(image: Image) -> None:
    (line,) = [line for line in stages(image)[0] if "pip install" in line]
    for option in ("--require-hashes", "--no-deps", "--only-binary :all:", "--no-compile"):
        assert option in line


@EVERY
def test_byte_code_is_made_as_this_test_makes_it(image: Image) -> None:
    (line,) = [line for line in stages(image)[0] if "compileall" in line]
    assert " ".join(COMPILING) in line
    assert "ENV PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0" in stages(image)[0]


def compiled(source: Path, target: Path, seconds: int) -> dict[str, str]:
    """Copy a package, give its files a time, compile it as the images do; return the digest of each file."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    for file in target.rglob("*"):
        os.utime(file, (seconds, seconds))
    subprocess.run([sys.executable, *COMPILING, str(target)], check=True, env={"PYTHONHASHSEED": "0"})
    found = {str(file.relative_to(target)): sha256(file.read_bytes()).hexdigest() for file in target.rglob("*.py*")}
    shutil.rmtree(target)
    return found


def test_byte_code_tells_nothing_of_when_it_was_made(tmp_path: Path) -> None:
    source = ROOT / "common" / "novahunt_contract"
    first, second = (compiled(source, tmp_path / "package", seconds) for seconds in (1_000_000_000, 1_700_000_000))
    assert any(name.endswith(".pyc") for name in first)
    assert first == second
