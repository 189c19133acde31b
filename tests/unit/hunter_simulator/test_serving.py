"""The server: starting, keys on the wire, the admin API, the command line and the demo's configuration."""

import asyncio
import logging
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import pytest
import pytest_asyncio

import hunter_simulator
from hunter_simulator import Config, Domain, Report, Simulator, read_config, running_simulator, truth
from hunter_simulator.__main__ import main

FOLDER = Path(hunter_simulator.__file__).parent
HEADERS = {"X-API-KEY": "demo-key", "User-Agent": "novahunt-tests/1"}


@pytest_asyncio.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with running_simulator() as running:
        yield running


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(headers=HEADERS) as made:
        yield made


async def test_it_starts_within_a_tenth_of_a_second_at_a_free_port() -> None:
    begin = time.monotonic()
    async with running_simulator() as one, running_simulator() as other:
        assert time.monotonic() - begin < 0.2
        assert one.base_url != other.base_url
        assert one.base_url.startswith("http://127.0.0.1:")
        assert one.base_url.endswith("/v2")
    with pytest.raises(RuntimeError, match="not being served"):
        _ = one.base_url


async def test_it_stops_at_once_though_an_answer_is_delayed(client: httpx.AsyncClient) -> None:
    async with running_simulator() as simulator:
        simulator.add_fault(hunter_simulator.Fault(action=hunter_simulator.Proceed(), delay=60))
        asking = asyncio.create_task(client.get(f"{simulator.base_url}/account"))
        while not simulator.report().requests:  # noqa: ASYNC110 - the report has no event to wait for
            await asyncio.sleep(0)
        begin = time.monotonic()
    assert time.monotonic() - begin < 1
    with pytest.raises(httpx.TransportError):
        await asking


@pytest.mark.parametrize(
    ("headers", "query", "place"),
    [
        ({"X-API-KEY": "demo-key"}, "", "header"),
        ({"Authorization": "Bearer demo-key"}, "", "bearer"),
        ({}, "&api_key=demo-key", "query"),
    ],
)
async def test_a_key_is_taken_from_each_place_and_the_place_recorded(
    simulator: Simulator, headers: dict[str, str], query: str, place: str
) -> None:
    async with httpx.AsyncClient(headers={"User-Agent": "x"}) as client:
        response = await client.get(f"{simulator.base_url}/domain-search?domain=n5.example{query}", headers=headers)
    assert response.status_code == 200
    report = simulator.report()
    assert report.log[0].key_place == place
    assert report.keys_in_query == report.of_key("demo-key").in_query == (place == "query")


