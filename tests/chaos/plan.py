"""Which trials there are: every victim at every step, and the few of them that `make test` plays. Pure."""

import random
from collections.abc import Iterator, Sequence

from chaos.moments import CALLS_OF_COLLECTORS, CALLS_OF_THE_OPERATOR, NEVER_AGAIN, WHEN_AGAIN, Side, Step
from chaos.trials import Havoc, Trial
from chaos.victims import (
    API_CONNECTION,
    API_SERVER,
    COLLECTOR,
    CONTROLLERS,
    ETCD,
    INTAKE,
    KUBELET,
    LEADER,
    MACHINE,
    ONE_CALL,
    OPERATOR,
    PAUSED_LEADER,
    TWICE,
    Victim,
)

_CALLS = (*CALLS_OF_THE_OPERATOR, *CALLS_OF_COLLECTORS)

_BEFORE: dict[Victim, Sequence[Step]] = {
    OPERATOR: (*_CALLS, Step.PAGE_ANSWERED),
    PAUSED_LEADER: CALLS_OF_THE_OPERATOR,
    COLLECTOR: (*CALLS_OF_COLLECTORS, Step.PAGE_ANSWERED, Step.PAGE_SAVED, Step.FILE_STORED, Step.RECEIPT_WRITTEN),
    INTAKE: CALLS_OF_COLLECTORS,
    ONE_CALL: _CALLS,
    TWICE: _CALLS,
}
"""Before which steps a victim is hit as well."""

_AFTER: dict[Victim, Sequence[Step]] = {
    # What it is about to do is held, and done late.
    PAUSED_LEADER: tuple(step for step in Step if step not in CALLS_OF_THE_OPERATOR),
    ONE_CALL: _CALLS,
    TWICE: (),
}
"""After which steps, where it is not after all."""

ALONE = (
    OPERATOR,
    LEADER,
    PAUSED_LEADER,
    COLLECTOR,
    KUBELET,
    MACHINE,
    INTAKE,
    API_CONNECTION,
    ONE_CALL,
    TWICE,
)
"""Victims of one stage, beside which others may play."""

OF_ALL = (API_SERVER, ETCD, CONTROLLERS)
"""Victims that all stages of a control plane share."""

_AT_RANDOM = (OPERATOR, COLLECTOR, KUBELET, MACHINE, INTAKE, API_CONNECTION)
_HAVOCS = 8
_KILLS = 5
_LONGEST = 3.0
"""Seconds for which a victim stays away."""


def trials(victims: Sequence[Victim]) -> Iterator[Trial]:
    """Yield every trial of these victims; the same ones each time."""
    for victim in victims:
        for number, (step, side) in enumerate(_moments(victim), start=1000 * (1 + (*ALONE, *OF_ALL).index(victim))):
            chance = random.Random(number)
            again = step in WHEN_AGAIN or (number % 3 == 0 and step not in NEVER_AGAIN)
            yield Trial(number, victim, step, side, chance.uniform(0, _LONGEST), again, skip=chance.randint(0, 2))


def _moments(victim: Victim) -> Iterator[tuple[Step, Side]]:
    for step in Step:
        if step in _BEFORE.get(victim, ()):
            yield step, Side.BEFORE
        if step in _AFTER.get(victim, tuple(Step)):
            yield step, Side.AFTER


def havocs(count: int = _HAVOCS) -> Iterator[Havoc]:
    """Yield the trials with several kills in a row."""
    for number in range(count):
        yield Havoc(100_000 + number, _AT_RANDOM, _KILLS)


def mixed(found: Sequence[Trial | Havoc]) -> list[Trial | Havoc]:
    """Return trials in an order in which some that take long and need little stand beside others."""
    order = list(found)
    random.Random(1).shuffle(order)
    return order


def short() -> tuple[Sequence[Trial], Sequence[Trial]]:
    """Return what `make test` plays: trials of one stage each, and trials that hit all."""
    alone = (
        Trial(1, OPERATOR, Step.PAGE_ANSWERED, Side.AFTER, 0.5),
        Trial(2, COLLECTOR, Step.FILE_STORED, Side.BEFORE, 0),
        Trial(4, PAUSED_LEADER, Step.RESULT_WRITTEN, Side.BEFORE, 0),
        Trial(6, KUBELET, Step.ENDED, Side.AFTER, 0.5),
        Trial(8, INTAKE, Step.HANDED_OVER, Side.AFTER, 1),
        Trial(10, MACHINE, Step.PAGE_SAVED, Side.AFTER, 0.5),
        Trial(12, ONE_CALL, Step.JOB_CREATED, Side.AFTER, 0),
        Trial(14, TWICE, Step.CREDITS_RESERVED, Side.BEFORE, 0),
        Trial(16, API_CONNECTION, Step.DOCUMENT_LISTED, Side.AFTER, 1),
    )
    of_all = (
        Trial(20, API_SERVER, Step.CONFIG_MAP_STORED, Side.AFTER, 0.5),
        Trial(22, ETCD, Step.RESULT_WRITTEN, Side.AFTER, 0.5),
        Trial(24, CONTROLLERS, Step.POD_STARTED, Side.AFTER, 0.5),
    )
    return alone, of_all
