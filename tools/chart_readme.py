"""Writes the chart's README out of the comments of its values; run as `make chart-readme`.

In values.yaml the comment of a value begins with `# -- ` and stands right above it.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from tools.shell import ROOT

CHART = ROOT / "charts/novahunt"
VALUES = CHART / "values.yaml"
PAGE = CHART / "README.md"

_HEAD = """# The chart

This page lists every value of the chart. It is made of [values.yaml](values.yaml) by `make chart-readme`.
[docs/install.md](../../docs/install.md) tells how to install it, and which values matter first;
[docs/operating.md](../../docs/operating.md) how to upgrade, roll back and uninstall it. Values that are not listed here
are refused.

```sh
helm upgrade --install novahunt charts/novahunt --namespace novahunt --create-namespace --values my-values.yaml
helm test novahunt --namespace novahunt
```

| value | default | what it does |
| --- | --- | --- |
"""
_MARK = "# -- "


class Value(NamedTuple):
    """One value of the chart."""

    path: str
    """From the root, with dots."""
    default: Any
    text: str
    """What its comment says; empty where it has none."""


def values() -> list[Value]:
    """Return every value that is no group of others, and every group that has a comment, in the file's order."""
    defaults = yaml.safe_load(VALUES.read_text("utf-8"))
    return [
        Value(path, default, text)
        for path, text in _commented(VALUES.read_text("utf-8").splitlines())
        for default in (_at(defaults, path),)
        if text or not _is_group(default)
    ]


def undocumented() -> list[str]:
    """Return the paths of values that neither have a comment nor stand below one that has."""
    known = values()
    told = {one.path for one in known if one.text}
    return [one.path for one in known if not any(one.path == path or one.path.startswith(f"{path}.") for path in told)]


def page() -> str:
    """Return the README."""
    return _HEAD + "".join(_row(one) for one in values() if one.text)


def _commented(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each key's path and what the comment right above it says."""
    parents: list[tuple[int, str]] = []
    comment: list[str] = []
    item: int | None = None
    for line in lines:
        text, depth = line.strip(), len(line) - len(line.lstrip())
        if text.startswith("- "):
            # What is in a list are no values of the chart's own.
            item = depth
        if item is not None and text and depth >= item:
            continue
        item = None
        if text.startswith(_MARK):
            comment = [text.removeprefix(_MARK)]
        elif text.startswith("#") and comment:
            comment.append(text.removeprefix("#").strip())
        elif not text or text.startswith("#"):
            comment = []
        else:
            parents = [*((at, name) for at, name in parents if at < depth), (depth, text.partition(":")[0])]
            yield ".".join(name for _, name in parents), " ".join(comment)
            comment = []


def _at(defaults: Any, path: str) -> Any:
    for name in path.split("."):
        defaults = defaults[name]
    return defaults


def _is_group(default: Any) -> bool:
    return isinstance(default, dict) and bool(default)


def _row(value: Value) -> str:
    text = value.text.replace("|", "\\|")
    return f"| `{value.path}` | `{json.dumps(value.default)}` | {text} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
