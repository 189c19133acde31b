"""The pace with an intake: what is said when, and what happens to a permit that came too late to be used."""

from collections.abc import Callable, Sequence
from typing import cast

import msgspec
import pytest

from novahunt_collector.errors import BudgetUsedUpError, DomainBudgetUsedUpError, IntakeRefusedError
from novahunt_collector.intake_link import Busy, IntakeLink, Reply, Unreachable
from novahunt_collector.intake_pace import IntakePace
from novahunt_collector.pace import Cost
from novahunt_collector.permits import Permits
from novahunt_collector.settings import Pace
from novahunt_collector.windows import Windows
from novahunt_contract.intake import Answered, BudgetWord, PermitAnswer, PermitCall, Progress
from virtual_time import run

PROGRESS = Progress(percent=0, emails=0, requests=0)
COST = Cost(most=10, spent=0)


class ScriptedLink:
    """Answers as told, and remembers what it was told."""

    def __init__(self, script: Sequence[Reply | Busy | Unreachable]) -> None:
        self.script = list(script)
        self.calls: list[PermitCall] = []

    async def call(self, _method: str, _path: str, *, content: bytes, **_more: object) -> Reply | Busy | Unreachable:
        self.calls.append(msgspec.json.decode(content, type=PermitCall))
        return self.script.pop(0)


def permit(name: str | None, retry_after: float = 0.0) -> Reply:
    return Reply(200, msgspec.json.encode(PermitAnswer(name, retry_after)))


class Clock:
    """Shows what it is set to; a list is shown moment by moment first."""

    def __init__(self, *moments: float) -> None:
        self.moments = list(moments) or [100.0]

    def __call__(self) -> float:
        return self.moments.pop(0) if len(self.moments) > 1 else self.moments[0]


def pace(
    script: Sequence[Reply | Busy | Unreachable],
    clock: Callable[[], float] | None = None,
    *,
    budget: bool = False,
    pause: float | None = None,
) -> tuple[IntakePace, ScriptedLink]:
    link = ScriptedLink(script)
    made = IntakePace(
        cast("IntakeLink", link),
        Permits("f"),
        Windows(Pace(per_second=1000, per_minute=1000)),
        clock=clock or Clock(),
        uniform=lambda low, _: low,
        pause=pause if pause is not None else 0.0 if budget else 10.0,
        budget=budget,
    )
    return made, link


async def test_a_permit_that_is_too_old_when_it_would_be_used_is_given_back_and_asked_for_anew() -> None:
    # The clock is looked at in the beginning, before the call, on its answer, and before the use: 1.5 s pass there.
    made, link = pace([permit("old"), permit("new")], Clock(100.0, 100.0, 100.0, 101.5))
    await made.take(PROGRESS, COST)
    assert [call.answered for call in link.calls] == [None, Answered("old", unused=True)]


async def test_no_permit_yet_is_asked_for_again() -> None:
    made, link = pace([permit(None, 0.001), permit(None), permit("p")])
    await made.take(PROGRESS, COST)
    assert len(link.calls) == 3


async def test_the_end_gives_back_a_permit_that_was_not_used() -> None:
    made, link = pace([permit("p"), permit(None)])
    await made.take(PROGRESS, COST)
    await made.finish(PROGRESS, spent=0, stopping=False)
    assert (link.calls[1].wanted, link.calls[1].answered) == (False, Answered("p", unused=True))


async def test_the_end_raises_nothing_even_if_nobody_hears_it() -> None:
    for last in (Reply(400, b"{}"), Unreachable(), Busy(1.0)):
        made, link = pace([last])
        await made.finish(PROGRESS, spent=0, stopping=False)
        assert len(link.calls) == 1


