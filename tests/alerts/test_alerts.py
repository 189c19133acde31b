"""promtool reads the alerts, tries each of them, and finds an answer to each query of the dashboard."""

from pathlib import Path

import pytest
from prometheus_client import generate_latest

from alerts.expressions import RULES, RULES_TEST, queries
from alerts.promtool import Promtool
from novahunt_gateway.metrics import GatewayMetrics
from unit.operator.busy_replica import Replica, busy

QUERIES = queries()


@pytest.fixture(scope="module")
def promtool() -> Promtool:
    return Promtool()


def test_promtool_has_nothing_against_the_alerts(promtool: Promtool) -> None:
    answer = promtool.run("check", "rules", "--lint=all", "--lint-fatal", RULES)
    assert answer.code == 0, answer.said


def test_each_alert_fires_when_it_should_and_only_then(promtool: Promtool) -> None:
    answer = promtool.run("test", "rules", RULES_TEST)
    assert answer.code == 0, answer.said


def told_by_gateway() -> str:
    metrics = GatewayMetrics()
    metrics.requests.labels("GET", "/api/collections", "200").inc()
    metrics.seconds.labels("/api/collections").observe(0.1)
    return generate_latest(metrics.registry).decode()


def told_by(replica: Replica) -> str:
    return generate_latest(replica.metrics.registry).decode()


async def test_each_query_of_the_dashboard_has_an_answer(promtool: Promtool, tmp_path: Path) -> None:
    active, standby = await busy(), Replica()
    standby.active = False
    told = {"novahunt-metrics": [told_by(active), told_by(standby)], "novahunt-gateway-metrics": [told_by_gateway()]}
    assert promtool.unanswered(QUERIES, told, tmp_path) == ""


async def test_it_has_one_without_a_gateway_and_while_all_is_well(promtool: Promtool, tmp_path: Path) -> None:
    replica = await busy()
    lines = told_by(replica).splitlines(keepends=True)
    troubles = (
        "novahunt_collection_waiting_reason",
        "novahunt_reconcile_errors_total",
        "novahunt_watch_restarts_total",
    )
    calm = "".join(line for line in lines if not line.startswith((*troubles, "novahunt_collection_budget_credits")))
    assert promtool.unanswered(QUERIES, {"novahunt-metrics": [calm]}, tmp_path) == ""


def test_a_query_without_an_answer_is_named(promtool: Promtool, tmp_path: Path) -> None:
    told = {"novahunt-metrics": [told_by(Replica())]}
    said = promtool.unanswered(["sum(novahunt_lease_held)", "sum(novahunt_no_such_thing)"], told, tmp_path)
    assert "novahunt_no_such_thing" in said
    assert "novahunt_lease_held" not in said
