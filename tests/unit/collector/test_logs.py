"""Log lines: one line a record, as text or JSON, and nothing of what an exception holds."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from novahunt_collector import logs
from novahunt_collector.errors import UsageError


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_json_lines_name_collection_domain_and_run() -> None:
    stream = io.StringIO()
    logs.configure("json", logs.Subject("sales/q4", "other.example", 3), stream)
    token = logs.domain_in_hand.set("example.com")
    logging.getLogger("x").warning("two\nlines %d", 5)
    logs.domain_in_hand.reset(token)
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("Z")
    about = {"collection": "sales/q4", "domain": "example.com", "run": 3}
    assert line == {"level": "WARNING", "message": "two\nlines 5", **about}
    assert stream.getvalue().count("\n") == 1


def test_text_lines_stay_one_line() -> None:
    stream = io.StringIO()
    logs.configure("text", stream=stream)
    logging.getLogger("x").info("two\nlines")
    assert stream.getvalue().endswith("Z INFO two lines\n")


def test_an_exceptions_own_text_is_never_printed() -> None:
    stream = io.StringIO()
    logs.configure("text", stream=stream)
    try:
        int("https://api.example/?api_key=secret")
    except ValueError:
        logging.getLogger("x").exception("a defect")
    assert "secret" not in stream.getvalue()
    assert "ValueError: test_an_exceptions_own_text_is_never_printed at" in stream.getvalue()


def test_the_loggers_that_print_urls_are_quiet() -> None:
    stream = io.StringIO()
    logs.configure("text", stream=stream)
    logging.getLogger("httpx").info("GET https://api.example/?domain=x")
    logging.getLogger("httpcore.connection").debug("x")
    logging.getLogger("backoff").error("gave up")
    assert not stream.getvalue()


def test_another_format_is_a_wrong_call() -> None:
    with pytest.raises(UsageError, match="NOVAHUNT_LOG_FORMAT"):
        logs.configure("yaml", stream=io.StringIO())


def test_a_person_who_looks_on_gets_short_lines() -> None:
    stream = io.StringIO()
    logs.configure(logs.SHORT, stream=stream)
    logging.getLogger("x").info("two\nlines")
    logging.getLogger("x").error("amiss")
    assert stream.getvalue() == "two lines\nerror: amiss\n"


def test_only_warnings_are_said_where_quiet_is_asked_for() -> None:
    stream = io.StringIO()
    logs.configure("text", stream=stream)
    logs.only_warnings()
    logging.getLogger("x").info("nothing new")
    logging.getLogger("x").warning("amiss")
    assert stream.getvalue().count("\n") == 1
