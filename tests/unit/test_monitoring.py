"""Alerts, dashboard and runbooks: all they ask for is there, and each of them leads to the others."""

import json
import re

import pytest
import yaml

from alerts.expressions import (
    DASHBOARD,
    ROOT,
    RULES_TEST,
    TARGET,
    Expression,
    Json,
    panels,
    questions,
    read,
    rules,
)
from novahunt_api.conditions import ConditionType
from novahunt_api.waiting import Wait
from novahunt_operator.metrics import Metrics
from tools import dashboard

RUNBOOKS = ROOT / "docs" / "runbooks.md"
METRICS = ROOT / "docs" / "metrics.md"
ALERTS = {rule["alert"]: rule for rule in rules()}
ASKED = questions()

VALUES = {
    ("novahunt_collection_waiting_reason", "reason"): {str(one) for one in Wait},
    ("novahunt_collection_condition", "condition"): {str(one) for one in ConditionType},
    ("novahunt_collection_domains", "state"): {"waiting", "running", "backingOff", "succeeded", "failed"},
    ("novahunt_permit_wait_seconds_bucket", "result"): {"granted", "none"},
    ("novahunt_gateway_requests_total", "code"): {"5.."},
}
"""What labels can hold, where an expression names values."""


def known() -> dict[str, tuple[str, frozenset[str]]]:
    """Return type and labels of each series: the page about metrics, which other tests hold to what is told."""
    row = re.compile(r"^\| `(novahunt_\w+)` \| (\w+) \|([^|]*)\|", re.MULTILINE)
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for name, kind, labels in row.findall(METRICS.read_text("utf-8")):
        held = frozenset(re.findall(r"`(\w+)`", labels))
        if kind == "histogram":
            found[f"{name}_bucket"] = ("counter", held | {"le"})
            found |= {f"{name}{end}": ("counter", held) for end in ("_count", "_sum")}
        else:
            found[name] = (kind, held)
    for family in Metrics().registry.collect():
        if family.name.startswith("process_"):
            end = "_total" if family.type == "counter" else ""
            found[f"{family.name}{end}"] = (family.type, frozenset())
    return found


KNOWN = known()


