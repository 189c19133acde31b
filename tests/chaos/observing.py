"""Watches Jobs, DomainResults and processes all the time for anything that is there, or recorded, twice."""

import asyncio
from dataclasses import dataclass, field

from cluster.process_kubelet import ProcessKubelet
from novahunt_api import names, paths, wire
from novahunt_api.cluster import Cluster
from novahunt_api.domainresults import Result, ResultObject
from novahunt_api.signs import Signs
from novahunt_api.watches import Watch
from novahunt_contract.outcomes import Outcome

_FINAL = (Outcome.COLLECTED, Outcome.EMPTY, Outcome.TRUNCATED)
_ENDED = ("Complete", "Failed")


@dataclass
class Observer:
    """What was seen in one namespace."""

    admin: Cluster
    namespace: str
    doubled: list[str] = field(default_factory=list)
    """What was there twice, in words; whoever judges a trial takes them."""
    runs: dict[str, int] = field(default_factory=dict)
    """The run whose answer is recorded, by domain."""
    least: dict[str, int] = field(default_factory=dict)
    """The run that is to bring the answer, by domain, where it is not the first."""
    live: dict[str, dict[str, str]] = field(default_factory=dict)
    """Names of Jobs at work by UID, by domain."""

    async def run(self) -> None:
        """Watch until cancelled."""
        signs = Signs()
        jobs = Watch(
            self.admin,
            paths.jobs(self.namespace),
            namespace=self.namespace,
            item=wire.JobObject,
            feed=JobFeed(self),
            signs=signs,
            selector=names.SELECTOR,
        )
        results = Watch(
            self.admin,
            paths.results(self.namespace),
            namespace=self.namespace,
            item=ResultObject,
            feed=ResultFeed(self),
            signs=signs,
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(jobs.run())
            group.create_task(results.run())

    def ask_again(self, domain: str) -> None:
        """Take that a domain is to be collected again: a further run of it is none too many."""
        self.least[domain] = self.runs.pop(domain, 0) + 1

    def take(self) -> list[str]:
        """Return what was there twice since the last time."""
        found, self.doubled = self.doubled, []
        return found

    def process_started(self, purpose: str, kubelet: ProcessKubelet) -> None:
        """Take that a collector was started."""
        alive = [
            pod
            for pod, process in kubelet.running.items()
            if kubelet.purposes[pod] == purpose and process.returncode is None
        ]
        if len(alive) > 1:
            self.doubled.append(f"{len(alive)} collectors of {purpose} run at once")

    def job_seen(self, job: wire.JobObject) -> None:
        """Take a Job as it is now."""
        meta = job.metadata
        domain, run = meta.annotations.get(names.DOMAIN_ANNOTATION), meta.annotations.get(names.RUN_ANNOTATION)
        if domain is None or run is None:
            return
        live = self.live.setdefault(domain, {})
        ended = any(one.type in _ENDED and one.status == "True" for one in job.status.conditions)
        if ended or meta.deletion_timestamp is not None:
            live.pop(meta.uid, None)
            return
        if meta.uid in live:
            return
        live[meta.uid] = meta.name
        if len(live) > 1:
            self.doubled.append(f"{len(live)} Jobs of {domain} are at work at once")
        if int(run) > self.runs.get(domain, int(run)):
            self.doubled.append(f"run {run} of {domain} was started, though run {self.runs[domain]} has its answer")

    def job_gone(self, uid: str) -> None:
        """Take that a Job is gone."""
        for live in self.live.values():
            live.pop(uid, None)

    def result_seen(self, result: Result) -> None:
        """Take a DomainResult as it is now."""
        if result.run < self.least.get(result.domain, 0):
            # While a run is at work, what it has stored is listed under the one before.
            return
        known = self.runs.get(result.domain)
        if known is not None and result.run != known:
            self.doubled.append(
                f"run {result.run} of {result.domain} is recorded over run {known}, which had its answer"
            )
        if known is None and result.run and result.outcome in _FINAL:
            self.runs[result.domain] = result.run


class JobFeed:
    """Jobs, for the observer."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def seen(self, item: wire.JobObject) -> str:
        """Take a Job."""
        self._observer.job_seen(item)
        return item.metadata.uid

    def gone(self, item: wire.JobObject) -> None:
        """Take that a Job is gone."""
        self._observer.job_gone(item.metadata.uid)

    def only(self, namespace: str | None, uids: set[str], version: int) -> None:
        """Take what a list held: what it did not hold is gone."""
        del namespace, version
        for uid in {uid for live in self._observer.live.values() for uid in live} - uids:
            self._observer.job_gone(uid)


class ResultFeed:
    """DomainResults, for the observer."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def seen(self, item: ResultObject) -> str:
        """Take a DomainResult."""
        self._observer.result_seen(item)
        return item.metadata.uid

    def gone(self, item: ResultObject) -> None:
        """Nothing follows from it: trials remove their results."""

    def only(self, namespace: str | None, uids: set[str], version: int) -> None:
        """Nothing follows from it."""
