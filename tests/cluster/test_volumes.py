"""Documents on a volume: runs that are cut short are gone on with, and what is stored is never paid for again."""

import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from cluster.world import CollectionObject, World
from hunter_simulator import AnswerStatus, Fault, Proceed, truth
from novahunt_contract import document
from novahunt_contract.outcomes import Outcome, Reason

pytestmark = pytest.mark.cluster

DOMAIN = "pages.example"
SIZE = 430
PAGES = 5
VOLUME = {"persistentVolumeClaim": {"claimName": "collections"}}


def prepared(world: World) -> Path:
    """Let Hunter charge repeats; return where the documents will lie."""
    settings = world.simulator.settings
    world.simulator.set_settings(msgspec.structs.replace(settings, repeats_cost=True))
    world.simulator.set_domain(DOMAIN, SIZE)
    world.make_claim("collections")
    return world.kubelet.folder / "onvolume"


def asked(world: World) -> Counter[int | None]:
    """How often each page was asked for and answered."""
    log = world.simulator.report().log
    return Counter(entry.offset for entry in log if entry.domain == DOMAIN and entry.outcome == "answered")


def is_whole(folder: Path) -> bool:
    """Check that the document is the truth, and that nothing else is left of its collection."""
    stored = document.decode((folder / document.file_name(DOMAIN)).read_bytes())
    assert {item.email for item in stored.items} == {person.value for person in truth(DOMAIN, SIZE)}
    assert stored.credits == 43
    assert [path.name for path in folder.iterdir()] == [document.file_name(DOMAIN)]
    return True


def credits_used(found: CollectionObject) -> int:
    return found.status.credits.used if found.status.credits is not None else 0


async def test_a_collector_that_is_killed_is_gone_on_with_by_its_jobs_next_pod(world: World) -> None:
    folder = prepared(world)
    world.simulator.add_fault(Fault(action=Proceed(), offset=300, delay=60, times=1))
    world.apply("onvolume", [DOMAIN], storage=VOLUME)
    await world.until_true(lambda: asked(world)[300] == 1, "at its fourth page")
    (process,) = world.kubelet.running.values()
    os.kill(process.pid, signal.SIGKILL)
    await world.ready("onvolume")
    assert is_whole(folder)
    # What was on its way when it was killed is lost; what was saved is not asked for again.
    assert asked(world) == {0: 1, 100: 1, 200: 1, 300: 2, 400: 1}


async def test_an_evicted_collector_saves_the_page_on_its_way_and_nothing_is_paid_twice(world: World) -> None:
    folder = prepared(world)
    world.simulator.add_fault(Fault(action=Proceed(), offset=200, delay=1.5, times=1))
    world.apply("onvolume", [DOMAIN], storage=VOLUME)
    await world.until_true(lambda: asked(world)[200] == 1, "at its third page")
    world.plane.kubectl(
        "delete", "pods", "-n", world.namespace, "-l", "novahunt.io/collection=onvolume", "--wait=false"
    )
    ready = await world.ready("onvolume")
    assert is_whole(folder)
    assert set(asked(world).values()) == {1}
    assert credits_used(ready) == world.simulator.report().credits == 43


async def test_a_domain_that_waits_for_the_plan_goes_on_after_its_last_page(world: World) -> None:
    folder = prepared(world)
    number = world.simulator.add_fault(Fault(action=AnswerStatus(status=402), offset=300, times=None))
    world.apply("onvolume", [DOMAIN], storage=VOLUME)
    await world.until("onvolume", stalled("QuotaExhausted"), "stalled for its plan")
    waiting = (await world.results("onvolume"))[DOMAIN]
    assert (waiting.outcome, waiting.reason, waiting.credits) == (Outcome.PENDING, Reason.QUOTA_EXHAUSTED, 30)
    world.simulator.remove_fault(number)
    # Else it would be tried at the plan's reset date, or in an hour.
    world.apply("onvolume", [DOMAIN], storage=VOLUME, retryFailed="plan raised")
    ready = await world.ready("onvolume")
    assert is_whole(folder)
    assert set(asked(world).values()) == {1}
    assert (await world.results("onvolume"))[DOMAIN].credits_total == credits_used(ready) == 43


async def test_deleting_and_applying_again_costs_nothing_even_without_the_records(world: World) -> None:
    folder = prepared(world)
    world.apply("onvolume", [DOMAIN], storage=VOLUME)
    await world.ready("onvolume")
    before = world.simulator.report()
    for records in ("kept", "deleted"):
        world.delete("onvolume")
        await world.gone("jobs,pods", "onvolume")
        if records == "deleted":
            world.plane.kubectl("delete", "dres", "--all", "-n", world.namespace)
        world.apply("onvolume", [DOMAIN], storage=VOLUME)
        ready = await world.ready("onvolume")
        assert ready.status.emails == SIZE
        assert is_whole(folder)
        assert world.simulator.report() == before


def stalled(reason: str) -> Callable[[CollectionObject], bool]:
    return lambda found: found.condition("Stalled") == ("True", reason)
