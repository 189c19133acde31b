"""Reads the dashboard's panels as Grafana does: variables filled in, and what each series is called. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

VARIABLES = {"$namespace": ".*", "$collection": ".*"}
"""All of them are chosen."""


@dataclass(frozen=True)
class Query:
    """What is asked, and how its series are called."""

    expr: str
    legend: str

    def name(self, labels: Mapping[str, str]) -> str:
        """Return what a series of these labels is called."""
        if not self.legend:
            return ", ".join(f"{key}={value}" for key, value in labels.items())
        return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: labels.get(found[1], ""), self.legend)


@dataclass(frozen=True)
class Panel:
    """One picture, or the heading of a row."""

    title: str
    kind: str
    x: int
    y: int
    width: int
    height: int
    unit: str
    queries: tuple[Query, ...]
    is_stacked: bool
    red_from: float | None
    """The value from which on it is red."""
    red_below: float | None
    """The value below which it is red."""


def read(text: str, rate_interval: str) -> Iterator[Panel]:
    """Yield the panels of a dashboard.

    Args:
        text: The dashboard as JSON.
        rate_interval: What stands for `$__rate_interval`.
    """
    for panel in json.loads(text)["panels"]:
        place, defaults = panel["gridPos"], panel.get("fieldConfig", {}).get("defaults", {})
        steps = defaults.get("thresholds", {}).get("steps", [])
        yield Panel(
            title=panel["title"],
            kind=panel["type"],
            x=place["x"],
            y=place["y"],
            width=place["w"],
            height=place["h"],
            unit=defaults.get("unit", "short"),
            queries=tuple(
                Query(_filled(target["expr"], rate_interval), _legend(target)) for target in panel.get("targets", [])
            ),
            is_stacked=defaults.get("custom", {}).get("stacking", {}).get("mode") == "normal",
            red_from=next((one["value"] for one in steps if one["color"] == "red" and one["value"] is not None), None),
            red_below=steps[1]["value"] if len(steps) > 1 and steps[0]["color"] == "red" else None,
        )


def _filled(expr: str, rate_interval: str) -> str:
    for name, value in {**VARIABLES, "$__rate_interval": rate_interval}.items():
        expr = expr.replace(name, value)
    if "$" in expr:
        raise ValueError(f"the dashboard has a variable that is not known here: {expr}")
    return expr


def _legend(target: Mapping[str, Any]) -> str:
    found = target.get("legendFormat", "")
    return "" if found == "__auto" else str(found)
