"""Runs promtool, and asks it whether queries have an answer on what programs have told."""

import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from devcluster.paths import cache_root
from devcluster.programs import Programs

_RATES = {"$__rate_interval": "4m", "$namespace": ".*", "$collection": ".*"}
"""What Grafana puts for its variables while nothing is chosen."""

_SCRAPES = 6
"""A minute each; rates want two, within their four minutes."""


@dataclass(frozen=True)
class Answer:
    """How a call ended, and all that it printed."""

    code: int
    said: str


class Promtool:
    """The promtool that the cluster tool keeps, or that of the machine."""

    def __init__(self) -> None:
        """Find it, or skip the test."""
        cached = Programs.cached(cache_root()).promtool / "promtool"
        found = str(cached) if cached.is_file() else shutil.which("promtool")
        if found is None:
            pytest.skip("no promtool: `python -m devcluster build --only promtool` makes one")
        self._program = found

    def run(self, *words: str | Path) -> Answer:
        """Call it."""
        done = subprocess.run([self._program, *words], capture_output=True, text=True, timeout=120, check=False)
        return Answer(done.returncode, done.stdout + done.stderr)

    def unanswered(self, queries: Iterable[str], told: Mapping[str, Sequence[str]], folder: Path) -> str:
        """Return what it says against those queries that have no answer; empty when all have one.

        Args:
            queries: As they stand in the dashboard.
            told: The texts that each program's replicas have told, by the program's job.
            folder: Where the file that it reads can be written.
        """
        tests = [
            {
                "expr": f"count({_filled(query)}) > bool 0",
                "eval_time": f"{_SCRAPES - 1}m",
                "exp_samples": [{"labels": "{}", "value": 1}],
            }
            for query in queries
        ]
        series = [
            one
            for job, texts in told.items()
            for number, text in enumerate(texts)
            for one in _series(job, number, text)
        ]
        file = folder / "queries.yaml"
        group = {"interval": "1m", "input_series": series, "promql_expr_test": tests}
        file.write_text(yaml.safe_dump({"rule_files": [], "evaluation_interval": "1m", "tests": [group]}), "utf-8")
        answer = self.run("test", "rules", file)
        return answer.said if answer.code else ""


def _filled(query: str) -> str:
    for name, value in _RATES.items():
        query = query.replace(name, value)
    return query


def _series(job: str, number: int, text: str) -> Iterator[dict[str, str]]:
    """Yield the series of one replica as promtool reads them, scraped as the chart's ServiceMonitor has it."""
    target = {"job": job, "namespace": "novahunt", "pod": f"{job}-{number}", "instance": f"192.0.2.{number + 1}:8081"}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ", ".join(f"{name}={json.dumps(value)}" for name, value in {**target, **sample.labels}.items())
            yield {"series": f"{sample.name}{{{labels}}}", "values": " ".join([repr(sample.value)] * _SCRAPES)}
