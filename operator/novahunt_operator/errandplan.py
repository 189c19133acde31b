"""Puts together what a collection's errands need: what may start, what must be noted, what may go."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from novahunt_api.spec import Mode
from novahunt_api.statusobject import Sweep
from novahunt_contract.errands import Task
from novahunt_operator.errands import ErrandStart, Setback, beyond_history
from novahunt_operator.estimates import EstimateLook, Recording, look_at_estimate
from novahunt_operator.givenup import find_given_up, remembered
from novahunt_operator.hindrances import CAPACITY_GRACE, GIVEN_UP_AFTER, JOB_CONTROLLER_GRACE, GivenUp
from novahunt_operator.records import Errand
from novahunt_operator.survey import Survey, World, superseded
from novahunt_operator.sweeps import look_at_sweeps

_UNREAD_AGAIN = timedelta(seconds=2)
"""How soon an end whose receipt is waited for is looked at again."""


@dataclass(frozen=True, slots=True)
class Errands:
    """A collection's errands, and what should be done about them."""

    live: tuple[Errand, ...] = ()
    unread: tuple[Errand, ...] = ()
    """Have ended, and their receipts may still be seen; they hold their slot."""
    startable: tuple[ErrandStart, ...] = ()
    """At most the collection's free share."""
    record: tuple[Recording, ...] = ()
    delete: tuple[Errand, ...] = ()
    estimate: EstimateLook | None = None
    """None: the collection does not ask for one."""
    sweep: Sweep | None = None
    """The last one, for the status."""
    estimate_setbacks: tuple[Setback, ...] = ()
    sweep_setbacks: tuple[Setback, ...] = ()
    given_up: Mapping[Task, GivenUp] = field(default_factory=dict)
    """To be kept in mind for the next look."""
    wake_at: datetime | None = None

    @property
    def slots(self) -> int:
        """Slots that are taken."""
        return sum(not errand.backing_off for errand in self.live) + len(self.unread)

    @property
    def backing_off(self) -> int:
        """Jobs between two attempts."""
        return sum(errand.backing_off for errand in self.live)


def look_at_errands(
    world: World,
    found: Survey,
    *,
    first_pause: timedelta,
    sweep_every: timedelta,
    estimate_hindered: bool,
    sweep_hindered: bool,
) -> Errands:
    """Tell all about a collection's errands; `hindered` says that none may start now, whatever they wish."""
    spec = world.collection.spec
    ours = [errand for errand in world.errands if errand.owner_uid == world.collection.uid]
    given_up = find_given_up(world, ours, found.pods)
    # What is given up in this very pass pauses the next one already.
    world = replace(world, given_up=remembered(world, ours, found.pods, given_up))
    sweeps = look_at_sweeps(
        world, ours, found.pods, every=sweep_every, first_pause=first_pause, hindered=sweep_hindered
    )
    estimate = look_at_estimate(world, ours, found.pods, first_pause) if spec.mode is Mode.ESTIMATE else None
    needed = sweeps.needed | (estimate.needed if estimate is not None else frozenset())
    kept = ({errand.uid for errand in sweeps.live} | needed) - {errand.uid for errand, _ in given_up}
    outdated = [
        errand
        for errand in ours
        if errand.end is None
        and not errand.deleting
        and (errand.uid not in kept or superseded(world, errand, found.pods.get(errand.uid, ())))
    ]
    live = tuple(errand for errand in ours if errand.end is None)
    unread = (*sweeps.unread, *(estimate.unread if estimate is not None else ()))
    ready = list(sweeps.ready)
    if estimate is not None and not estimate_hindered:
        ready += estimate.ready
    setbacks = (*sweeps.setbacks, *(estimate.setbacks if estimate is not None else ()))
    wakes = [*_wakes(found, live), *(setback.again_at for setback in setbacks)]
    if sweeps.due_at is not None:
        wakes.append(sweeps.due_at)
    if unread:
        wakes.append(world.now + _UNREAD_AGAIN)
    taken = found.slots + sum(not errand.backing_off for errand in live) + len(unread)
    return Errands(
        live=live,
        unread=unread,
        startable=tuple(ready[: max(0, spec.concurrency - taken)]),
        record=estimate.record if estimate is not None else (),
        delete=(*outdated, *beyond_history((errand for errand in ours if errand.uid not in needed), spec.history)),
        estimate=estimate,
        sweep=sweeps.last,
        estimate_setbacks=estimate.setbacks if estimate is not None else (),
        sweep_setbacks=sweeps.setbacks,
        given_up=world.given_up,
        wake_at=min((at for at in wakes if at > world.now), default=None),
    )


def _wakes(found: Survey, live: tuple[Errand, ...]) -> Iterator[datetime]:
    """When a pod that does not start is to be looked at again: nothing else may happen while it is refused."""
    for errand in live:
        if not any(pod.started for pod in found.pods.get(errand.uid, ())):
            yield errand.created + JOB_CONTROLLER_GRACE
            yield errand.created + CAPACITY_GRACE
            yield errand.created + GIVEN_UP_AFTER