async def test_without_intake_the_share_goes_and_what_is_owed_is_told_when_it_is_back() -> None:
    clock = Clock(100.0)
    made, link = pace([permit("p"), Unreachable(), permit("q"), permit("r")], clock)
    await made.take(PROGRESS, COST)
    made.over()
    clock.moments = [160.0]
    for _ in range(3):
        await made.take(PROGRESS, COST)
        made.over()
    assert len(link.calls) == 2
    clock.moments = [166.0]
    await made.take(PROGRESS, COST)
    assert [call.answered for call in link.calls] == [None, Answered("p"), Answered("p")]
    made.over()
    await made.take(PROGRESS, COST)
    assert [call.alone for call in link.calls] == [0, 0, 3, 0]


def test_the_share_begins_when_what_the_intake_has_permitted_to_others_has_left_hunters_windows() -> None:
    async def scene(clock: Callable[[], float]) -> None:
        made, link = pace([permit("p"), *[Unreachable()] * 20], clock)
        await made.take(PROGRESS, COST)
        made.over()
        began = clock()
        await made.take(PROGRESS, COST)
        assert clock() - began == 60.0
        assert len(link.calls) > 10, "the intake was asked again and again"

    run(scene)


@pytest.mark.parametrize("reply", [Reply(404, b""), Reply(200, b"{"), Reply(200, b'{"permit": 5}')])
async def test_an_intake_of_another_version_ends_the_run(reply: Reply) -> None:
    made, _ = pace([reply])
    with pytest.raises(IntakeRefusedError, match="does not understand"):
        await made.take(PROGRESS, COST)


async def test_a_throttle_is_told_at_once_and_only_once() -> None:
    made, link = pace([permit("p"), permit(None), permit("q")])
    await made.take(PROGRESS, COST)
    await made.failed(throttled=True, retry_after=5.0)
    made.over()
    await made.take(PROGRESS, COST)
    told = [call.answered for call in link.calls]
    assert told == [None, Answered("p", throttled=True, retry_after_seconds=5.0), None]


async def test_each_call_tells_what_the_request_can_cost_and_what_the_domain_has_cost() -> None:
    made, link = pace([permit("p"), permit(None), permit(None)])
    await made.take(PROGRESS, Cost(most=10, spent=37))
    await made.failed(throttled=True, retry_after=None)
    await made.finish(PROGRESS, spent=38, stopping=True)
    assert [(call.credits, call.spent, call.stopping) for call in link.calls] == [
        (10, 37, False),
        (0, 37, False),
        (0, 38, True),
    ]


@pytest.mark.parametrize(
    ("word", "error"),
    [(BudgetWord.COLLECTION, BudgetUsedUpError), (BudgetWord.DOMAIN, DomainBudgetUsedUpError)],
)
async def test_a_budget_that_has_not_enough_left_ends_the_asking(
    word: BudgetWord, error: type[BudgetUsedUpError | DomainBudgetUsedUpError]
) -> None:
    made, _ = pace([Reply(200, msgspec.json.encode(PermitAnswer(refused=word, credits_left=4)))])
    with pytest.raises(error) as raised:
        await made.take(PROGRESS, COST)
    assert isinstance(raised.value, BudgetUsedUpError | DomainBudgetUsedUpError)
    # What a collection has left belongs to all its domains: no smaller page is tried with it.
    assert raised.value.left == (4 if word is BudgetWord.DOMAIN else 0)


async def test_with_a_budget_nothing_that_costs_is_asked_while_the_intake_is_away() -> None:
    made, link = pace([Unreachable(), Unreachable(), Busy(0.0), permit("p")], budget=True)
    await made.take(PROGRESS, COST)
    assert len(link.calls) == 4


def test_with_a_budget_what_is_free_goes_at_the_static_share_while_the_intake_is_away() -> None:
    async def scene(clock: Callable[[], float]) -> None:
        made, _ = pace([Unreachable()] * 20, clock, budget=True, pause=10.0)
        began = clock()
        await made.take(PROGRESS, Cost(most=0, spent=0))
        assert clock() - began == 60.0, "what was permitted before this process began is not known"

    run(scene)
