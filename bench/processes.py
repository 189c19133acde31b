"""What a running process has used so far, as the kernel counts it."""

from pathlib import Path

import msgspec
import psutil


class Usage(msgspec.Struct, frozen=True):
    """What a process used from its start until now."""

    cpu: float
    """Seconds of processor time."""
    peak_mib: float
    """Largest resident set."""


def usage(pid: int | None) -> Usage:
    """Return what a process has used.

    Raises:
        psutil.NoSuchProcess: it has ended; None never was one.
    """
    if pid is None:
        raise psutil.NoSuchProcess(0)
    times = psutil.Process(pid).cpu_times()
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM:"))
    return Usage(cpu=times.user + times.system, peak_mib=int(peak.split()[1]) / 1024)