def anchors(text: str) -> dict[str, str]:
    """Return the sections of a page by the anchors that GitHub gives them."""
    found: dict[str, str] = {}
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        title, _, body = section.partition("\n")
        found[re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")] = body
    return found


SECTIONS = anchors(RUNBOOKS.read_text("utf-8"))


def used(expression: Expression) -> set[str]:
    """Return all labels that series of an expression's metrics have."""
    return set(TARGET).union(*(KNOWN[one.metric][1] for one in expression.selectors))


@pytest.mark.parametrize("text", ASKED.values(), ids=ASKED.keys())
def test_each_expression_asks_for_metrics_and_labels_that_there_are(text: str) -> None:
    expression = read(text)
    assert expression.selectors, "it asks for nothing"
    assert {one.metric for one in expression.selectors} <= KNOWN.keys()
    for one in expression.selectors:
        kind, labels = KNOWN[one.metric]
        assert {matcher.label for matcher in one.matchers} <= labels | TARGET, one.metric
        assert one.ranged or kind != "counter", f"{one.metric} only ever grows: its rate says something"
    assert expression.grouped <= used(expression)


@pytest.mark.parametrize("text", ASKED.values(), ids=ASKED.keys())
def test_each_value_that_is_asked_for_can_be(text: str) -> None:
    for one in read(text).selectors:
        for matcher in one.matchers:
            if not matcher.value.startswith("$"):
                assert set(matcher.words) <= VALUES[one.metric, matcher.label], matcher


def test_a_mistake_in_an_expression_is_found() -> None:
    found = read(
        'sum by (key) (rate(a_total{code=~"5..|none", b!="c"}[5m])) / on () vector(0) unless x offset 30m > 0.5'
    )
    assert [(one.metric, one.ranged) for one in found.selectors] == [("a_total", True), ("x", False)]
    assert [tuple(one) for one in found.selectors[0].matchers] == [("code", "=~", "5..|none"), ("b", "!=", "c")]
    assert found.selectors[0].matchers[0].words == ("5..", "none")
    assert found.grouped == {"key"}
    with pytest.raises(ValueError, match="summ is no function"):
        read("summ(x)")


@pytest.mark.parametrize("alert", ALERTS.values(), ids=ALERTS.keys())
def test_each_alert_says_what_it_is_how_grave_and_where_to_read_on(alert: Json) -> None:
    told = alert["annotations"]
    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    assert set(told) == {"summary", "description", "runbook_url"}
    assert len(told["summary"]) < 120
    assert not told["summary"].endswith(".")
    assert told["description"].endswith(".")
    assert "for" in alert, "a moment is no reason to call somebody"
    page, _, anchor = told["runbook_url"].partition("#")
    assert page == "docs/runbooks.md"
    section = SECTIONS[anchor]
    assert section.lstrip().startswith(f"Alert `{alert['alert']}`:")


@pytest.mark.parametrize("alert", ALERTS.values(), ids=ALERTS.keys())
def test_each_label_that_an_alert_speaks_of_is_one_that_it_has(alert: Json) -> None:
    spoken = set(re.findall(r"\$labels\.(\w+)", " ".join(alert["annotations"].values())))
    assert spoken <= read(alert["expr"]).grouped


def test_alerts_have_names_of_their_own_and_stand_in_the_table_of_the_runbooks() -> None:
    assert len(ALERTS) == len(rules())
    rows = re.findall(r"^\| (critical|warning|info) \| (.*?) \|", RUNBOOKS.read_text("utf-8"), re.MULTILINE)
    told = {anchor: severity for severity, cell in rows for anchor in re.findall(r"\(#([\w-]+)\)", cell)}
    assert told == {
        rule["annotations"]["runbook_url"].partition("#")[2]: rule["labels"]["severity"] for rule in ALERTS.values()
    }


@pytest.mark.parametrize("section", SECTIONS.values(), ids=SECTIONS.keys())
def test_each_runbook_has_an_alert_or_says_that_none_leads_to_it(section: str) -> None:
    named = re.match(r"\s*Alert `(\w+)`:", section)
    assert (named is not None and named[1] in ALERTS) or section.lstrip().startswith("No alert leads here:")


def test_what_needs_a_person_has_one_alert_and_only_one() -> None:
    def reasons(name: str, how: str) -> set[str]:
        return {
            word
            for one in read(ALERTS[name]["expr"]).selectors
            for matcher in one.matchers
            if matcher.label == "reason" and matcher.how == how
            for word in matcher.words
        }

    own = [reasons(name, "=~") | reasons(name, "=") for name in ("NovaHuntKeyRefused", "NovaHuntPlanUsedUp")]
    own.append(reasons("NovaHuntStorageFull", "="))
    assert reasons("NovaHuntCollectionStalled", "!~") == set().union(*own)
    assert len(set().union(*own)) == sum(map(len, own))


def test_each_alert_is_tried_on_series_that_fire_it_and_on_others_that_do_not() -> None:
    fired: set[str] = set()
    silent: set[str] = set()
    for group in yaml.safe_load(RULES_TEST.read_text("utf-8"))["tests"]:
        for case in group["alert_rule_test"]:
            expected = case["exp_alerts"]
            (fired if expected else silent).add(case["alertname"])
            rule = ALERTS[case["alertname"]]
            assert [one["exp_labels"]["severity"] for one in expected] == [rule["labels"]["severity"]] * len(expected)
    assert fired == silent == ALERTS.keys()


def test_the_dashboard_is_the_one_that_is_made() -> None:
    assert DASHBOARD.read_text("utf-8") == dashboard.text(), "run `make dashboard`"


def test_no_panel_covers_another_and_each_says_what_it_shows() -> None:
    taken: set[tuple[int, int]] = set()
    everything = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    for panel in everything:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert all(panel["description"].endswith(".") for panel in panels())
    assert len({panel["title"] for panel in panels()}) == len(panels())


def test_a_series_is_called_by_labels_that_it_has() -> None:
    for panel in panels():
        for target in panel["targets"]:
            called = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert called <= read(target["expr"]).grouped, panel["title"]
            assert len(panel["targets"]) == 1 or target["legendFormat"], panel["title"]


def test_its_choices_are_those_that_the_queries_speak_of() -> None:
    whole = json.loads(DASHBOARD.read_text("utf-8"))
    chosen = {one["name"] for one in whole["templating"]["list"]}
    spoken = set(re.findall(r"\$\{?([a-z]\w*)", json.dumps(whole["panels"]))) - {"__rate_interval"}
    assert spoken == chosen == {"datasource", "namespace", "collection"}
