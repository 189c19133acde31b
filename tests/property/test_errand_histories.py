"""Histories of errands: whatever fails or vanishes, an estimate is the truth, and no list is left unapplied."""

import random
from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from builders import (
    KEY,
    NOW,
    collection,
    collector_settings,
    counted,
    errand,
    errand_failed,
    errand_pod,
    job,
    pod,
    result,
    spec,
    world,
)
from novahunt_api.domainresults import Place, Result
from novahunt_api.objects import Key
from novahunt_api.statusobject import CollectionStatus
from novahunt_contract import times
from novahunt_contract.errands import Task
from novahunt_contract.outcomes import Reason
from novahunt_contract.receipt import ConfigMapPlace
from novahunt_contract.wanted import Wanted
from novahunt_operator import estimates
from novahunt_operator.errand_jobs import build
from novahunt_operator.errands import ErrandStart
from novahunt_operator.lists import Lists
from novahunt_operator.planner import Limits, Outlook, look, plan
from novahunt_operator.records import Counts, Errand, Job, Pod
from novahunt_operator.scheduler import Scheduler, StartLimit
from novahunt_operator.status import compute
from novahunt_operator.waits import Scheduling, find_wait

SLOTS = 3
PART = 2 * len("a.example ")
"""Bytes of the domains that one Job counts, so that a few come to several Jobs."""

DOMAINS = [f"{letter}.example" for letter in "abcdefg"]
SIZES = {domain: number * 3 for number, domain in enumerate(DOMAINS)}
LIST = {"configMapKeyRef": {"name": "blocked", "key": "list.txt"}}
ENDS = [Reason.COLLECTED] * 3 + [Reason.KEY_REFUSED, Reason.STORAGE, Reason.SUPPRESSION_LIST]


