"""Lines name the collection, the domain and the run that the work in hand is about."""

import asyncio
import io
import logging

import pytest

from log_lines import written
from novahunt_api import logs
from novahunt_api.objects import Key
from novahunt_api.subject import about, narrow

LOG = logging.getLogger("novahunt_test")
KEY = Key("sales", "q4")


def test_what_is_in_hand_is_named_inside_and_not_afterwards() -> None:
    with written() as lines:
        with about(KEY):
            LOG.info("outer")
            with about(domain="a.example", run=3):
                LOG.info("inner")
            LOG.info("outer again")
        LOG.info("nothing")
    found = {line["message"]: (line.get("collection"), line.get("domain"), line.get("run")) for line in lines}
    assert found == {
        "outer": ("sales/q4", None, None),
        "inner": ("sales/q4", "a.example", 3),
        "outer again": ("sales/q4", None, None),
        "nothing": (None, None, None),
    }
    assert set(next(iter(lines))) == {"time", "level", "logger", "message", "collection"}


def test_the_time_is_written_as_collectors_write_it() -> None:
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "done", None, None)
    record.created = 1_732_233_600.5
    for form in ("json", "text"):
        stream = io.StringIO()
        logs.handler(form, stream).handle(record)
        assert "2024-11-22T00:00:00.500Z" in stream.getvalue()


def test_a_lines_own_fields_count_for_more() -> None:
    with written() as lines, about(KEY, "a.example"):
        LOG.info("x", extra={"domain": "b.example"})
    assert lines.subjects("x") == [("sales/q4", "b.example", None)]


async def test_tasks_beside_each_other_do_not_mix_their_subjects() -> None:
    both = asyncio.Barrier(2)

    async def work(domain: str) -> None:
        with about(domain=domain):
            await both.wait()
            LOG.info("at work on %s", domain)

    with written() as lines, about(KEY):
        await asyncio.gather(work("a.example"), work("b.example"))
        narrow(domain="c.example")
        LOG.info("then")
    for domain in ("a.example", "b.example"):
        assert lines.subjects(f"at work on {domain}") == [("sales/q4", domain, None)]
    assert lines.subjects("then") == [("sales/q4", "c.example", None)]


@pytest.mark.parametrize(
    ("domain", "end"), [("a.example", "x: done [collection=sales/q4 domain=a.example]\n"), (None, "done\n")]
)
def test_text_lines_end_with_the_same_fields(domain: str | None, end: str) -> None:
    stream = io.StringIO()
    handler = logs.handler("text", stream)
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "done", None, None)
    with about(KEY if domain else None, domain):
        handler.handle(record)
    assert stream.getvalue().endswith(end)
