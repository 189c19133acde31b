"""Sets credits aside: durably on the Job, before a request may cost them, and never more than the budget allows."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import msgspec

from novahunt_api import names, paths, wire
from novahunt_api.cluster import JSON_PATCH, ApiError, Cluster, NotFoundError, UnavailableError
from novahunt_api.domaincollections import Collection
from novahunt_api.objects import Key
from novahunt_contract import credits as prices
from novahunt_contract.intake import BudgetWord, PermitCall
from novahunt_contract.receipt import InvalidReceiptError, decode
from novahunt_operator import parse
from novahunt_operator.account import Account, Books, account
from novahunt_operator.costs import is_first
from novahunt_operator.planner import Start
from novahunt_operator.records import Job, Reservation
from novahunt_operator.store import Store
from novahunt_operator.survey import Settlement

_BLOCK = 100
"""Credits that a reservation grows by at most beyond what is asked for: it doubles, so that large domains need few."""


class Refusal(msgspec.Struct, frozen=True):
    """Why a request may not be made, and how many credits are left."""

    word: BudgetWord
    left: int


class Ledger:
    """The only writer of reservations, beside the creation of Jobs."""

    def __init__(self, cluster: Cluster, store: Store, *, repeats_charged: bool, now: Callable[[], datetime]) -> None:
        """Take whether Hunter charges repeats; and the time, which decides which month it is."""
        self._cluster = cluster
        self._store = store
        self._repeats_charged = repeats_charged
        self._now = now
        self._holds: defaultdict[Key, dict[str, int]] = defaultdict(dict)
        """By collection and Job name: credits that a call to the API under way sets aside."""
        self._doubts: defaultdict[Key, dict[str, int]] = defaultdict(dict)
        """The same of calls that are over, and whose answers were lost: until somebody has looked."""
        self._watched: set[str] = set()
        """UIDs of the Jobs that were made here."""
        self._given_up: set[str] = set()
        """Of those that are being given up."""
        self._told: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """By Job UID."""

    def books(self, key: Key) -> Books:
        """Return what is in memory of a collection's credits."""
        jobs = self._store.jobs_of(key).values()
        lost = self._store.lost_of(key)
        lost_jobs = [one for one in lost if isinstance(one, Job)]
        for job in lost_jobs:
            # All that was set aside for it counts as lost by now, and not beside that.
            _drop(self._doubts, key, job.key.name)
        uids = {job.uid for job in (*jobs, *lost_jobs)}
        return Books(
            told={uid: dict(self._told[uid]) for uid in uids if uid in self._told},
            watched=uids & self._watched,
            given_up=uids & self._given_up,
            lost=lost,
            holds=_larger(self._holds.get(key, {}), self._doubts.get(key, {})),
            repeats_charged=self._repeats_charged,
        )

    def available(self, collection: Collection) -> int | None:
        """Return the credits that a collection's budget has left at this moment; None: any number."""
        budget = collection.spec.budget
        if budget is None or budget.max_credits is None:
            # Adding up ten thousand results for every plan would find the same.
            return None
        return self._account(collection).available

    def give_up(self, settlements: Iterable[Settlement], books: Books) -> tuple[Settlement, ...]:
        """See that nothing more is spent for Jobs that are given up, and return all settlements that can be recorded.

        Args:
            settlements: How runs ended, as it was decided.
            books: What was known then. A Job whose pod has asked since has begun after all.
        """
        kept = []
        for one in settlements:
            uid = one.job.uid
            if one.delete:
                if self._told.get(uid, {}) != books.told.get(uid, {}):
                    continue
                self._given_up.add(uid)
            kept.append(one)
        return tuple(kept)

    def hold(self, collection: Collection, starts: Iterable[Start]) -> None:
        """Promise to Jobs that are about to be created what they set aside."""
        if collection.spec.budget is not None:
            for start in starts:
                name = names.job_name(collection.key.name, collection.uid, start.domain, start.run)
                self._holds[collection.key][name] = start.credits

    def release(self, collection: Collection, starts: Iterable[Start]) -> None:
        """Take promises back: the Jobs are there. Of those that are not it is in doubt whether they were taken."""
        key = collection.key
        jobs = self._store.jobs_of(key)
        for start in starts:
            name = names.job_name(key.name, collection.uid, start.domain, start.run)
            promised = self._release(key, name)
            made = jobs.get(Key(key.namespace, name))
            if made is None and promised is not None:
                self._doubts[key][name] = promised
            elif made is not None and made.end is None and not made.deleting:
                self._watched.add(made.uid)

    async def look_up(self, key: Key) -> None:
        """Find out what became of the calls for a collection whose answers were lost.

        Raises:
            ApiError: it can't be found out now; what they may have set aside stays so.
        """
        for name in tuple(self._doubts.get(key, ())):
            await self._look_up(key, name)

    async def _look_up(self, key: Key, name: str) -> None:
        doubt = self._doubts[key].get(name)
        try:
            data = await self._cluster.call("GET", paths.jobs(key.namespace, name))
        except NotFoundError:
            pass
        else:
            found = parse.job(msgspec.json.decode(data, type=wire.JobObject))
            if found is not None:
                self._store.put_job(found)
        if self._doubts[key].get(name) == doubt:
            _drop(self._doubts, key, name)

    def keep_only(self, jobs: set[str], collections: set[Key]) -> None:
        """Forget Jobs, by UID, and collections that are not there any more."""
        self._watched &= jobs
        self._given_up &= jobs
        for uid in self._told.keys() - jobs:
            del self._told[uid]
        for uid in self._turns.keys() - jobs:
            del self._turns[uid]
        for noted in (self._holds, self._doubts):
            for key in noted.keys() - collections:
                del noted[key]

    async def reserve(self, collection: Collection, job_uid: str, pod_uid: str, call: PermitCall) -> Refusal | None:
        """See that what a request can cost is set aside; return why not.

        Raises:
            ApiError: it could not be recorded; nothing may be asked.
        """
        async with self._turns[job_uid]:
            job = self._open_job(job_uid)
            if collection.spec.budget is None or not call.credits:
                self._tell(job, pod_uid, call)
                return None
            reservation = self._with_pod(job, pod_uid, call)
            target = reservation.lost + call.spent + call.credits
            refusal = _share_refuses(reservation, call)
            if refusal is None:
                refusal, reservation = self._grown(collection, job, reservation, target, call)
            # Without the request, the account of what is spent holds all the same.
            if reservation != job.reservation:
                await self._record(collection.key, job, reservation)
                self._open_job(job_uid)
            self._tell(job, pod_uid, call if refusal is None else msgspec.structs.replace(call, credits=0))
            return refusal

    async def give_back(self, collection: Collection, job_uid: str, pod_uid: str, call: PermitCall) -> None:
        """Take back what a pod that ends early will not spend, if all that the Job has spent is known.

        Raises:
            ApiError: it could not be recorded; it stays set aside until the run is settled.
        """
        async with self._turns[job_uid]:
            job = self._job(job_uid)
            self._tell(job, pod_uid, call)
            reservation = job.reservation
            if reservation is None or collection.spec.budget is None:
                return
            if reservation.pod == pod_uid:
                kept = reservation.lost + call.spent
            elif not self._repeats_charged and self._is_only(job, pod_uid):
                kept = call.spent
            else:
                return
            if kept < reservation.reserved:
                await self._record(collection.key, job, msgspec.structs.replace(reservation, reserved=kept))

    def _account(self, collection: Collection) -> Account:
        key = collection.key
        results = {domain: result.data for domain, result in self._store.results_of(key).items()}
        jobs = self._store.jobs_of(key).values()
        return account(collection, jobs, results, self.books(key), self._now(), void=self._store.void)

    def _job(self, uid: str) -> Job:
        job = self._store.job_by_uid(uid)
        if job is None:
            raise UnavailableError(0, "Gone", "the Job is not known any more")
        return job

    def _open_job(self, uid: str) -> Job:
        if uid in self._given_up:
            raise UnavailableError(0, "GivenUp", "the Job is being given up")
        return self._job(uid)

    def _tell(self, job: Job, pod_uid: str, call: PermitCall) -> None:
        """Keep what a pod has spent and is about to: for the case that it leaves no receipt."""
        self._told[job.uid][pod_uid] = call.spent + call.credits

    def _with_pod(self, job: Job, pod_uid: str, call: PermitCall) -> Reservation:
        """Return the reservation as this pod finds it.

        Where repeats are free, a later attempt pays only for what the earlier ones did not, so what they have
        spent needs no account. Where repeats are charged, what they spent and did not save is lost.
        """
        # What was spent before there was a budget is set aside whatever the budget says.
        reservation = job.reservation or Reservation(call.spent)
        if not self._repeats_charged or reservation.pod == pod_uid:
            return reservation
        if not reservation.pod:
            return msgspec.structs.replace(reservation, pod=pod_uid)
        earlier = self._spent_by(job, reservation)
        lost = reservation.lost + max(0, earlier - call.spent)
        return msgspec.structs.replace(
            reservation, pod=pod_uid, lost=lost, reserved=max(reservation.reserved, lost + call.spent)
        )

    def _spent_by(self, job: Job, reservation: Reservation) -> int:
        """Return what the pod of a reservation has spent, by its receipt; else what was set aside for it."""
        pod = self._store.pod(reservation.pod)
        if pod is not None and pod.finished:
            try:
                receipt = decode(pod.termination_message)
            except InvalidReceiptError:
                receipt = None
            if receipt is not None and (receipt.domain, receipt.run) == (job.domain, job.run):
                return receipt.credits + receipt.credits_earlier
        told = self._told[job.uid].get(reservation.pod)
        return told if told is not None else reservation.reserved - reservation.lost

    def _is_only(self, job: Job, pod_uid: str) -> bool:
        """Tell whether no other pod of a Job has asked for anything that costs."""
        pod = self._store.pod(pod_uid)
        known = job.uid in self._watched or (pod is not None and is_first(job, pod))
        return known and not job.failed and self._told[job.uid].keys() == {pod_uid}

    def _grown(
        self, collection: Collection, job: Job, reservation: Reservation, target: int, call: PermitCall
    ) -> tuple[Refusal | None, Reservation]:
        missing = target - reservation.reserved
        if missing <= 0:
            return None, reservation
        available = self._account(collection).available
        # What counts for this Job already is its own, be it in doubt.
        counted = max(_reserved(job), self._doubts.get(collection.key, {}).get(job.key.name, 0))
        most = None if available is None else available + counted
        if most is not None and target > most:
            return Refusal(BudgetWord.COLLECTION, max(0, most - reservation.lost - call.spent)), reservation
        spec = collection.spec
        dearest = reservation.lost + prices.of_domain(spec.max_results, spec.page_size)
        block = max(missing, min(reservation.reserved, _BLOCK, dearest - reservation.reserved))
        grown = reservation.reserved + block
        return None, msgspec.structs.replace(reservation, reserved=grown if most is None else min(grown, most))

    async def _record(self, key: Key, job: Job, reservation: Reservation) -> None:
        """Write a reservation, but only over the one that it was made from."""
        path = "/metadata/annotations/" + names.CREDITS_ANNOTATION.replace("/", "~1")
        patch: list[dict[str, str]] = [{"op": "test", "path": "/metadata/uid", "value": job.uid}]
        if job.reservation is not None:
            patch.append({"op": "test", "path": path, "value": _text(job.reservation)})
        patch.append({"op": "add", "path": path, "value": _text(reservation)})
        name = job.key.name
        self._holds[key][name] = reservation.reserved
        try:
            data = await self._cluster.call(
                "PATCH", paths.jobs(job.key.namespace, name), body=patch, content_type=JSON_PATCH
            )
        except BaseException as error:
            self._doubts[key][name] = reservation.reserved
            if not isinstance(error, ApiError):
                raise
            # A lost answer may have been written, and an event be late.
            await self._look_up(key, name)
            text = f"credits could not be set aside: {error.message}"
            raise UnavailableError(error.code, error.reason, text) from None
        finally:
            self._release(key, name)
        written = parse.job(msgspec.json.decode(data, type=wire.JobObject))
        if written is not None:
            self._store.put_job(written)
        _drop(self._doubts, key, name)

    def _release(self, key: Key, name: str) -> int | None:
        """Take a hold back and return it."""
        return _drop(self._holds, key, name)


def _share_refuses(reservation: Reservation, call: PermitCall) -> Refusal | None:
    if reservation.share is None:
        return None
    left = reservation.share - reservation.lost - call.spent
    return Refusal(BudgetWord.DOMAIN, max(0, left)) if call.credits > left else None


def _reserved(job: Job) -> int:
    return job.reservation.reserved if job.reservation is not None else 0


def _larger(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in one.keys() | other.keys()}


def _drop(noted: dict[Key, dict[str, int]], key: Key, name: str) -> int | None:
    """Take a Job's credits out, and return them."""
    of = noted.get(key, {})
    found = of.pop(name, None)
    if not of:
        noted.pop(key, None)
    return found


def _text(reservation: Reservation) -> str:
    return msgspec.json.encode(reservation).decode()
