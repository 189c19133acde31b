"""Reads the JSON lines that operator and gateway write, with their own handler at the root of all loggers."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from novahunt_api import logs


class Lines:
    """What was written until now."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Return each line's fields."""
        return (json.loads(line) for line in self.stream.getvalue().splitlines())

    def subjects(self, words: str) -> list[tuple[str | None, str | None, int | None]]:
        """Return collection, domain and run of the lines whose message holds some words."""
        found = [line for line in self if words in line["message"]]
        return [(line.get("collection"), line.get("domain"), line.get("run")) for line in found]


@contextmanager
def written(level: int = logging.INFO) -> Iterator[Lines]:
    """Write lines of a level and above, as a process with LOG_FORMAT=json does."""
    lines = Lines()
    handler = logs.handler("json", lines.stream)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(level)
    try:
        yield lines
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
