"""A run's span of the operator: of the trace that its Job was told, whichever process tells it."""

import sys

import pytest

from builders import KEY, NOW, collection, collector_settings, job, result, spec
from novahunt_contract import traces
from novahunt_contract.document import started_at
from novahunt_contract.outcomes import Reason
from novahunt_operator import jobs
from novahunt_operator.actions import Actions
from novahunt_operator.metrics import Metrics
from novahunt_operator.planner import Plan, Start
from novahunt_operator.recorder import Recorder
from novahunt_operator.store import Store
from novahunt_operator.survey import Settlement
from novahunt_operator.tracing import Traces
from otlp_receiver import attributes, receiving
from unit.operator.memory_cluster import MemoryCluster

A = "a.example"


def variables(endpoint: str, domain: str = A, run: int = 1) -> dict[str, str]:
    settings = collector_settings(traces_endpoint=endpoint)
    body = jobs.build(collection(spec()), Start(domain, run, None), settings, NOW)
    (container,) = body["spec"]["template"]["spec"]["containers"]
    return {one["name"]: one["value"] for one in container["env"] if "value" in one}


def test_a_job_is_told_where_spans_go_and_below_which_one_it_works() -> None:
    told = variables("http://spans.example:4318")
    assert told["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://spans.example:4318"
    others = [variables("http://spans.example:4318", domain, run) for domain, run in ((A, 2), ("b.example", 1))]
    assert len({each["TRACEPARENT"] for each in (told, *others)}) == 3
    assert told["TRACEPARENT"] == variables("http://spans.example:4318")["TRACEPARENT"]
    assert not {"TRACEPARENT", "OTEL_EXPORTER_OTLP_ENDPOINT"} & variables("").keys()


async def test_two_replicas_tell_the_same_span_of_a_run_from_its_job_to_its_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = job(A)
    end = Settlement(ended, None, result(A, Reason.COLLECTED), delete=False)
    with receiving() as receiver:
        monkeypatch.setenv(traces.ENDPOINT, receiver.url)
        for _ in range(2):
            cluster, store, told = MemoryCluster(), Store(), Traces(on=True)
            recorder = Recorder(cluster, store)
            actions = Actions(
                cluster,
                store,
                recorder,
                collector_settings(),
                metrics=Metrics(),
                progressed=lambda _: None,
                traces=told,
            )
            await actions.carry_out(collection(spec()), Plan(settle=(end,), start=(), delete=()), NOW)
            told.close()
            await cluster.close()
    first, second = receiver.spans()
    told_to_job = traces.read_parent(variables(receiver.url, A, ended.run)["TRACEPARENT"])
    for span in (first, second):
        assert (int.from_bytes(span.trace_id), int.from_bytes(span.span_id)) == told_to_job
        assert span.parent_span_id == b""
        assert span.start_time_unix_nano == started_at(ended.job_id) * 1_000_000
    assert attributes(first) == {
        "novahunt.collection": str(KEY),
        "novahunt.domain": A,
        "novahunt.run": ended.run,
        "novahunt.outcome": "Collected",
        "novahunt.reason": "Collected",
    }


def test_off_nothing_is_imported_and_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "opentelemetry"]:
        monkeypatch.delitem(sys.modules, name)
    off = Traces()
    off.recorded(job(A), collection=str(KEY), outcome="Collected", reason="Collected")
    off.close()
    assert "opentelemetry" not in sys.modules


@pytest.mark.parametrize("text", ["", "00-0-0-01", f"00-{'0' * 32}-{'1' * 16}-01", f"00-{'g' * 32}-{'1' * 16}-01"])
def test_what_is_no_trace_parent_is_none(text: str) -> None:
    assert traces.read_parent(text) is None
