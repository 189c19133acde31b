"""Writes the Grafana dashboard of the chart, charts/novahunt/files/dashboard.json; run as `make dashboard`.

Each query gives an answer as soon as the operator has collected something: where a series is there only while something
is wrong, a zero stands in for it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tools.reference import write
from tools.shell import ROOT

FILE = ROOT / "charts/novahunt/files/dashboard.json"

Json = dict[str, Any]

_SOURCE: Mapping[str, str] = {"type": "prometheus", "uid": "${datasource}"}
_WIDTH = 24
_OPEN = 'state=~"waiting|running|backingOff"'
_ENDED = 'state=~"succeeded|failed"'
_OF = 'namespace=~"$namespace", collection=~"$collection"'
_BY_COLLECTION = "{{namespace}}/{{collection}}"


class Query(NamedTuple):
    """One expression, and what its series are called."""

    expr: str
    legend: str = ""


class Panel(NamedTuple):
    """One picture; `kind` is Grafana's word for its form."""

    title: str
    about: str
    queries: Sequence[Query]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    height: int = 8
    stacked: bool = False
    bad_from: float | None = None
    """Red from this value on."""
    bad_below: float | None = None
    """Red below this value."""
    most: float | None = None
    """Where the axis ends."""


def _rate(metric: str, by: str = "") -> str:
    return f"sum{f' by ({by}) ' if by else ''}(rate({metric}[$__rate_interval]))"


def _per_minute(metric: str, by: str) -> str:
    return f"60 * {_rate(metric, by)}"


def _quantile(part: float, metric: str, by: str = "") -> str:
    return f"histogram_quantile({part}, {_rate(metric, f'le, {by}' if by else 'le')})"


def _else_zero(expr: str, **labels: str) -> str:
    """Return the expression, or where it has no series a zero with these labels."""
    zero = "vector(0)"
    for name, value in labels.items():
        zero = f'label_replace({zero}, "{name}", "{value}", "", "")'
    return f"{expr} or on () {zero}"


def _number(title: str, about: str, expr: str, **more: Any) -> Panel:
    return Panel(title, about, (Query(expr),), kind="stat", width=4, height=4, **more)


_COLLECTIONS = (
    _number("Active replicas", "One works, the others stand by.", "sum(novahunt_lease_held)", bad_below=1),
    _number(
        "Open domains",
        "Domains that wait, run or back off.",
        f"sum(novahunt_collection_domains{{{_OF}, {_OPEN}}})",
    ),
    _number("Running domains", "Pods at work.", f'sum(novahunt_collection_domains{{{_OF}, state="running"}})'),
    _number(
        "Failed domains",
        "Domains whose last run failed; retryFailed runs them again.",
        f'sum(novahunt_collection_domains{{{_OF}, state="failed"}})',
        bad_from=1,
    ),
    _number(
        "Collections that need a person",
        "Those with the condition Stalled; their status says for what.",
        f'sum(novahunt_collection_condition{{{_OF}, condition="Stalled"}})',
        bad_from=1,
    ),
    _number(
        "Credits used",
        "Hunter credits used by all of them, in their budgets' periods.",
        f"sum(novahunt_collection_used_credits{{{_OF}}})",
    ),
    Panel(
        "Domains by state",
        "All domains of the chosen collections.",
        (Query(f"sum by (state) (novahunt_collection_domains{{{_OF}}})", "{{state}}"),),
        stacked=True,
    ),
    Panel(
        "Ended runs a minute",
        "Of all collections, by how they ended.",
        (Query(_per_minute("novahunt_jobs_ended_total", "outcome, reason"), "{{outcome}}: {{reason}}"),),
        stacked=True,
    ),
    Panel(
        "What collections wait for",
        "How many wait for each reason; docs/collections.md tells what helps.",
        (
            Query(
                _else_zero(f"count by (reason) (novahunt_collection_waiting_reason{{{_OF}}})", reason="nothing"),
                "{{reason}}",
            ),
        ),
        stacked=True,
    ),
    Panel(
        "Furthest from done",
        "The twelve of the chosen collections of which the smallest part is done; those that are done are left out.",
        (
            Query(
                f"bottomk(12, sum by (namespace, collection) (novahunt_collection_domains{{{_OF}, {_ENDED}}})"
                f" / sum by (namespace, collection) (novahunt_collection_domains{{{_OF}}}) < 1)"
                ' or on () label_replace(vector(1), "collection", "all are done", "", "")',
                _BY_COLLECTION,
            ),
        ),
        unit="percentunit",
        kind="bargauge",
        most=1,
    ),
    Panel(
        "Credits, all together",
        "Used, set aside for Jobs that are not recorded yet, and what budgets allow.",
        (
            Query(f"sum(novahunt_collection_used_credits{{{_OF}}})", "used"),
            Query(f"sum(novahunt_collection_reserved_credits{{{_OF}}})", "set aside"),
            Query(_else_zero(f"sum(novahunt_collection_budget_credits{{{_OF}}})"), "budgets"),
        ),
    ),
    Panel(
        "Credits by collection",
        "The ten that have used most.",
        (
            Query(
                f"topk(10, max by (namespace, collection) (novahunt_collection_used_credits{{{_OF}}}))",
                _BY_COLLECTION,
            ),
        ),
    ),
)

