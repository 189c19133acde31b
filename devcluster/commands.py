"""Runs helper programs to their end, quietly or with visible progress."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from devcluster.errors import ProgramError

LAST_LINES: Final = 25


def tail(file: Path, lines: int = LAST_LINES) -> str:
    """The last lines of a log, or a note that there is none."""
    try:
        with file.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(0, size - 400 * lines))
            text = log.read().decode(errors="replace")
    except OSError:
        return "(no log)"
    return "\n".join(text.splitlines()[-lines:]) or "(empty log)"


def run(
    argv: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    send: str | None = None,
    deadline: float | None = None,
) -> str:
    """Run a program to its end and give back what it printed; raises `ProgramError` with its words.

    `deadline` is in seconds.
    """
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(  # noqa: PLW1510 - the code is looked at below
            words,
            env=dict(environment) if environment is not None else None,
            cwd=folder,
            input=send,
            stdin=subprocess.DEVNULL if send is None else None,
            capture_output=True,
            text=True,
            timeout=deadline,
        )
    except FileNotFoundError as error:
        raise ProgramError(words, 127, f"not found: {error.filename}") from None
    except subprocess.TimeoutExpired:
        raise ProgramError(words, 124, f"no end after {deadline} s") from None
    if done.returncode != 0:
        raise ProgramError(words, done.returncode, "\n".join((done.stdout + done.stderr).splitlines()[-LAST_LINES:]))
    return done.stdout


class Progress:
    """Says every now and then that something long still runs: a line that counts, or a new line in a log."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.started = time.monotonic()
        self._live = sys.stderr.isatty()
        self._next = 0.0
        print(f"{what} ...", file=sys.stderr, end="" if self._live else "\n", flush=True)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def tick(self) -> None:
        """Say so if it is time: every second on a terminal, every 30 s in a log."""
        if self.elapsed >= self._next + (1 if self._live else 30):
            self._next = self.elapsed
            begin, end = ("\r", "") if self._live else ("", "\n")
            print(f"{begin}{self.what} ... {self.elapsed:.0f} s", file=sys.stderr, end=end, flush=True)

    def done(self, word: str = "done") -> None:
        """Close the line."""
        begin = "\r" if self._live else ""
        print(f"{begin}{self.what}: {word} in {self.elapsed:.0f} s", file=sys.stderr, flush=True)


def run_long(
    argv: Sequence[str | Path],
    *,
    progress: Progress,
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> None:
    """Run a program that takes minutes: output into `log`, progress on the terminal.

    Where the system can do it, the program ends with this one, even if this one is killed.
    """
    words = [str(word) for word in argv]
    leash = [setpriv, "--pdeathsig", "KILL", "--"] if (setpriv := shutil.which("setpriv")) else []
    with log.open("ab") as out:
        try:
            process = subprocess.Popen(
                [*leash, *words],
                env=dict(environment) if environment is not None else None,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        except FileNotFoundError as error:
            raise ProgramError(words, 127, f"not found: {error.filename}") from None
    try:
        while True:
            try:
                code = process.wait(timeout=0.5)
            except subprocess.TimeoutExpired:
                progress.tick()
            else:
                break
    except BaseException:
        process.kill()
        process.wait()
        raise
    if code != 0:
        progress.done("failed")
        raise ProgramError(words, code, tail(log), log)
