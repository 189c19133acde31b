"""A small cluster for histories: Jobs, pods, results, documents, and news that may be late, lost or doubled."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from builders import KEY, NOW, UID, collection, finished_pod, job, pod, receipt
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Result, StoredResult
from novahunt_api.names import job_name, result_name
from novahunt_api.objects import Key
from novahunt_api.spec import CollectionSpec
from novahunt_api.statusobject import CollectionStatus
from novahunt_contract import times
from novahunt_contract.exitcodes import PERMANENT
from novahunt_contract.outcomes import ENDINGS, Reason
from novahunt_contract.receipt import Receipt
from novahunt_operator.planner import Start
from novahunt_operator.records import Job, JobEnd, Pod
from novahunt_operator.store import Store

News = Callable[[Store], None]

BACKOFF_LIMIT = 1
CREDITS = 2
"""What each attempt that asks Hunter costs."""


ANSWERS = frozenset({Reason.COLLECTED, Reason.NOTHING_FOUND, Reason.MAX_RESULTS})


class Document(msgspec.Struct, frozen=True):
    """What a volume holds of a domain."""

    collected_at: str
    reason: Reason
    max_results: int


class Paid(msgspec.Struct, frozen=True):
    """An answer of Hunter, and how many times people had changed their wishes before it."""

    at: datetime
    edits: int


class ConflictingWriteError(Exception):
    """409: somebody else was there first."""


class SimulatedCluster:
    """The truth. Every change bumps the version and is told as news, which the history delivers as it likes."""

    def __init__(self, wishes: CollectionSpec) -> None:
        self.now: datetime = NOW
        self._version = 100
        self.collection: Collection = collection(wishes)
        self.jobs: dict[Key, Job] = {}
        self.pods: dict[str, Pod] = {}
        self.results: dict[str, StoredResult] = {}
        self.news: list[News] = []
        self.recorded: list[tuple[str, int]] = []
        self.documents: dict[str, Document] = {}
        self.not_before: dict[str, str | None] = {}
        """By Job UID."""
        self.paid: dict[str, list[Paid]] = {}
        """By domain."""
        self.edits = 0
        self.spent = 0
        self._charged: set[str] = set()
        """UIDs of the Jobs whose requests were paid for."""
        self.lost_receipts = False

    def list_into(self, store: Store) -> None:
        """Tell a store all there is, as the lists of a start or an inventory do, and nothing that is gone."""
        store.put_collection(self.collection)
        for gone in [known for known in store.jobs() if known.uid not in {one.uid for one in self.jobs.values()}]:
            store.drop_job(gone.key, gone.uid)
        for lost in [known for known in store.pods() if known.uid not in self.pods]:
            store.drop_pod(lost.uid)
        for made in self.jobs.values():
            store.put_job(made)
        for running in self.pods.values():
            store.put_pod(running)
        for known in self.results.values():
            store.put_result(known)

    def edit(self, wishes: CollectionSpec) -> None:
        """Take new wishes of a person."""
        self.edits += 1
        self.collection = self._next(self.collection, spec=wishes, generation=self.collection.generation + 1)
        seen = self.collection
        self.news.append(lambda store: store.put_collection(seen))

    # What the operator calls

    def write_status(self, status: CollectionStatus) -> None:
        """Take a collection's status."""
        self.collection = self._next(self.collection, status=status)
        seen = self.collection
        self.news.append(lambda store: store.put_collection(seen))

    def create_job(self, start: Start, wishes: CollectionSpec) -> Job:
        """Create a run's Job; one of that name that is the same run answers as a lost answer would."""
        key = Key(KEY.namespace, job_name(KEY.name, UID, start.domain, start.run))
        if key in self.jobs:
            found = self.jobs[key]
            if found.deleting:
                raise ConflictingWriteError
            return found
        self._version += 1
        made = job(
            start.domain,
            start.run,
            key=key,
            uid=f"job-{self._version}",
            active=0,
            created=self.now,
            retry_failed=wishes.retry_failed,
            recollect=wishes.recollect,
            max_results=wishes.max_results,
        )
        self.not_before[made.uid] = start.not_before
        return self._put_job(made)

    def write_result(self, data: Result, before: StoredResult | None) -> StoredResult:
        """Record a result over the version that was read."""
        known = self.results.get(data.domain)
        if (known.resource_version if known else None) != (before.resource_version if before else None):
            raise ConflictingWriteError
        if known is not None and known.data.collected_at is not None and data.reason != Reason.DOMAIN_REFUSED:
            assert data.collected_at is not None, "the record of a stored document was lost"
            assert data.collected_at >= known.data.collected_at, "an older document took the place of a newer one"
        self._version += 1
        name = Key(KEY.namespace, result_name(KEY.name, data.domain))
        written = StoredResult(key=name, uid=f"result-{data.domain}", resource_version=self._version, data=data)
        assert data.run > (known.data.run if known else 0), "a recorded run went down, or was recorded twice"
        self.results[data.domain] = written
        self.recorded.append((data.domain, data.run))
        self.news.append(lambda store: store.put_result(written))
        return written

    def delete_job(self, key: Key, uid: str) -> None:
        """Delete a Job; its pods go later, when the garbage collector comes."""
        found = self.jobs.get(key)
        if found is None or found.uid != uid:
            return
        del self.jobs[key]
        self._version += 1
        self.news.append(lambda store: store.drop_job(key, uid))

    # What happens in the cluster

    def control(self, key: Key) -> None:
        """Let the Job controller look at a Job once."""
        made = self.jobs.get(key)
        if made is None or made.end is not None:
            return
        own = [one for one in self.pods.values() if one.job_uid == made.uid]
        counted = made.failed + made.active
        ended = [one for one in own if one.finished]
        if any(one.phase == "Succeeded" for one in ended):
            self._put_job(self._ended(made, JobEnd.COMPLETE, ""), bump=True)
        elif any(one.exit_code in PERMANENT for one in ended):
            failed = self._ended(made, JobEnd.FAILED, "PodFailurePolicy")
            self._put_job(msgspec.structs.replace(failed, failed=len(ended)), bump=True)
        elif made.active and not any(not one.finished for one in own):
            # The pod has failed, or has vanished.
            now_failed = made.failed + 1
            if now_failed > BACKOFF_LIMIT:
                failed = self._ended(made, JobEnd.FAILED, "BackoffLimitExceeded")
                self._put_job(msgspec.structs.replace(failed, failed=now_failed), bump=True)
            else:
                self._put_job(self._next(made, active=0, failed=now_failed))
        elif not made.active:
            name = f"pod-{made.uid}-{counted}"
            self._put_pod(pod(made, uid=name, phase="Pending", started=False))
            self._put_job(self._next(made, active=1))

    def finish(self, uid: str, reason: Reason | None, *, damaged: bool = False) -> None:
        """End a pod with the receipt of a reason, or with none."""
        running = self.pods[uid]
        made = next((one for one in self.jobs.values() if one.uid == running.job_uid), None)
        if reason is None:
            self._put_pod(self._end_of(running, "", phase="Failed", exit_code=137, end_reason="OOMKilled"))
            return
        note = self._ask(running.domain, made, self.not_before[running.job_uid], reason)
        code = int(ENDINGS[note.reason].exit_code)
        text = "Killed" if damaged else msgspec.json.encode(note).decode()
        self.lost_receipts = self.lost_receipts or damaged or made is None
        phase = "Succeeded" if code == 0 else "Failed"
        self._put_pod(self._end_of(running, text, phase=phase, exit_code=code))

    def _ask(self, domain: str, made: Job | None, not_before: str | None, reason: Reason) -> Receipt:
        """Answer from what is stored if that is fresh, else let Hunter answer, for credits."""
        run, cap = (made.run, made.max_results) if made is not None else (1, 5000)
        kept = self.documents.get(domain)
        fresh = kept is not None and (not_before is None or kept.collected_at >= not_before)
        if kept is not None and fresh and (kept.reason is not Reason.MAX_RESULTS or kept.max_results >= cap):
            return receipt(kept.reason, domain=domain, run=run, collected_at=kept.collected_at, from_storage=True)
        # What one attempt of a run has asked for, Hunter gives the next one for nothing.
        if made is None or made.uid not in self._charged:
            self.spent += CREDITS
        if made is not None:
            self._charged.add(made.uid)
        if reason in ANSWERS:
            self.documents[domain] = Document(times.to_text(self.now), reason, cap)
            self.paid.setdefault(domain, []).append(Paid(self.now, self.edits))
        elif reason is Reason.DOMAIN_REFUSED:
            self.documents.pop(domain, None)
        at = self.documents[domain].collected_at if reason in ANSWERS else None
        return receipt(reason, domain=domain, run=run, credits=CREDITS, collected_at=at)

    def hinder(self, uid: str, **state: str) -> None:
        """Keep a pod from starting, or tell why it does not."""
        self._put_pod(msgspec.structs.replace(self.pods[uid], **state))

    def vanish(self, uid: str) -> None:
        """Take a pod away, as a lost node does."""
        del self.pods[uid]
        self.lost_receipts = True
        self.news.append(lambda store: store.drop_pod(uid))

    def collect_garbage(self) -> None:
        """Take the pods of deleted Jobs away."""
        alive = {one.uid for one in self.jobs.values()}
        for uid in [uid for uid, one in self.pods.items() if one.job_uid not in alive]:
            unread = self.pods[uid].domain
            del self.pods[uid]
            self.lost_receipts = self.lost_receipts or bool(unread)
            self.news.append(lambda store, uid=uid: store.drop_pod(uid))  # type: ignore[misc]

    def _end_of(self, running: Pod, text: str, **fields: Any) -> Pod:
        shaped = finished_pod(job(running.domain), text)
        given = {name: getattr(shaped, name) for name in ("finished", "end_reason", "termination_message")}
        return msgspec.structs.replace(running, **{"started": True, "waiting_reason": "", **given, **fields})

    def _ended(self, made: Job, end: JobEnd, reason: str) -> Job:
        # Kubernetes tells the end in whole seconds.
        ended_at = self.now.replace(microsecond=0)
        return msgspec.structs.replace(made, active=0, end=end, end_reason=reason, ended_at=ended_at)

    def _next(self, record: Any, **fields: Any) -> Any:
        self._version += 1
        return msgspec.structs.replace(record, resource_version=self._version, **fields)

    def _put_job(self, made: Job, *, bump: bool = False) -> Job:
        kept: Job = self._next(made) if bump or made.key not in self.jobs else made
        self.jobs[kept.key] = kept
        self.news.append(lambda store: store.put_job(kept))
        return kept

    def _put_pod(self, changed: Pod) -> None:
        kept: Pod = self._next(changed)
        self.pods[kept.uid] = kept
        self.news.append(lambda store: store.put_pod(kept))

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
