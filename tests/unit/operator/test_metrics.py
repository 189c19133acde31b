"""Metrics: names, types and labels as promised, fit for Prometheus, true to the status, and nothing left behind."""

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as strictly_read

from builders import KEY, UID, collection
from novahunt_api import signs
from novahunt_api.conditions import Condition
from novahunt_api.signs import Watched
from novahunt_api.statusobject import Credits
from novahunt_contract.intake import Answered
from unit.operator.busy_replica import Replica, busy, whole_status

DOCS = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"

OWN = {
    "novahunt_build_info": ("gauge", ("version",)),
    "novahunt_collection_budget_credits": ("gauge", ("namespace", "collection")),
    "novahunt_collection_condition": ("gauge", ("namespace", "collection", "condition")),
    "novahunt_collection_domains": ("gauge", ("namespace", "collection", "state")),
    "novahunt_collection_reserved_credits": ("gauge", ("namespace", "collection")),
    "novahunt_collection_used_credits": ("gauge", ("namespace", "collection")),
    "novahunt_collection_waiting_reason": ("gauge", ("namespace", "collection", "reason")),
    "novahunt_collectors_waiting": ("gauge", ("key",)),
    "novahunt_hunter_requests_total": ("counter", ("key",)),
    "novahunt_hunter_throttles_total": ("counter", ("key",)),
    "novahunt_intake_requests_total": ("counter", ("method", "route", "code")),
    "novahunt_jobs_ended_total": ("counter", ("outcome", "reason")),
    "novahunt_jobs_started_total": ("counter", ("task",)),
    "novahunt_key_pace_ratio": ("gauge", ("key",)),
    "novahunt_kubernetes_request_duration_seconds": ("histogram", ("verb", "resource")),
    "novahunt_kubernetes_requests_total": ("counter", ("verb", "resource", "code")),
    "novahunt_lease_held": ("gauge", ()),
    "novahunt_permit_wait_seconds": ("histogram", ("result",)),
    "novahunt_permits_granted_total": ("counter", ("key",)),
    "novahunt_plan_duration_seconds": ("histogram", ("step",)),
    "novahunt_reconcile_duration_seconds": ("histogram", ()),
    "novahunt_reconcile_errors_total": ("counter", ("error",)),
    "novahunt_results_recorded_total": ("counter", ("outcome",)),
    "novahunt_status_writes_total": ("counter", ()),
    "novahunt_watch_age_seconds": ("gauge", ("resource",)),
    "novahunt_watch_restarts_total": ("counter", ("resource",)),
    "novahunt_workqueue_adds_total": ("counter", ()),
    "novahunt_workqueue_depth": ("gauge", ()),
    "novahunt_workqueue_longest_running_seconds": ("gauge", ()),
    "novahunt_workqueue_oldest_seconds": ("gauge", ()),
    "novahunt_workqueue_retries_total": ("counter", ()),
}
"""What dashboards and alerts are made of: a change here breaks somebody's."""

PROCESS = {
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_virtual_memory_bytes",
    "python_gc_collections_total",
    "python_gc_objects_collected_total",
    "python_gc_objects_uncollectable_total",
    "python_info",
}


async def test_names_types_and_labels_are_those_promised() -> None:
    families = (await busy()).scrape()
    own = {name: family for name, family in families.items() if name.startswith("novahunt_")}
    found = {
        name: (family.type, tuple(label for label in family.samples[0].labels if label != "le"))
        for name, family in own.items()
    }
    assert {name: (kind, set(labels)) for name, (kind, labels) in found.items()} == {
        name: (kind, set(labels)) for name, (kind, labels) in OWN.items()
    }
    assert families.keys() >= PROCESS
    assert not {name for name in families if name.endswith("_created")}


async def test_every_metric_is_there_before_anything_has_happened() -> None:
    assert OWN.keys() <= Replica().scrape().keys()


async def test_the_page_about_metrics_tells_the_same() -> None:
    row = re.compile(r"^\| `(novahunt_\w+)` \| (\w+) \|([^|]*)\|", re.MULTILINE)
    told = {
        name: (kind, tuple(re.findall(r"`(\w+)`", labels)))
        for name, kind, labels in row.findall(DOCS.read_text("utf-8"))
        if not name.startswith("novahunt_gateway_")
    }
    assert told == OWN


RULES: dict[str, Callable[[Metric, str], bool]] = {
    "has a help text": lambda family, _: bool(family.documentation.strip()),
    "a counter ends with _total, and nothing else does": lambda family, name: (
        (family.type == "counter") == name.endswith("_total")
    ),
    "is in snake case": lambda _, name: re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) is not None,
    "does not name its type": lambda _, name: not re.search(r"_(gauge|counter|histogram|summary)(_|$)", name),
    "leaves histograms' suffixes to histograms": lambda _, name: not name.endswith(("_bucket", "_count", "_sum")),
    "has a base unit": lambda _, name: not re.search(r"_(ms|milliseconds|minutes|hours|kb|mb|percent)(_|$)", name),
    "a time is told with its unit": lambda family, name: family.type != "histogram" or name.endswith("_seconds"),
    "does not repeat its labels": lambda family, name: (
        not any(f"by_{label}" in name for sample in family.samples for label in sample.labels)
    ),
    "has labels in snake case": lambda family, _: all(
        re.fullmatch(r"[a-z]+(_[a-z]+)*", label) for sample in family.samples for label in sample.labels
    ),
}


@pytest.mark.parametrize("rule", RULES)
async def test_each_metric_keeps_to_the_rules_of_promtool(rule: str) -> None:
    own = {name: family for name, family in (await busy()).scrape().items() if name in OWN}
    assert [name for name, family in own.items() if not RULES[rule](family, name)] == []


