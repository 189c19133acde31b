"""A run on the whole node is one trace, of operator's and collector's spans, and the lines of both logs name it."""

import json
import time
from collections import Counter

import pytest

from e2e.node import OPERATORS, SALES, SECONDS, SYSTEM, Node
from novahunt_api import names
from novahunt_contract import traces
from otlp_receiver import attributes, receiving

pytestmark = pytest.mark.node

DOMAIN = "traced.example"


def test_a_run_is_one_trace_from_its_job_to_its_record_and_its_lines_name_it(left_clean: Node) -> None:
    node = left_clean
    node.hold(DOMAIN, 150)
    with receiving(node.target.environment["NOVAHUNT_DEVCLUSTER_HOST"]) as receiver:
        node.install(tracing__endpoint=receiver.url)
        node.collect("traced", [DOMAIN])
        uid = node.ready("traced").metadata.uid
        run = traces.of_run(uid, DOMAIN, 1)
        # The operator sends its spans some seconds after they end.
        deadline = time.monotonic() + SECONDS
        while "run" not in [span.name for span in receiver.spans()]:
            assert time.monotonic() < deadline, "the operator's span never came"
            time.sleep(0.2)
        spans = receiver.spans()
    assert {span.trace_id for span in spans} == {run.trace_id.to_bytes(16)}
    assert Counter(span.name for span in spans) == {
        "run": 1, "collect": 1, "wait for permit": 2, "page request": 2, "store": 1,
    }  # fmt: skip
    (whole,) = (span for span in spans if span.name == "run")
    (collect,) = (span for span in spans if span.name == "collect")
    assert (whole.span_id, whole.parent_span_id) == (run.span_id.to_bytes(8), b"")
    assert collect.parent_span_id == whole.span_id
    assert {span.parent_span_id for span in spans if span.name not in ("run", "collect")} == {collect.span_id}
    assert whole.start_time_unix_nano <= collect.start_time_unix_nano
    assert collect.end_time_unix_nano <= whole.end_time_unix_nano
    assert attributes(whole)["novahunt.collection"] == f"{SALES}/traced"
    for selector, namespace in ((OPERATORS, SYSTEM), (f"{names.COLLECTION_LABEL}=traced", SALES)):
        words = node.kubectl("logs", "-n", namespace, "-l", selector, "--tail=-1").splitlines()
        lines = [json.loads(line) for line in words if line.startswith("{")]
        named = {(line["collection"], line["run"]) for line in lines if line.get("domain") == DOMAIN}
        assert named == {(f"{SALES}/traced", 1)}, (selector, words)
