"""Metrics and probes of real replicas on a real control plane, held against the status and Hunter's own count."""

import asyncio
import dataclasses
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from alerts.expressions import queries
from alerts.promtool import Promtool
from cluster.operator_process import OperatorProcess, free_port
from cluster.world import SECONDS, World
from hunter_simulator import DEFAULT_KEY
from novahunt_contract import keys

pytestmark = pytest.mark.cluster

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]

DOMAINS = ["n7.example", "n130.example", "empty.example", "n12.example", "n1.example"]


async def get(operator: OperatorProcess, path: str) -> tuple[int, str]:
    """Ask a replica's health port; 0 while it does not answer."""
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{operator.health_port}{path}") as answer,
        ):
            return answer.status, await answer.text()
    except aiohttp.ClientError as error:
        return 0, str(error)


async def scrape(operator: OperatorProcess) -> Series:
    code, text = await get(operator, "/metrics")
    assert code == 200, text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(series: Series, name: str, **labels: str) -> float:
    return series[f"novahunt_{name}", frozenset(labels.items())]


def total(series: Series, name: str, **labels: str) -> float:
    """Add up all series of a name that have these labels."""
    return sum(
        number for (found, of), number in series.items() if found == f"novahunt_{name}" and labels.items() <= set(of)
    )


async def until(operator: OperatorProcess, path: str, check: Callable[[int, str], bool]) -> tuple[int, str]:
    """Ask until the answer is as wanted."""
    found = (0, "")
    try:
        async with asyncio.timeout(SECONDS):
            while not check(*found):
                await asyncio.sleep(0.1)
                found = await get(operator, path)
    except TimeoutError:
        raise AssertionError(f"{path} was never as wanted: {found}; the operator said:\n{operator.log}") from None
    return found


async def scraped_until(operator: OperatorProcess, check: Callable[[Series], bool]) -> Series:
    series: Series = {}
    try:
        async with asyncio.timeout(SECONDS):
            while not check(series):
                await asyncio.sleep(0.1)
                series = await scrape(operator)
    except TimeoutError:
        raise AssertionError(f"the metrics were never as wanted: {series}") from None
    return series


async def test_metrics_tell_what_the_status_and_hunter_tell_and_go_with_the_collection(world: World) -> None:
    assert (await until(world.operator, "/readyz", lambda code, _: code == 200))[1] == "ok"
    world.apply("counted", [*DOMAINS, "not a domain"], concurrency=3, budget={"maxCredits": 200})
    ready = await world.ready("counted")
    await world.until_true(lambda: not world.kubelet.running, "done with all pods")
    of = {"namespace": world.namespace, "collection": "counted"}
    series = await scrape(world.operator)

    counts, credits_, report = ready.status.domains, ready.status.credits, world.simulator.report()
    assert counts is not None
    assert credits_ is not None
    states = {
        "waiting": counts.waiting,
        "running": counts.running,
        "backingOff": counts.backing_off,
        "succeeded": counts.succeeded,
        "failed": counts.failed,
    }
    assert {state: value(series, "collection_domains", **of, state=state) for state in states} == states
    assert total(series, "collection_domains", **of) == counts.total == len(DOMAINS)
    assert value(series, "collection_used_credits", **of) == credits_.used == report.credits
    assert value(series, "collection_reserved_credits", **of) == 0
    assert value(series, "collection_budget_credits", **of) == 200
    assert value(series, "collection_condition", **of, condition="Ready") == 1

    key = keys.fingerprint(DEFAULT_KEY)[:4]
    assert value(series, "hunter_requests_total", key=key) == report.requests
    assert value(series, "permits_granted_total", key=key) >= report.requests
    assert value(series, "hunter_throttles_total", key=key) == 0
    assert value(series, "key_pace_ratio", key=key) == 1
    assert value(series, "permit_wait_seconds_count", result="granted") == value(
        series, "permits_granted_total", key=key
    )

    assert value(series, "jobs_started_total", task="collect") == len(DOMAINS)
    assert total(series, "jobs_ended_total") == len(DOMAINS)
    assert value(series, "jobs_ended_total", outcome="Empty", reason="NothingFound") == 1
    assert total(series, "results_recorded_total") >= len(DOMAINS)
    assert value(series, "intake_requests_total", method="POST", route="/v1/permits", code="200") > report.requests
    assert value(series, "lease_held") == 1
    assert value(series, "status_writes_total") == value(
        series, "kubernetes_requests_total", verb="patch", resource="domaincollections/status", code="200"
    )
    assert value(series, "kubernetes_requests_total", verb="create", resource="jobs", code="201") == len(DOMAINS)
    watched = {"domaincollections", "domainresults", "jobs", "pods"}
    assert {dict(labels)["resource"] for name, labels in series if name == "novahunt_watch_age_seconds"} == watched
    assert all(value(series, "watch_age_seconds", resource=kind) < SECONDS for kind in watched)
    assert value(series, "plan_duration_seconds_count", step="look") > 0
    assert await get(world.operator, "/healthz") == (200, "ok")

    labels = {text for _, of_one in series for _, text in of_one}
    assert not [text for text in labels if ".example" in text or "@" in text or DEFAULT_KEY in text]

    world.delete("counted")
    gone = await scraped_until(
        world.operator, lambda found: bool(found) and not any("collection" in dict(labels) for _, labels in found)
    )
    assert value(gone, "jobs_started_total", task="collect") == len(DOMAINS)


async def test_each_query_of_the_dashboard_has_an_answer_after_a_run(world: World, tmp_path: Path) -> None:
    promtool = Promtool()
    world.apply("pictured", DOMAINS, concurrency=3)
    await world.ready("pictured")
    code, text = await get(world.operator, "/metrics")
    assert code == 200, text
    assert promtool.unanswered(queries(), {"novahunt-metrics": [text]}, tmp_path) == ""


async def test_a_replica_that_stands_by_is_ready_and_tells_of_no_collection(world: World) -> None:
    world.apply("shown", ["n1.example"])
    await world.ready("shown")
    other = dataclasses.replace(
        world.operator, name="operator-1", port=free_port(), health_port=free_port(), _process=None
    )
    other.start()
    try:
        await until(other, "/readyz", lambda code, _: code == 200)
        series = await scrape(other)
        assert value(series, "lease_held") == 0
        assert not [labels for _, labels in series if "collection" in dict(labels)]
        world.operator.kill()
        await scraped_until(other, lambda found: found.get(("novahunt_lease_held", frozenset())) == 1)
        # Ready it stays, and what it has learned it tells.
        assert await get(other, "/readyz") == (200, "ok")
        of = {"namespace": world.namespace, "collection": "shown"}
        taken_over = await scraped_until(other, lambda found: total(found, "collection_domains", **of) == 1)
        assert value(taken_over, "collection_domains", **of, state="succeeded") == 1
    finally:
        other.kill()


async def test_an_operator_that_may_not_list_is_alive_and_never_ready_and_says_what_it_lacks(world: World) -> None:
    settings = {**world.operator.settings, "NOVAHUNT_NAMESPACES": "default"}
    world.operator.kill()
    lacking = dataclasses.replace(world.operator, settings=settings, health_port=free_port(), _process=None)
    lacking.start()
    try:
        code, text = await until(lacking, "/readyz", lambda _, text: "may not list" in text)
        assert code == 503
        assert text.endswith("its account may not list DomainCollections in default: is a Role missing?")
        assert await get(lacking, "/healthz") == (200, "ok")
        series = await scrape(lacking)
        assert value(series, "kubernetes_requests_total", verb="list", resource="domaincollections", code="403") > 0
    finally:
        lacking.kill()
