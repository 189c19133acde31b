"""What the tests of checkpoints share: a domain of five pages and a Hunter that charges repeats."""

import asyncio
from collections import Counter
from pathlib import Path

from contract.collector.running import DOMAIN, Ended, collect
from hunter_simulator import AnswerStatus, Config, Domain, Fault, Settings, Simulator
from novahunt_collector import checkpoint as checkpoints
from novahunt_collector.checkpoint import Checkpoint
from novahunt_collector.storage.checkpoints import checkpoint_path
from novahunt_contract.outcomes import Reason

SIZE = 430
PAGES = 5
"""Of 100, the last one of 30."""
COST = 43

CHARGES_REPEATS = Config(
    settings=Settings(per_second=100_000, per_minute=100_000, repeats_cost=True), domains={DOMAIN: Domain(size=SIZE)}
)


def saved(folder: Path) -> Checkpoint:
    return checkpoints.decode(checkpoint_path(folder, DOMAIN).read_bytes())


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def asked(simulator: Simulator) -> Counter[int]:
    """Return how often each offset was asked for and answered."""
    return Counter(
        entry.offset for entry in simulator.report().log if entry.offset is not None and entry.outcome == "answered"
    )


def is_the_truth(simulator: Simulator, result: Ended, folder: Path) -> bool:
    """Check a finished collection: every address, nothing paid twice, nothing left over."""
    assert result.document is not None
    assert {item.email for item in result.document.items} == {
        person.value.lower() for person in simulator.truth(DOMAIN)
    }
    assert set(asked(simulator).values()) == {1}
    assert result.document.credits == simulator.report().credits == COST
    assert result.document.pages == (100,) * PAGES
    assert names_in(folder) == [f"{DOMAIN}.json"]
    return True


async def interrupted(simulator: Simulator, folder: Path, pages: int, **more: str) -> Ended:
    """Collect so many pages, and find the plan used up then."""
    number = simulator.add_fault(Fault(action=AnswerStatus(status=402), offset=100 * pages, times=None))
    result = await collect(simulator, folder, more)
    assert result.receipt.reason is Reason.QUOTA_EXHAUSTED
    simulator.remove_fault(number)
    return result


async def until_answered(simulator: Simulator, offset: int) -> None:
    """Wait until the simulator has computed an answer, which may still be on its way."""
    async with asyncio.timeout(20):
        while not asked(simulator)[offset]:  # noqa: ASYNC110 - the simulator rings no bell
            await asyncio.sleep(0.01)


async def until_asked(simulator: Simulator, requests: int) -> None:
    """Wait until the simulator has seen so many requests."""
    async with asyncio.timeout(20):
        while simulator.report(with_log=False).requests < requests:  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.01)
