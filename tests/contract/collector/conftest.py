"""What most tests of the collector stand on: a simulator without rate limits in its way, an intake, and folders."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contract.collector.failing_intake import FailingIntake, running
from contract.collector.planted import Lists
from contract.collector.running import DOMAIN
from contract.collector.sweeps import JANE
from hunter_simulator import Config, Domain, Settings, Simulator, running_simulator


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    unhurried = Settings(per_second=100_000, per_minute=100_000)
    async with running_simulator(Config(settings=unhurried, domains={DOMAIN: Domain(size=25)})) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "collections"


@pytest.fixture
async def intake() -> AsyncIterator[FailingIntake]:
    async with running(FailingIntake()) as serving:
        yield serving


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The working folder of a process that stands for a pod."""
    (tmp_path / "pod").mkdir()
    return tmp_path / "pod"


@pytest.fixture
def lists(tmp_path: Path) -> Lists:
    """One suppression list, which names Jane in other letters than the documents do."""
    return Lists(tmp_path / "lists", f"# by letter\n{JANE.upper()}")
