"""Where budgets are spent, in small: an API server for Jobs and results, Hunter's prices, and collectors that pay."""

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from builders import KEY, NOW, pod, receipt
from novahunt_api import domainresults, paths, wire
from novahunt_api.cluster import ApiError, UnavailableError
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import ResultObject, StoredResult
from novahunt_collector import paging
from novahunt_collector.freshness import is_fresh
from novahunt_collector.tally import Page, Tally
from novahunt_contract import credits as prices
from novahunt_contract import environment as env
from novahunt_contract import times
from novahunt_contract.document import Document
from novahunt_contract.exitcodes import PERMANENT
from novahunt_contract.intake import BudgetWord, PermitCall
from novahunt_contract.outcomes import ENDINGS, Reason
from novahunt_contract.receipt import Receipt, encode
from novahunt_operator import parse
from novahunt_operator.account import month_of
from novahunt_operator.ledger import Ledger
from novahunt_operator.records import Job, Pod
from novahunt_operator.store import Store
from unit.operator.memory_cluster import CrashError, MemoryCluster

News = Callable[[Store], None]

JOBS = paths.jobs(KEY.namespace)
RESULTS = paths.results(KEY.namespace)
BACKOFF_LIMIT = 1


class Fate(StrEnum):
    """What becomes of a call to the API server."""

    GOOD = "good"
    NEVER_CAME = "never came"
    ANSWER_LOST = "answer lost"
    CRASH_BEFORE = "the operator ends before it"
    CRASH_AFTER = "the operator ends after it"


