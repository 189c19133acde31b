"""Runs a real Prometheus on loopback that scrapes programs as the chart's ServiceMonitors have it, and asks it."""

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

SCRAPE_SECONDS = 2
_READY_SECONDS = 30.0


@dataclass(frozen=True)
class Series:
    """One line: its labels, and its values by Unix seconds."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Prometheus:
    """A server that runs."""

    url: str

    def series(self, expr: str, start: float, end: float, step: float) -> list[Series]:
        """Evaluate an expression over a time, as Grafana does.

        Args:
            expr: PromQL, without variables.
            start: Unix seconds.
            end: Unix seconds.
            step: Seconds between two points.
        """
        query: dict[str, str | float] = {"query": expr, "start": start, "end": end, "step": step}
        answer = httpx.get(f"{self.url}/api/v1/query_range", params=query, timeout=30)
        found = answer.raise_for_status().json()["data"]["result"]
        return [Series(one["metric"], tuple((float(at), float(value)) for at, value in one["values"])) for one in found]

    def is_ready(self) -> bool:
        """Tell whether it serves."""
        try:
            return httpx.get(f"{self.url}/-/ready", timeout=5).is_success
        except httpx.HTTPError:
            return False


@contextmanager
def running(program: Path, folder: Path, port: int, targets: Mapping[str, str]) -> Iterator[Prometheus]:
    """Run a server until the block ends.

    Args:
        program: The executable.
        folder: For its data.
        port: Of loopback.
        targets: Hosts with ports to scrape, by their job.
    """
    jobs = [
        # The label namespace of a collection's metrics is the collection's.
        {"job_name": job, "honor_labels": True, "static_configs": [{"targets": [target]}]}
        for job, target in targets.items()
    ]
    config = folder / "prometheus.json"
    # JSON is YAML.
    config.write_text(json.dumps({"global": {"scrape_interval": f"{SCRAPE_SECONDS}s"}, "scrape_configs": jobs}))
    words = [
        str(program),
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "prometheus.log").open("wb") as log, subprocess.Popen(words, stdout=log, stderr=log) as process:  # noqa: S603 - the program that was built
        try:
            found = Prometheus(f"http://127.0.0.1:{port}")
            deadline = time.monotonic() + _READY_SECONDS
            while not found.is_ready():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"Prometheus does not serve: {(folder / 'prometheus.log').read_text()[-2000:]}")
                time.sleep(0.1)
            yield found
        finally:
            process.terminate()
