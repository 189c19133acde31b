"""Fuzzes every reader of bytes that others wrote, each for its share of the time, and prints what came of it.

What is found on the way stays in the cache, so that the next search begins where this one ended. An input that breaks
something is put into tests/fuzz/crashes/, from where `make test` replays it ever after.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from fuzz.targets import TARGETS
from tools import shell
from tools.shell import ROOT

FUZZ = ROOT / "tests" / "fuzz"
_DONE = re.compile(r"^Done (\d+) runs in (\d+) second", re.MULTILINE)
_STATE = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)/")
_LONGEST_INPUT = 4096
"""Bytes: what a termination message holds, and more than any small page."""


class Found(NamedTuple):
    """What the search of one target came to."""

    target: str
    seconds: int
    runs: int
    reached: int
    """Places in the code that some input reached, as libFuzzer counts them."""
    kept: int
    """Inputs that reach something of their own."""
    crashes: tuple[Path, ...]


def main() -> int:
    """Fuzz all targets, or those that are named; return 1 if something broke."""
    seconds = int(os.environ.get("FUZZ_SECONDS") or 600)
    names = sys.argv[1:] or list(TARGETS)
    python = _python()
    found = [_search(name, max(1, seconds // len(names)), python) for name in names]
    sys.stdout.write("\n".join(_table(found)) + "\n")
    return 1 if any(one.crashes for one in found) else 0


def _python() -> Path:
    return Path(shell.ask(["scripts/venv", "--lock", "fuzz"], seconds=600).strip()) / "bin/python"


def _search(name: str, seconds: int, python: Path) -> Found:
    known = _cache() / "fuzz" / name
    known.mkdir(parents=True, exist_ok=True)
    crashes = FUZZ / "crashes" / name
    before = set(crashes.glob("*"))
    with tempfile.TemporaryDirectory() as scratch:
        sys.stderr.write(f"fuzz: {name} for {seconds} s\n")
        # The first folder is written to; what the repository keeps is only read.
        search = subprocess.run(  # noqa: S603 - our own fuzzer
            [
                python, "-m", "fuzz.run", name, f"-max_total_time={seconds}", f"-max_len={_LONGEST_INPUT}",
                "-timeout=10", "-rss_limit_mb=1024", f"-dict={FUZZ / 'dictionary.txt'}",
                f"-artifact_prefix={scratch}/", known, *(folder for folder in _seeds(name) if folder.is_dir()),
            ],
            env={**os.environ, "PYTHONPATH": _path()},
            cwd=scratch, check=False, capture_output=True, text=True, errors="replace",
        )  # fmt: skip
        for artifact in Path(scratch).glob("*-*"):
            crashes.mkdir(parents=True, exist_ok=True)
            shutil.copy(artifact, crashes / artifact.name)
    done, states = _DONE.search(search.stderr), _STATE.findall(search.stderr)
    if search.returncode or not done or not states:
        sys.stderr.write(search.stdout[-4000:] + search.stderr[-4000:])
        if not set(crashes.glob("*")) - before:
            raise SystemExit(f"fuzz: the search of {name} did not run (exit code {search.returncode})")
    reached, _, kept = states[-1] if states else ("0", "0", "0")
    return Found(
        target=name,
        seconds=int(done[2]) if done else 0,
        runs=int(done[1]) if done else 0,
        reached=int(reached),
        kept=int(kept),
        crashes=tuple(sorted(set(crashes.glob("*")) - before)),
    )


def _seeds(name: str) -> tuple[Path, ...]:
    return FUZZ / "corpus" / name, FUZZ / "crashes" / name


def _cache() -> Path:
    own = os.environ.get("NOVAHUNT_CACHE")
    return Path(own) if own else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "novahunt"


def _path() -> str:
    return ":".join(str(ROOT / part) for part in ("common", "collector_image", "tests"))


def _table(found: list[Found]) -> list[str]:
    lines = ["| target | seconds | inputs tried | places reached | inputs kept | broken |", "|---|--:|--:|--:|--:|--:|"]
    lines += [
        f"| `{one.target}` | {one.seconds} | {one.runs:,} | {one.reached} | {one.kept} | {len(one.crashes)} |"
        for one in found
    ]
    lines += [f"broken by {path.relative_to(ROOT)}" for one in found for path in one.crashes]
    return lines


if __name__ == "__main__":
    raise SystemExit(main())
