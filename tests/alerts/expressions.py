"""Reads what alerts and dashboard ask Prometheus: which metrics, with which labels; not what it would answer."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART_FILES = ROOT / "charts" / "novahunt" / "files"
RULES = CHART_FILES / "rules.yaml"
DASHBOARD = CHART_FILES / "dashboard.json"
RULES_TEST = ROOT / "tests" / "alerts" / "rules_test.yaml"

Json = dict[str, Any]

TARGET = frozenset({"namespace", "job", "pod", "instance"})
"""Labels that Prometheus gives to every series of a ServiceMonitor's target."""

_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"|\$\w+|\d+(?:\.\d+)?(?:ms|[smhdwy])?|[A-Za-z_:][\w:]*|=~|!~|!=|==|>=|<=|\S', re.ASCII
)
_GROUPING = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_WORDS = frozenset({"and", "or", "unless", "bool", "offset"})
_FUNCTIONS = frozenset(
    {
        "absent",
        "bottomk",
        "changes",
        "count",
        "histogram_quantile",
        "increase",
        "label_replace",
        "max",
        "max_over_time",
        "min",
        "rate",
        "sum",
        "topk",
        "vector",
    }
)
"""What our expressions use; a name that is neither of these nor a metric is a mistake."""


class Matcher(NamedTuple):
    """One condition on a label."""

    label: str
    how: str
    value: str

    @property
    def words(self) -> tuple[str, ...]:
        """The alternatives that it names."""
        return tuple(self.value.split("|")) if "~" in self.how else (self.value,)


class Selector(NamedTuple):
    """A metric, what is asked of its labels, and whether a stretch of time is looked at."""

    metric: str
    matchers: tuple[Matcher, ...]
    ranged: bool


@dataclass
class Expression:
    """What one expression uses."""

    selectors: list[Selector] = field(default_factory=list)
    grouped: set[str] = field(default_factory=set)
    """Labels that series are put together by, or matched on."""


def read(text: str) -> Expression:
    """Read an expression.

    Raises:
        ValueError: it holds a name that is neither a metric's nor a function that we use.
    """
    tokens = _TOKEN.findall(text)
    found, at = Expression(), 0
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if not re.match(r"[A-Za-z_:]", token) or token in _WORDS:
            continue
        following = tokens[at] if at < len(tokens) else ""
        if token in _GROUPING:
            labels, at = _until(tokens, at, "(", ")")
            found.grouped |= {label for label in labels if label != ","}
        elif token in _FUNCTIONS:
            if following != "(" and following not in _GROUPING:
                raise ValueError(f"{token} is called without an argument")
        elif following == "(":
            raise ValueError(f"{token} is no function that is known here")
        else:
            inside: list[str] = []
            if following == "{":
                inside, at = _until(tokens, at, "{", "}")
            ranged = at < len(tokens) and tokens[at] == "["
            if ranged:
                _, at = _until(tokens, at, "[", "]")
            found.selectors.append(Selector(token, tuple(_matchers(inside)), ranged))
    return found


def _until(tokens: list[str], at: int, begin: str, end: str) -> tuple[list[str], int]:
    if tokens[at] != begin:
        raise ValueError(f"{begin} is missing before {tokens[at]}")
    last = tokens.index(end, at)
    return tokens[at + 1 : last], last + 1


def _matchers(inside: list[str]) -> Iterator[Matcher]:
    for at in range(0, len(inside), 4):
        label, how, value = inside[at : at + 3]
        yield Matcher(label, how, value.strip('"'))


def rules() -> list[Json]:
    """Return all alerts."""
    return [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]


def panels() -> list[Json]:
    """Return the dashboard's panels without the headings of its rows."""
    return [panel for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"] if panel["type"] != "row"]


def queries() -> list[str]:
    """Return every expression of the dashboard."""
    return [str(target["expr"]) for panel in panels() for target in panel["targets"]]


def questions() -> dict[str, str]:
    """Return every expression of alerts and dashboard by where it stands."""
    asked = {f"alert {rule['alert']}": str(rule["expr"]) for rule in rules()}
    for panel in panels():
        for target in panel["targets"]:
            asked[f"panel {panel['title']} {target['refId']}"] = str(target["expr"])
    return asked
