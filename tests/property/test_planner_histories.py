"""Histories: whatever happens in whatever order, no run is doubled or recorded or paid twice, and every domain ends."""

import contextlib
import itertools
import random
from collections import Counter
from collections.abc import Container
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from builders import KEY, MINUTE, NO_SEARCH, TEMPLATE, spec
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import StoredResult
from novahunt_api.statusobject import CollectionStatus
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_contract.wanted import listed, resolve
from novahunt_operator.planner import Limits, Outlook, Plan, look, plan
from novahunt_operator.refresh import due_at
from novahunt_operator.scheduler import Scheduler, StartLimit
from novahunt_operator.status import compute, recollect_handled
from novahunt_operator.store import Store
from novahunt_operator.survey import World, is_due
from novahunt_operator.waits import Scheduling, find_wait
from property.simulated_cluster import ConflictingWriteError, SimulatedCluster

SLOTS = 3
DOMAINS = [f"{letter}.example" for letter in "abcdefg"]
REASONS = [
    Reason.COLLECTED,
    Reason.NOTHING_FOUND,
    Reason.MAX_RESULTS,
    Reason.DOMAIN_REFUSED,
    Reason.KEY_REFUSED,
    Reason.QUOTA_EXHAUSTED,
    Reason.THROTTLED,
    Reason.BAD_REQUEST,
    Reason.HUNTER_UNAVAILABLE,
    Reason.STORAGE,
    Reason.INTERRUPTED,
]
HINDRANCES = ["", "ContainerCreating", "ImagePullBackOff", "CreateContainerConfigError"]


