"""Builds kstatus' own code, by which Flux reads objects, into the cache: `python -m tools.kstatus`; and asks it."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from devcluster import requirements
from devcluster.cache import Entry, digest
from devcluster.commands import Progress, run_long
from devcluster.paths import cache_root
from tools import shell

SOURCES = shell.ROOT / "tests/kstatus"
_FLAGS = ("-trimpath", "-buildvcs=false", "-mod=readonly")


def entry() -> Entry:
    """Where the cache has the program; other sources are another place."""
    texts = [file.read_bytes() for file in sorted(SOURCES.iterdir())]
    return Entry(cache_root(), "kstatus", digest(*texts, " ".join(_FLAGS).encode()))


def build() -> Path:
    """Return the program, built if the cache lacks it."""

    def compile_into(folder: Path) -> None:
        log = cache_root() / "logs/kstatus.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        progress = Progress("building kstatus")
        run_long(
            [requirements.ensure_go(cache_root()), "build", *_FLAGS, "-o", folder / "kstatus", "."],
            progress=progress,
            log=log,
            folder=SOURCES,
            environment={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"},
        )
        progress.done("built")

    return entry().ensure(compile_into) / "kstatus"


def ask(program: Path, objects: Sequence[dict[str, Any]]) -> list[str]:
    """Return what kstatus says of each object."""
    said: list[str] = json.loads(shell.ask([program], stdin=json.dumps(objects)))
    return said


if __name__ == "__main__":
    build()
