"""Draws samples as two small charts, and as the table that says the same. Pure."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from novahunt_gateway.page.samples import Sample

WIDTH, HEIGHT = 320, 96
"""Units of the drawing; the page scales it."""
_TABLE_ROWS = 12
_MINUTE = timedelta(minutes=1)


class Line(msgspec.Struct, frozen=True):
    """One chart: a line from left to right, and the area below it, as points of SVG."""

    title: str
    line: str
    area: str
    top: str
    """What the upper edge stands for; the lower is 0."""
    last: str


class Row(msgspec.Struct, frozen=True):
    """One line of the table."""

    at: str
    credits: int
    rate: str


class Chart(msgspec.Struct, frozen=True):
    """All that is shown of the recent past."""

    since: str
    until: str
    lines: tuple[Line, ...]
    rows: tuple[Row, ...]


def draw(samples: Sequence[Sample]) -> Chart | None:
    """Return the charts; None: one sample makes no line."""
    if len(samples) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    rates = _rates(samples)
    times = [sample.at for sample in samples]
    step = max(1, -(-(len(samples) - 1) // (_TABLE_ROWS - 1)))
    chosen = sorted({*range(0, len(samples), step), len(samples) - 1})
    return Chart(
        since=clock(times[0]),
        until=clock(times[-1]),
        lines=(
            _line("Credits used", times, [float(sample.credits) for sample in samples], lambda value: f"{value:,.0f}"),
            _line("Domains ended a minute", times, rates, lambda value: f"{value:,.1f}"),
        ),
        rows=tuple(Row(clock(times[at]), samples[at].credits, f"{rates[at]:.1f}") for at in chosen),
    )


def clock(moment: datetime) -> str:
    """Return a time of day, UTC."""
    return moment.strftime("%H:%M:%S")


def _rates(samples: Sequence[Sample]) -> list[float]:
    """Return the rate at each sample, over the minute before it: between neighbours it would only flicker."""
    rates, start = [], 0
    for at in range(1, len(samples)):
        while start < at - 1 and samples[at].at - samples[start].at > _MINUTE:
            start += 1
        rates.append(_rate(samples[start], samples[at]))
    return [rates[0], *rates]


def _rate(before: Sample, after: Sample) -> float:
    minutes = (after.at - before.at).total_seconds() / 60
    # Domains that leave the list, or run again, make the count smaller.
    return max(0.0, (after.ended - before.ended) / minutes) if minutes > 0 else 0.0


def _line(title: str, times: Sequence[datetime], values: Sequence[float], words: Callable[[float], str]) -> Line:
    top = max(*values, 1.0)
    length = (times[-1] - times[0]).total_seconds() or 1.0
    points = " ".join(
        f"{(at - times[0]).total_seconds() / length * WIDTH:.1f},{HEIGHT - value / top * (HEIGHT - 4):.1f}"
        for at, value in zip(times, values, strict=True)
    )
    return Line(title, points, f"0,{HEIGHT} {points} {WIDTH},{HEIGHT}", words(top), words(values[-1]))