class ApiServer(MemoryCluster):
    """Jobs and results with their versions; every change of a Job is news that somebody must bring to the store."""

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = NOW
        self.fates: deque[Fate] = deque()
        """Of the next calls."""
        self.dead = False
        """Whether the operator that calls has ended."""
        self.news: list[News] = []
        self.jobs: dict[str, Job] = {}
        """As they are, by path."""
        self.results: dict[str, StoredResult] = {}
        self.made: Counter[str] = Counter()
        """Jobs by domain."""

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> bytes:
        """Make one call and never try it again."""
        await asyncio.sleep(0)
        fate = self.fates.popleft() if self.fates else Fate.GOOD
        if fate is Fate.CRASH_BEFORE or self.dead:
            self.dead = True
            raise CrashError
        if fate is Fate.NEVER_CAME:
            raise UnavailableError(0, "TimeoutError", "it did not come")
        data = await self.call_once(method, path, query=query, body=body, content_type=content_type, accept=accept)
        if fate is Fate.CRASH_AFTER:
            self.dead = True
            raise CrashError
        if fate is Fate.ANSWER_LOST:
            raise UnavailableError(0, "TimeoutError", "its answer was lost")
        return data

    def _write(self, method: str, path: str, body: Any) -> dict[str, Any]:
        if method == "PATCH" and isinstance(body, list):
            return self._patched(path, body)
        if method == "DELETE":
            wanted = (body.get("preconditions") or {}).get("uid")
            found = self._found(path)
            if wanted is not None and wanted != found["metadata"]["uid"]:
                return {"kind": "Status"}
            self._forget(path)
        return super()._write(method, path, body)

    def _patched(self, path: str, operations: list[dict[str, str]]) -> dict[str, Any]:
        changed = deepcopy(self._found(path))
        for one in operations:
            *way, last = [part.replace("~1", "/") for part in one["path"].split("/")[1:]]
            place: Any = changed
            for part in way:
                place = place[part]
            if one["op"] == "test" and place.get(last) != one["value"]:
                raise ApiError(422, "Invalid", "the test failed")
            if one["op"] == "add":
                place[last] = one["value"]
        return self._keep(path, changed)

    def _keep(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        new = path not in self.objects
        body["metadata"].setdefault("creationTimestamp", self.now.replace(microsecond=0).isoformat())
        kept = super()._keep(path, body)
        if path.startswith(RESULTS):
            self.results[path] = domainresults.read(msgspec.convert(kept, ResultObject))
        if path.startswith(JOBS):
            seen = parse.job(msgspec.convert(kept, wire.JobObject))
            assert seen is not None
            self.jobs[path] = seen
            self.made[seen.domain] += new
            self.news.append(lambda store: store.put_job(seen))
        return kept

    def _forget(self, path: str) -> None:
        self.results.pop(path, None)
        gone = self.jobs.pop(path, None)
        if gone is not None:
            self.news.append(lambda store: store.lose_job(gone.key, gone.uid))

    def job(self, uid: str) -> Job | None:
        """Return the Job with a UID."""
        return next((one for one in self.jobs.values() if one.uid == uid), None)

    def set_job_status(self, made: Job, **status: Any) -> None:
        """Let the Job controller say something of a Job."""
        path = paths.jobs(made.key.namespace, made.key.name)
        body = self.objects[path]
        self._keep(path, {**body, "status": {**body.get("status", {}), **status}, "metadata": {**body["metadata"]}})

    def remove(self, path: str) -> None:
        """Delete an object by hand."""
        self._forget(path)
        del self.objects[path]


class Hunter:
    """What Hunter has, and what it charges."""

    def __init__(self, sizes: Mapping[str, int], *, repeats_charged: bool) -> None:
        self.sizes = sizes
        self.charged: Counter[str] = Counter()
        """By calendar month."""
        self.charged_for: Counter[tuple[str, str]] = Counter()
        """By domain and calendar month."""
        self._repeats_charged = repeats_charged
        self._paid: set[tuple[str, Page]] = set()

    def answer(self, domain: str, ask: paging.Ask, now: datetime) -> int:
        """Return how many addresses a page has, and charge for them."""
        received = max(0, min(ask.limit, self.sizes[domain] - ask.offset))
        asked = (domain, Page(ask.offset, ask.limit))
        if self._repeats_charged or asked not in self._paid:
            self.charged[month_of(now)] += prices.of_answer(received)
            self.charged_for[domain, month_of(now)] += prices.of_answer(received)
        self._paid.add(asked)
        return received


class Saved(msgspec.Struct, frozen=True):
    """A page in a checkpoint."""

    ask: paging.Ask
    received: int
    credits: int
    job_id: str


class Disk(msgspec.Struct):
    """What is stored: documents, and on a volume the pages of unfinished runs."""

    keeps_pages: bool
    documents: dict[str, Document] = {}
    pages: dict[str, list[Saved]] = {}
    begun: dict[str, str] = {}
    """When the run began whose pages are kept, by domain."""


class End(StrEnum):
    """What becomes of a request to Hunter, and of the pod that makes it."""

    ANSWERED = "answered"
    LOST = "its answer is lost"
    KILLED = "the pod is killed"
    FAILED = "the collector gives up, and says so"
    EVICTED = "the pod is evicted, and says so"
    CUT_OFF = "the pod is evicted before it can say anything"
    VANISHED = "the node is lost"


class Collector:
    """One collector's pod: the real tally and rules of paging, and no process around them."""

    def __init__(
        self, made: Job, body: dict[str, Any], uid: str, hunter: Hunter, disk: Disk, *, repeats_charged: bool
    ) -> None:
        container = body["spec"]["template"]["spec"]["containers"][0]
        self._env = {one["name"]: one.get("value", "") for one in container["env"]}
        self.job = made
        self.uid = uid
        self.hunter, self.disk = hunter, disk
        self._tally = Tally(repeats_charged=repeats_charged)
        self._limits = paging.Limits(int(self._env[env.HUNTER_PAGE_SIZE]), made.max_results, 10_000)
        self._paging = paging.Progress()
        self._pages: list[int] = []
        self._started = ""
        self._counted = 0
        self.permitted: paging.Ask | None = None
        """What it may ask Hunter for now."""
        self.note: Receipt | None = None
        """Set when it has ended."""

    async def begin(self, now: datetime) -> None:
        """Look what is there: a document that answers, pages to go on from, pages that are paid for."""
        domain, text = self.job.domain, self._env.get(env.NOT_BEFORE)
        not_before = times.from_text(text) if text else None
        share = self._env.get(env.DOMAIN_CREDITS)
        kept, begun = self.disk.documents.get(domain), self.disk.begun.get(domain, "")
        if not_before is not None and begun and times.from_text(begun) < not_before:
            self._drop_pages()
            begun = ""
        self._started = begun or times.to_text(max(now, not_before or now))
        if kept is not None:
            fresh = is_fresh(
                kept,
                search_hash=kept.search_hash,
                not_before=not_before,
                max_results=self.job.max_results,
                max_credits=int(share) if share else None,
            )
            if fresh and not begun > kept.collected_at:
                if kept.job_id == self.job.job_id:
                    own = kept.credits if kept.run_credits is None else kept.run_credits
                    self._tally.took_over(credits=kept.credits, requests=1, of_this_run=own)
                self._answer(kept, from_storage=True)
                return
            offsets = [sum(kept.pages[:number]) for number in range(len(kept.pages))]
            self._tally.know_paid(frozenset(map(Page, offsets, kept.pages)))
        for page in self.disk.pages.get(domain, []):
            own = page.credits if page.job_id == self.job.job_id else 0
            self._tally.took_over(credits=page.credits, requests=1, of_this_run=own)
            self._take_in(page.ask, page.received)

    async def ask(self, ledger: Ledger, of: Collection, now: datetime) -> None:
        """Ask for leave to make the next request, or finish."""
        step = paging.next_step(self._paging, self._limits)
        if isinstance(step, paging.Finish):
            self._finish(step, now)
            return
        call = PermitCall("key", credits=self._tally.most(step), spent=self._tally.spent)
        refusal = await ledger.reserve(of, self.job.uid, self.uid, call)
        if refusal is None:
            self.permitted = step
        elif refusal.word is BudgetWord.COLLECTION or (refusal.left == 0 and self._paging.pages == 0):
            self.fail(Reason.BUDGET)
            await self.say_goodbye(ledger, of)
        else:
            self._paging = paging.after_budget(self._paging, refusal.left)

    async def say_goodbye(self, ledger: Ledger, of: Collection) -> None:
        """Tell the intake that the domain is left unfinished, in one call that may fail."""
        with contextlib.suppress(ApiError):
            await ledger.give_back(
                of, self.job.uid, self.uid, PermitCall("key", wanted=False, spent=self._tally.spent, stopping=True)
            )

    def send(self, end: End, now: datetime) -> None:
        """Make the request that is permitted."""
        ask = self.permitted
        assert ask is not None
        self.permitted = None
        self._tally.asked()
        received = self.hunter.answer(self.job.domain, ask, now)
        if end is not End.ANSWERED:
            self._tally.lost(ask)
            return
        self._tally.received(ask, received)
        if self.disk.keeps_pages:
            saved = Saved(ask, received, self._tally.credits - self._counted, self.job.job_id)
            self.disk.begun.setdefault(self.job.domain, self._started)
            self.disk.pages.setdefault(self.job.domain, []).append(saved)
        self._counted = self._tally.credits
        self._take_in(ask, received)

    def _take_in(self, ask: paging.Ask, received: int) -> None:
        self._pages.append(ask.limit)
        total = self.hunter.sizes[self.job.domain]
        self._paging = paging.after_page(
            self._paging, ask, received=received, results=total, approximate=False, new=received
        )

    def fail(self, reason: Reason) -> None:
        """End without an answer."""
        self.note = receipt(reason, **self._counts())

    def _counts(self) -> dict[str, Any]:
        tally = self._tally
        return {
            "domain": self.job.domain,
            "run": self.job.run,
            "job_id": self.job.job_id,
            "credits": tally.credits,
            "credits_saved": tally.credits_saved,
            "credits_earlier": tally.credits_earlier,
            "requests": tally.requests,
        }

    def _finish(self, finish: paging.Finish, now: datetime) -> None:
        share = self._env.get(env.DOMAIN_CREDITS)
        document = Document(
            domain=self.job.domain,
            items=(),
            total=self._paging.received,
            stored_at=times.to_text(now),
            collected_at=self._started,
            job_id=self.job.job_id,
            truncated=finish.truncated,
            max_results=self.job.max_results,
            max_credits=int(share) if share else 0,
            credits=self._tally.credits + self._tally.credits_saved,
            run_credits=self._tally.spent,
            pages=tuple(self._pages),
        )
        self.disk.documents[self.job.domain] = document
        self._answer(document, from_storage=False)

    def _answer(self, document: Document, *, from_storage: bool) -> None:
        self._drop_pages()
        whole = Reason.COLLECTED if document.total else Reason.NOTHING_FOUND
        self.note = receipt(
            Reason(document.truncated) if document.truncated else whole,
            **self._counts(),
            items=document.total,
            collected_at=document.collected_at,
            from_storage=from_storage,
        )

    def _drop_pages(self) -> None:
        self.disk.pages.pop(self.job.domain, None)
        self.disk.begun.pop(self.job.domain, None)


class Pods:
    """The pods of all Jobs, and the Job controller."""

    def __init__(self, api: ApiServer, hunter: Hunter, disk: Disk, *, repeats_charged: bool) -> None:
        self.all: dict[str, Pod] = {}
        self.collectors: dict[str, Collector] = {}
        """Those that run, by pod UID."""
        self._api, self._hunter, self._disk = api, hunter, disk
        self._repeats_charged = repeats_charged
        self._number = 0
        self._failed: Counter[str] = Counter()
        """Attempts that Kubernetes counts, by Job UID."""

    def control(self, *, stuck: bool) -> None:
        """Look at every Job once; new pods may find no node."""
        known = {one.uid for one in self._api.jobs.values()}
        for uid in [uid for uid, one in self.all.items() if one.job_uid not in known]:
            self.vanish(uid)
        for made in list(self._api.jobs.values()):
            if made.end is None:
                self._control(made, stuck=stuck)

    def _control(self, made: Job, *, stuck: bool) -> None:
        own = [one for one in self.all.values() if one.job_uid == made.uid]
        failed = self._failed[made.uid]
        over: dict[str, Any] = {"active": 0, "failed": failed}
        if any(one.phase == "Succeeded" for one in own):
            self._end(made, "Complete", "", over)
        elif any(one.exit_code in PERMANENT for one in own):
            self._end(made, "Failed", "PodFailurePolicy", over)
        elif failed > BACKOFF_LIMIT:
            self._end(made, "Failed", "BackoffLimitExceeded", over)
        elif all(one.finished for one in own):
            self._number += 1
            # The very first one comes at once.
            first = made.created if not made.taken_up else self._api.now
            fresh = pod(
                made,
                uid=f"pod-{self._number}",
                created=first,
                started=False,
                phase="Pending",
                unschedulable="0/3 nodes" if stuck else "",
            )
            self._put(fresh)
            self._api.set_job_status(made, active=1, failed=failed, startTime="2026-11-24T12:00:00Z")

    def _end(self, made: Job, kind: str, reason: str, status: dict[str, Any]) -> None:
        at = self._api.now.replace(microsecond=0).isoformat()
        condition = {"type": kind, "status": "True", "reason": reason, "lastTransitionTime": at}
        self._api.set_job_status(made, **status, conditions=[condition])

    async def start(self, uid: str) -> None:
        """Let a pod begin."""
        one = self.all[uid]
        made = self._api.job(one.job_uid)
        if made is None or one.started:
            return
        body = self._api.objects[paths.jobs(made.key.namespace, made.key.name)]
        self._put(msgspec.structs.replace(one, started=True, phase="Running", unschedulable=""))
        begun = Collector(made, body, uid, self._hunter, self._disk, repeats_charged=self._repeats_charged)
        self.collectors[uid] = begun
        await begun.begin(self._api.now)
        self.end_if_over(uid)

    def end_if_over(self, uid: str) -> None:
        """End the pod of a collector that has written its receipt."""
        note = self.collectors[uid].note
        if note is not None:
            self.end(uid, note)

    def end(self, uid: str, note: Receipt | None, *, disrupted: bool = False) -> None:
        """End a pod; without a receipt it was killed."""
        one = self.all[uid]
        del self.collectors[uid]
        code = int(ENDINGS[note.reason].exit_code) if note is not None else 137
        text = encode(note).decode() if note is not None else ""
        if code and not disrupted:
            self._failed[one.job_uid] += 1
        # A disruption is what Kubernetes' rule looks at before exit codes that it does not name.
        phase = "Failed" if code else "Succeeded"
        self._put(
            msgspec.structs.replace(
                one, phase=phase, started=True, finished=True, exit_code=code, termination_message=text
            )
        )

    def vanish(self, uid: str) -> None:
        """Take a pod away, without a trace where it was not counted before."""
        self.collectors.pop(uid, None)
        del self.all[uid]
        self._api.news.append(lambda store: store.drop_pod(uid))

    def _put(self, one: Pod) -> None:
        kept = msgspec.structs.replace(one, resource_version=one.resource_version + 1)
        self.all[kept.uid] = kept
        self._api.news.append(lambda store: store.put_pod(kept))


def next_month(now: datetime) -> datetime:
    """Return a moment early in the next calendar month."""
    return (now.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=0, second=1)
