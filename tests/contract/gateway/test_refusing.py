"""Whom the gateway lets in, and what it does with those who take too much, too fast or too slowly."""

import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from contract.gateway.conftest import TOKEN, Served, serving_with

CALLS = [
    ("POST", "/api/collect-job"),
    ("GET", "/api/collect-status?domain=a.example"),
    ("GET", "/api/export-csv?domain=a.example"),
    ("POST", "/api/collections"),
    ("GET", "/api/collections"),
    ("GET", "/api/collections/q4"),
    ("GET", "/api/nothing"),
    ("GET", "/api"),
    ("GET", "/api/collect-job"),
    ("DELETE", "/api/collections/q4"),
]


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN + "x", TOKEN[:-1], "é"])
@pytest.mark.parametrize(("method", "path"), CALLS)
def test_without_the_token_every_call_is_answered_alike(
    served_gateway: Served, method: str, path: str, token: str | None
) -> None:
    headers = [] if token is None else [(b"Authorization", f"Bearer {token}".strip().encode())]
    with httpx.Client(base_url=served_gateway.url) as caller:
        answer = caller.request(method, path, content=b"{", headers=headers)
    assert answer.status_code == 401
    assert answer.json() == {"ok": False, "error": "show a token that opens this namespace"}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS", "MADE-UP"])
@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nothing", "/api/collections/", "/api/collections/..%2Fq4/x"])
def test_a_path_that_is_no_call_is_told_as_calls_tell_it(caller: httpx.Client, method: str, path: str) -> None:
    answer = caller.request(method, path)
    assert (answer.status_code, answer.json()) == (404, {"ok": False, "error": "there is no such call"})


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/collect-job", "POST"),
        ("POST", "/api/collect-status", "GET"),
        ("DELETE", "/api/collections/q4", "GET"),
        ("PUT", "/api/collections", "GET, POST"),
        ("MADE-UP", "/api/collections", "GET, POST"),
    ],
)
def test_a_call_with_another_method_is_told_those_that_it_takes(
    caller: httpx.Client, method: str, path: str, allowed: str
) -> None:
    answer = caller.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert answer.json() == {"ok": False, "error": f"this call takes another method: {allowed}"}


def test_a_namespace_that_is_not_served_is_answered_as_if_nobody_asked(caller: httpx.Client) -> None:
    answer = caller.get("/api/collections", params={"namespace": "kube-system"})
    assert answer.status_code == 401
    assert caller.get("/api/collections", params={"namespace": "other"}).status_code == 200


def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(caller: httpx.Client) -> None:
    large = b'{"domain": "' + b"x" * 100_000 + b'"}'
    assert caller.post("/api/collect-job", content=large).status_code == 413
    chunked = caller.post("/api/collect-job", content=iter([large]))
    assert (chunked.status_code, chunked.json()["ok"]) == (413, False)


def test_a_body_that_comes_too_slowly_is_given_up(served_gateway: Served) -> None:
    place = urlsplit(served_gateway.url)
    head = (
        f"POST /api/collect-job HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer {TOKEN}\r\n"
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    )
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=20) as slow:
        slow.sendall(head.encode())
        answer = slow.recv(4096).decode()
        assert answer.startswith("HTTP/1.1 408 ")
        while slow.recv(4096):
            pass


@pytest.mark.parametrize("before", [b"", b"GET /api/collections HTTP/1.1\r\nHost: a\r\n\r\n"], ids=["first", "second"])
def test_a_request_whose_head_comes_too_slowly_is_given_up(served_gateway: Served, before: bytes) -> None:
    place = urlsplit(served_gateway.url)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=20) as slow:
        slow.sendall(before + b"GET /api/collections HTTP/1.1\r\nHost: a\r\n")
        if before:
            assert slow.recv(4096).startswith(b"HTTP/1.1 401 ")
        began = time.monotonic()
        while slow.recv(4096):
            pass
        assert time.monotonic() - began < 15, "closed by the gateway"


def test_a_head_that_has_no_end_is_refused(served_gateway: Served) -> None:
    place = urlsplit(served_gateway.url)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=20) as endless:
        endless.sendall(b"GET /api/collections HTTP/1.1\r\nHost: a\r\nX-Much: " + b"x" * 20_000)
        assert endless.recv(4096).startswith(b"HTTP/1.1 400 ")


def test_who_guesses_tokens_is_soon_not_heard_and_who_has_one_goes_on(served_gateway: Served) -> None:
    with served_gateway.client() as known:
        assert known.get("/api/collections").status_code == 200
        codes = []
        for guess in range(40):
            with served_gateway.client(f"guess-{guess}") as stranger:
                codes.append(stranger.get("/api/collections").status_code)
        assert codes[0] == 401
        assert 429 in codes
        assert known.get("/api/collections").status_code == 200


def test_who_guesses_tokens_on_the_page_is_soon_not_heard_either(served_gateway: Served) -> None:
    with httpx.Client(base_url=served_gateway.url, headers={"Origin": served_gateway.url}) as person:
        codes = []
        for guess in range(40):
            form = person.get("/login")
            if form.status_code != 200:
                codes.append(form.status_code)
                break
            csrf = form.text.partition('name="csrf" value="')[2].partition('"')[0]
            codes.append(person.post("/login", data={"csrf": csrf, "token": f"guess-{guess}"}).status_code)
    assert codes[0] == 401
    assert 429 in codes


def test_a_caller_who_asks_too_fast_is_told_when_to_come_again(tmp_path: Path) -> None:
    # One a second: however slow the machine is, twenty calls one after the other are too fast.
    slow = {"NOVAHUNT_GATEWAY_REQUESTS_PER_SECOND": "1", "NOVAHUNT_GATEWAY_BURST": "2"}
    with serving_with(tmp_path, **slow) as served, served.client() as fast, served.client("another") as other:
        answers = [fast.get("/api/collections") for _ in range(20)]
        assert [answer.status_code for answer in answers[:2]] == [200, 200]
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert int(refused.headers["retry-after"]) >= 1
        assert other.get("/api/collections").status_code == 401, "another caller's rate is its own"
