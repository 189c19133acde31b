"""Histories of the collector as a real process: whatever plan, faults and kills it meets, its document is the truth.

On the way no process spends more than it may, none is faster than the key allows, and no credit goes uncounted.
"""

import asyncio
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.collector.failing_intake import FailingIntake, running
from contract.collector.running import DOMAIN, Process, ended, environ, started, stored
from hunter_simulator import (
    DEFAULT_KEY,
    AnswerStatus,
    BrokenJson,
    Config,
    CutBody,
    Domain,
    EmptyBody,
    Fault,
    Key,
    Listing,
    Plan,
    Reset,
    Settings,
    Simulator,
    running_simulator,
)
from novahunt_collector import checkpoint as checkpoints
from novahunt_collector.storage.checkpoints import checkpoint_path
from novahunt_contract import document as documents
from novahunt_contract.exitcodes import ExitCode
from novahunt_contract.intake import PermitCall

Action = AnswerStatus | CutBody | Reset | EmptyBody | BrokenJson

FAULTS = st.sampled_from(
    [
        AnswerStatus(status=503),
        AnswerStatus(status=503, retry_after=0),
        AnswerStatus(status=504, charged=True),
        AnswerStatus(status=403),
        AnswerStatus(status=429),
        CutBody(),
        Reset(),
        Reset(charged=True),
        EmptyBody(),
        BrokenJson(),
    ]
)


class Trouble(msgspec.Struct, frozen=True):
    """What one process meets."""

    signal: signal.Signals | None
    after: int
    """Requests that Hunter has seen of it when the signal comes."""
    fault: Action | None
    fault_after: int
    """Answers before the fault."""
    times: int
    max_credits: int | None
    page_size: int


class World(msgspec.Struct, frozen=True):
    """Hunter, as one history finds it."""

    size: int
    """Addresses of the domain."""
    result_cap: int | None
    plan_credits: int | None
    """What the key has until it is given more for the last run; None: enough."""
    repeats_cost: bool
    per_second: int
    modern: bool
    """Whether refusals are as Hunter's newer client expects them, not as its documentation says."""
    listing: Listing


PAGE_SIZES = st.sampled_from([20, 30, 50, 100])
TROUBLES = st.builds(
    Trouble,
    signal=st.sampled_from([signal.SIGKILL, signal.SIGTERM, None]),
    after=st.integers(0, 6),
    fault=st.none() | FAULTS,
    fault_after=st.integers(0, 4),
    times=st.integers(1, 4),
    max_credits=st.none() | st.integers(0, 30),
    page_size=PAGE_SIZES,
)
WORLDS = st.builds(
    World,
    size=st.sampled_from([0, 1, 9, 10, 11, 99, 100, 101]) | st.integers(0, 220),
    result_cap=st.none() | st.sampled_from([10, 50, 100]),
    plan_credits=st.none() | st.integers(0, 25),
    repeats_cost=st.booleans(),
    per_second=st.sampled_from([6, 15, 1000]),
    modern=st.booleans(),
    listing=st.sampled_from([Listing(), Listing(reported_share=0.3), Listing(order="within_page")]),
)


@asynccontextmanager
async def hunter(world: World) -> AsyncIterator[Simulator]:
    plan = Plan(result_cap=world.result_cap)
    if world.plan_credits is not None:
        plan = msgspec.structs.replace(plan, credits=world.plan_credits)
    rules = Settings(
        per_second=world.per_second,
        per_minute=100_000,
        throttled_status=429 if world.modern else 403,
        used_up_status=402 if world.modern else 429,
        repeats_cost=world.repeats_cost,
        listing=world.listing,
    )
    config = Config(settings=rules, keys=(Key(DEFAULT_KEY, plan),), domains={DOMAIN: Domain(size=world.size)})
    async with running_simulator(config) as simulator:
        yield simulator


