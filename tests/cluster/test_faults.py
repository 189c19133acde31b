"""What goes wrong around a collection is named, waited out, and costs neither results nor credits."""

import asyncio
import random
import time
from collections.abc import Callable

import pytest

from cluster.operator_process import PROBE_SECONDS, OperatorProcess
from cluster.world import CollectionObject, World
from hunter_simulator import DEFAULT_KEY, AnswerStatus, CutBody, Fault, Proceed, truth
from novahunt_api import paths
from novahunt_contract.outcomes import Outcome

pytestmark = pytest.mark.cluster

SECONDS_TO_NAME = 15.0
"""What keeps a collection from running is named within this."""


def stalled(reason: str) -> Callable[[CollectionObject], bool]:
    def check(found: CollectionObject) -> bool:
        return found.condition("Stalled") == ("True", reason) and found.condition("Ready") == ("False", reason)

    return check


async def test_a_wrong_key_is_named_and_the_collection_goes_on_once_it_is_mended(world: World) -> None:
    world.simulator.set_domain("small.example", 7)
    world.set_key("no-such-key")
    world.apply("key", ["small.example", "n3.example", "n4.example"])
    await world.until("key", stalled("KeyRefused"), "stalled for its key", SECONDS_TO_NAME)
    assert all(result.outcome is Outcome.PENDING for result in (await world.results("key")).values())
    world.set_key(DEFAULT_KEY)
    ready = await world.ready("key")
    assert ready.condition("Stalled") == ("", "")
    assert ready.status.emails == 14


async def test_a_refused_key_starts_no_further_jobs_than_one_probe_at_a_time(world: World) -> None:
    world.set_key("no-such-key")
    domains = [f"n{number}.example" for number in range(1, 30)]
    began = time.monotonic()
    world.apply("many", domains, concurrency=4)
    await world.until("many", stalled("KeyRefused"), "stalled for its key", SECONDS_TO_NAME)
    started = len(world.kubelet.started)
    # Four run before the first refusal is known; a probe may start before the status says so.
    assert started <= 4 + (time.monotonic() - began) // PROBE_SECONDS
    await world.until_true(lambda: len(world.kubelet.started) > started, "probed")
    assert len(world.kubelet.running) <= 1


async def test_a_missing_secret_is_named_and_the_collection_goes_on_once_it_is_made(world: World) -> None:
    spec = {"apiKeySecretRef": {"name": "other", "key": "HUNTER_API_KEY"}}
    world.apply("secret", ["n5.example"], **spec)
    await world.until("secret", stalled("KeyMissing"), "stalled for its Secret", SECONDS_TO_NAME)
    world.set_key(DEFAULT_KEY, name="other")
    assert (await world.ready("secret")).status.emails == 5


async def test_another_secret_named_while_the_first_is_missing_replaces_the_job_that_waits(world: World) -> None:
    world.apply("swap", ["n5.example"], apiKeySecretRef={"name": "absent", "key": "HUNTER_API_KEY"})
    await world.until("swap", stalled("KeyMissing"), "stalled for its Secret", SECONDS_TO_NAME)
    world.apply("swap", ["n5.example"], apiKeySecretRef={"name": "hunter-api-key", "key": "HUNTER_API_KEY"})
    assert (await world.ready("swap")).status.emails == 5


