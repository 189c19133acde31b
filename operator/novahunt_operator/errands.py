"""Tells where an errand stands after all its attempts: not begun, at work, done, or to be tried again, and when."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from novahunt_api.spec import History
from novahunt_contract import errands as receipts
from novahunt_contract.errands import ErrandReceipt, Task
from novahunt_contract.outcomes import Reason
from novahunt_contract.receipt import InvalidReceiptError
from novahunt_operator.records import Errand, JobEnd, Pod
from novahunt_operator.settle import may_still_come, without_receipt

LONGEST_PAUSE = timedelta(hours=1)
"""Between two attempts of an errand that fails; the first pause doubles up to this."""

Pods = Mapping[str, tuple[Pod, ...]]
"""Pods by Job UID."""


@dataclass(frozen=True, slots=True)
class ErrandStart:
    """An attempt of an errand to start."""

    task: Task
    of: str
    """Names the wishes that it is made for."""
    attempt: int
    domains: tuple[str, ...] = ()
    """Of an estimate: those to count."""
    after: str = ""
    """Of a sweep: when the last one began; the same wishes may ask for many."""


@dataclass(frozen=True, slots=True)
class Setback:
    """Why an errand must be tried again, and when."""

    task: Task
    reason: str
    message: str
    again_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an errand stands; at most one of `live`, `unread` and `done` is set."""

    attempts: int
    live: Errand | None = None
    unread: Errand | None = None
    """Has ended, and its receipt may still be seen."""
    done: tuple[Errand, ErrandReceipt] | None = None
    setback: Setback | None = None
    """Of the last attempt that ended; it stays while the next one finds out whether it is over."""
    newest: Errand | None = None
    """Its Job must stay: it tells how many attempts there were."""

    @property
    def needed(self) -> frozenset[str]:
        """UIDs of the Jobs that tell where the errand stands."""
        done = self.done[0] if self.done is not None else None
        return frozenset(errand.uid for errand in (self.newest, done) if errand is not None)

    def may_start(self, now: datetime) -> bool:
        """Tell whether the next attempt may start."""
        if self.live is not None or self.unread is not None or self.done is not None:
            return False
        return self.setback is None or self.setback.again_at <= now


def stand(attempts: Iterable[Errand], pods: Pods, now: datetime, first_pause: timedelta) -> Standing:
    """Tell where an errand stands, from the Jobs of all its attempts that are still there."""
    ordered = sorted(attempts, key=lambda errand: errand.attempt)
    if not ordered:
        return Standing(0)
    newest = ordered[-1]
    for errand in ordered:
        receipt = success(errand, pods.get(errand.uid, ()))
        if receipt is not None:
            return Standing(newest.attempt, done=(errand, receipt), newest=newest)
    before = _last_setback(ordered[:-1], pods, first_pause)
    if newest.end is None:
        return Standing(newest.attempt, live=newest, setback=before, newest=newest)
    own = pods.get(newest.uid, ())
    if may_still_come(newest, own, newest.failed + (newest.end is JobEnd.COMPLETE), now):
        return Standing(newest.attempt, unread=newest, setback=before, newest=newest)
    return Standing(newest.attempt, setback=_last_setback(ordered, pods, first_pause), newest=newest)


def _last_setback(ordered: Sequence[Errand], pods: Pods, first_pause: timedelta) -> Setback | None:
    if not ordered:
        return None
    newest = ordered[-1]
    pause = min(first_pause * 2 ** min(newest.attempt - 1, 16), LONGEST_PAUSE)
    reason, message = _why(newest, pods.get(newest.uid, ()))
    return Setback(newest.task, reason, message, (newest.ended_at or newest.created) + pause)


def success(errand: Errand, pods: Sequence[Pod]) -> ErrandReceipt | None:
    """Return the receipt that says that all is done; it is written last, and holds whatever became of the Job."""
    if errand.end is None:
        return None
    return next((receipt for receipt in _receipts(errand, pods) if receipt.reason is Reason.COLLECTED), None)


def beyond_history(ended: Iterable[Errand], history: History) -> tuple[Errand, ...]:
    """Return the ended errands that are older than the history that is kept."""
    kept = {JobEnd.COMPLETE: history.succeeded_jobs, JobEnd.FAILED: history.failed_jobs}
    beyond = []
    newest_first = sorted(ended, key=lambda errand: (errand.ended_at or errand.created, errand.key), reverse=True)
    for errand in newest_first:
        if errand.end is None or errand.deleting:
            continue
        if kept[errand.end] > 0:
            kept[errand.end] -= 1
        else:
            beyond.append(errand)
    return tuple(beyond)


def _receipts(errand: Errand, pods: Sequence[Pod]) -> list[ErrandReceipt]:
    """The receipts of all its pods, in the order of their ends."""
    found = []
    for pod in sorted(pods, key=lambda pod: pod.resource_version):
        try:
            receipt = receipts.decode(pod.termination_message)
        except InvalidReceiptError:
            continue
        if receipt.task is errand.task and receipt.job_id == errand.job_id:
            found.append(receipt)
    return found


def _why(errand: Errand, pods: Sequence[Pod]) -> tuple[str, str]:
    """Reason and message of an end without success."""
    read = _receipts(errand, pods)
    if read and errand.end is JobEnd.FAILED:
        return read[-1].reason, read[-1].message
    reason, _, message = without_receipt(errand, pods)
    return reason, message
