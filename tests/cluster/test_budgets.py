"""Budgets on a real control plane: never exceeded by one request, whoever is killed, and gone on with when raised."""

import msgspec
import pytest

from cluster.control_plane import ControlPlane
from cluster.world import CollectionObject, World, running_world
from hunter_simulator import Fault, Proceed
from novahunt_contract.outcomes import Outcome, Reason

pytestmark = pytest.mark.cluster


def out_of_budget(found: CollectionObject) -> bool:
    return found.condition("Stalled") == ("True", "Budget") and found.condition("Ready") == ("False", "Budget")


def spend(found: CollectionObject) -> tuple[int, int, int | None]:
    """Return what a collection shows as used, set aside and allowed."""
    credits_ = found.status.credits
    assert credits_ is not None
    return credits_.used, credits_.reserved, credits_.limit


async def test_a_budget_is_never_exceeded_and_a_raised_one_is_gone_on_with(world: World) -> None:
    domains = [f"n{size}.example" for size in (7, 8, 9, 230, 120)]
    world.apply("tight", domains, concurrency=3, budget={"maxCredits": 25})
    stalled = await world.until("tight", out_of_budget, "out of budget")
    used, reserved, limit = spend(stalled)
    assert (reserved, limit) == (0, 25)
    assert used <= 25
    assert used == world.simulator.report().credits
    message = next(one.message for one in stalled.status.conditions if one.type == "Stalled")
    assert f"{used} of 25 credits are used" in message
    assert all(result.outcome is not Outcome.FAILED for result in (await world.results("tight")).values())
    world.apply("tight", domains, concurrency=3, budget={"maxCredits": 100})
    ready = await world.ready("tight")
    assert ready.status.emails == 7 + 8 + 9 + 230 + 120
    report = world.simulator.report()
    # What a stopped run had not saved was asked for again, and Hunter gave it away.
    assert report.credits == 3 + 23 + 12
    assert report.credits <= spend(ready)[0] <= 100


async def test_a_domain_spends_its_share_and_is_truncated_and_goes_on_when_the_share_is_raised(world: World) -> None:
    world.simulator.set_domain("large.example", 500)
    world.apply("share", ["large.example", "n30.example"], budget={"maxCreditsPerDomain": 5})
    await world.ready("share")
    results = await world.results("share")
    large = results["large.example"]
    assert (large.outcome, large.reason) == (Outcome.TRUNCATED, Reason.DOMAIN_BUDGET)
    assert (large.emails, large.credits, large.max_credits) == (50, 5, 5)
    assert (results["n30.example"].outcome, results["n30.example"].emails) == (Outcome.COLLECTED, 30)
    assert world.simulator.report().credits == 5 + 3
    world.apply("share", ["large.example", "n30.example"], budget={"maxCreditsPerDomain": 25})
    await world.until("share", lambda found: found.status.emails == 200 + 30, "further")
    await world.ready("share")
    assert world.simulator.report().of_domain("large.example").credits <= 25
    assert world.simulator.report().of_domain("n30.example").requests == 1


async def test_a_budget_of_nothing_asks_nothing(world: World) -> None:
    world.apply("nothing", ["n7.example"], budget={"maxCredits": 0})
    await world.until("nothing", out_of_budget, "out of budget")
    assert world.simulator.report().requests == 0
    assert await world.jobs("nothing") == []


async def test_a_large_domain_gets_its_credits_in_blocks_and_gives_the_rest_back(world: World) -> None:
    world.simulator.set_domain("large.example", 1040)
    world.apply("blocks", ["large.example"], budget={"maxCredits": 1000})
    ready = await world.ready("blocks")
    assert spend(ready) == (104, 0, 1000)
    assert world.simulator.report().credits == 104


async def test_a_job_deleted_while_it_runs_stays_paid_for(world: World) -> None:
    world.simulator.set_domain("large.example", 300)
    world.simulator.add_fault(Fault(action=Proceed(), offset=200, delay=20, times=1))
    world.apply("deleted", ["large.example"], budget={"maxCredits": 200})
    await world.until_true(lambda: world.simulator.report().requests >= 3, "asked for the third page")
    world.plane.kubectl("delete", "jobs", "--all", "-n", world.namespace)
    ready = await world.ready("deleted")
    used, reserved, _ = spend(ready)
    credits_ = ready.status.credits
    assert credits_ is not None
    # The deleted run's credits have no other record; Hunter gave its pages away when they were asked for again.
    assert credits_.removed >= 30
    assert reserved == 0
    assert world.simulator.report().credits == 30 <= used <= 200


@pytest.mark.timeout(240, func_only=True)
async def test_where_repeats_are_charged_lost_runs_are_counted_and_the_budget_holds(
    kinds: ControlPlane, namespace: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = {"HUNTER_REPEATS_CHARGED": "true"}
    async with running_world(kinds, namespace, tmp_path_factory.mktemp("world"), settings) as world:
        world.simulator.set_settings(msgspec.structs.replace(world.simulator.settings, repeats_cost=True))
        world.simulator.set_domain("large.example", 300)
        world.simulator.add_fault(Fault(action=Proceed(), offset=200, delay=20, times=1))
        world.apply("charged", ["large.example"], budget={"maxCredits": 70})
        await world.until_true(lambda: world.simulator.report().requests >= 3, "asked for the third page")
        for process in list(world.kubelet.running.values()):
            process.kill()
        ready = await world.ready("charged", 100)
        report = world.simulator.report()
        # Twenty or thirty were lost with the killed run, thirty bought the document.
        assert report.credits <= spend(ready)[0] <= 70
        assert report.credits >= 50
        assert ready.status.emails == 300


@pytest.mark.timeout(240, func_only=True)
async def test_without_the_operator_no_budget_is_spent_and_after_a_kill_every_credit_is_known(world: World) -> None:
    world.simulator.set_domain("large.example", 300)
    world.simulator.add_fault(Fault(action=Proceed(), domain="large.example", offset=100, delay=1, times=1))
    world.apply("away", ["large.example", "n110.example"], concurrency=2, budget={"maxCredits": 100})
    await world.until_true(lambda: world.simulator.report().of_domain("large.example").requests >= 2, "at page two")
    world.operator.kill()
    before = world.simulator.report()
    await world.until_true(lambda: waits(world, "large.example"), "waiting for the operator")
    # A page that was let go before may still have been on its way.
    assert world.simulator.report().requests <= before.requests + 1
    world.operator.start()
    ready = await world.ready("away", 100)
    assert ready.status.emails == 410
    assert spend(ready) == (world.simulator.report().credits, 0, 100) == (41, 0, 100)


def waits(world: World, domain: str) -> bool:
    """Whether a domain's collector has noticed that the operator is gone."""
    logs = [log.read_text() for log in world.kubelet.logs.values()]
    return any("can't be reached: waiting for it" in log for log in logs if domain in log)
