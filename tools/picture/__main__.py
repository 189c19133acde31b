"""Makes docs/pictures/dashboard.png: runs everything on a control plane for some minutes, asks Prometheus, draws."""

import asyncio
import sys
import tempfile
import time
import uuid
from pathlib import Path

import click

from cluster.control_plane import ControlPlane
from cluster.control_plane import running as running_plane
from cluster.operator_process import free_port
from devcluster.builds import Part, build
from devcluster.paths import cache_root
from tools.dashboard import FILE
from tools.picture import drawing, prometheus, stage
from tools.picture.panels import Panel, read
from tools.picture.prometheus import Prometheus, Series
from tools.shell import ROOT

PICTURE = ROOT / "docs/pictures/dashboard.png"
RATE_INTERVAL = "20s"
"""Ten scrapes; Grafana takes at least four."""


@click.command()
@click.option("--seconds", type=click.IntRange(60, 3600), default=240, help="How long everything works.")
def main(seconds: int) -> None:
    """Draw the chart's dashboard with real data."""
    program = build(cache_root(), {Part.PROMETHEUS}).prometheus / "prometheus"
    with running_plane("picture") as plane, tempfile.TemporaryDirectory(prefix="novahunt-picture-") as folder:
        silent = asyncio.run(_picture(plane, program, Path(folder), seconds))
    if silent:
        click.echo(f"without data: {', '.join(silent)}", err=True)
        sys.exit(1)
    click.echo(f"drawn: {PICTURE.relative_to(ROOT)}")


async def _picture(plane: ControlPlane, program: Path, folder: Path, seconds: int) -> list[str]:
    """Draw it; return the titles of the panels that had nothing to show."""
    namespace = f"picture-{uuid.uuid4().hex[:6]}"
    _prepare(plane, namespace)
    async with stage.running(plane, namespace, folder) as found:
        with prometheus.running(program, folder, free_port(), found.targets) as server:
            began = time.time()
            await found.play(seconds)
            panels = list(read(FILE.read_text("utf-8"), RATE_INTERVAL))
            shown = [_shown(panel, server, began, time.time()) for panel in panels]
    drawing.draw(panels, shown, PICTURE)
    return [
        panel.title
        for panel, found_there in zip(panels, shown, strict=True)
        if panel.kind != "row" and not any(found_there.values())
    ]


def _prepare(plane: ControlPlane, namespace: str) -> None:
    plane.kubectl("create", "namespace", namespace)
    plane.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(ROOT / "crds"))
    plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", str(ROOT / "crds"))


def _shown(panel: Panel, server: Prometheus, start: float, end: float) -> dict[str, list[Series]]:
    found: dict[str, list[Series]] = {}
    # Numbers and bars show what is, and not what was.
    start = start if panel.kind == "timeseries" else end
    for query in panel.queries:
        for series in server.series(query.expr, start, end, 2.0):
            found.setdefault(query.name(series.labels), []).append(series)
    return found


if __name__ == "__main__":
    main()
