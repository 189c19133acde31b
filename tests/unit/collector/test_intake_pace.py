"""The pace with an intake: what is said when, and what happens to a permit that came too late to be used."""

from collections.abc import Sequence
from typing import cast

import msgspec
import pytest

from novahunt_collector.errors import IntakeRefusedError
from novahunt_collector.intake_link import Busy, IntakeLink, Reply, Unreachable
from novahunt_collector.intake_pace import IntakePace
from novahunt_collector.permits import Permits
from novahunt_collector.settings import Pace
from novahunt_collector.windows import Windows
from novahunt_contract.intake import Answered, PermitAnswer, PermitCall, Progress

PROGRESS = Progress(percent=0, emails=0, requests=0)


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


def pace(script: Sequence[Reply | Busy | Unreachable], clock: Clock | None = None) -> tuple[IntakePace, ScriptedLink]:
    link = ScriptedLink(script)
    made = IntakePace(
        cast("IntakeLink", link),
        Permits("f"),
        Windows(Pace(per_second=1000, per_minute=1000)),
        clock=clock or Clock(),
        uniform=lambda low, _: low,
        pause=10.0,
    )
    return made, link


async def test_a_permit_that_is_too_old_when_it_would_be_used_is_given_back_and_asked_for_anew() -> None:
    # The clock is looked at before the call, on its answer, and before the use: 1.5 s pass in between.
    made, link = pace([permit("old"), permit("new")], Clock(100.0, 100.0, 101.5))
    await made.take(PROGRESS)
    assert [call.answered for call in link.calls] == [None, Answered("old", unused=True)]


async def test_no_permit_yet_is_asked_for_again() -> None:
    made, link = pace([permit(None, 0.001), permit(None), permit("p")])
    await made.take(PROGRESS)
    assert len(link.calls) == 3


async def test_the_end_gives_back_a_permit_that_was_not_used() -> None:
    made, link = pace([permit("p"), permit(None)])
    await made.take(PROGRESS)
    await made.finish(PROGRESS)
    assert (link.calls[1].wanted, link.calls[1].answered) == (False, Answered("p", unused=True))


async def test_the_end_raises_nothing_even_if_nobody_hears_it() -> None:
    for last in (Reply(400, b"{}"), Unreachable(), Busy(1.0)):
        made, link = pace([last])
        await made.finish(PROGRESS)
        assert len(link.calls) == 1


async def test_without_intake_the_share_goes_and_what_is_owed_is_told_when_it_is_back() -> None:
    clock = Clock(100.0)
    made, link = pace([permit("p"), Unreachable(), permit("q")], clock)
    await made.take(PROGRESS)
    made.over()
    for _ in range(3):
        await made.take(PROGRESS)
        made.over()
    assert len(link.calls) == 2
    clock.moments = [106.0]
    await made.take(PROGRESS)
    assert [call.answered for call in link.calls] == [None, Answered("p"), Answered("p")]


@pytest.mark.parametrize("reply", [Reply(404, b""), Reply(200, b"{"), Reply(200, b'{"permit": 5}')])
async def test_an_intake_of_another_version_ends_the_run(reply: Reply) -> None:
    made, _ = pace([reply])
    with pytest.raises(IntakeRefusedError, match="does not understand"):
        await made.take(PROGRESS)


async def test_a_throttle_is_told_at_once_and_only_once() -> None:
    made, link = pace([permit("p"), permit(None), permit("q")])
    await made.take(PROGRESS)
    await made.failed(throttled=True, retry_after=5.0)
    made.over()
    await made.take(PROGRESS)
    told = [call.answered for call in link.calls]
    assert told == [None, Answered("p", throttled=True, retry_after_seconds=5.0), None]
