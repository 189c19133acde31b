"""What a client sees of each fault over a real connection."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
import pytest
import pytest_asyncio

from hunter_simulator import (
    BrokenJson,
    Config,
    CutBody,
    EmptyBody,
    Fault,
    HugeBody,
    Proceed,
    Redirect,
    Reset,
    Settings,
    Simulator,
    WrongTypes,
    running_simulator,
)
from hunter_simulator.faults import Action, TypeMistake

HEADERS = {"X-API-KEY": "demo-key", "User-Agent": "novahunt-tests/1"}


@pytest_asyncio.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with running_simulator(Config(settings=Settings(per_second=1000))) as running:
        yield running


async def _search(simulator: Simulator, action: Action | None = None, *, delay: float = 0) -> httpx.Response:
    if action is not None:
        simulator.add_fault(Fault(action=action, delay=delay))
    async with httpx.AsyncClient(headers=HEADERS, timeout=5) as client:
        url = f"{simulator.base_url}/domain-search"
        return await client.get(url, params={"domain": "n250.example", "limit": 100})


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_cut_body_breaks_off_after_its_share(simulator: Simulator, *, chunked: bool) -> None:
    whole = (await _search(simulator)).content
    simulator.add_fault(Fault(action=CutBody(kept=0.4, chunked=chunked)))
    received = b""
    async with httpx.AsyncClient(headers=HEADERS) as client:
        url = f"{simulator.base_url}/domain-search?domain=n250.example&limit=100"
        async with client.stream("GET", url) as response:
            assert response.status_code == 200
            assert ("Content-Length" in response.headers) is not chunked
            with pytest.raises(httpx.RemoteProtocolError):  # noqa: PT012 - the pieces before the error count
                async for piece in response.aiter_raw():
                    received += piece
    assert received == whole[: int(len(whole) * 0.4)]


async def test_a_body_may_be_cut_before_its_first_byte(simulator: Simulator) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await _search(simulator, CutBody(kept=0))


async def test_a_reset_comes_before_any_answer(simulator: Simulator) -> None:
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await _search(simulator, Reset())
    assert simulator.report().statuses == {0: 1}
    assert (await _search(simulator)).status_code == 200


async def test_an_empty_body_keeps_its_status(simulator: Simulator) -> None:
    response = await _search(simulator, EmptyBody())
    assert (response.status_code, response.content) == (200, b"")


async def test_broken_json_is_a_complete_http_answer(simulator: Simulator) -> None:
    response = await _search(simulator, BrokenJson())
    assert response.headers["Content-Type"] == "application/json"
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        response.json()


MISTAKES: dict[TypeMistake, str] = {
    "answer_is_list": "isinstance(answer, list)",
    "data_is_list": "answer['data'] == []",
    "data_is_null": "answer['data'] is None",
    "emails_is_object": "isinstance(answer['data']['emails'], dict)",
    "value_is_number": "answer['data']['emails'][0]['value'] == 17",
    "confidence_is_text": "answer['data']['emails'][0]['confidence'] == 'high'",
    "sources_is_text": "answer['data']['emails'][0]['sources'] == 'none'",
    "meta_is_missing": "'meta' not in answer",
    "results_is_text": "answer['meta']['results'] == 'many'",
}


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_wrong_types_are_valid_json(simulator: Simulator, mistake: TypeMistake) -> None:
    response = await _search(simulator, WrongTypes(mistake))
    assert eval(MISTAKES[mistake], {"answer": response.json(), "isinstance": isinstance})  # noqa: S307 - own text


@pytest.mark.parametrize("announced", [False, True])
async def test_a_huge_body_is_valid_json_above_sixteen_mebibytes(simulator: Simulator, *, announced: bool) -> None:
    response = await _search(simulator, HugeBody(announced=announced))
    assert len(response.content) == 17 * 1024 * 1024
    assert ("Content-Length" in response.headers) is announced
    assert len(response.json()["data"]["emails"]) == 100


async def test_a_huge_body_may_be_small_on_the_wire(simulator: Simulator) -> None:
    response = await _search(simulator, HugeBody(compressed=True))
    assert len(response.content) == 17 * 1024 * 1024
    assert int(response.headers["Content-Length"]) < 1024 * 1024


async def test_a_redirect_that_is_followed_shows_in_the_report(simulator: Simulator) -> None:
    response = await _search(simulator, Redirect(status=307))
    assert (response.status_code, response.headers["Location"]) == (307, "/v2/redirected")
    async with httpx.AsyncClient(headers=HEADERS, follow_redirects=True) as client:
        simulator.add_fault(Fault(action=Redirect()))
        await client.get(f"{simulator.base_url}/domain-search?domain=n5.example")
    assert simulator.report().paths == {"/v2/domain-search": 2, "/v2/redirected": 1}


async def test_a_delay_postpones_the_answer(simulator: Simulator) -> None:
    begin = time.monotonic()
    assert (await _search(simulator, Proceed(), delay=0.2)).status_code == 200
    assert time.monotonic() - begin >= 0.2


async def test_a_delayed_search_is_charged_though_its_client_hung_up(simulator: Simulator) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(_search(simulator, Proceed(), delay=30), 0.2)
    assert simulator.report().of_domain("n250.example").credits == 10
    assert (await _search(simulator)).status_code == 200
    assert simulator.report().credits == 10
