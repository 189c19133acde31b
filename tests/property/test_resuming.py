"""Histories of one domain on a volume: whatever cuts its runs short, no saved page is asked for again.

Hunter charges repeats here, so that each request for a page that was saved would show in the credits.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Sequence
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.collector.resuming import names_in
from contract.collector.running import DOMAIN, Ended, collect
from hunter_simulator import (
    AnswerStatus,
    Config,
    CutBody,
    Domain,
    Fault,
    Listing,
    Proceed,
    Reset,
    Settings,
    Simulator,
    running_simulator,
)
from novahunt_collector import checkpoint as checkpoints
from novahunt_collector.checkpoint import InvalidCheckpointError
from novahunt_collector.storage.checkpoints import checkpoint_path
from novahunt_contract.outcomes import Reason


class Trouble(msgspec.Struct, frozen=True):
    """What one run meets, and what becomes of its checkpoint afterwards."""

    after: int
    """Answers that come before it."""
    ends: AnswerStatus | CutBody | Reset | None
    """None: it is cut off while it waits for an answer."""
    page_size: int
    cut: float | None
    """The share of the checkpoint that is left; None: all of it."""
    damaged: float | None
    """Where one of its bytes is changed."""


ENDS = st.sampled_from(
    [
        None,
        AnswerStatus(status=402),
        AnswerStatus(status=401),
        AnswerStatus(status=503),
        AnswerStatus(status=504, charged=True),
        CutBody(),
        Reset(charged=True),
    ]
)
NEVER = st.none()
SHARES = st.floats(0, 1, exclude_max=True)
TROUBLES = st.builds(
    Trouble,
    after=st.integers(0, 6),
    ends=ENDS,
    page_size=st.sampled_from([10, 20, 35, 50, 100]),
    cut=NEVER | SHARES,
    damaged=NEVER | SHARES,
)
LISTINGS = st.sampled_from([Listing(), Listing(reported_share=0.3), Listing(order="within_page")])


async def run(simulator: Simulator, folder: Path, trouble: Trouble) -> Ended:
    """Run until the trouble, or to the end if it comes first."""
    more = {"HUNTER_PAGE_SIZE": str(trouble.page_size), "NOVAHUNT_MAX_FAILURES": "1"}
    action = trouble.ends or Proceed()
    delay = 0 if trouble.ends else 60
    number = simulator.add_fault(Fault(action=action, after=trouble.after, times=None, delay=delay))
    before = simulator.report(with_log=False).requests
    running = asyncio.create_task(collect(simulator, folder, more))
    if trouble.ends is None:
        last = before + trouble.after
        while not running.done() and simulator.report(with_log=False).requests <= last:  # noqa: ASYNC110 - the simulator rings no bell
            await asyncio.sleep(0.001)
        # Without the word that a signal asked to stop: nothing gets a grace.
        running.cancel()
    result = await running
    simulator.remove_fault(number)
    return result


def saved_offsets(folder: Path) -> dict[int, int]:
    """Return offset and limit of each page that the next run must not ask for."""
    try:
        found = checkpoints.decode(checkpoint_path(folder, DOMAIN).read_bytes())
    except (FileNotFoundError, InvalidCheckpointError):
        return {}
    return {page.offset: page.limit for page in found.pages}


def spoil(folder: Path, trouble: Trouble) -> None:
    path = checkpoint_path(folder, DOMAIN)
    if not path.exists():
        return
    data = bytearray(path.read_bytes())
    if trouble.damaged is not None:
        data[int(trouble.damaged * len(data))] ^= 4
    if trouble.cut is not None:
        del data[int(trouble.cut * len(data)) :]
    path.write_bytes(data)


async def checked(simulator: Simulator, folder: Path, run: Awaitable[Ended]) -> Ended:
    """Await a run, and check that it asks for nothing that was saved before."""
    saved = saved_offsets(folder)
    seen = len(simulator.report().log)
    result = await run
    assert {entry.offset for entry in simulator.report().log[seen:]}.isdisjoint(saved)
    return result


async def history(size: int, listing: Listing, troubles: Sequence[Trouble], folder: Path) -> None:
    strict = Settings(per_second=100_000, per_minute=100_000, repeats_cost=True, listing=listing)
    async with running_simulator(Config(settings=strict, domains={DOMAIN: Domain(size=size)})) as simulator:
        told = 0
        for trouble in troubles:
            result = await checked(simulator, folder, run(simulator, folder, trouble))
            told += result.receipt.credits
            if result.document is not None:
                break
            spoil(folder, trouble)
        else:
            result = await checked(simulator, folder, collect(simulator, folder))
            told += result.receipt.credits
        assert result.document is not None
        assert result.receipt.reason in {Reason.COLLECTED, Reason.NOTHING_FOUND}
        assert {item.email for item in result.document.items} == {
            person.value.lower() for person in simulator.truth(DOMAIN)
        }
        assert names_in(folder) == [f"{DOMAIN}.json"]
        # Lost answers are told in full, whether they were charged or not.
        assert told >= simulator.report().credits
        assert told >= result.document.credits


@settings(max_examples=max(10, settings().max_examples // 2))
@given(st.integers(0, 320), LISTINGS, st.lists(TROUBLES, max_size=6))
def test_no_saved_page_is_asked_for_again_and_the_document_is_the_truth(
    size: int, listing: Listing, troubles: list[Trouble]
) -> None:
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(history(size, listing, troubles, Path(place) / "collections"))