class Histories(RuleBasedStateMachine):
    """One collection's life."""

    def __init__(self) -> None:
        super().__init__()
        self.wishes: dict[str, Any] = {"domains": DOMAINS[:3], "concurrency": 2}
        self.cluster = SimulatedCluster(spec(**self.wishes))
        self.chance = random.Random(0)
        self.start_operator()

    @initialize(seed=st.integers(0, 2**32))
    def draw(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def start_operator(self) -> None:
        """Begin with no memory but what the cluster holds."""
        self.store = Store()
        self.scheduler = Scheduler(SLOTS, StartLimit(0, MINUTE))
        self.cluster.news.clear()
        self.cluster.list_into(self.store)

    # What people do

    @rule(domains=st.lists(st.sampled_from(DOMAINS), max_size=6))
    def change_the_list(self, domains: list[str]) -> None:
        self._edit(domains=domains)

    @rule(field=st.sampled_from(["retryFailed", "recollect"]), value=st.sampled_from(["1", "2", "3"]))
    def ask_again(self, field: str, value: str) -> None:
        self._edit(**{field: value})

    @rule(suspend=st.booleans())
    def suspend_or_resume(self, *, suspend: bool) -> None:
        self._edit(suspend=suspend)

    @rule(concurrency=st.integers(1, 5), history=st.integers(0, 2), cap=st.sampled_from([5000, 6000]))
    def change_limits(self, concurrency: int, history: int, cap: int) -> None:
        kept = {"succeededJobs": history, "failedJobs": history}
        self._edit(concurrency=concurrency, history=kept, maxResults=cap)

    @rule(after=st.sampled_from([None, "1m", "10m"]))
    def refresh_after(self, after: str | None) -> None:
        self._edit(refreshAfter=after)

    def _edit(self, **wishes: Any) -> None:
        self.wishes |= wishes
        self.cluster.edit(spec(**self.wishes))

    # What happens in the cluster

    @rule()
    def control_jobs(self) -> None:
        for key in list(self.cluster.jobs):
            if self.chance.random() < 0.7:
                self.cluster.control(key)

    @precondition(lambda self: any(not pod.finished for pod in self.cluster.pods.values()))
    @rule(reason=st.none() | st.sampled_from(REASONS), damaged=st.integers(0, 9).map(lambda number: number == 9))
    def finish_a_pod(self, reason: Reason | None, *, damaged: bool) -> None:
        running = [uid for uid, pod in self.cluster.pods.items() if not pod.finished]
        self.cluster.finish(self.chance.choice(running), reason, damaged=damaged)

    @precondition(lambda self: any(not pod.started for pod in self.cluster.pods.values()))
    @rule(reason=st.sampled_from(HINDRANCES))
    def keep_a_pod_from_starting(self, reason: str) -> None:
        pending = [uid for uid, pod in self.cluster.pods.items() if not pod.started]
        self.cluster.hinder(self.chance.choice(pending), waiting_reason=reason)

    @precondition(lambda self: bool(self.cluster.pods))
    @rule()
    def lose_a_pod(self) -> None:
        self.cluster.vanish(self.chance.choice(list(self.cluster.pods)))

    @precondition(lambda self: bool(self.cluster.jobs))
    @rule()
    def delete_a_live_job_by_hand(self) -> None:
        recorded = set(self.cluster.recorded)
        live = [job for job in self.cluster.jobs.values() if (job.domain, job.run) not in recorded]
        if live:
            gone = self.chance.choice(live)
            self.cluster.lost_receipts = True
            self.cluster.delete_job(gone.key, gone.uid)

    @rule()
    def collect_garbage(self) -> None:
        self.cluster.collect_garbage()

    @rule(seconds=st.sampled_from([0.3, 1, 3, 15, 70, 700]))
    def pass_time(self, seconds: float) -> None:
        self.cluster.pass_time(seconds)

    # How the operator learns of it

    @rule(lose=st.floats(0, 0.3), double=st.floats(0, 0.3), late=st.floats(0, 0.5), shuffle=st.booleans())
    def deliver_news(self, lose: float, double: float, late: float, *, shuffle: bool) -> None:
        news, self.cluster.news = self.cluster.news, []
        # What is not seen within the time that a receipt is waited for is not counted.
        self.cluster.lost_receipts = self.cluster.lost_receipts or lose > 0 or late > 0
        if shuffle:
            self.chance.shuffle(news)
        for one in news:
            if self.chance.random() < late:
                self.cluster.news.append(one)
            elif self.chance.random() >= lose:
                one(self.store)
                if self.chance.random() < double:
                    self.cluster.news.append(one)

    @rule(reason=st.none() | st.sampled_from(REASONS))
    def a_quiet_moment(self, reason: Reason | None) -> None:
        """Everybody does their part and hears of it, so that histories get somewhere."""
        for uid in [uid for uid, pod in self.cluster.pods.items() if not pod.finished]:
            self.cluster.finish(uid, reason)
        for key in list(self.cluster.jobs):
            self.cluster.control(key)
        self.deliver_news(lose=0.0, double=0.0, late=0.0, shuffle=False)
        self.reconcile()

    @rule()
    def take_inventory(self) -> None:
        self.cluster.list_into(self.store)

    @rule()
    def restart(self) -> None:
        self.start_operator()

    # What the operator does

    def look(self, *, shuffled: bool = False) -> Outlook:
        collection = self.store.collection(KEY)
        assert collection is not None
        jobs, pods = list(self.store.jobs_of(KEY).values()), list(self.store.pods_of(KEY).values())
        results = [(domain, known.data) for domain, known in self.store.results_of(KEY).items()]
        if shuffled:
            for part in (jobs, pods, results):
                random.Random(1).shuffle(part)
        world = World(
            collection=collection,
            wanted=resolve(listed(collection.spec.domains)),
            jobs=tuple(jobs),
            pods=tuple(pods),
            results=dict(results),
            template_hash=TEMPLATE,
            search_hash=NO_SEARCH,
            now=self.cluster.now,
        )
        return look(world, Limits())

    @rule(crash_after=st.none() | st.none() | st.integers(0, 4))
    def reconcile(self, crash_after: int | None = None) -> None:
        """Look, plan, act; perhaps crash between two of the calls."""
        if not self._wish_is_recorded():
            return
        outlook = self.look()
        self.scheduler.tell(KEY, outlook.demand)
        decided = plan(outlook, self.scheduler.allowed(KEY, self.cluster.now))
        self._assert_repeatable(decided)
        self._assert_limits(outlook, decided)
        steps = [*decided.settle, *decided.start, *decided.delete]
        with contextlib.suppress(ConflictingWriteError):
            for step in steps[:crash_after]:
                self._act(step)
        if crash_after is not None:
            self.start_operator()

    def _wish_is_recorded(self) -> bool:
        """Date a new wish to recollect before any Job runs under it, as the reconciler does."""
        collection = self.look().world.collection
        handled = recollect_handled(collection.status, collection.spec.recollect, self.cluster.now)
        if handled == collection.status.recollect_handled:
            return True
        if collection.resource_version == self.cluster.collection.resource_version:
            self.cluster.write_status(msgspec.structs.replace(collection.status, recollect_handled=handled))
        return False

    def _act(self, step: Any) -> None:
        if hasattr(step, "result"):
            before = self.store.results_of(KEY).get(step.result.domain)
            self.store.put_result(self.cluster.write_result(step.result, before))
            if step.delete:
                self.cluster.delete_job(step.job.key, step.job.uid)
        elif hasattr(step, "not_before"):
            alive = [pod for pod in self.store.pods() if pod.domain == step.domain and not pod.finished]
            assert not alive, "a run was started beside a pod of an older one"
            self.scheduler.started(KEY, self.cluster.now)
            collection = self.store.collection(KEY)
            assert collection is not None
            self._assert_wanted(collection, self.store.results_of(KEY).get(step.domain))
            self.store.put_job(self.cluster.create_job(step, collection.spec))
        else:
            assert (step.domain, step.run) in self.cluster.recorded, "a Job was deleted before its run was recorded"
            self.cluster.delete_job(step.key, step.uid)

    def _assert_wanted(self, collection: Collection, known: StoredResult | None) -> None:
        """A domain that has its answer runs again for its age alone, and not before its time."""
        if known is not None and not is_due(known.data, collection, self.cluster.now):
            at = due_at(known.data, collection.spec.refresh_every)
            assert at is not None, "a finished domain was started again"
            assert at <= self.cluster.now, "a domain was refreshed before its time"

    def _assert_repeatable(self, decided: Plan) -> None:
        again = self.look(shuffled=True)
        same = plan(again, self.scheduler.allowed(KEY, self.cluster.now))
        assert same.start == decided.start
        assert {job.key for job in same.delete} == {job.key for job in decided.delete}
        assert sorted(map(repr, same.settle)) == sorted(map(repr, decided.settle))

    def _assert_limits(self, outlook: Outlook, decided: Plan) -> None:
        if decided.start:
            collection = outlook.world.collection
            assert not collection.spec.suspend
            busy = outlook.survey.slots + len(decided.start)
            assert busy <= min(SLOTS, max(1, collection.spec.concurrency))
            assert len({start.domain for start in decided.start}) == len(decided.start)
            assert {start.domain for start in decided.start} <= set(collection.spec.domains)

    # What always holds

    @invariant()
    def each_domain_has_at_most_one_live_job(self) -> None:
        recorded = set(self.cluster.recorded)
        live = [j.domain for j in self.cluster.jobs.values() if j.end is None and (j.domain, j.run) not in recorded]
        assert max(Counter(live).values(), default=0) <= 1
        assert len(live) <= 2 * SLOTS

    @invariant()
    def no_run_is_recorded_twice(self) -> None:
        assert len(set(self.cluster.recorded)) == len(self.cluster.recorded)

    @invariant()
    def what_is_recorded_was_spent_and_nothing_more(self) -> None:
        used = sum(known.data.credits_total for known in self.cluster.results.values())
        assert used <= self.cluster.spent

    @invariant()
    def hunter_is_not_paid_twice_for_what_nobody_asked_again(self) -> None:
        every = self.cluster.collection.spec.refresh_every
        for paid in self.cluster.paid.values():
            for first, second in itertools.pairwise(paid):
                if first.edits == second.edits == self.cluster.edits:
                    assert every is not None
                    assert second.at - first.at >= every

    @invariant()
    def a_refresh_takes_no_answer_away(self) -> None:
        outlook = self.look()
        results = [outlook.world.results.get(domain) for domain in outlook.world.wanted.domains]
        if outlook.survey.unlisted or any(
            one is None or is_due(one, outlook.world.collection, self.cluster.now) for one in results
        ):
            return
        shown = self.status()
        counts = shown.domains
        assert counts is not None
        assert counts.succeeded + counts.failed == counts.total
        by_type = {one.type: one.status for one in shown.conditions}
        assert by_type["Ready"] == "True" or "Stalled" in by_type

    @invariant()
    def the_status_adds_up(self) -> None:
        status = self.status()
        counts = status.domains
        assert counts is not None
        states = counts.waiting + counts.running + counts.backing_off + counts.succeeded + counts.failed
        assert states == counts.total

    def status(self) -> CollectionStatus:
        outlook = self.look()
        scheduling = Scheduling(concurrency=SLOTS, running=self.scheduler.running)
        return compute(outlook, find_wait(outlook, scheduling, None))

    def teardown(self) -> None:
        """Let the world come to rest: every domain must end, and what was spent must be on record."""
        self._edit(suspend=False, refreshAfter=None)
        # What Hunter found wrong in the wishes is tried again after an hour.
        for _ in range(130):
            self._calm_minute()
        status = self.status()
        assert [(one.type, one.status) for one in status.conditions] == [("Ready", "True")], status
        ends = {self.cluster.results[domain].data.outcome for domain in self.wishes["domains"]}
        assert Outcome.PENDING not in ends
        recorded = set(self.cluster.recorded)
        assert all(job.end is not None and (job.domain, job.run) in recorded for job in self.cluster.jobs.values())
        if not self.cluster.lost_receipts:
            used = sum(known.data.credits_total for known in self.cluster.results.values())
            assert used == self.cluster.spent
        self._refresh_all()

    def _refresh_all(self) -> None:
        """Let everything grow old: it is collected again, once, and is what it was until then.

        Receipts of domains with a document may be lost; of one that has only failed nothing else would be known.
        """
        self._edit(refreshAfter="10m")
        before = {domain: len(self.cluster.paid.get(domain, [])) for domain in self.wishes["domains"]}
        for _ in range(30):
            stored = {domain for domain, known in self.cluster.results.items() if known.data.collected_at is not None}
            self._calm_minute({domain for domain in sorted(stored) if self.chance.random() < 0.3})
            self.hunter_is_not_paid_twice_for_what_nobody_asked_again()
            status = self.status()
            # A key that was refused, even for a domain that is not listed any more, is probed before all is well.
            if self.look().breaker is None:
                assert [one.status for one in status.conditions if one.type == "Ready"] == ["True"], status
        assert all(1 <= len(self.cluster.paid[domain]) - times <= 4 for domain, times in before.items())

    def _calm_minute(self, lost: Container[str] = ()) -> None:
        self.cluster.collect_garbage()
        self.cluster.list_into(self.store)
        self.reconcile()
        for key in list(self.cluster.jobs):
            self.cluster.control(key)
        for uid in [uid for uid, pod in self.cluster.pods.items() if not pod.finished]:
            self.cluster.finish(uid, Reason.COLLECTED, damaged=self.cluster.pods[uid].domain in lost)
        self.cluster.pass_time(61)


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=3 * settings().max_examples, stateful_step_count=50)
