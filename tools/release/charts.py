"""The chart as a package, and as the manifests that it renders to; both the same again from the same commit."""

import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from devcluster import archives
from tools.images import COLLECTOR, OPERATOR
from tools.shell import ROOT, ask

CHART = ROOT / "charts" / "novahunt"


@dataclass(frozen=True)
class Digests:
    """What the manifests call the images by, each with its algorithm."""

    operator: str
    collector: str


def package(helm: Path, target: Path, chart: Path = CHART) -> Path:
    """Write the chart's package into a folder, and return it.

    Helm writes the times of the files; so its package is packed again without.

    Raises:
        ProgramError: Helm refuses the chart.
    """
    with tempfile.TemporaryDirectory(prefix="novahunt-chart-") as temporary:
        folder = Path(temporary)
        ask([helm, "package", chart, "--destination", folder / "helms"])
        (made,) = (folder / "helms").iterdir()
        with tarfile.open(made) as archive:
            archive.extractall(folder / "chart", filter="data")
        archives.pack(folder / "chart", target / made.name, compress=True)
    return target / made.name


def manifests(helm: Path, chart: Path, registry: str, digests: Digests) -> str:
    """Render the chart with its default values and these images, for the namespace novahunt.

    Raises:
        ProgramError: Helm refuses the chart or the values.
    """
    values = (
        f"image.repository={OPERATOR.repository(registry)}",
        f"image.digest={digests.operator}",
        f"collector.image.repository={COLLECTOR.repository(registry)}",
        f"collector.image.digest={digests.collector}",
    )
    options = [word for value in values for word in ("--set", value)]
    # A Helm that was built by `go install` may think of a Kubernetes older than any that the chart takes.
    return ask([helm, "template", "novahunt", chart, "--namespace", "novahunt", "--kube-version=1.37.0", *options])
