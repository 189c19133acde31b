"""A stop: work under way gets its grace, anything else that cancels gets none."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from novahunt_collector.stopping import Stop, let_finish


async def begun(stop: Stop, grace: float, work: Callable[[asyncio.Event], Awaitable[str]]) -> asyncio.Task[str]:
    """Return a task that waits in `let_finish` for work that is under way."""
    going = asyncio.Event()

    async def doing() -> str:
        going.set()
        return await work(going)

    task = asyncio.create_task(let_finish(doing(), stop, grace))
    await going.wait()
    return task


async def test_work_that_ends_within_its_grace_ends_as_if_nothing_had_been_asked() -> None:
    stop, answer = Stop(), asyncio.Event()

    async def work(_: asyncio.Event) -> str:
        await answer.wait()
        return "answer"

    task = await begun(stop, 20.0, work)
    stop.asked = True
    task.cancel()
    await asyncio.sleep(0)
    answer.set()
    assert await task == "answer"
    assert task.cancelling() == 0


async def test_an_error_within_the_grace_is_the_works_own() -> None:
    stop, answer = Stop(), asyncio.Event()

    async def work(_: asyncio.Event) -> str:
        await answer.wait()
        raise LookupError

    task = await begun(stop, 20.0, work)
    stop.asked = True
    task.cancel()
    await asyncio.sleep(0)
    answer.set()
    with pytest.raises(LookupError):
        await task


@pytest.mark.parametrize(("asked", "grace"), [(True, 0.0), (True, 0.05), (False, 20.0)])
async def test_work_beyond_its_grace_is_cancelled_and_so_is_any_after_a_time_out(
    asked: bool,  # noqa: FBT001 - a table
    grace: float,
) -> None:
    stop, ended = Stop(), asyncio.Event()

    async def work(_: asyncio.Event) -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return "never"

    task = await begun(stop, grace, work)
    stop.asked = asked
    async with asyncio.timeout(10):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert ended.is_set()


async def test_a_second_cancellation_ends_the_grace() -> None:
    stop = Stop()

    async def work(_: asyncio.Event) -> str:
        await asyncio.Event().wait()
        return "never"

    task = await begun(stop, 3600.0, work)
    stop.asked = True
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(10):
        with pytest.raises(asyncio.CancelledError):
            await task