async def test_the_strict_reader_of_openmetrics_accepts_it_all() -> None:
    text = openmetrics.generate_latest((await busy()).metrics.registry).decode()
    assert len(list(strictly_read(text))) > len(OWN)


async def test_no_label_holds_a_domain_a_name_of_an_object_or_a_key() -> None:
    replica = await busy()
    values = {
        value for family in replica.scrape().values() for sample in family.samples for value in sample.labels.values()
    }
    assert "3fa9" in values
    assert not [value for value in values if "example" in value or "3fa9c" in value or "@" in value]


def test_the_states_add_up_to_all_domains_and_are_those_of_the_status() -> None:
    replica = Replica()
    replica.store.put_collection(collection(status=whole_status()))
    samples = replica.scrape()["novahunt_collection_domains"].samples
    assert {sample.labels["state"]: sample.value for sample in samples} == {
        "waiting": 5,
        "running": 4,
        "backingOff": 3,
        "succeeded": 2,
        "failed": 1,
    }
    assert sum(sample.value for sample in samples) == 15


def test_credits_and_conditions_are_those_of_the_status() -> None:
    replica = Replica()
    replica.store.put_collection(collection(status=whole_status()))
    labels = {"namespace": "sales", "collection": "q4"}
    assert replica.value("novahunt_collection_used_credits", **labels) == 40
    assert replica.value("novahunt_collection_reserved_credits", **labels) == 10
    assert replica.value("novahunt_collection_budget_credits", **labels) == 100
    assert replica.value("novahunt_collection_condition", **labels, condition="Stalled") == 1
    assert replica.value("novahunt_collection_condition", **labels, condition="Ready") == 0
    assert replica.value("novahunt_collection_condition", **labels, condition="Suspended") == 0


def test_what_it_waits_for_is_told_by_its_reason_and_only_while_it_waits() -> None:
    waiting = Condition("Waiting", "True", "RateLimit", "key 3fa9…: 500 requests/min used")
    replica = Replica()
    replica.store.put_collection(collection(status=whole_status(conditions=(waiting,))))
    (sample,) = replica.scrape()["novahunt_collection_waiting_reason"].samples
    assert (sample.labels, sample.value) == ({"namespace": "sales", "collection": "q4", "reason": "RateLimit"}, 1)
    over = msgspec.structs.replace(waiting, status="False")
    replica.store.put_collection(collection(resource_version=2, status=whole_status(conditions=(over,))))
    assert replica.scrape()["novahunt_collection_waiting_reason"].samples == []


def test_one_that_needs_a_person_waits_for_one_thing() -> None:
    conditions = (Condition("Stalled", "True", "Budget", ""), Condition("Waiting", "True", "Budget", ""))
    replica = Replica()
    replica.store.put_collection(collection(status=whole_status(conditions=conditions)))
    (sample,) = replica.scrape()["novahunt_collection_waiting_reason"].samples
    assert sample.labels["reason"] == "Budget"


def test_without_a_budget_there_is_no_limit_and_without_a_status_nothing_is_made_up() -> None:
    replica = Replica()
    replica.store.put_collection(collection(status=whole_status(credits=Credits(used=3))))
    assert replica.value("novahunt_collection_used_credits", namespace="sales", collection="q4") == 3
    assert replica.scrape()["novahunt_collection_budget_credits"].samples == []
    new = Replica()
    new.store.put_collection(collection())
    assert new.scrape()["novahunt_collection_domains"].samples == []


def of_collections(replica: Replica) -> list[str]:
    return [
        sample.name
        for family in replica.scrape().values()
        for sample in family.samples
        if "collection" in sample.labels
    ]


def test_the_series_of_a_collection_go_with_it() -> None:
    replica = Replica()
    replica.store.put_collection(collection(status=whole_status()))
    assert of_collections(replica)
    replica.store.drop_collection(KEY, UID)
    assert of_collections(replica) == []


def test_a_replica_that_stands_by_tells_of_no_collection_and_that_it_has_no_lease() -> None:
    replica = Replica()
    replica.store.put_collection(collection(status=whole_status()))
    assert replica.value("novahunt_lease_held") == 1
    replica.active = False
    assert replica.value("novahunt_lease_held") == 0
    assert of_collections(replica) == []


async def test_two_keys_that_begin_alike_are_one_series_and_the_slower_pace_counts() -> None:
    replica = Replica()
    replica.permits.report("3fa9aaaa", "a", Answered("0"))
    replica.permits.report("3fa9bbbb", "a", Answered("0", throttled=True))
    replica.permits.report("0123aaaa", "a", Answered("0"))
    assert replica.value("novahunt_key_pace_ratio", key="3fa9") == 0.5
    assert replica.value("novahunt_key_pace_ratio", key="0123") == 1
    assert len(replica.scrape()["novahunt_key_pace_ratio"].samples) == 2


def test_of_the_watches_of_a_kind_the_most_silent_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(signs, "time", SimpleNamespace(monotonic=lambda: now))
    replica = Replica()
    for namespace in ("sales", "research"):
        replica.signs.expect(Watched("pods", namespace))
    now = 1070.0
    replica.signs.heard(Watched("pods", "sales"))
    replica.signs.heard(Watched("secrets", "sales"))
    samples = replica.scrape()["novahunt_watch_age_seconds"].samples
    assert [(sample.labels, sample.value) for sample in samples] == [({"resource": "pods"}, 70.0)]


def test_two_replicas_in_one_process_count_for_themselves() -> None:
    one, two = Replica(), Replica()
    one.metrics.status_writes.inc()
    assert (one.value("novahunt_status_writes_total"), two.value("novahunt_status_writes_total")) == (1, 0)
