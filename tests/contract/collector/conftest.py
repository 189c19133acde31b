"""A simulator without rate limits in its way, and a folder for the documents."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contract.collector.running import DOMAIN
from hunter_simulator import Config, Domain, Settings, Simulator, running_simulator


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    unhurried = Settings(per_second=100_000, per_minute=100_000)
    async with running_simulator(Config(settings=unhurried, domains={DOMAIN: Domain(size=25)})) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "collections"
