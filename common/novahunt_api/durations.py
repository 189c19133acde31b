"""Reads durations as people write them in a spec: `720h`, `1h30m`; the CRD's schema has checked their form."""

import re
from datetime import timedelta

_PARTS = re.compile(r"(\d+)([hms])")
_UNITS = {"h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}


def duration(text: str) -> timedelta:
    """Return the length of hours, minutes and seconds written one after the other."""
    return sum((int(number) * _UNITS[unit] for number, unit in _PARTS.findall(text)), timedelta())
