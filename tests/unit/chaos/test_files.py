"""A collector's Python tells of its files, and waits until whoever listens lets it go on."""

import asyncio
import os
import sys
from pathlib import Path

from chaos.director import Aim, Director
from chaos.file_moments import HOOK, SOCKET, FileMoments
from chaos.moments import Fate, Moment, Side, Step

DOMAIN = "a.example"
PROGRAM = """
import os, pathlib, sys
folder = pathlib.Path(sys.argv[1])
(folder / "new").write_text("x")
(folder / "new").replace(folder / "a.example.json")
(folder / "pages.checkpoint").write_text("x")
(folder / "pages.checkpoint").unlink()
open(os.environ["NOVAHUNT_TERMINATION_LOG"], "w").close()
"""


async def run(folder: Path, files: FileMoments) -> int:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(HOOK),
        SOCKET: str(files.socket),
        "NOVAHUNT_DOMAIN": DOMAIN,
        "NOVAHUNT_TERMINATION_LOG": str(folder / "termination"),
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, str(folder), env=environment)
    return await process.wait()


async def test_each_moment_is_told_once_and_in_its_order(tmp_path: Path) -> None:
    director = Director()
    files = FileMoments(director)
    await files.start()
    assert await run(tmp_path, files) == 0
    await files.stop()
    assert [line.split(" ", 1)[1] for line in director.trail] == [
        f"before document stored on a volume ({DOMAIN})",
        f"after document stored on a volume ({DOMAIN})",
        f"before receipt written ({DOMAIN})",
    ]


async def test_nothing_goes_on_while_the_strike_lasts(tmp_path: Path) -> None:
    director = Director()
    files = FileMoments(director)
    await files.start()
    seen: list[bool] = []

    async def strike(moment: Moment) -> Fate:
        del moment
        # What came before is done, what comes after is not.
        seen.extend(((tmp_path / "new").exists(), (tmp_path / "a.example.json").exists()))
        return Fate.PASS

    director.aim(Aim(Step.FILE_STORED, Side.BEFORE, frozenset({DOMAIN}), strike))
    assert await run(tmp_path, files) == 0
    await director.done()
    await files.stop()
    assert seen == [True, False]
    assert director.struck.is_set()