# After each start a key's minute counts as used, so this takes its minutes however fast the machine is.
@pytest.mark.timeout(330, func_only=True)
async def test_five_kills_of_the_operator_lose_and_double_nothing(world: World) -> None:
    sizes = {f"n{number}.example": number for number in (1, 20, 150, 260, 30, 0, 310, 45, 60, 75, 5, 110)}
    slow_down(world, 0.05)
    chance = random.Random(7)
    world.apply("killed", sizes, concurrency=4)
    recorded: dict[str, int] = {}
    # Until a minute is over nothing further is recorded; the kills between fall upon what waits.
    for wanted in (0, 0, 2, 2, 4):
        await world.until("killed", at_least(wanted), "some further", 120)
        await asyncio.sleep(chance.uniform(0, 0.5))
        world.operator.kill()
        recorded |= {domain: result.run for domain, result in (await world.results("killed")).items() if result.run}
        world.operator.start()
    await world.ready("killed", 200)
    report = world.simulator.report()
    documents = await world.documents("killed")
    for domain, size in sizes.items():
        assert {item.email for item in documents[domain].items} == {person.value for person in truth(domain, size)}
    results = await world.results("killed")
    assert {domain: results[domain].run for domain in recorded} == recorded, "a recorded domain ran again"
    assert sum(result.credits_total for result in results.values()) == report.credits
    assert report.of_key(DEFAULT_KEY).most_in_a_second <= 15
    assert report.of_key(DEFAULT_KEY).most_in_a_minute <= 500


async def test_a_pod_that_vanishes_before_its_receipt_is_read_runs_again_without_a_request(world: World) -> None:
    lost: list[str] = []

    def lose_once(domain: str, code: int) -> bool:
        if not lost and code == 0:
            lost.append(domain)
            return False
        return True

    world.kubelet.before_end = lose_once
    world.simulator.set_domain("vanishes.example", 42)
    world.apply("vanish", ["vanishes.example"])
    await world.until_true(lambda: bool(lost), "lost")
    world.plane.kubectl("delete", "pods", "-n", world.namespace, "-l", "novahunt.io/collection=vanish", "--wait=false")
    ready = await world.ready("vanish")
    assert ready.status.emails == 42
    assert world.simulator.report().of_domain("vanishes.example").requests == 1


async def test_a_job_deleted_by_hand_is_made_again(world: World) -> None:
    world.simulator.set_domain("deleted.example", 300)
    slow_down(world, 0.3)
    world.apply("byhand", ["deleted.example"])
    await world.until_true(lambda: bool(world.kubelet.running), "running")
    job = (await world.jobs("byhand"))[0]
    await world.admin.delete(paths.jobs(world.namespace, job.metadata.name), uid=job.metadata.uid)
    ready = await world.ready("byhand")
    assert ready.status.emails == 300
    assert sum(result.credits_total for result in (await world.results("byhand")).values()) == 30


async def test_hunter_away_for_a_while_is_waited_out_by_retries(world: World) -> None:
    world.simulator.set_domain("flaky.example", 42)
    world.simulator.set_domain("cut.example", 130)
    world.simulator.add_fault(Fault(action=AnswerStatus(status=503), domain="flaky.example", times=2))
    world.simulator.add_fault(Fault(action=CutBody(), domain="cut.example", offset=100))
    world.apply("flaky", ["flaky.example", "cut.example"])
    ready = await world.ready("flaky")
    assert ready.status.emails == 172
    assert sum(result.credits_total for result in (await world.results("flaky")).values()) == 18


async def test_a_standby_takes_over_when_the_active_replica_dies_and_at_once_when_it_stops(world: World) -> None:
    standby = OperatorProcess(world.plane, world.namespace, world.folder, world.operator.settings, name="operator-1")
    standby.start()
    try:
        world.operator.kill()
        world.apply("over", ["n3.example"])
        await world.until("over", lambda c: bool(c.status.done), "seen by the standby", 20)
        world.operator.start()
        assert standby.stop() == 0
        world.apply("back", ["n4.example"])
        await world.until("back", lambda c: bool(c.status.done), "seen by the first again", 8)
    finally:
        standby.kill()


def at_least(count: int) -> Callable[[CollectionObject], bool]:
    return lambda found: done(found) >= count


def done(found: CollectionObject) -> int:
    return int(found.status.done.split("/")[0]) if found.status.done else 0


def slow_down(world: World, seconds: float) -> None:
    """Let Hunter's stand-in take its time with each answer."""
    world.simulator.add_fault(Fault(action=Proceed(), times=None, delay=seconds))