_HUNTER = (
    Panel(
        "Requests a minute",
        "Requests to Hunter by key, throttled ones included.",
        (Query(_per_minute("novahunt_hunter_requests_total", "key"), "{{key}}"),),
    ),
    Panel(
        "Throttled requests a minute",
        "Requests that Hunter refused as too fast.",
        (Query(_per_minute("novahunt_hunter_throttles_total", "key"), "{{key}}"),),
    ),
    Panel(
        "Pace that is left",
        "Halved by each throttle, and restored by each answer.",
        (Query("min by (key) (novahunt_key_pace_ratio)", "{{key}}"),),
        unit="percentunit",
        most=1,
    ),
    Panel(
        "Collectors that wait for a permit",
        "Now; all is well while the requests a minute are as many as the key allows.",
        (Query("sum by (key) (novahunt_collectors_waiting)", "{{key}}"),),
    ),
    Panel(
        "Wait for a permit",
        "How long a call was held that got one.",
        (
            Query(_quantile(0.5, 'novahunt_permit_wait_seconds_bucket{result="granted"}'), "half"),
            Query(_quantile(0.95, 'novahunt_permit_wait_seconds_bucket{result="granted"}'), "19 of 20"),
        ),
        unit="s",
    ),
    Panel(
        "Permits a minute",
        "Permits granted, by key; more than the requests where some were not used.",
        (Query(_per_minute("novahunt_permits_granted_total", "key"), "{{key}}"),),
    ),
)

_OPERATOR = (
    Panel(
        "Jobs started a minute",
        "By what they do.",
        (Query(_per_minute("novahunt_jobs_started_total", "task"), "{{task}}"),),
        stacked=True,
    ),
    Panel(
        "Rounds of work",
        "How long a round on one collection took, calls included.",
        (
            Query(_quantile(0.5, "novahunt_reconcile_duration_seconds_bucket"), "half"),
            Query(_quantile(0.95, "novahunt_reconcile_duration_seconds_bucket"), "19 of 20"),
        ),
        unit="s",
    ),
    Panel(
        "Deciding",
        "How long 19 of 20 decisions took, by step.",
        (Query(_quantile(0.95, "novahunt_plan_duration_seconds_bucket", "step"), "{{step}}"),),
        unit="s",
    ),
    Panel(
        "Work that is due",
        "For how long the first collection has been due, and how long the longest work under way has taken.",
        (
            Query("max(novahunt_workqueue_oldest_seconds)", "due"),
            Query("max(novahunt_workqueue_longest_running_seconds)", "under way"),
        ),
        unit="s",
    ),
    Panel(
        "Work queue",
        "Collections that are due now, and how many become due or fail a second.",
        (
            Query("sum(novahunt_workqueue_depth)", "due now"),
            Query(_rate("novahunt_workqueue_adds_total"), "made due"),
            Query(_rate("novahunt_workqueue_retries_total"), "repeated"),
            Query(_else_zero(_rate("novahunt_reconcile_errors_total")), "failed"),
        ),
    ),
    Panel(
        "Written a second",
        "Results and statuses.",
        (
            Query(_rate("novahunt_results_recorded_total"), "results"),
            Query(_rate("novahunt_status_writes_total"), "statuses"),
        ),
    ),
    Panel(
        "Calls of collectors a second",
        "What the intake answered, by route and code.",
        (Query(_rate("novahunt_intake_requests_total", "route, code"), "{{route}} {{code}}"),),
        stacked=True,
    ),
    Panel(
        "Processor",
        "Of each replica of operator and gateway; 1 is one core.",
        (
            Query(
                "rate(process_cpu_seconds_total[$__rate_interval])"
                " * on (job, instance) group_left () novahunt_build_info",
                "{{job}} {{instance}}",
            ),
        ),
    ),
    Panel(
        "Memory",
        "Of each replica of operator and gateway.",
        (
            Query(
                "process_resident_memory_bytes * on (job, instance) group_left () novahunt_build_info",
                "{{job}} {{instance}}",
            ),
        ),
        unit="bytes",
    ),
)

_CLUSTER = (
    Panel(
        "Calls a second",
        "Calls of the Kubernetes API, by verb and resource.",
        (Query(_rate("novahunt_kubernetes_requests_total", "verb, resource"), "{{verb}} {{resource}}"),),
        stacked=True,
    ),
    Panel(
        "Answers a second",
        "The same by code; none: the API server did not answer. 404 and 409 are ordinary.",
        (Query(_rate("novahunt_kubernetes_requests_total", "code"), "{{code}}"),),
        stacked=True,
    ),
    Panel(
        "Duration of calls",
        "How long 19 of 20 took, by verb; a watch until it began.",
        (Query(_quantile(0.95, "novahunt_kubernetes_request_duration_seconds_bucket", "verb"), "{{verb}}"),),
        unit="s",
    ),
    Panel(
        "Silence of watches",
        "Since the API server last said anything; about a minute is ordinary, at five the container is started anew.",
        (Query("max by (job, resource) (novahunt_watch_age_seconds)", "{{job}} {{resource}}"),),
        unit="s",
        width=12,
    ),
    Panel(
        "Watches begun anew a minute",
        "The API server ends each after some minutes.",
        (
            Query(
                _else_zero(_per_minute("novahunt_watch_restarts_total", "resource"), resource="none"),
                "{{resource}}",
            ),
        ),
        width=12,
    ),
)

