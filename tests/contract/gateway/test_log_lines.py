"""Lines on requests name the collection and the domain that was asked for, and nothing that a caller made up."""

import logging
import time
from collections.abc import Iterator

import httpx
import pytest

from contract.gateway.conftest import SALES, Served
from log_lines import Lines, written

A = "a.example"


@pytest.fixture
def lines() -> Iterator[Lines]:
    with written(logging.DEBUG) as found:
        yield found


def subjects(lines: Lines, words: str) -> list[tuple[str | None, str | None, int | None]]:
    """Return what lines are about, as soon as there is one: it is written after the answer has gone."""
    limit = time.monotonic() + 20
    while not (found := lines.subjects(words)) and time.monotonic() < limit:
        time.sleep(0.01)
    return found


def test_calls_for_a_domain_name_it_and_its_collection(caller: httpx.Client, lines: Lines) -> None:
    assert caller.post("/api/collect-job", json={"domain": "https://A.example/contact"}).status_code == 200
    assert caller.get("/api/collect-status", params={"domain": A}).status_code == 200
    wanted = [(f"{SALES}/collect-{A}", A, None)]
    assert subjects(lines, "POST /api/collect-job: 200") == wanted
    assert subjects(lines, "GET /api/collect-status: 200") == wanted


def test_calls_for_a_collection_name_it_and_the_next_one_names_nothing(
    served_gateway: Served, caller: httpx.Client, lines: Lines
) -> None:
    made = caller.post("/api/collections", json={"name": "q4", "domains": [A]})
    assert made.status_code == 201
    served_gateway.tell(served_gateway.collection("q4"))
    caller.get("/api/collections/q4")
    caller.get("/api/collections")
    wanted = [(f"{SALES}/q4", None, None)]
    assert subjects(lines, "POST /api/collections: 201") == wanted
    assert subjects(lines, "GET /api/collections/{name}: 200") == wanted
    assert subjects(lines, "GET /api/collections: 200") == [(None, None, None)]


def test_what_is_no_domain_and_no_collection_is_in_no_line(caller: httpx.Client, lines: Lines) -> None:
    assert caller.post("/api/collect-job", json={"domain": "jane@private.example"}).status_code in (200, 400)
    assert caller.get("/api/collections/jane@private.example").status_code == 404
    assert subjects(lines, "GET /api/collections/{name}: 404") == [(None, None, None)]
    assert "jane" not in "".join(line["message"] for line in lines if line["logger"].startswith("novahunt"))
