"""Prints objects to standard output: tables, JSON, YAML or names; with rich on a terminal, plain for scripts."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
import yaml
from rich.console import Console
from rich.table import Table

from novahunt_api import names
from novahunt_cli.showing import RESULT_COLUMNS

_NUMBERS = frozenset({"PROGRESS", "EMAILS", "CREDITS", "FAILED", "ADDRESSES"})


def say(text: str) -> None:
    """Tell a person something beside what was asked for: on standard error."""
    click.echo(text, err=True)


def colourful(stream: Any = None) -> bool:
    """Tell whether a stream, by default standard output, is a terminal that may be painted."""
    stream = stream or sys.stdout
    return bool(stream.isatty()) and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") not in ("", "dumb")


def objects(found: Sequence[Mapping[str, Any]], output: str, *, single: bool = False) -> None:
    """Print objects whole, as kubectl does: one alone, several as a List; or their names."""
    if output == "name":
        for item in found:
            click.echo(f"{str(item.get('kind', '')).lower()}.{names.GROUP}/{item['metadata']['name']}")
        return
    whole: Any = found[0] if single else {"apiVersion": "v1", "kind": "List", "items": list(found)}
    click.echo(json.dumps(whole, indent=2, ensure_ascii=False) if output == "json" else to_yaml(whole).rstrip())


def to_yaml(data: Any) -> str:
    """Return data as YAML in its own order."""
    text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=1000)
    return text


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: with lines on a terminal, else aligned as kubectl's, uncut."""
    if colourful():
        drawn = Table()
        for column in columns:
            drawn.add_column(column, justify="right" if column in _NUMBERS else "left", no_wrap=True)
        for row in rows:
            drawn.add_row(*row)
        Console().print(drawn)
        return
    widths = [max(len(row[at]) for row in (columns, *rows)) for at in range(len(columns))]
    for row in (columns, *rows):
        click.echo("   ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def result_table(rows: Sequence[Sequence[str]]) -> None:
    """Print results."""
    table(RESULT_COLUMNS, rows)
