"""Histories of budgets: whatever is killed, lost or edited, no credit is promised twice and none goes uncounted."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from builders import KEY, collection, collector_settings, spec
from novahunt_api.cluster import ApiError
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_contract.searchhash import Search, search_hash
from novahunt_contract.wanted import listed, resolve
from novahunt_operator.account import Account, account, month_of
from novahunt_operator.actions import Actions, RefusedError
from novahunt_operator.jobs import template_hash
from novahunt_operator.ledger import Ledger
from novahunt_operator.metrics import Metrics
from novahunt_operator.planner import Limits, Outlook, look, plan
from novahunt_operator.recorder import Recorder
from novahunt_operator.status import compute
from novahunt_operator.store import Store
from novahunt_operator.survey import World
from novahunt_operator.waits import Scheduling, find_wait
from property.budget_model import ApiServer, Disk, End, Fate, Hunter, Pods, next_month
from unit.operator.memory_cluster import CrashError

SIZES = {"none.example": 0, "few.example": 7, "some.example": 55, "many.example": 130}
SLOTS = 3
STRIKES = [End.KILLED, End.FAILED, End.EVICTED, End.CUT_OFF, End.VANISHED]
ENDS = [End.ANSWERED] * 4 + [End.LOST, *STRIKES]


START = timedelta(seconds=3)
"""What it takes to start a container, and in it a collector."""


class BudgetHistories(RuleBasedStateMachine):
    """One collection's life, told in credits."""

    repeats_charged = False

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.chance = random.Random(0)
        self.metrics = Metrics()
        self.number = 1
        self.image = 1

    @initialize(
        seed=st.integers(0, 2**32), volume=st.booleans(), monthly=st.booleans(), size=st.sampled_from([20, 100])
    )
    def begin(self, seed: int, size: int, *, volume: bool, monthly: bool) -> None:
        self.chance = random.Random(seed)
        self.wishes: dict[str, Any] = {"domains": list(SIZES), "pageSize": size, "concurrency": SLOTS}
        if volume:
            self.wishes["storage"] = {"persistentVolumeClaim": {"claimName": "c"}}
        self.budget: dict[str, Any] = {"maxCredits": 20, "period": "Month" if monthly else "Lifetime"}
        self.api = self.run(_made())
        self.hunter = Hunter(SIZES, repeats_charged=self.repeats_charged)
        self.pods = Pods(self.api, self.hunter, Disk(keeps_pages=volume), repeats_charged=self.repeats_charged)
        self.collection = collection(spec(**self.wishes, budget=self.budget))
        self.shown = (self.period, 0)
        self.highest = 0
        self.store = Store()
        self.start_operator()

    def run(self, work: Awaitable[Any]) -> Any:
        return self.loop.run_until_complete(work)

    @property
    def period(self) -> str:
        return month_of(self.api.now) if self.budget["period"] == "Month" else ""

    def start_operator(self) -> None:
        """Begin with no memory but what the cluster holds."""
        self.api.dead = False
        self.api.fates.clear()
        self.api.news.clear()
        voided = bool(self.store.void)
        self.store = Store()
        self.ledger = Ledger(self.api, self.store, repeats_charged=self.repeats_charged, now=lambda: self.api.now)
        recorder = Recorder(self.api, self.store, self.metrics)
        self.settings = collector_settings(image=f"registry.example/collector:{self.image}")
        self.actions = Actions(
            self.api, self.store, recorder, self.settings, metrics=self.metrics, progressed=lambda _: None
        )
        self.store.put_collection(self.collection)
        # What a deleted record had cost, and all that is set aside on its Job: both count until that is settled again.
        self.highest = max(self.highest, self.total()) if voided else self.highest
        for made in self.api.jobs.values():
            self.store.put_job(made)
        for one in self.pods.all.values():
            self.store.put_pod(one)
        self.relist_results()

    def relist_results(self) -> None:
        for known in self.api.results.values():
            self.store.put_result(known)

    # What people do

    @rule(limit=st.sampled_from([None, 0, 3, 12, 20, 40, 200]))
    def change_the_budget(self, limit: int | None) -> None:
        self.edit(maxCredits=limit)

    @rule(share=st.sampled_from([None, 1, 3, 5, 12]))
    def change_the_share(self, share: int | None) -> None:
        self.edit(maxCreditsPerDomain=share)

    def edit(self, **budget: int | None) -> None:
        self.budget |= budget
        self.change(spec=spec(**self.wishes, budget=self.budget))

    def change(self, **fields: Any) -> None:
        self.number += 1
        self.collection = msgspec.structs.replace(self.collection, resource_version=self.number, **fields)
        self.store.put_collection(self.collection)

    @rule(wish=st.sampled_from(["a", "b", "c"]))
    def ask_again(self, wish: str) -> None:
        self.wishes |= {"retryFailed": wish}
        self.edit()

    @rule()
    def delete_a_job_by_hand(self) -> None:
        if self.api.jobs:
            self.bring_news()
            self.relist_results()
            self.report()
            self.api.remove(self.chance.choice(list(self.api.jobs)))
            self.bring_news()
            self.report()

    @rule()
    def delete_a_result_by_hand(self) -> None:
        if self.api.results:
            self.bring_news()
            self.relist_results()
            self.report()
            path = self.chance.choice(list(self.api.results))
            gone = self.api.results[path]
            self.api.remove(path)
            self.store.lose_result(gone.key, gone.uid)
            self.store.void_jobs(KEY, gone.data.domain, gone.data.run)
            self.report()

    # What happens in the cluster

    @rule(stuck=st.integers(0, 4).map(lambda number: number == 4))
    def control_jobs(self, *, stuck: bool) -> None:
        self.pods.control(stuck=stuck)

    @rule()
    def start_pods(self) -> None:
        waiting = [uid for uid, one in self.pods.all.items() if not one.started]
        # So no pod can have started, asked and gone before its Job is some seconds old: see `costs.is_first`.
        self.api.now += START if waiting else timedelta()
        for uid in waiting:
            self.run(self.pods.start(uid))

    @rule(number=st.integers(1, 3))
    def pods_ask(self, number: int) -> None:
        """Several pods call the intake at once."""
        waiting = [one for one in self.pods.collectors.values() if one.permitted is None]
        asking = self.chance.sample(waiting, min(number, len(waiting)))
        self.run(self._gather(*(self._ask(one.uid) for one in asking)))
        self.crashed()

    async def _gather(self, *work: Awaitable[None]) -> None:
        await asyncio.gather(*work)

    async def _ask(self, uid: str) -> None:
        one = self.pods.collectors[uid]
        if not self._is_admitted(uid):
            return
        with contextlib.suppress(ApiError, CrashError):
            await one.ask(self.ledger, self.collection, self.api.now)
        self.pods.end_if_over(uid)

    def _is_admitted(self, uid: str) -> bool:
        """Tell whether the intake knows the pod and its Job, and takes the run for an open one."""
        known = self.store.pod(uid)
        made = self.store.job_by_uid(known.job_uid) if known is not None else None
        if known is None or known.finished or made is None:
            return False
        result = self.store.results_of(KEY).get(made.domain)
        return result is None or not made.is_recorded(result.data)

    @rule(end=st.sampled_from(ENDS))
    def pods_send(self, end: End) -> None:
        permitted = [one for one in self.pods.collectors.values() if one.permitted is not None]
        if permitted:
            one = self.chance.choice(permitted)
            one.send(end, self.api.now)
            self._strike(one.uid, end)

    @rule(end=st.sampled_from(STRIKES))
    def lose_a_pod(self, end: End) -> None:
        if self.pods.collectors:
            self._strike(self.chance.choice(list(self.pods.collectors)), end)

    def _strike(self, uid: str, end: End) -> None:
        if end is End.KILLED:
            self.pods.end(uid, None)
        elif end is End.CUT_OFF:
            self.pods.end(uid, None, disrupted=True)
        elif end is End.VANISHED:
            self.pods.vanish(uid)
        elif end in (End.FAILED, End.EVICTED):
            self._leave(uid, disrupted=end is End.EVICTED)

    def _leave(self, uid: str, *, disrupted: bool) -> None:
        """Have a collector end before its domain is finished, tell the intake, and write its receipt."""
        one = self.pods.collectors[uid]
        one.fail(Reason.INTERRUPTED if disrupted else Reason.HUNTER_UNAVAILABLE)
        if self._is_admitted(uid):
            with contextlib.suppress(CrashError):
                self.run(one.say_goodbye(self.ledger, self.collection))
        self.pods.end(uid, one.note, disrupted=disrupted)
        self.crashed()

    @rule()
    def remove_an_ended_pod(self) -> None:
        """A drained node's pods are deleted once they have ended."""
        ended = [uid for uid, one in self.pods.all.items() if one.finished]
        if ended:
            self.pods.vanish(self.chance.choice(ended))

    @rule(seconds=st.sampled_from([0.3, 3, 15, 70]))
    def pass_time(self, seconds: float) -> None:
        self.api.now += timedelta(seconds=seconds)

    @rule(pods_too=st.booleans())
    def begin_a_month(self, *, pods_too: bool) -> None:
        self.api.now = next_month(self.api.now)
        if pods_too:
            self.a_quiet_moment()

    # How the operator learns of it, and what goes wrong with its calls

    @rule(late=st.floats(0, 0.6))
    def deliver_news(self, late: float) -> None:
        news, self.api.news = self.api.news, []
        for one in news:
            if self.chance.random() < late:
                self.api.news.append(one)
            else:
                one(self.store)

    def bring_news(self) -> None:
        self.deliver_news(late=0.0)

    @rule(fates=st.lists(st.sampled_from(list(Fate)), max_size=4))
    def have_calls_go_wrong(self, fates: list[Fate]) -> None:
        self.api.fates.extend(fates)

    @rule(upgraded=st.booleans())
    def restart(self, *, upgraded: bool) -> None:
        self.image += upgraded
        self.start_operator()

    @rule()
    def lose_an_answer_while_others_ask(self) -> None:
        """The worst moment for a budget: a write came, nobody knows, and the next ones ask for what is left."""
        self.work_a_while(1)
        self.api.fates.extend([Fate.ANSWER_LOST, Fate.NEVER_CAME])
        self.pods_ask(1)
        self.api.fates.clear()
        self.pods_ask(SLOTS)

    @rule(upgraded=st.booleans(), stuck=st.booleans(), kept=st.booleans(), broken=st.booleans())
    def drain_nodes(self, *, upgraded: bool, stuck: bool, kept: bool, broken: bool) -> None:
        """All pods go, and with them the operator; those that come instead find no node, or end at once."""
        self.work_a_while(2)
        for uid in list(self.pods.all):
            self.pods.vanish(uid)
        self.image += upgraded
        if not kept:
            self.start_operator()
        self.api.now += timedelta(seconds=15)
        self.pods.control(stuck=stuck)
        self.bring_news()
        self.reconcile()
        if broken:
            self.kill_all_that_start()

    def kill_all_that_start(self) -> None:
        for _ in range(2):
            self.pods.control(stuck=False)
            self.start_pods()
            self.strike_all(End.KILLED)
        self.pods.control(stuck=False)
        self.bring_news()
        self.api.now += timedelta(seconds=15)
        self.reconcile()

    @rule(strikes=st.lists(st.sampled_from(STRIKES), min_size=1, max_size=2))
    def lose_who_paid_and_fail_after_them(self, strikes: list[End]) -> None:
        """Attempts go with pages they paid for; those after them find Hunter away, and have nothing to tell."""
        for pages, strike in enumerate(strikes, start=1):
            self.work_a_while(pages)
            self.start_operator()
            self.strike_all(strike)
        for _ in range(2):
            self.pods.control(stuck=False)
            self.start_pods()
            self.strike_all(End.FAILED)
        self.start_operator()
        self.pods.control(stuck=False)
        self.bring_news()
        self.api.now += timedelta(seconds=15)
        self.reconcile()

    def strike_all(self, end: End) -> None:
        for uid in list(self.pods.collectors):
            self._strike(uid, end)

    def crashed(self) -> None:
        if self.api.dead:
            self.start_operator()

    # What the operator does

    def look(self) -> Outlook:
        world = World(
            collection=self.collection,
            wanted=resolve(listed(self.collection.spec.domains)),
            jobs=tuple(self.store.jobs_of(KEY).values()),
            pods=tuple(self.store.pods_of(KEY).values()),
            results={domain: known.data for domain, known in self.store.results_of(KEY).items()},
            void=self.store.void,
            books=self.ledger.books(KEY),
            template_hash=template_hash(self.collection, self.settings),
            search_hash=search_hash(Search()),
            now=self.api.now,
        )
        return look(world, Limits())

    @rule()
    def reconcile(self) -> None:
        # Two runs of a domain never begin in the same millisecond.
        self.api.now += timedelta(milliseconds=1)
        with contextlib.suppress(ApiError, CrashError):
            self.run(self._reconcile())
            self.report()
        self.crashed()

    async def _reconcile(self) -> None:
        await self.ledger.look_up(KEY)
        outlook = self.look()
        room = max(0, SLOTS - outlook.survey.slots)
        decided = plan(outlook, room, self.ledger.available(self.collection))
        decided = replace(decided, settle=self.ledger.give_up(decided.settle, outlook.world.books))
        self.ledger.hold(self.collection, decided.start)
        try:
            await self.actions.carry_out(self.collection, decided, self.api.now)
        except RefusedError:
            pass
        finally:
            self.ledger.release(self.collection, decided.start)

    def report(self) -> None:
        """Write the status, which takes as gone what it counts as lost."""
        outlook = self.look()
        status = compute(outlook, find_wait(outlook, Scheduling(concurrency=SLOTS, running=0), None))
        assert status.credits is not None
        period, used = self.shown
        assert status.credits.period != period or status.credits.used >= used, "what is used has fallen"
        self.shown = (status.credits.period, status.credits.used)
        self.change(status=status)
        if not outlook.survey.void:
            self.store.count_lost(KEY, outlook.world.books.lost)

    @rule()
    def a_quiet_moment(self) -> None:
        """Everybody does their part, so that histories get somewhere."""
        self.work_a_while(4)
        self.pods.control(stuck=False)
        self.bring_news()
        self.relist_results()
        self.reconcile()

    def work_a_while(self, pages: int) -> None:
        self.api.fates.clear()
        self.reconcile()
        self.pods.control(stuck=False)
        self.bring_news()
        self.start_pods()
        self.bring_news()
        for _ in range(pages):
            self.pods_ask(SLOTS)
            while any(one.permitted is not None for one in self.pods.collectors.values()):
                self.pods_send(End.ANSWERED)

    # What always holds

    def truth(self) -> Account:
        """Return the account of all that is in the cluster, and of what is promised beside it."""
        results = {known.data.domain: known.data for known in self.api.results.values()}
        books, jobs = self.ledger.books(KEY), self.api.jobs.values()
        return account(self.collection, jobs, results, books, self.api.now, void=self.store.void)

    def total(self) -> int:
        found = self.truth()
        return found.used + found.reserved

    @invariant()
    def no_more_is_used_and_set_aside_than_the_budget(self) -> None:
        if not hasattr(self, "api"):
            return
        found, total = self.truth(), self.total()
        # A budget that was lowered takes nothing back.
        assert found.limit is None or total <= max(found.limit, self.highest), f"{found} was {self.highest}"
        self.highest = total

    @invariant()
    def what_hunter_has_charged_is_used_or_set_aside(self) -> None:
        if not hasattr(self, "api"):
            return
        found = self.truth()
        charged = self.hunter.charged[found.period] if found.period else self.hunter.charged.total()
        assert found.used + found.reserved >= charged, f"{charged} were charged: {found}"

    def teardown(self) -> None:
        """Let the world come to rest: all that was charged is shown as used, and nothing runs over and over."""
        if hasattr(self, "api"):
            self.come_to_rest()
            self.edit(maxCredits=1000, maxCreditsPerDomain=None)
            self.come_to_rest()
            ends = {known.data.outcome for known in self.store.results_of(KEY).values()}
            assert Outcome.PENDING not in ends
            assert len(self.store.results_of(KEY)) == len(SIZES)
            self.run(self.api.close())
        self.loop.close()

    def come_to_rest(self) -> None:
        for _ in range(8):
            self.a_quiet_moment()
            self.api.now += timedelta(minutes=2)
            self.no_more_is_used_and_set_aside_than_the_budget()
            self.what_hunter_has_charged_is_used_or_set_aside()
        made = self.api.made.total()
        for _ in range(2):
            self.a_quiet_moment()
            self.api.now += timedelta(minutes=2)
        assert self.api.made.total() == made, "something runs over and over"
        found = self.truth()
        assert found.reserved == 0
        charged = self.hunter.charged[found.period] if found.period else self.hunter.charged.total()
        assert self.shown == (found.period, found.used)
        assert found.used >= charged


class ChargedBudgetHistories(BudgetHistories):
    """The same where Hunter charges repeats."""

    repeats_charged = True


async def _made() -> ApiServer:
    return ApiServer()


TestBudgetHistories = BudgetHistories.TestCase
TestBudgetHistories.settings = settings(stateful_step_count=30)
TestChargedBudgetHistories = ChargedBudgetHistories.TestCase
TestChargedBudgetHistories.settings = settings(stateful_step_count=30)


@pytest.mark.parametrize("history", [BudgetHistories, ChargedBudgetHistories])
@pytest.mark.parametrize("strikes", [*product(STRIKES), *product(STRIKES, repeat=2)])
def test_an_operator_that_has_just_begun_counts_what_attempts_before_it_may_have_paid(
    history: type[BudgetHistories], strikes: tuple[End, ...]
) -> None:
    told = history()
    told.begin(seed=0, size=20, volume=False, monthly=False)
    told.edit(maxCredits=200)
    told.lose_who_paid_and_fail_after_them(list(strikes))
    told.what_hunter_has_charged_is_used_or_set_aside()
    told.teardown()
