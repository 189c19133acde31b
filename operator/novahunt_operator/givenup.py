"""Keeps in mind which errands were given up because their pods could not start, and how long none follows them.

A run that is given up is recorded with its domain; an errand has nothing but its Job, and that must go to give its slot
back. So it is kept in memory: an operator that has just started tries at once.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from novahunt_contract.errands import Task
from novahunt_operator.breaker import MOST_PAUSES
from novahunt_operator.errands import Pods, Setback
from novahunt_operator.hindrances import GivenUp, Hindrance, given_up_for
from novahunt_operator.records import Errand
from novahunt_operator.survey import World, superseded


def find_given_up(world: World, ours: Sequence[Errand], pods: Pods) -> tuple[tuple[Errand, Hindrance], ...]:
    """Return the live errands whose pods had long enough to start, and what kept them from it."""
    key_secret = world.collection.spec.api_key_secret_ref.name
    found = []
    for errand in ours:
        own = pods.get(errand.uid, ())
        if errand.end is not None or errand.deleting or superseded(world, errand, own):
            continue
        hindrance = given_up_for(errand, own, world.now, key_secret)
        if hindrance is not None:
            found.append((errand, hindrance))
    return tuple(found)


def remembered(
    world: World, ours: Sequence[Errand], pods: Pods, found: Sequence[tuple[Errand, Hindrance]]
) -> Mapping[Task, GivenUp]:
    """Return what is to be kept in mind from now on, by kind; what has started or ended since takes it back."""
    kept = {task: known for task, known in world.given_up.items() if not _is_over(task, known, world, ours, pods)}
    for errand, hindrance in found:
        known = kept.get(errand.task)
        # Those that were made before the last one was given up tell nothing that is new.
        if known is None or errand.began > known.at:
            in_a_row = 1 if known is None else known.in_a_row + 1
            kept[errand.task] = GivenUp(errand.of, world.now, in_a_row, hindrance, errand.template_hash)
    return kept


def setback_of(task: Task, known: GivenUp | None, first_pause: timedelta) -> Setback | None:
    """Return the pause before the next one: it grows as that of the domains does, from once to five times the first."""
    if known is None:
        return None
    pause = first_pause * min(known.in_a_row, MOST_PAUSES)
    return Setback(task, known.hindrance.reason, known.hindrance.message, known.at + pause)


def _is_over(task: Task, known: GivenUp, world: World, ours: Sequence[Errand], pods: Pods) -> bool:
    if known.template_hash != world.template_hash:
        return True
    return any(
        errand.task is task
        and errand.began > known.at
        and (errand.end is not None or errand.failed > 0 or any(pod.started for pod in pods.get(errand.uid, ())))
        for errand in ours
    )
