"""Starts, recognises and ends the processes of a cluster, and never any other's.

A process is known by its pid together with its start time (`/proc/PID/stat`, field 22), because pids are used again.
Every process that is started here also carries a mark in its environment, so that one whose starter was killed before
it could record the pid is still found, and so are the children (containerd's shims) that inherit it.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from devcluster.errors import LeftBehindError

MARK: Final = "NOVAHUNT_DEVCLUSTER_RUN_FOLDER"
_START_TIME_FIELD: Final = 22
_COMM_END_FIELD: Final = 2


@dataclass(frozen=True)
class Identity:
    """One process for certain: a pid, the clock tick since boot at which it started, and the boot."""

    pid: int
    start_time: int
    boot: str


@dataclass(frozen=True)
class Started:
    """A recorded component."""

    component: str
    identity: Identity
    argv: tuple[str, ...] = ()
    """Its command line, by which it can be started again."""


@cache
def this_boot() -> str:
    """The kernel's name for the time since the machine was switched on."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def identity_of(pid: int, proc: Path = Path("/proc")) -> Identity | None:
    """Who has this pid now; nothing if nobody, or only the remains of one that has ended."""
    try:
        text = (proc / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in brackets, in which spaces and brackets may be.
    fields = text[text.rindex(")") + 2 :].split()
    if fields[0] in "ZX":
        return None
    return Identity(pid, int(fields[_START_TIME_FIELD - _COMM_END_FIELD - 1]), this_boot())


def is_alive(identity: Identity) -> bool:
    """Whether this very process still runs, not another one with its pid."""
    return identity_of(identity.pid) == identity


def kill(identity: Identity) -> None:
    """End this very process at once; nothing happens if it has ended, even if its pid is another's by now."""
    try:
        handle = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return
    try:
        # The handle stays with the process it was opened for, so that what is compared is what is ended.
        if is_alive(identity):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    except ProcessLookupError:
        pass
    finally:
        os.close(handle)


def end_all(identities: Iterable[Identity], deadline: float = 10) -> None:
    """End these processes and wait, at most `deadline` seconds, until they are gone."""
    waiting = set(identities)
    for identity in waiting:
        kill(identity)
    until = time.monotonic() + deadline
    while waiting := {identity for identity in waiting if is_alive(identity)}:
        if time.monotonic() > until:
            raise LeftBehindError(f"these processes did not end: {', '.join(str(each.pid) for each in waiting)}")
        time.sleep(0.02)


def marked(run_folder: Path, proc: Path = Path("/proc")) -> list[Identity]:
    """Every process that carries the mark of this run folder, recorded or not."""
    mark = f"{MARK}={run_folder}".encode()
    found = []
    for entry in proc.iterdir():
        if not entry.name.isdigit():
            continue
        # The identity first: if the pid changes hands in between, ending it fails safely on the start time.
        identity = identity_of(int(entry.name), proc)
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue
        if identity is not None and mark in environment.split(b"\0"):
            found.append(identity)
    return found


class ProcessTable:
    """The record of a cluster's processes: one line each time a component is started, added at once."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def add(self, started: Started) -> None:
        """Record a component that was just started."""
        line = json.dumps(
            {
                "component": started.component,
                "pid": started.identity.pid,
                "start_time": started.identity.start_time,
                "boot": started.identity.boot,
                "argv": started.argv,
            }
        )
        with self._file.open("a") as table:
            table.write(line + "\n")

    def read(self) -> list[Started]:
        """Each component as it was started last; a line cut by a kill is left out, and the mark finds that process."""
        try:
            lines = self._file.read_text().splitlines()
        except FileNotFoundError:
            return []
        found: dict[str, Started] = {}
        for line in lines:
            try:
                read = json.loads(line)
                identity = Identity(int(read["pid"]), int(read["start_time"]), str(read["boot"]))
                argv = tuple(str(word) for word in read.get("argv", ()))
                started = Started(str(read["component"]), identity, argv)
            except (ValueError, KeyError):
                continue
            found[started.component] = started
        return list(found.values())


def start(argv: Sequence[str], *, log: Path, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """Start a process that outlives this one, in a session of its own, with its output in `log`."""
    with log.open("ab") as out:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=dict(environment),
            start_new_session=True,
        )
