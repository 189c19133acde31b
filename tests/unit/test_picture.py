"""The dashboard as its picture reads it: variables filled in, series called by their legends, thresholds kept."""

import json

import pytest

from tools.dashboard import text
from tools.picture.panels import Query, read


def test_every_panel_is_read_with_its_variables_filled_in() -> None:
    panels = list(read(text(), "20s"))
    exprs = [query.expr for panel in panels for query in panel.queries]
    assert len(exprs) > 40
    assert not [expr for expr in exprs if "$" in expr]
    assert any("[20s]" in expr for expr in exprs)
    assert {panel.kind for panel in panels} == {"row", "stat", "timeseries", "bargauge"}
    assert all(panel.x + panel.width <= 24 for panel in panels)


def test_thresholds_are_kept_on_the_side_they_warn_of() -> None:
    panels = {panel.title: panel for panel in read(text(), "20s")}
    assert (panels["Failed domains"].red_from, panels["Failed domains"].red_below) == (1, None)
    assert (panels["Active replicas"].red_from, panels["Active replicas"].red_below) == (None, 1)
    assert panels["Domains by state"].is_stacked


def test_a_series_is_called_by_its_legend_or_its_labels() -> None:
    labels = {"namespace": "sales", "collection": "leads"}
    assert Query("x", "{{namespace}}/{{ collection }}").name(labels) == "sales/leads"
    assert Query("x", "").name(labels) == "namespace=sales, collection=leads"
    assert Query("x", "used").name(labels) == "used"


def test_a_variable_that_is_not_known_is_named() -> None:
    panel = {"title": "a", "type": "stat", "gridPos": {"x": 0, "y": 0, "w": 1, "h": 1}, "targets": [{"expr": "a[$x]"}]}
    with pytest.raises(ValueError, match=r"a\[\$x\]"):
        list(read(json.dumps({"panels": [panel]}), "20s"))
