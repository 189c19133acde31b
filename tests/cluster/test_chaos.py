"""The short form of the kill table: every victim once, at a step of a domain's way; `make chaos` plays all of it."""

from pathlib import Path

import pytest

from chaos import plan
from chaos.course import Played
from chaos.running import Lane, run, running_stages
from chaos.table import problems, table
from chaos.trials import Havoc, Trial
from cluster.control_plane import ControlPlane

pytestmark = pytest.mark.cluster

STAGES = (Lane(), Lane(charged=True), Lane(replicas=2))


# The operator's kills take a key's minute each, however fast the machine is.
@pytest.mark.timeout(420, func_only=True)
async def test_kills_lose_double_and_pay_twice_for_nothing(kinds: ControlPlane, tmp_path: Path) -> None:
    alone, of_all = plan.short()
    played: list[Played] = []

    def told(trial: Trial | Havoc, one: Played) -> None:
        del trial
        played.append(one)

    async with running_stages(kinds, STAGES, tmp_path) as stages:
        await run(stages, alone, told)
        await run(stages, of_all, told, one_at_a_time=True)
    assert len(played) == len(alone) + len(of_all)
    assert not problems(played), "\n".join([*table(played), *problems(played)])
