"""Draws a dashboard's panels where they stand, with what they showed."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from PIL import Image

from tools.picture.panels import Panel
from tools.picture.prometheus import Series

Shown = Mapping[str, Sequence[Series]]
"""The series of a panel by their names."""

COLUMNS = 24
_INCHES_WIDE = 18.0
_ROW_INCHES = 0.36
_GREEN, _RED, _TEXT = "#37872d", "#c4162a", "#333333"
_LEGEND = 12
"""Names below a panel; Grafana lets one scroll."""
_GAP = 0.3
"""Between panels, in columns and rows."""


def draw(panels: Sequence[Panel], shown: Sequence[Shown], file: Path) -> None:
    """Write the picture as PNG.

    Args:
        panels: The dashboard's.
        shown: What each of them showed.
        file: Where to.
    """
    mpl.rcParams.update({"font.size": 8, "axes.titlesize": 9, "axes.spines.top": False, "axes.spines.right": False})
    rows = max(panel.y + panel.height for panel in panels)
    figure = Figure(figsize=(_INCHES_WIDE, rows * _ROW_INCHES), dpi=80)
    for panel, found in zip(panels, shown, strict=True):
        if panel.kind == "row":
            figure.text(0.01, 1 - (panel.y + 0.7) / rows, panel.title, fontsize=12, weight="bold", color=_TEXT)
            continue
        # Axes need room for their numbers, and a legend below.
        left, top = panel.x + 1.2, panel.y + 1.0
        width, height = panel.width - 1.2 - _GAP, panel.height - 1.0 - (2.2 if panel.kind == "timeseries" else _GAP)
        place = (left / COLUMNS, 1 - (top + height) / rows, width / COLUMNS, height / rows)
        axes = figure.add_axes(place)
        axes.set_title(panel.title, loc="left", color=_TEXT)
        _KINDS[panel.kind](axes, panel, found)
    whole = BytesIO()
    figure.savefig(whole, format="png")
    # A quarter of the bytes, and nobody sees the difference.
    Image.open(whole).convert("RGB").quantize(96).save(file, optimize=True)


def _draw_number(axes: Axes, panel: Panel, shown: Shown) -> None:
    axes.set_axis_off()
    last = [series.points[-1][1] for several in shown.values() for series in several if series.points]
    if not last:
        axes.text(0.5, 0.5, "No data", ha="center", va="center", fontsize=14, color=_TEXT)
        return
    (value,) = last
    bad = (panel.red_from is not None and value >= panel.red_from) or (
        panel.red_below is not None and value < panel.red_below
    )
    judged = panel.red_from is not None or panel.red_below is not None
    color = _RED if bad else _GREEN if judged else _TEXT
    axes.text(0.5, 0.5, f"{value:,.0f}", ha="center", va="center", fontsize=26, color=color)


def _draw_bars(axes: Axes, panel: Panel, shown: Shown) -> None:
    last = {name: series.points[-1][1] for name, several in shown.items() for series in several if series.points}
    bars = axes.barh(list(last), list(last.values()), color=_GREEN, height=0.6)
    axes.bar_label(bars, labels=[_number(value, panel.unit) for value in last.values()], padding=3)
    axes.tick_params(axis="y", labelsize=7, pad=-4, direction="in")
    for label in axes.get_yticklabels():
        label.set_horizontalalignment("left")
    axes.set_xlim(0, 1.15 if panel.unit == "percentunit" else None)
    axes.xaxis.set_visible(False)


def _draw_lines(axes: Axes, panel: Panel, shown: Shown) -> None:
    times: list[datetime] = []
    below: dict[float, float] = {}
    for name, several in sorted(shown.items()):
        for series in several:
            times = [datetime.fromtimestamp(at, UTC) for at, _ in series.points]
            values = [value for _, value in series.points]
            if panel.is_stacked:
                base = [below.get(at, 0.0) for at, _ in series.points]
                values = [one + under for one, under in zip(values, base, strict=True)]
                below.update({at: value for (at, _), value in zip(series.points, values, strict=True)})
                (line,) = axes.plot(times, values, linewidth=1, label=name)
                axes.fill_between(times, base, values, color=line.get_color(), alpha=0.2)
            else:
                axes.plot(times, values, linewidth=1, label=name)
    if not times:
        axes.text(0.5, 0.5, "No data", ha="center", va="center", transform=axes.transAxes, color=_TEXT)
        return
    axes.set_ylim(bottom=0)
    axes.grid(visible=True, linewidth=0.3)
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _number(value, panel.unit)))
    lines, names = axes.get_legend_handles_labels()
    axes.legend(
        lines[:_LEGEND],
        names[:_LEGEND],
        loc="upper left",
        bbox_to_anchor=(0, -0.14),
        ncols=3,
        frameon=False,
        fontsize=6,
        borderaxespad=0,
    )


def _number(value: float, unit: str) -> str:
    if unit == "percentunit":
        return f"{value:.0%}"
    if unit == "bytes":
        return f"{value / 2**20:,.0f} MiB"
    if unit == "s":
        return f"{value * 1000:,.0f} ms" if value < 1 else f"{value:,.1f} s"
    return f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"  # noqa: PLR2004 - three digits


_KINDS = {"stat": _draw_number, "bargauge": _draw_bars, "timeseries": _draw_lines}