_GATEWAY = (
    Panel(
        "Requests a second",
        "By route and code; zero where no gateway runs.",
        (
            Query(
                _else_zero(_rate("novahunt_gateway_requests_total", "route, code"), route="none"),
                "{{route}} {{code}}",
            ),
        ),
        stacked=True,
        width=12,
    ),
    Panel(
        "Duration of requests",
        "How long 19 of 20 took, by route; zero where no gateway runs.",
        (
            Query(
                _else_zero(_quantile(0.95, "novahunt_gateway_request_duration_seconds_bucket", "route"), route="none"),
                "{{route}}",
            ),
        ),
        unit="s",
        width=12,
    ),
)

ROWS: Mapping[str, Sequence[Panel]] = {
    "Collections": _COLLECTIONS,
    "Hunter": _HUNTER,
    "The operator's work": _OPERATOR,
    "The Kubernetes API": _CLUSTER,
    "The gateway": _GATEWAY,
}


def dashboard() -> Json:
    """Return the dashboard as Grafana reads it."""
    return {
        "uid": "novahunt",
        "title": "NovaHunt",
        "description": "What operator and gateway tell of themselves; docs/metrics.md says what each number means.",
        "tags": ["novahunt"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "",
        "annotations": {"list": []},
        "links": [],
        "templating": {"list": [_source(), _choice("namespace", ""), _choice("collection", 'namespace=~"$namespace"')]},
        "panels": list(_placed()),
    }


def _source() -> Json:
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "refresh": 1}


def _choice(label: str, among: str) -> Json:
    """Return a variable that chooses some of a label's values; without a choice it stands for all of them."""
    query = f"label_values(novahunt_collection_domains{f'{{{among}}}' if among else ''}, {label})"
    return {
        "name": label,
        "label": label.capitalize(),
        "type": "query",
        "datasource": _SOURCE,
        "definition": query,
        "query": {"query": query, "refId": label},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _placed() -> Iterator[Json]:
    """Yield all panels, each row's from left to right."""
    number, x, y, height = 0, 0, 0, 0
    for title, panels in ROWS.items():
        number, y, x = number + 1, y + height, 0
        place = {"x": 0, "y": y, "w": _WIDTH, "h": 1}
        yield {"id": number, "type": "row", "title": title, "collapsed": False, "gridPos": place, "panels": []}
        y, height = y + 1, 0
        for panel in panels:
            if x + panel.width > _WIDTH:
                x, y, height = 0, y + height, 0
            number, height = number + 1, max(height, panel.height)
            yield _drawn(panel, number, {"x": x, "y": y, "w": panel.width, "h": panel.height})
            x += panel.width


def _drawn(panel: Panel, number: int, place: Mapping[str, int]) -> Json:
    instant = panel.kind != "timeseries"
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": _field(panel), "overrides": []},
        "options": _options(panel),
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": _SOURCE,
                "expr": query.expr,
                "legendFormat": query.legend,
                "instant": instant,
                "range": not instant,
            }
            for index, query in enumerate(panel.queries)
        ],
    }


def _field(panel: Panel) -> Json:
    found: Json = {"unit": panel.unit, "min": 0}
    if panel.most is not None:
        found["max"] = panel.most
    good, bad = {"color": "green", "value": None}, {"color": "red", "value": None}
    if panel.bad_from is not None:
        found["thresholds"] = {"mode": "absolute", "steps": [good, {**bad, "value": panel.bad_from}]}
    elif panel.bad_below is not None:
        found["thresholds"] = {"mode": "absolute", "steps": [bad, {**good, "value": panel.bad_below}]}
    elif panel.kind == "stat":
        found["thresholds"] = {"mode": "absolute", "steps": [{"color": "text", "value": None}]}
    else:
        found["color"] = {"mode": "palette-classic"}
    if panel.kind == "timeseries":
        stacking = {"mode": "normal" if panel.stacked else "none", "group": "A"}
        found["custom"] = {"lineWidth": 1, "fillOpacity": 20 if panel.stacked else 0, "stacking": stacking}
    return found


def _options(panel: Panel) -> Json:
    if panel.kind == "timeseries":
        legend = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
        return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
    reduced = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
    if panel.kind == "bargauge":
        return {**reduced, "orientation": "horizontal", "displayMode": "basic"}
    return {**reduced, "colorMode": "value", "graphMode": "none"}


def text() -> str:
    """Return the file."""
    return json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write it."""
    write(FILE, text())


if __name__ == "__main__":
    main()
