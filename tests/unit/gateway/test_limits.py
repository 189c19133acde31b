"""Rates of callers and strangers, and an answer that nobody takes."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from novahunt_gateway.gate import token_of
from novahunt_gateway.limits import LET_IN, LOGIN, Limits, Rate

PUBLIC, ELSEWHERE = "/docs", "/api/collections?namespace=elsewhere"


class Clock:
    """A time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_so_many_are_taken_at_once_and_so_many_a_second_afterwards() -> None:
    clock = Clock()
    rate = Rate(2.0, 3, clock)
    assert [rate.take(b"one") for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert rate.take(b"another") == 0.0
    clock.now += 0.5
    assert rate.take(b"one") == 0.0


def test_asking_how_long_to_wait_counts_nothing() -> None:
    clock = Clock()
    rate = Rate(1.0, 1, clock)
    assert [rate.wait(b"one") for _ in range(3)] == [0.0, 0.0, 0.0]
    rate.take(b"one")
    assert rate.wait(b"one") == 1.0
    clock.now += 0.75
    assert rate.wait(b"one") == 0.25


class Caller:
    """One caller's requests to an app that knows one token."""

    def __init__(self, *, at_once: int = 1000, guesses: int = 2) -> None:
        self.clock = Clock()
        callers, strangers = Rate(1, at_once, self.clock), Rate(1, guesses, self.clock)
        self.limits = Limits(
            self._app, token_of=token_of, max_body=100, callers=callers, strangers=strangers, seconds=5
        )

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        status = 401
        if scope["path"] == PUBLIC:
            status = 200
        elif token_of(scope) == "right" and scope["path"] != ELSEWHERE:
            scope[LET_IN], status = "caller", 404
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def ask(self, token: str | None, address: str = "192.0.2.1", path: str = "/api/collections") -> int:
        return await self.show(f"Bearer {token}" if token is not None else None, address, path)

    async def show(self, authorization: str | None, address: str = "192.0.2.1", path: str = "/api/collections") -> int:
        sent: list[Message] = []
        headers = [(b"authorization", authorization.encode())] if authorization is not None else []
        method = "POST" if path == LOGIN else "GET"
        scope: MutableMapping[str, Any] = {"type": "http", "method": method, "path": path, "headers": headers}
        scope["client"] = (address, 5)

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await self.limits(scope, receive, send)
        return int(sent[0]["status"])


async def test_an_address_that_guesses_is_not_heard_for_a_while() -> None:
    caller = Caller()
    assert [await caller.ask(f"guess-{number}") for number in range(3)] == [401, 401, 429]
    assert await caller.ask("right") == 429, "nobody there has been let in yet"
    assert await caller.ask("right", "192.0.2.2") == 404
    caller.clock.now += 1
    assert await caller.ask("right") == 404


async def test_who_was_let_in_lately_is_heard_whatever_others_do_at_the_same_address() -> None:
    caller = Caller()
    assert await caller.ask("right") == 404
    assert [await caller.ask(f"guess-{number}") for number in range(3)] == [401, 401, 429]
    assert await caller.ask("right") == 404


async def test_a_good_token_that_asks_for_what_it_does_not_open_is_no_guess() -> None:
    caller = Caller()
    assert await caller.ask("right") == 404
    assert [await caller.ask("right", path=ELSEWHERE) for _ in range(5)] == [401] * 5
    assert await caller.ask("right") == 404
    assert await caller.ask("guess") == 401, "nothing of the address's allowance is used"


async def test_what_needs_no_token_makes_none_known() -> None:
    caller = Caller()
    for number in range(5):
        assert await caller.ask(f"guess-{number}", path=PUBLIC) == 200
    assert [await caller.ask(f"guess-{number}") for number in range(3)] == [401, 401, 429]


async def test_pages_without_a_token_are_shown_to_an_address_that_guesses_and_its_logins_are_not_heard() -> None:
    caller = Caller()
    assert [await caller.ask(f"guess-{number}") for number in range(3)] == [401, 401, 429]
    assert await caller.ask(None, path="/") == 401
    assert await caller.ask(None, path=LOGIN) == 429


async def test_one_token_has_one_rate_however_it_is_written() -> None:
    caller = Caller(at_once=5)
    assert await caller.ask("right") == 404
    spellings = [f"{scheme} {' ' * blanks}right" for scheme in ("Bearer", "bearer", "BEARER") for blanks in range(9)]
    answers = [await caller.show(spelling) for spelling in spellings]
    assert answers == [404] * 5 + [429] * (len(spellings) - 5)


async def test_where_no_token_lets_in_a_header_makes_nobody_another_caller() -> None:
    caller = Caller(at_once=5)
    answers = [await caller.show(shown, path=PUBLIC) for shown in ("x1", "Bearer x2", "Basic x3", None, "x4", "x5")]
    assert answers == [200] * 5 + [429]


async def test_tokens_that_open_nothing_share_a_rate_of_their_address() -> None:
    caller = Caller(at_once=5, guesses=1000)
    assert [await caller.ask(f"guess-{number}") for number in range(6)] == [401] * 5 + [429]
    assert await caller.ask(None, path=PUBLIC) == 200, "without a token is another rate"
    assert await caller.ask("guess", "192.0.2.2") == 401


async def test_requests_without_a_token_use_nothing_of_what_a_new_token_has_at_the_same_address() -> None:
    caller = Caller(at_once=5)
    assert [await caller.ask(None, path=PUBLIC) for _ in range(6)] == [200] * 5 + [429]
    assert await caller.ask("right") == 404
    assert await caller.ask("guess") == 401


async def test_a_token_that_was_good_lately_has_a_rate_of_its_own() -> None:
    caller = Caller(at_once=5, guesses=1000)
    assert await caller.ask("right") == 404
    assert [await caller.ask(f"guess-{number}") for number in range(5)] == [401] * 4 + [429]
    assert [await caller.ask("right") for _ in range(6)] == [404] * 5 + [429]


async def test_an_answer_that_nobody_takes_is_given_up() -> None:
    ended = False

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal ended
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
        finally:
            ended = True

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    limits = Limits(app, token_of=token_of, max_body=100, callers=Rate(9, 9), strangers=Rate(9, 9), seconds=0.05)
    async with asyncio.timeout(10):
        await limits({"type": "http", "method": "GET", "path": "/", "headers": [], "client": None}, receive, send)
    assert ended