class History:
    """Processes one after the other on one folder, or with one intake, each held to what it may do."""

    def __init__(self, world: World, simulator: Simulator, place: Path, intake: FailingIntake | None = None) -> None:
        self._world = world
        self._simulator = simulator
        self._place = place
        self._folder = place / "collections"
        self._intake = intake

    def document(self) -> documents.Document | None:
        if self._intake is None:
            return stored(self._folder)
        return documents.decode(self._intake.stored) if self._intake.stored is not None else None

    async def run(self, trouble: Trouble) -> Process:
        """Run one process into its trouble, and hold what it did against what it may do."""
        saved = self._saved()
        self._simulator.clear_report()
        heard = len(self._intake.calls) if self._intake is not None else 0
        if trouble.fault is not None:
            self._simulator.add_fault(Fault(action=trouble.fault, after=trouble.fault_after, times=trouble.times))
        process = await self._process(trouble)
        self._simulator.clear_faults()
        report = self._simulator.report()
        assert "Traceback" not in process.log
        # A signal may come before Python has read a line of ours.
        assert process.code in {*ExitCode, -signal.SIGKILL, -signal.SIGTERM}
        # An intake answers for the budget, and for the pace, in its own tests.
        if self._intake is None:
            assert report.of_key(DEFAULT_KEY).most_in_a_second <= self._world.per_second
            assert trouble.max_credits is None or report.credits <= trouble.max_credits
        assert {entry.offset for entry in report.log}.isdisjoint(saved)
        assert process.receipt is None or process.receipt.credits >= report.credits
        assert self._intake is None or told(self._intake.calls[heard:]) >= report.credits
        return process

    async def _process(self, trouble: Trouble) -> Process:
        (self._place / "receipt").unlink(missing_ok=True)
        arguments = [DOMAIN]
        if trouble.max_credits is not None and self._intake is None:
            arguments.append(f"--max-credits={trouble.max_credits}")
        environment = environ(
            self._simulator,
            self._folder,
            HUNTER_REQUESTS_PER_SECOND=str(self._world.per_second),
            HUNTER_PAGE_SIZE=str(trouble.page_size),
            HUNTER_REPEATS_CHARGED=str(self._world.repeats_cost).lower(),
            NOVAHUNT_MAX_FAILURES="3",
        )
        if self._intake is not None:
            environment |= self._intake.environ(self._place) | {"NOVAHUNT_STORAGE": "intake", "NOVAHUNT_BUDGET": "true"}
        async with started(arguments, environment, self._place) as process:
            end = asyncio.create_task(ended(process, self._place))
            if trouble.signal is not None:
                await self._asked(trouble.after, end)
                if process.returncode is None:
                    process.send_signal(trouble.signal)
            return await end

    async def _asked(self, requests: int, end: asyncio.Task[Process]) -> None:
        """Wait until Hunter has seen so many requests, or the process has ended."""
        while not end.done() and self._simulator.report(with_log=False).requests < requests:  # noqa: ASYNC110 - the simulator rings no bell
            await asyncio.sleep(0.002)

    def _saved(self) -> set[int]:
        """Return the offsets of the pages that the next process must not ask for."""
        path = checkpoint_path(self._folder, DOMAIN)
        if self._intake is not None or not path.exists():
            return set()
        return {page.offset for page in checkpoints.decode(path.read_bytes()).pages}


def told(calls: list[PermitCall]) -> int:
    """Return what an intake has to count for a process: what it has spent, and what it was last allowed to."""
    return max((call.spent + (call.credits if call.wanted else 0) for call in calls), default=0)


UNTROUBLED = Trouble(None, 0, None, 0, 1, None, 100)


async def history(world: World, troubles: list[Trouble], place: Path, *, through_intake: bool) -> None:
    async with hunter(world) as simulator, running(FailingIntake()) as intake:
        past = History(world, simulator, place, intake if through_intake else None)
        for trouble in troubles:
            await past.run(trouble)
        simulator.set_key(DEFAULT_KEY, Plan(result_cap=world.result_cap))
        last = await past.run(UNTROUBLED)
        assert last.code == ExitCode.DONE
        document = past.document()
        assert document is not None
        shown = simulator.truth(DOMAIN)[: world.result_cap]
        assert {item.email for item in document.items} == {person.value.lower() for person in shown}


@pytest.mark.timeout(600)
@settings(max_examples=max(8, settings().max_examples // 3))
@given(WORLDS, st.lists(TROUBLES, min_size=1, max_size=2))
def test_in_a_folder_the_document_is_the_truth_and_no_saved_page_is_asked_for_again(
    world: World, troubles: list[Trouble]
) -> None:
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(history(world, troubles, Path(place), through_intake=False))


@pytest.mark.timeout(600)
@settings(max_examples=max(8, settings().max_examples // 3))
@given(WORLDS, st.lists(TROUBLES, min_size=1, max_size=2))
def test_through_the_intake_the_document_is_the_truth_and_a_killed_run_has_told_all_that_it_cost(
    world: World, troubles: list[Trouble]
) -> None:
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(history(world, troubles, Path(place), through_intake=True))