class ErrandHistories(RuleBasedStateMachine):
    """One collection's life, of which only its errands are planned; its runs happen by themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.usual = estimates.MAX_TEXT
        estimates.MAX_TEXT = PART
        self.now = NOW
        self.wishes: dict[str, Any] = {"mode": "Estimate", "concurrency": 2, "suppressionFrom": [LIST]}
        self.domains = DOMAINS[:5]
        self.status = CollectionStatus()
        self.errands: dict[Key, Errand] = {}
        self.counts: dict[str, Counts] = {}
        self.pods: dict[str, Pod] = {}
        self.applied: dict[str, int] = {}
        """Which version of the list a sweep's pod read, by its UID."""
        self.lists = 1
        self.stored: dict[str, int] = {}
        """Which version of the list each document was last held against."""
        self.results: dict[str, Result] = {}
        self.runs: dict[str, tuple[Job, int]] = {}
        self.chance = random.Random(0)
        self.scheduler = Scheduler(SLOTS, StartLimit(0, timedelta(minutes=1)))
        self.made: set[str] = set()
        self.number = 0

    @initialize(seed=st.integers(0, 2**32))
    def draw(self, seed: int) -> None:
        self.chance = random.Random(seed)

    # What people do

    @rule(domains=st.lists(st.sampled_from(DOMAINS), max_size=7, unique=True))
    def change_the_domains(self, domains: list[str]) -> None:
        self.domains = domains

    @rule(mode=st.sampled_from(["Estimate", "Collect"]), cap=st.sampled_from([100, 200]), suspend=st.booleans())
    def change_wishes(self, mode: str, cap: int, *, suspend: bool) -> None:
        self.wishes |= {"mode": mode, "maxResults": cap, "suspend": suspend}

    @rule(kept=st.integers(0, 1), concurrency=st.integers(1, 4))
    def change_limits(self, kept: int, concurrency: int) -> None:
        self.wishes |= {"history": {"succeededJobs": kept, "failedJobs": kept}, "concurrency": concurrency}

    @rule()
    def change_the_list(self) -> None:
        self.lists += 1

    # What happens in the cluster

    @rule(domain=st.sampled_from(DOMAINS))
    def begin_a_run(self, domain: str) -> None:
        if domain not in self.runs:
            known = self.results.get(domain)
            begun = times.to_milliseconds(self.now)
            made = job(domain, (known.run if known else 0) + 1, job_id=f"collect-{domain}-{begun}", created=self.now)
            self.runs[domain] = (made, self.lists)

    @precondition(lambda self: self.runs)
    @rule()
    def end_a_run(self) -> None:
        domain = self.chance.choice(sorted(self.runs))
        made, version = self.runs.pop(domain)
        place = Place(config_map=ConfigMapPlace((f"{domain}-{made.run}",), f"{domain}.json"))
        self.stored[domain] = version
        self.results[domain] = result(
            domain,
            run=made.run,
            job_id=made.job_id,
            sha256="ab" * 32,
            storage=place,
            suppression=f"d{version}",
            ended_at=times.to_text(self.now.replace(microsecond=0)),
        )

    @precondition(lambda self: self.live())
    @rule(
        reason=st.sampled_from([Reason.COLLECTED] * 3 + [Reason.KEY_REFUSED, Reason.STORAGE, Reason.SUPPRESSION_LIST])
    )
    def end_an_errand(self, reason: Reason) -> None:
        self.finish(self.chance.choice(self.live()), reason)

    def live(self) -> list[Errand]:
        return [one for one in self.errands.values() if one.end is None]

    def finish(self, live: Errand, reason: Reason) -> None:
        ended = counted if reason is Reason.COLLECTED else errand_failed
        shape = ended(live.attempt, live.of)
        fields = {name: getattr(shape, name) for name in ("active", "failed", "end", "end_reason")}
        self.errands[live.key] = self.bump(live, **fields, ended_at=self.now.replace(microsecond=0))
        note: dict[str, Any] = {}
        if live.task is Task.ESTIMATE:
            note = msgspec.structs.asdict(self.counts[live.uid])
        elif reason is Reason.COLLECTED:
            version = self.applied[live.uid]
            note = {"suppression": f"d{version}"}
            for domain in self.stored.keys() - self.runs.keys():
                # What an older list left out is left out; only a newer one takes more.
                self.stored[domain] = max(self.stored[domain], version)
        known = self.pods.get(live.uid)
        if known is not None:
            self.pods[live.uid] = errand_pod(live, reason, **note)

    @precondition(lambda self: self.pods)
    @rule()
    def lose_a_pod(self) -> None:
        del self.pods[self.chance.choice(sorted(self.pods))]

    @precondition(lambda self: self.errands)
    @rule()
    def delete_a_job_by_hand(self) -> None:
        self.delete(self.chance.choice(sorted(self.errands.values(), key=lambda one: one.uid)))

    def delete(self, gone: Errand) -> None:
        del self.errands[gone.key]
        self.pods.pop(gone.uid, None)

    @rule(seconds=st.sampled_from([0.3, 1, 15, 70, 4000]))
    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    # What the operator does

    def look(self) -> Outlook:
        known = world(
            of=collection(spec(**self.wishes), status=self.status),
            wanted=Wanted(tuple(self.domains)),
            jobs=[made for made, _ in self.runs.values()],
            pods=list(self.pods.values()),
            results=list(self.results.values()),
            errands=list(self.errands.values()),
            lists=Lists(digests=(f"text-{self.lists}",)),
            now=self.now,
        )
        # A daily sweep would hide what makes no sweep due that should.
        return look(known, Limits(sweep_every=timedelta(days=365)))

    @rule(crash_after=st.none() | st.none() | st.integers(0, 3))
    def reconcile(self, crash_after: int | None = None) -> None:
        """Look, act, write the status; perhaps crash between two of the calls."""
        self.pass_time(0.002)
        outlook = self.look()
        self.scheduler.tell(KEY, outlook.demand)
        decided = plan(outlook, 0, allowed_errands=self.scheduler.allowed_errands(KEY))
        wishes = outlook.world.collection.spec
        assert not decided.start_errands or outlook.errands.slots < min(SLOTS, wishes.concurrency)
        steps = [*decided.record_counts, *decided.delete_errands, *decided.start_errands]
        for step in steps[:crash_after]:
            self.act(step)
        if crash_after is None:
            shown = self.look()
            self.status = compute(shown, find_wait(shown, Scheduling(concurrency=SLOTS, running=0), None))

    @rule()
    def a_quiet_moment(self) -> None:
        """All errands get done, so that histories get somewhere."""
        for _ in range(2):
            self.reconcile()
            for live in self.live():
                self.finish(live, Reason.COLLECTED)
        self.reconcile()

    def act(self, step: Any) -> None:
        if isinstance(step, estimates.Recording):
            if step.errand.key in self.errands:
                self.errands[step.errand.key] = self.bump(self.errands[step.errand.key], counts=step.counts)
        elif isinstance(step, Errand):
            self.delete(step)
        else:
            self.create(step)

    def create(self, start: ErrandStart) -> None:
        body = build(collection(spec(**self.wishes)), start, collector_settings(), self.now)
        key = Key(KEY.namespace, body["metadata"]["name"])
        assert key not in self.errands, "a Job of that name is still there"
        self.number += 1
        made = errand(
            start.task, start.of, start.attempt, key=key, uid=f"errand-{self.number}", created=self.now,
            job_id=body["metadata"]["annotations"]["novahunt.io/job-id"],
        )  # fmt: skip
        self.errands[key] = made
        self.pods[made.uid] = pod(made)
        self.applied[made.uid] = self.lists
        emails = sum(SIZES[domain] for domain in start.domains)
        self.counts[made.uid] = Counts(domains=len(start.domains), emails=emails, credits=emails)

    def bump(self, record: Errand, **fields: Any) -> Errand:
        return msgspec.structs.replace(record, **fields)

    # What always holds

    @invariant()
    def at_most_one_sweep_is_at_work(self) -> None:
        assert sum(one.task is Task.SWEEP for one in self.live()) <= 1

    @invariant()
    def no_part_is_counted_twice_at_once(self) -> None:
        parts = [one.of for one in self.live() if one.task is Task.ESTIMATE]
        assert len(set(parts)) == len(parts)

    @invariant()
    def the_status_adds_up_and_an_estimate_is_the_truth(self) -> None:
        outlook = self.look()
        shown = compute(outlook, find_wait(outlook, Scheduling(concurrency=SLOTS, running=0), None))
        counts = shown.domains
        assert counts is not None
        states = counts.waiting + counts.running + counts.backing_off + counts.succeeded + counts.failed
        assert states == counts.total
        ready = {one.type: one for one in shown.conditions}["Ready"]
        if ready.reason == "Estimated":
            assert shown.estimate is not None
            assert shown.estimate.domains == len(self.domains)
            assert shown.estimate.emails == sum(SIZES[domain] for domain in self.domains)

    def teardown(self) -> None:
        """Let the world come to rest: the estimate must be made, and every document held against the newest list."""
        self.wishes |= {"mode": "Estimate", "suspend": False}
        while self.runs:
            self.end_a_run()
        for _ in range(40):
            self.reconcile()
            for live in self.live():
                self.finish(live, Reason.COLLECTED)
            self.pass_time(4000)
        self.reconcile()
        ready = {one.type: one for one in self.status.conditions}["Ready"]
        assert (ready.status, ready.reason) == ("True", "Estimated"), self.status
        assert set(self.stored.values()) <= {self.lists}, "a document was never held against the newest list"
        assert self.status.sweep is not None
        assert not self.live()
        estimates.MAX_TEXT = self.usual


TestErrandHistories = ErrandHistories.TestCase
TestErrandHistories.settings = settings(max_examples=2 * settings().max_examples, stateful_step_count=40)