async def test_of_a_parameter_given_twice_the_last_one_counts(simulator: Simulator, client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{simulator.base_url}/domain-search?domain=n5.example&domain=n6.example")
    assert answer.json()["meta"]["results"] == 6


async def test_default_clients_are_refused_over_the_wire(simulator: Simulator) -> None:
    async with httpx.AsyncClient() as client:
        response = await client.get(f"{simulator.base_url}/account", headers={"X-API-KEY": "demo-key"})
    assert (response.status_code, response.text) == (403, "error code: 1010")


async def test_unknown_paths_get_hunters_404(simulator: Simulator, client: httpx.AsyncClient) -> None:
    response = await client.get(f"{simulator.base_url}/nothing/here")
    assert (response.status_code, response.json()["errors"][0]["id"]) == (404, "not_found")


async def test_the_access_log_is_one_plain_line_without_the_key(
    simulator: Simulator, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "hunter_simulator.access")
    await client.get(f"{simulator.base_url}/domain-search?domain=n5.example&api_key=demo-key")
    (message,) = (record.getMessage() for record in caplog.records if record.name == "hunter_simulator.access")
    assert " GET /v2/domain-search domain=n5.example offset=0 limit=10 200 answered addresses=5 credits=1 " in message
    assert "demo-key" not in message
    assert "\n" not in message


async def test_the_access_log_stays_one_line_whatever_the_path(
    simulator: Simulator, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "hunter_simulator.access")
    await client.get(f"{simulator.base_url}/a%0Ab")
    assert any("/a" in record.getMessage() for record in caplog.records)
    assert all("\n" not in record.getMessage() for record in caplog.records)


async def test_admin_settings_are_shown_and_changed_one_by_one(simulator: Simulator, client: httpx.AsyncClient) -> None:
    url = f"{simulator.admin_url}/settings"
    assert (await client.get(url)).json()["throttled_status"] == 403
    changed = await client.patch(url, json={"throttled_status": 429, "listing": {"order": "within_page"}})
    assert (changed.json()["throttled_status"], changed.json()["per_second"]) == (429, 15)
    assert simulator.settings.listing.order == "within_page"
    assert (await client.patch(url, json={"throttled_status": 500})).status_code == 400
    assert (await client.patch(url, json={"no_such": 1})).status_code == 400
    assert simulator.settings.throttled_status == 429


async def test_admin_domains_are_set_shown_and_removed(simulator: Simulator, client: httpx.AsyncClient) -> None:
    url = f"{simulator.admin_url}/domains"
    assert (await client.put(f"{url}/bücher.example", json={"size": 12})).status_code == 200
    assert (await client.get(url)).json().keys() == {"xn--bcher-kva.example"}
    assert len(simulator.truth("bücher.example")) == 12
    assert (await client.put(f"{url}/nonsense", json={"size": 12})).status_code == 400
    assert (await client.put(f"{url}/a.example", json={"size": 25_001})).status_code == 400
    assert (await client.delete(f"{url}/xn--bcher-kva.example")).status_code == 200
    assert (await client.delete(f"{url}/xn--bcher-kva.example")).status_code == 404


async def test_admin_faults_are_set_shown_and_removed(simulator: Simulator, client: httpx.AsyncClient) -> None:
    url = f"{simulator.admin_url}/faults"
    fault = {"action": {"do": "status", "status": 451}, "domain": "n5.example", "times": None}
    number = (await client.post(url, json=fault)).json()["fault"]
    search = f"{simulator.base_url}/domain-search?domain=n5.example"
    assert (await client.get(search)).json()["errors"][0]["id"] == "claimed_email"
    assert (await client.get(url)).json()[str(number)]["action"]["status"] == 451
    assert (await client.delete(f"{url}/{number}")).status_code == 200
    assert (await client.delete(f"{url}/{number}")).status_code == 404
    assert (await client.get(search)).status_code == 200
    await client.post(url, json=fault)
    assert (await client.delete(url)).status_code == 200
    assert simulator.faults() == {}
    assert (await client.post(url, json={"action": {"do": "x"}})).status_code == 400
    assert (await client.post(url, json=fault | {"domain": "x"})).status_code == 400


async def test_admin_keys_are_set_shown_and_removed(simulator: Simulator, client: httpx.AsyncClient) -> None:
    url = f"{simulator.admin_url}/keys"
    account = f"{simulator.base_url}/account"
    other = {"X-API-KEY": "other"}
    assert (await client.get(account, headers=other)).status_code == 401
    plan = {"name": "Free", "credits": 50, "result_cap": 10, "reset_date": "2027-03-05"}
    assert (await client.post(url, json={"key": "other", "plan": plan})).status_code == 200
    assert (await client.get(account, headers=other)).json()["data"]["plan_name"] == "Free"
    assert [key["key"] for key in (await client.get(url)).json()] == ["demo-key", "other"]
    assert (await client.request("DELETE", url, json={"key": "other"})).status_code == 200
    assert (await client.request("DELETE", url, json={"key": "other"})).status_code == 404
    assert (await client.get(account, headers=other)).status_code == 401


async def test_admin_moves_the_clock(simulator: Simulator, client: httpx.AsyncClient) -> None:
    url = f"{simulator.admin_url}/clock"
    moved = await client.post(url, json={"now": "2031-05-31T23:59:00", "advance_seconds": 61})
    assert moved.json()["now"].startswith("2031-06-01T00:00:01")
    assert (await client.get(url)).json()["now"].startswith("2031-06-01T00:00:0")
    assert (await client.get(f"{simulator.base_url}/account")).json()["data"]["reset_date"] == "2031-07-01"


async def test_admin_shows_clears_and_resets(simulator: Simulator, client: httpx.AsyncClient) -> None:
    search = f"{simulator.base_url}/domain-search?domain=n5.example"
    await client.get(search)
    url = f"{simulator.admin_url}/report"
    report = msgspec.json.decode((await client.get(url)).content, type=Report)
    assert report == simulator.report()
    assert (await client.get(f"{url}?log=false")).json()["log"] == []
    await client.delete(url)
    assert simulator.report().requests == 0
    await client.post(f"{simulator.admin_url}/reset")
    await client.get(search)
    assert simulator.report().credits == 1


async def test_admin_knows_its_health_and_refuses_what_it_does_not_know(
    simulator: Simulator, client: httpx.AsyncClient
) -> None:
    assert (await client.get(f"{simulator.admin_url}/health")).json() == {"ok": True}
    assert (await client.get(f"{simulator.admin_url}/helth")).status_code == 404
    assert simulator.report().requests == 0


async def test_admin_calls_need_no_user_agent_of_their_own(simulator: Simulator) -> None:
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{simulator.admin_url}/report")).status_code == 200


def test_the_demos_configuration_holds_the_demos_domains() -> None:
    config = read_config(FOLDER / "demo.json")
    assert {name: domain.size for name, domain in config.domains.items()}.items() >= {
        "small.example": 7, "mixed.example": 25, "pages.example": 230, "large.example": 1040, "empty.example": 0,
    }.items()  # fmt: skip
    assert [key.key for key in config.keys] == ["demo-key"]
    Simulator(config)


async def test_the_demo_begins_with_its_faults(client: httpx.AsyncClient) -> None:
    async with running_simulator(read_config(FOLDER / "demo.json")) as simulator:
        url = f"{simulator.base_url}/domain-search"
        flaky = [(await client.get(url, params={"domain": "flaky.example"})).status_code for _ in range(3)]
        busy = [await client.get(url, params={"domain": "busy.example"}) for _ in range(3)]
    assert flaky == [503, 503, 200]
    assert [answer.status_code for answer in busy] == [403, 403, 200]
    assert [answer.headers.get("Retry-After") for answer in busy] == ["2", "2", None]


def test_a_configuration_may_be_yaml(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        "settings: {per_second: 3}\nkeys: [{key: a, plan: {reset_date: 2027-01-02}}]\ndomains: {a.test: {size: 3}}\n"
    )
    config = read_config(file)
    assert (config.settings.per_second, config.domains["a.test"]) == (3, Domain(size=3))
    assert str(config.keys[0].plan.reset_date) == "2027-01-02"


@pytest.mark.parametrize(
    "content", ['{"setings": {}}', '{"domains": {"x": {}}}', "not json", '{"settings": {"per_second": "many"}}']
)
def test_a_wrong_configuration_ends_with_one_line(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "config.json"
    file.write_text(content)
    assert main(["--config", str(file), "--port", "0"]) == 2
    assert len(caplog.records) == 1


@pytest.mark.parametrize("option", ["n5.example", "n5.example=many", "n5.example=25001", "nonsense=5"])
def test_a_wrong_domain_option_is_named(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--domain", option])
    assert "expected a domain" in capsys.readouterr().err


@asynccontextmanager
async def _program(*arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hunter_simulator", "--port", "0", *arguments,
        stdout=asyncio.subprocess.PIPE, env={"PYTHONPATH": str(FOLDER.parent)},
    )  # fmt: skip
    assert process.stdout is not None
    try:
        listening = (await process.stdout.readline()).decode()
        yield process, listening.split()[-1]
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_program_serves_its_options_and_ends_within_a_second(
    client: httpx.AsyncClient, number: signal.Signals
) -> None:
    async with _program("--domain", "sized.example=2198", "--config", str(FOLDER / "demo.json")) as (process, url):
        answer = (await client.get(f"{url}/domain-search?domain=sized.example&limit=1")).json()
        assert answer["meta"]["results"] == 2198
        assert answer["data"]["emails"][0]["value"] == truth("sized.example", 1)[0].value
        begin = time.monotonic()
        process.send_signal(number)
        assert await process.wait() == 0
        assert time.monotonic() - begin < 1


def test_config_defaults_hold_the_demo_key_alone() -> None:
    assert [key.key for key in Config().keys] == ["demo-key"]
