"""The Go programs of the cluster and its tools: what is built from which folder of `go/`, and how."""

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devcluster import versions
from devcluster.cache import Entry, digest
from devcluster.commands import Progress, run_long
from devcluster.paths import GO_SOURCES

_VERSION_PACKAGE: Final = "k8s.io/component-base/version"
_MAJOR, _MINOR, _ = versions.KUBERNETES.split(".")


@dataclass(frozen=True)
class Program:
    """One Go build: the folder below `go/`, the package built there, and the names it is called by."""

    name: str
    version: str
    package: str = "."
    stamps: tuple[str, ...] = ()
    """Variables set by the linker, as `package.variable=value`."""
    tags: tuple[str, ...] = ()
    """Build tags, by which a program leaves parts of itself out."""
    links: tuple[str, ...] = ()
    """Further names of the same file; the program looks at the name it was called by."""

    @property
    def flags(self) -> list[str]:
        """What `go build` is told; a part of the key, like the sources."""
        stamps = "".join(f" -X {stamp}" for stamp in self.stamps)
        # Stripped and without paths, so that two machines build the same bytes.
        tags = ["-tags", ",".join(self.tags)] if self.tags else []
        return ["-trimpath", "-buildvcs=false", "-mod=readonly", *tags, "-ldflags", f"-s -w{stamps}"]


KUBERNETES: Final = Program(
    # Not "node": its folder goes to the front of people's PATH, where another program has that name.
    "kubernetes",
    versions.KUBERNETES,
    stamps=(
        f"{_VERSION_PACKAGE}.gitVersion=v{versions.KUBERNETES}",
        f"{_VERSION_PACKAGE}.gitMajor={_MAJOR}",
        f"{_VERSION_PACKAGE}.gitMinor={_MINOR}",
    ),
    links=(
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kube-proxy",
        "kubelet",
        "kubectl",
    ),
)
COREDNS: Final = Program("coredns", versions.COREDNS)
KWOK: Final = Program(
    "kwok",
    versions.KWOK,
    package="sigs.k8s.io/kwok/cmd/kwok",
    stamps=(f"sigs.k8s.io/kwok/pkg/consts.Version={versions.KWOK}",),
)
HELM: Final = Program(
    "helm",
    versions.HELM,
    package="helm.sh/helm/v4/cmd/helm",
    stamps=(f"helm.sh/helm/v4/internal/version.version=v{versions.HELM}",),
)
PAUSE: Final = Program("pause", versions.PAUSE)
KUBE_ROUTER: Final = Program(
    "kube-router",
    versions.KUBE_ROUTER,
    package="github.com/cloudnativelabs/kube-router/v2/cmd/kube-router",
    stamps=(f"github.com/cloudnativelabs/kube-router/v2/pkg/version.Version=v{versions.KUBE_ROUTER}",),
)
PROMTOOL: Final = Program(
    "promtool",
    versions.PROMETHEUS,
    package="github.com/prometheus/prometheus/cmd/promtool",
    stamps=(f"github.com/prometheus/common/version.Version={versions.PROMETHEUS}",),
    # Without the clients of all clouds, in which Prometheus looks for what to scrape; they are most of the build.
    tags=("remove_all_sd",),
)

PROMETHEUS: Final = Program(
    "prometheus",
    versions.PROMETHEUS,
    package="github.com/prometheus/prometheus/cmd/prometheus",
    stamps=PROMTOOL.stamps,
    tags=PROMTOOL.tags,
)

ALL: Final = (KUBERNETES, COREDNS, KWOK, HELM, PAUSE, KUBE_ROUTER, PROMTOOL, PROMETHEUS)


def entry(program: Program, cache: Path) -> Entry:
    """Where the cache has this program; another source, version, flag or processor is another place."""
    sources = GO_SOURCES / program.name
    texts = [file.read_bytes() for file in sorted(sources.glob("*")) if file.is_file()]
    key = digest(*texts, " ".join((*program.flags, program.package, *program.links)).encode())
    return Entry(cache, program.name, f"{program.version}-{platform.machine()}-{key}")


def build(program: Program, cache: Path, go: Callable[[], Path]) -> Path:
    """The folder with this program, built if the cache lacks it.

    `go` finds the Go tool; it is asked only when something is to be built.
    """
    place = entry(program, cache)

    def compile_into(folder: Path) -> None:
        tool = go()
        log = cache / "logs" / f"{program.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        progress = Progress(f"building {program.name} {program.version}")
        run_long(
            [tool, "build", *program.flags, "-o", folder / program.name, program.package],
            progress=progress,
            log=log,
            folder=GO_SOURCES / program.name,
            # Static, so that the pause program runs in an empty image and the others on any distribution.
            environment={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"},
        )
        for link in program.links:
            (folder / link).symlink_to(program.name)
        progress.done("built")

    return place.ensure(compile_into)


@dataclass(frozen=True)
class Programs:
    """Where each program of the cluster and its tools is."""

    kubernetes: Path
    coredns: Path
    kwok: Path
    helm: Path
    pause: Path
    kube_router: Path
    promtool: Path
    prometheus: Path

    @classmethod
    def cached(cls, cache: Path) -> "Programs":
        """The places in the cache, whether built or not."""
        return cls(*(entry(program, cache).path for program in ALL))

    def component(self, name: str) -> Path:
        """One of the Kubernetes components or etcd."""
        return self.kubernetes / name
