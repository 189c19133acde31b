"""Spans of a real collector's process: a whole trace where they are wanted, no module of it where they are not."""

import asyncio
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.collector.running import DOMAIN, ended, environ, run_process, started
from hunter_simulator import DEFAULT_KEY, AnswerStatus, Fault, Simulator
from novahunt_contract import traces
from otlp_receiver import Receiver, attributes, receiving

RUN = traces.of_run("uid", DOMAIN, 3)
SHOWS_IMPORTS = {"PYTHONPROFILEIMPORTTIME": "1"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def on(receiver: Receiver) -> dict[str, str]:
    return {traces.ENDPOINT: receiver.url, traces.TRACEPARENT: RUN.parent, "NOVAHUNT_RUN": "3"}


async def test_a_run_is_spans_below_the_one_that_the_operator_names(
    simulator: Simulator, place: Path, receiver: Receiver
) -> None:
    simulator.set_domain(DOMAIN, 150)
    simulator.add_fault(Fault(action=AnswerStatus(status=503), times=1))
    process = await run_process([DOMAIN], environ(simulator, place / "c", **on(receiver)), place)
    assert process.code == 0, process.log
    spans = receiver.spans()
    assert {span.trace_id for span in spans} == {RUN.trace_id.to_bytes(16)}
    assert Counter(span.name for span in spans) == {
        "collect": 1, "wait for permit": 3, "page request": 3, "store": 1,
    }  # fmt: skip
    (whole,) = (span for span in spans if span.name == "collect")
    assert whole.parent_span_id == RUN.span_id.to_bytes(8)
    assert {span.parent_span_id for span in spans if span is not whole} == {whole.span_id}
    assert attributes(whole) == {
        "novahunt.domain": DOMAIN,
        "novahunt.run": 3,
        "novahunt.outcome": "Collected",
        "novahunt.reason": "Collected",
    }
    pages = [attributes(span) for span in spans if span.name == "page request"]
    assert sorted((page["novahunt.page"], page["novahunt.status"]) for page in pages) == [(1, 200), (1, 503), (2, 200)]


async def test_no_span_holds_the_key_an_address_or_a_query_string(
    simulator: Simulator, place: Path, receiver: Receiver
) -> None:
    await run_process([DOMAIN], environ(simulator, place / "c", **on(receiver)), place)
    sent = receiver.text()
    assert "page request" in sent
    for never in (DEFAULT_KEY, "@", "limit=", "offset=", simulator.base_url):
        assert never not in sent


async def test_without_an_endpoint_nothing_of_it_is_imported(
    simulator: Simulator, place: Path, receiver: Receiver
) -> None:
    off = await run_process([DOMAIN], environ(simulator, place / "c", **SHOWS_IMPORTS), place)
    assert "novahunt_collector.program" in off.log
    assert "opentelemetry" not in off.log
    assert "requests" not in {line.rpartition("|")[2].strip() for line in off.log.splitlines()}
    again = environ(simulator, place / "c", **SHOWS_IMPORTS, **on(receiver))
    assert "opentelemetry.sdk" in (await run_process([DOMAIN], again, place)).log


async def test_a_receiver_that_never_answers_or_is_not_there_hurts_no_run(
    simulator: Simulator, place: Path, receiver: Receiver
) -> None:
    receiver.answers.clear()
    hung = await run_process([DOMAIN], environ(simulator, place / "a", **on(receiver)), place)
    assert (hung.code, "they are lost" in hung.log) == (0, True)
    away = environ(simulator, place / "b", **on(receiver), HTTPS_PROXY="http://127.0.0.1:9")
    away[traces.ENDPOINT] = "http://127.0.0.1:9"
    gone = await run_process([DOMAIN], away, place)
    assert gone.code == 0
    assert "Traceback" not in gone.log


async def test_a_signal_while_the_last_spans_are_sent_does_not_spoil_the_end(
    simulator: Simulator, place: Path, receiver: Receiver
) -> None:
    receiver.answers.clear()
    async with started([DOMAIN], environ(simulator, place / "c", **on(receiver)), place) as running:
        assert await asyncio.to_thread(receiver.asked.wait, 20)
        running.send_signal(signal.SIGTERM)
        process = await ended(running, place)
    assert process.code == 0
    assert process.receipt is not None
