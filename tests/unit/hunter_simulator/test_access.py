"""Who may ask: clients, keys, paths, and the forms of refusal."""

import msgspec
import pytest

from hunter_simulator import Plan
from hunter_simulator.exchange import Incoming, client_is_refused, key_of
from unit.hunter_simulator.asking import Asking


@pytest.mark.parametrize(
    "agent",
    [
        "python-requests/2.34.2",
        "python-httpx/0.28.1",
        "Python-urllib/3.13",
        "Python/3.13 aiohttp/3",
        "aiohttp",
        "",
    ],
)
def test_default_python_clients_get_cloudflares_403_without_json(hunter: Asking, agent: str) -> None:
    answer = hunter.get("domain-search", agent=agent, domain="n5.example")
    assert (answer.status, answer.outgoing.body) == (403, b"error code: 1010")
    assert answer.outgoing.content_type == "text/plain"
    assert hunter.simulator.report().refused_user_agents == {agent: 1}


@pytest.mark.parametrize("agent", ["novahunt-collector/0.1", "curl/8.5", "Mozilla/5.0", "pythonic-thing/1"])
def test_clients_with_a_name_of_their_own_pass(agent: str) -> None:
    assert not client_is_refused(agent)


@pytest.mark.parametrize("key", [None, "wrong"])
def test_no_key_and_a_wrong_key_get_the_same_401(hunter: Asking, key: str | None) -> None:
    assert hunter.get("domain-search", key=key, domain="n5.example").error == (
        401,
        "authentication_failed",
        "No user found for the API key supplied.",
    )


def test_a_wrong_key_can_be_mended_while_running(hunter: Asking) -> None:
    assert hunter.get("account", key="late").status == 401
    hunter.simulator.set_key("late")
    assert hunter.get("account", key="late").status == 200
    assert hunter.simulator.remove_key("late")
    assert not hunter.simulator.remove_key("late")
    assert hunter.get("account", key="late").status == 401


def test_a_key_taken_away_and_given_back_keeps_its_account(hunter: Asking) -> None:
    hunter.simulator.set_key("k", Plan(name="Own", credits=2))
    hunter.get("domain-search", key="k", domain="n20.example", limit=20)
    hunter.simulator.remove_key("k")
    hunter.simulator.set_key("k")
    data = hunter.get("account", key="k").body["data"]
    assert (data["plan_name"], data["requests"]["searches"]["used"]) == ("Own", 2)


def test_the_key_is_taken_from_header_then_bearer_then_url() -> None:
    assert key_of({"X-API-KEY": "a", "Authorization": "Bearer b"}, {}) == ("a", "header")
    assert key_of({"Authorization": "bearer b"}, {}) == ("b", "bearer")
    assert key_of({"Authorization": "Basic b"}, {}) == (None, "none")
    assert key_of({}, {"api_key": "c"}) == ("c", "query")
    assert key_of({}, {}) == (None, "none")


def test_a_key_in_the_url_is_told_even_beside_a_header() -> None:
    assert key_of({"X-API-KEY": "a"}, {"api_key": "c"}) == ("a", "query")


def test_restricted_accounts_get_429_restricted_account(hunter: Asking) -> None:
    hunter.simulator.set_key("poor", Plan(restricted=True))
    assert hunter.get("domain-search", key="poor", domain="n5.example").error_id == (429, "restricted_account")


def test_other_paths_and_methods_do_not_exist(hunter: Asking) -> None:
    assert hunter.get("email-finder", domain="n5.example").error_id == (404, "not_found")
    post = Incoming(method="POST", path="/v2/account", key="demo-key", user_agent="x")
    assert hunter.simulator.answer(post)[0].status == 405


def test_the_old_error_form(hunter: Asking) -> None:
    hunter.simulator.set_settings(msgspec.structs.replace(hunter.simulator.settings, error_form="error"))
    answer = hunter.search("nonsense")
    assert answer.body["error"]["id"] == "invalid_domain"
    assert "errors" not in answer.body


def test_the_html_error_form(hunter: Asking) -> None:
    hunter.simulator.set_settings(msgspec.structs.replace(hunter.simulator.settings, error_form="html"))
    answer = hunter.search("nonsense")
    assert (answer.status, answer.outgoing.content_type) == (400, "text/html")
    assert answer.outgoing.body.startswith(b"<!DOCTYPE html>")
