"""The ledger: what an unclear call may have set aside stays so, and nothing is set aside for what is being given up."""

from collections.abc import AsyncIterator

import pytest

from builders import KEY, NOW, collection, collector_settings, job, result, spec
from novahunt_api import names
from novahunt_api.cluster import UnavailableError
from novahunt_contract.intake import BudgetWord, PermitCall
from novahunt_contract.outcomes import Outcome
from novahunt_operator.account import Books, account
from novahunt_operator.jobs import build
from novahunt_operator.ledger import Ledger
from novahunt_operator.planner import Start
from novahunt_operator.records import Job
from novahunt_operator.store import Store
from novahunt_operator.survey import Settlement
from property.budget_model import JOBS, ApiServer, Fate

A, B = "a.example", "b.example"


class Desk:
    """A ledger for one collection with a budget, and the API server that it writes to."""

    def __init__(self) -> None:
        self.api = ApiServer()
        self.store = Store()
        self.of = collection(spec(domains=[A, B], pageSize=20, budget={"maxCredits": 6}))
        self.store.put_collection(self.of)
        self.ledger = Ledger(self.api, self.store, repeats_charged=False, now=lambda: NOW)

    def made(self, domain: str, *, share: int | None = None) -> Job:
        """Have a Job there with two credits."""
        body = build(self.of, Start(domain, 1, None, credits=2, share=share), collector_settings(), NOW)
        self.api.put(f"{JOBS}/{body['metadata']['name']}", body)
        found = self.api.jobs[f"{JOBS}/{body['metadata']['name']}"]
        self.store.put_job(found)
        return found

    async def reserve(self, of: Job, spent: int, asks: int = 2) -> BudgetWord | None:
        """Ask for credits, and return whose are spent."""
        call = PermitCall("key", credits=asks, spent=spent)
        refusal = await self.ledger.reserve(self.of, of.uid, f"pod-of-{of.uid}", call)
        return refusal.word if refusal is not None else None


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    found = Desk()
    yield found
    await found.api.close()


async def test_a_write_whose_answer_is_lost_stays_set_aside_until_somebody_could_look(desk: Desk) -> None:
    first, second = desk.made(A), desk.made(B)
    desk.api.fates.extend([Fate.ANSWER_LOST, Fate.NEVER_CAME])
    with pytest.raises(UnavailableError):
        await desk.reserve(first, spent=2)
    assert desk.ledger.available(desk.of) == 0
    assert await desk.reserve(second, spent=2) is BudgetWord.COLLECTION
    # What is in doubt is the first one's own: it goes on with it, once the store has seen what was written.
    await desk.ledger.look_up(KEY)
    assert await desk.reserve(first, spent=2) is None


async def test_a_write_that_never_came_is_free_again_when_somebody_has_looked(desk: Desk) -> None:
    first, second = desk.made(A), desk.made(B)
    desk.api.fates.extend([Fate.NEVER_CAME, Fate.NEVER_CAME])
    with pytest.raises(UnavailableError):
        await desk.reserve(first, spent=2)
    await desk.ledger.look_up(KEY)
    assert desk.ledger.available(desk.of) == 2
    assert await desk.reserve(second, spent=2) is None


async def test_a_job_of_which_it_is_not_clear_whether_it_was_made_keeps_what_was_promised_to_it(desk: Desk) -> None:
    start = Start(A, 1, None, credits=4)
    desk.ledger.hold(desk.of, [start])
    desk.ledger.release(desk.of, [start])
    assert desk.ledger.available(desk.of) == 2
    await desk.ledger.look_up(KEY)
    assert desk.ledger.available(desk.of) == 6


def test_the_doubt_about_a_run_ends_when_the_run_is_recorded() -> None:
    books = Books(holds={job(A).key.name: 4})
    recorded = result(A, credits_total=1)
    assert account(collection(), [job(A)], {A: recorded}, books, NOW).reserved == 0


async def test_what_is_in_doubt_of_a_job_that_is_deleted_by_hand_counts_once(desk: Desk) -> None:
    start = Start(A, 1, None, credits=2)
    desk.ledger.hold(desk.of, [start])
    lost = desk.made(A)
    desk.store.drop_job(lost.key, lost.uid)
    desk.ledger.release(desk.of, [start])
    desk.store.put_job(lost)
    desk.store.lose_job(lost.key, lost.uid)
    assert desk.ledger.available(desk.of) == 4
    desk.store.count_lost(KEY, desk.store.lost_of(KEY))
    assert desk.ledger.books(KEY).holds == {}


async def test_a_run_keeps_the_share_that_it_began_with(desk: Desk) -> None:
    begun = desk.made(A, share=3)
    desk.of = collection(spec(domains=[A, B], pageSize=20, budget={"maxCredits": 6, "maxCreditsPerDomain": 5}))
    assert await desk.reserve(begun, spent=2) is BudgetWord.DOMAIN
    assert await desk.reserve(begun, spent=2, asks=1) is None


async def test_what_was_spent_before_there_was_a_budget_is_set_aside_although_nothing_more_is(desk: Desk) -> None:
    older = desk.made(A)
    path = next(iter(desk.api.jobs))
    del desk.api.objects[path]["metadata"]["annotations"][names.CREDITS_ANNOTATION]
    desk.api.put(path, desk.api.objects[path])
    desk.store.put_job(desk.api.jobs[path])
    assert await desk.reserve(older, spent=5) is BudgetWord.COLLECTION
    assert desk.ledger.available(desk.of) == 1


async def test_a_job_that_is_given_up_gets_nothing_more_and_one_that_has_asked_since_is_not_given_up(
    desk: Desk,
) -> None:
    waits, asks = desk.made(A), desk.made(B)
    books = desk.ledger.books(KEY)
    assert await desk.reserve(asks, spent=0) is None
    ends = [Settlement(one, None, result(one.domain, outcome=Outcome.PENDING), delete=True) for one in (waits, asks)]
    assert [one.job for one in desk.ledger.give_up(ends, books)] == [waits]
    with pytest.raises(UnavailableError):
        await desk.reserve(waits, spent=0)
    assert desk.ledger.books(KEY).given_up == {waits.uid}


async def test_after_a_restart_a_pod_that_may_not_be_the_only_one_gives_nothing_back(desk: Desk) -> None:
    begun = desk.made(A)
    call = PermitCall("key", wanted=False, spent=0, stopping=True)
    await desk.ledger.give_back(desk.of, begun.uid, "the-second", call)
    assert desk.ledger.available(desk.of) == 4
    # A Job that was made here had no pod that it has not heard of.
    start = Start(A, 1, None, credits=2)
    desk.ledger.hold(desk.of, [start])
    desk.ledger.release(desk.of, [start])
    await desk.ledger.give_back(desk.of, begun.uid, "the-second", call)
    assert desk.ledger.available(desk.of) == 6
