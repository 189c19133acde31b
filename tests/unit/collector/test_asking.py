"""One page: permit, request, backoff, and what an unclear refusal means; with a scripted Hunter and pace."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

import httpx
import pytest

from novahunt_collector import answers
from novahunt_collector.asking import Asker
from novahunt_collector.errors import (
    AnswerLostError,
    CollectorError,
    KeyRefusedError,
    QuotaUsedUpError,
    TooFastError,
    UnavailableError,
    UnclearRefusalError,
    UsageError,
)
from novahunt_collector.hunter import HunterClient, open_http
from novahunt_collector.pace import Cost, Pace
from novahunt_collector.paging import Ask
from novahunt_collector.settings import Backoff, read
from novahunt_collector.stopping import Stop
from novahunt_collector.tally import Tally
from novahunt_contract.intake import Progress
from novahunt_contract.searchhash import Search

PAGE = answers.Page(entries=(), received=15, results=15, approximate=False)
PROGRESS = Progress(percent=0, emails=0, requests=0)
QUICK = Backoff(base=0.001, cap=0.002, patience=20.0, max_failures=4)


class ScriptedHunter:
    """Answers as told."""

    def __init__(self, script: Sequence[CollectorError | answers.Page], left: float | CollectorError | None) -> None:
        self.script = list(script)
        self.left = left
        self.accounts_asked = 0

    async def search(self, _domain: str, _ask: Ask) -> answers.Page:
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, CollectorError):
            raise step
        return step

    async def searches_left(self) -> float | None:
        self.accounts_asked += 1
        if isinstance(self.left, CollectorError):
            raise self.left
        return self.left


class RecordingPace(Pace):
    """Lets everything go, after a wait if told, and writes down what it hears."""

    def __init__(self, wait: float = 0.0) -> None:
        self.wait = wait
        self.heard: list[str] = []
        self.costs: list[Cost] = []

    async def take(self, progress: Progress, cost: Cost) -> None:
        del progress
        self.costs.append(cost)
        await asyncio.sleep(self.wait)
        self.heard.append("take")

    def over(self) -> None:
        self.heard.append("over")

    async def failed(self, *, throttled: bool, retry_after: float | None) -> None:
        self.heard.append(f"throttled {retry_after}" if throttled else "failed")

    async def finish(self, progress: Progress, *, spent: int, stopping: bool) -> None:
        del progress, spent, stopping


def asker(
    *script: CollectorError | answers.Page,
    left: float | CollectorError | None = None,
    settings: Backoff = QUICK,
    pace: Pace | None = None,
    tally: Tally | None = None,
) -> tuple[Asker, ScriptedHunter]:
    hunter = ScriptedHunter(script, left)
    made = Asker(
        "example.com",
        cast("HunterClient", hunter),
        pace or RecordingPace(),
        tally=tally or Tally(),
        settings=settings,
        uniform=lambda _, high: high,
        stop=Stop(),
        grace=0.0,
    )
    return made, hunter


async def test_requests_and_credits_are_counted_by_hunters_rule() -> None:
    tally = Tally()
    made, _ = asker(UnavailableError("x"), TooFastError("x"), PAGE, tally=tally)
    assert await made.page(Ask(1, 0, 100), PROGRESS) == PAGE
    assert (tally.requests, tally.credits) == (3, 2)


async def test_each_try_tells_what_it_can_cost_and_what_was_spent_before() -> None:
    pace = RecordingPace()
    made, _ = asker(UnclearRefusalError("x"), PAGE, left=5, pace=pace)
    await made.page(Ask(1, 0, 95), PROGRESS)
    await made.page(Ask(2, 95, 100), PROGRESS)
    # The second is the account page, which is free.
    assert pace.costs == [Cost(10, 0), Cost(0, 0), Cost(10, 0), Cost(10, 2)]


async def test_a_lost_answer_counts_in_full_until_the_same_page_is_answered() -> None:
    tally, pace = Tally(), RecordingPace()
    made, _ = asker(AnswerLostError("x"), AnswerLostError("x"), PAGE, tally=tally, pace=pace)
    await made.page(Ask(1, 0, 100), PROGRESS)
    assert pace.costs == [Cost(10, 0), Cost(0, 10), Cost(0, 10)]
    assert tally.credits == 2


async def test_where_repeats_are_charged_each_lost_answer_stays_paid() -> None:
    tally = Tally(repeats_charged=True)
    made, _ = asker(AnswerLostError("x"), AnswerLostError("x"), PAGE, tally=tally)
    await made.page(Ask(1, 0, 100), PROGRESS)
    assert tally.credits == 22


async def test_a_page_that_is_never_answered_may_have_been_paid_for() -> None:
    tally = Tally()
    made, _ = asker(AnswerLostError("x"), tally=tally)
    with pytest.raises(AnswerLostError):
        await made.page(Ask(1, 0, 30), PROGRESS)
    assert tally.credits == 3


async def test_a_stop_while_the_answer_is_on_its_way_counts_it() -> None:
    tally = Tally()
    made, hunter = asker(PAGE, tally=tally)
    asked = asyncio.Event()

    async def never(_domain: str, _ask: Ask) -> answers.Page:
        asked.set()
        return await asyncio.Future[answers.Page]()

    hunter.search = never  # type: ignore[method-assign]
    task = asyncio.create_task(made.page(Ask(1, 0, 100), PROGRESS))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert tally.credits == 10


async def test_being_throttled_is_told_at_once_and_never_gives_up_by_count() -> None:
    pace = RecordingPace()
    made, _ = asker(*[TooFastError("x", 0.001)] * 30, PAGE, pace=pace)
    await made.page(Ask(1, 0, 100), PROGRESS)
    assert pace.heard[:3] == ["take", "throttled 0.001", "over"]
    assert pace.heard.count("take") == 31


async def test_failing_gives_up_after_the_bounded_tries_with_the_last_error() -> None:
    pace = RecordingPace()
    made, _ = asker(UnavailableError("the last word"), pace=pace)
    with pytest.raises(UnavailableError, match="the last word"):
        await made.page(Ask(1, 0, 100), PROGRESS)
    assert pace.heard.count("take") == 4


async def test_what_asking_again_would_not_change_is_raised_at_once() -> None:
    pace = RecordingPace()
    made, _ = asker(KeyRefusedError("x"), pace=pace)
    with pytest.raises(KeyRefusedError):
        await made.page(Ask(1, 0, 100), PROGRESS)
    assert pace.heard == ["take", "over"]


async def test_all_patience_ends_throttling() -> None:
    made, _ = asker(TooFastError("still too fast"), settings=Backoff(0.001, 0.002, 0.1, 4))
    with pytest.raises(TooFastError, match="still too fast"):
        await made.page(Ask(1, 0, 100), PROGRESS)


async def test_waiting_for_a_permit_does_not_use_up_the_patience() -> None:
    made, _ = asker(
        TooFastError("x"), TooFastError("x"), PAGE, settings=Backoff(0.001, 0.002, 0.1, 4), pace=RecordingPace(0.15)
    )
    assert await made.page(Ask(1, 0, 100), PROGRESS) == PAGE


@pytest.mark.parametrize("left", [0, 0.0, -1])
async def test_an_unclear_refusal_with_nothing_left_is_a_used_up_plan(left: float) -> None:
    made, hunter = asker(UnclearRefusalError("x"), left=left)
    with pytest.raises(QuotaUsedUpError):
        await made.page(Ask(1, 0, 100), PROGRESS)
    assert hunter.accounts_asked == 1


@pytest.mark.parametrize("left", [1, 0.5, None, UnavailableError("away"), TooFastError("slow")])
async def test_an_unclear_refusal_with_something_or_who_knows_left_is_waited_for(
    left: float | CollectorError | None,
) -> None:
    pace = RecordingPace()
    made, _ = asker(UnclearRefusalError("x"), PAGE, left=left, pace=pace)
    assert await made.page(Ask(1, 0, 100), PROGRESS) == PAGE
    # The account page is a request as well, and takes a permit.
    assert pace.heard.count("take") == 3


async def test_an_account_page_that_is_throttled_is_told_as_well() -> None:
    pace = RecordingPace()
    made, _ = asker(UnclearRefusalError("x"), PAGE, left=TooFastError("slow", 0.5), pace=pace)
    await made.page(Ask(1, 0, 100), PROGRESS)
    assert [heard for heard in pace.heard if heard.startswith("throttled")] == ["throttled None", "throttled 0.5"]


async def test_the_log_line_is_word_for_word(caplog: pytest.LogCaptureFixture) -> None:
    made, _ = asker(TooFastError("x", 0.0125), PAGE)
    with caplog.at_level(logging.DEBUG):
        await made.page(Ask(3, 200, 100), PROGRESS)
    assert "hunter rate limited, backing off 12ms for domain=example.com page=3" in caplog.messages


async def test_a_proxy_that_is_none_is_a_wrong_call_and_its_password_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:

    hunter = read({"HUNTER_API_KEY": "k"}).hunter
    monkeypatch.setenv("HTTPS_PROXY", "gopher://user:word@proxy.example")
    with pytest.raises(UsageError, match="HTTPS_PROXY") as raised:
        open_http(hunter)
    assert "word" not in str(raised.value)


async def test_an_answer_that_drips_for_ever_ends_at_the_time_out() -> None:

    hung_up = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        try:
            while not writer.is_closing():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.01)
        except ConnectionError:
            pass
        finally:
            writer.close()
            hung_up.set()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    environ = {
        "HUNTER_API_KEY": "k",
        "HUNTER_BASE_URL": f"http://127.0.0.1:{port}",
        "NOVAHUNT_REQUEST_TIMEOUT_SECONDS": "0.2",
    }
    hunter = read(environ).hunter
    async with httpx.AsyncClient() as http:
        client = HunterClient(http, hunter, Search(), lambda: datetime.now(UTC))
        with pytest.raises(UnavailableError, match=r"within 0\.2 s"):
            await client.search("example.com", Ask(1, 0, 100))
        await hung_up.wait()
    server.close()
    await server.wait_closed()
