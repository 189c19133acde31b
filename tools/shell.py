"""Runs other programs: quietly with their output as the answer, or visibly."""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class ProgramError(Exception):
    """A program failed; the text names it and holds what it said last."""


def ask(
    argv: Sequence[str | Path], *, environment: Mapping[str, str] | None = None, stdin: str = "", seconds: float = 120
) -> str:
    """Run a program and return what it printed.

    Raises:
        ProgramError: it failed, or took longer than so many seconds.
    """
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(  # noqa: S603 - the programs are named by this project
            words,
            cwd=ROOT,
            env=dict(environment) if environment is not None else None,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError:
        raise ProgramError(f"{words[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise ProgramError(f"{shlex.join(words)} took longer than {seconds:g} s") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-3000:]
        raise ProgramError(f"{shlex.join(words)} ended with {done.returncode}: {said}")
    return done.stdout


def show(argv: Sequence[str | Path], *, environment: Mapping[str, str] | None = None) -> None:
    """Run a program whose output the person sees.

    Raises:
        ProgramError: it failed.
    """
    words = [str(word) for word in argv]
    sys.stdout.flush()
    try:
        code = subprocess.run(  # noqa: S603 - the programs are named by this project
            words, cwd=ROOT, env=dict(environment) if environment is not None else None, check=False
        ).returncode
    except FileNotFoundError:
        raise ProgramError(f"{words[0]} is not installed") from None
    if code:
        raise ProgramError(f"{shlex.join(words)} ended with {code}")


def answers(argv: Sequence[str | Path]) -> bool:
    """Tell whether a program is there and succeeds."""
    try:
        ask(argv, seconds=20)
    except ProgramError:
        return False
    return True


def devcluster(*args: str) -> list[str]:
    """Return the command line of the cluster tool, with this Python."""
    return [sys.executable, "-m", "devcluster", *args]


def exports(text: str) -> dict[str, str]:
    """Read `export NAME=value` lines, as `devcluster env` prints them."""
    found = dict(os.environ)
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if len(words) == 2 and words[0] == "export":  # noqa: PLR2004 - the word and the assignment
            name, _, value = words[1].partition("=")
            found[name] = value
    return found
