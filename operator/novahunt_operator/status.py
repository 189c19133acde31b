"""Computes a collection's status from its outlook: counts, progress, conditions, the sentence on what it waits for."""

from datetime import datetime, timedelta

from novahunt_api import names
from novahunt_api.conditions import ConditionType, Finding, merge
from novahunt_api.domainresults import Result
from novahunt_api.spec import Budget
from novahunt_api.statusobject import (
    MAX_FAILURES,
    MAX_RUNNING,
    CollectionStatus,
    Credits,
    DomainCounts,
    Estimate,
    Failure,
    Handled,
    ResultsClaim,
    ResultsPlace,
    ResultsSelector,
    RunningDomain,
)
from novahunt_api.waiting import Wait
from novahunt_contract import credits as prices
from novahunt_contract import times
from novahunt_contract.exitcodes import ExitCode
from novahunt_contract.intake import Progress
from novahunt_contract.outcomes import Outcome
from novahunt_operator.estimates import EstimateLook
from novahunt_operator.planner import Outlook
from novahunt_operator.records import Job
from novahunt_operator.waits import Waiting, find_sweep_wait

RATE_WINDOW = timedelta(minutes=5)
"""Ends within this window count for the rate and the estimated time."""


def compute(outlook: Outlook, wait: Waiting | None) -> CollectionStatus:
    """Return the status to show; the old one supplies only times of the past and transition times."""
    world, found = outlook.world, outlook.survey
    old, spec, now = world.collection.status, world.collection.spec, world.now
    answered = found.answered
    failed = [result for result in answered if result.outcome is Outcome.FAILED]
    # What is only refreshed counts under its last outcome: its answer is there.
    first = [job for job in found.running if job.domain not in found.refreshing]
    counts = DomainCounts(
        total=len(world.wanted.domains),
        waiting=sum(domain not in found.refreshing for domain in (*found.due, *found.held)),
        running=len(first),
        backing_off=sum(job.domain not in found.refreshing for job in found.backing_off),
        succeeded=len(answered) - len(failed),
        failed=len(failed),
        invalid=len(world.wanted.invalid),
        duplicate=world.wanted.duplicates,
        older_search=sum(_is_older(result, world.search_hash) for result in answered),
        refreshing=len(found.refreshing),
    )
    complete = len(answered) == counts.total and not found.unlisted and outlook.blocked is None
    running = {job.domain: _running(outlook, job) for job in found.running}
    percent = _percent(len(answered), [running[job.domain] for job in first], found.ended, counts.total)
    estimate = outlook.errands.estimate
    if estimate is not None:
        failed, counts, percent = [], _estimated(counts, estimate), estimate.percent
        # Runs from before the mode was changed finish.
        complete = estimate.complete and outlook.blocked is None and not (found.live or found.unsettled)
    ended = counts.succeeded + counts.failed
    moved = bool(found.live or answered or found.settlements or outlook.errands.live)
    done = f"{ended}/{counts.total}"
    # A collection that was complete and is not any more begins a new round.
    since = old.started_at if complete or old.completed_at is None else None
    rate, eta = _pace(outlook, counts.total - ended) if estimate is None else (None, None)
    if rate and old.rate and old.done == done and (old.estimated_completion_time or "") > times.to_text(now):
        # Time alone changes no status: each write makes the collection be looked at again.
        rate, eta = old.rate, old.estimated_completion_time
    return CollectionStatus(
        observed_generation=world.collection.generation,
        done=done,
        domains=counts,
        progress=percent,
        running=tuple(running.values())[:MAX_RUNNING],
        emails=sum(world.results[domain].emails for domain in world.wanted.domains if domain in world.results),
        credits=_credits(outlook),
        estimate=old.estimate if estimate is None else estimate.result,
        sweep=outlook.errands.sweep,
        rate=None if complete else rate,
        estimated_completion_time=None if complete else eta,
        started_at=since or (times.to_text(now) if moved else None),
        completed_at=_completed_at(outlook) if complete else None,
        next_refresh_at=times.to_text(found.next_refresh_at) if found.next_refresh_at is not None else None,
        failures=_failures(outlook, failed),
        retry_failed_handled=spec.retry_failed,
        recollect_handled=recollect_handled(old, spec.recollect, now),
        results=_place(outlook),
        conditions=merge(
            old.conditions,
            _findings(outlook, wait, counts, complete=complete),
            world.collection.generation,
            _second(now),
        ),
    )


def _estimated(counts: DomainCounts, estimate: EstimateLook) -> DomainCounts:
    """Domains as far as their counts are known; whether anything is stored of them is no matter here."""
    return DomainCounts(
        total=counts.total,
        waiting=estimate.waiting,
        running=estimate.running,
        backing_off=estimate.backing_off,
        succeeded=estimate.counted,
        invalid=counts.invalid,
        duplicate=counts.duplicate,
    )


def recollect_handled(old: CollectionStatus, wish: str | None, now: datetime) -> Handled | None:
    """Return the recollect wish with the time at which it was first seen."""
    if wish is None:
        return None
    if old.recollect_handled is not None and old.recollect_handled.value == wish:
        return old.recollect_handled
    return Handled(wish, times.to_text(now))


def _findings(outlook: Outlook, wait: Waiting | None, counts: DomainCounts, *, complete: bool) -> tuple[Finding, ...]:
    found = _of_domains(outlook, wait, counts, complete=complete)
    sweep = find_sweep_wait(outlook)
    told = {finding.type for finding in found}
    if sweep is None or ConditionType.WAITING in told:
        return found
    if not sweep.stalled or ConditionType.RECONCILING in told:
        return (*found, *_waiting(sweep))
    # What is stored must be swept, and that needs a person; whether all domains are done is another matter.
    return (*found, *_stalled(sweep), *_waiting(sweep))


def _of_domains(outlook: Outlook, wait: Waiting | None, counts: DomainCounts, *, complete: bool) -> tuple[Finding, ...]:
    ready, reconciling = ConditionType.READY, ConditionType.RECONCILING
    estimate = outlook.errands.estimate
    if complete and estimate is not None and estimate.result is not None:
        return (Finding(ready, status=True, reason="Estimated", message=_estimate_message(outlook, estimate.result)),)
    if complete and (wait is None or not wait.stalled or wait.reason is Wait.API_REFUSED):
        reason = "CompletedWithFailures" if counts.failed else "Completed"
        over = Finding(ready, status=True, reason=reason, message=_completed_message(outlook, counts))
        # What is refused after the end, such as to remove what is old, is another matter.
        return (over, *_stalled(wait), *_waiting(wait))
    if outlook.world.collection.spec.suspend:
        text = f"Suspended; {counts.waiting} domains wait, {counts.running + counts.backing_off} finish."
        return (
            Finding(ready, status=False, reason="Suspended", message=text),
            Finding(ConditionType.SUSPENDED, status=True, reason="Suspended", message=text),
        )
    if wait is not None and wait.stalled:
        return (
            Finding(ready, status=False, reason=wait.reason, message=wait.message),
            *_stalled(wait),
            *_waiting(wait),
        )
    word = "done" if estimate is None else "counted"
    text = f"{counts.succeeded + counts.failed} of {counts.total} domains are {word}.{_scarcity(outlook)}"
    return (
        Finding(ready, status=False, reason="InProgress", message=text),
        Finding(reconciling, status=True, reason="InProgress", message=text),
        *_waiting(wait),
    )


def _scarcity(outlook: Outlook) -> str:
    """Return a sentence where ConfigMaps are not expected to hold all documents."""
    room = outlook.room
    return f" {room.warning()}" if room is not None and room.is_scarce else ""


def _stalled(wait: Waiting | None) -> tuple[Finding, ...]:
    if wait is None or not wait.stalled:
        return ()
    return (Finding(ConditionType.STALLED, status=True, reason=wait.reason, message=wait.message),)


def _waiting(wait: Waiting | None) -> tuple[Finding, ...]:
    if wait is None:
        return ()
    return (Finding(ConditionType.WAITING, status=True, reason=wait.reason, message=wait.message),)


def _estimate_message(outlook: Outlook, estimate: Estimate) -> str:
    return (
        f"About {estimate.emails} addresses, at most {estimate.credits} credits, for {estimate.domains} domains; "
        f"set mode: Collect to collect them.{_scarcity(outlook)}"
    )


def _completed_message(outlook: Outlook, counts: DomainCounts) -> str:
    parts = [f"All {counts.total} domains are done"]
    if counts.failed:
        parts.append(f"{counts.failed} failed")
    if counts.invalid:
        parts.append(
            "1 list entry is no domain" if counts.invalid == 1 else f"{counts.invalid} list entries are no domain"
        )
    if counts.older_search:
        parts.append(f"{counts.older_search} results are of an older search (set spec.recollect to renew them)")
    if counts.refreshing:
        verb = "is" if counts.refreshing == 1 else "are"
        held = " (spec.suspend holds what does not run)" if outlook.world.collection.spec.suspend else ""
        parts.append(f"{counts.refreshing} {verb} being refreshed{held}")
    return "; ".join(parts) + "."


def _is_older(result: Result, search_hash: str) -> bool:
    return result.outcome is not Outcome.FAILED and result.search_hash != search_hash


def _running(outlook: Outlook, job: Job) -> RunningDomain:
    reported = [
        outlook.world.progress[pod.uid]
        for pod in outlook.survey.pods.get(job.uid, ())
        # One that did well ends seconds before its Job does; another's work is begun anew.
        if pod.uid in outlook.world.progress and (not pod.finished or pod.exit_code == ExitCode.DONE)
    ]
    last = reported[-1] if reported else Progress(0, 0, 0)
    return RunningDomain(job.domain, max(0, min(100, last.percent)), last.emails)


def _percent(done: int, running: list[RunningDomain], ended: int, total: int) -> int:
    if done == total:
        return 100
    # An end that is not recorded yet counts as whole: the bar should not go back for that moment.
    hundredths = (done + ended) * 100 + sum(domain.percent for domain in running)
    return min(99, hundredths // total)


def _credits(outlook: Outlook) -> Credits:
    found, spec, money = outlook.survey, outlook.world.collection.spec, outlook.account
    shown = outlook.world.collection.status.credits
    if found.void and shown is not None:
        # What their deleted records stood for is not taken as gone before they are gone themselves: an operator that is
        # restarted meanwhile records their runs again, and would count them twice.
        return shown
    budget = spec.budget or Budget()
    open_domains = len(found.running) + len(found.backing_off)
    if outlook.errands.estimate is None:
        open_domains += len(found.due) + len(found.held)
    dearest = prices.of_domain(spec.max_results, spec.page_size)
    if budget.max_credits_per_domain is not None:
        dearest = min(dearest, budget.max_credits_per_domain)
    worst = money.used + open_domains * dearest
    if money.limit is not None:
        worst = max(money.used, min(worst, money.limit))
    return Credits(
        used=money.used,
        reserved=money.reserved,
        limit=money.limit,
        period=money.period,
        removed=money.removed,
        worst_case=worst,
    )


def _pace(outlook: Outlook, remaining: int) -> tuple[str | None, str | None]:
    now, started = outlook.world.now, outlook.world.collection.status.started_at
    since = now - RATE_WINDOW
    if started is not None:
        since = max(since, times.from_text(started))
    seconds = max(1.0, (now - since).total_seconds())
    floor = times.to_text(since)
    ended = sum((result.ended_at or "") >= floor for result in outlook.survey.answered)
    if not ended or not remaining:
        return None, None
    per_second = ended / seconds
    eta = now + timedelta(seconds=remaining / per_second)
    rounded = eta.replace(second=eta.second // 10 * 10, microsecond=0)
    return f"{max(1, round(per_second * 60))}/min", times.to_text(rounded)


def _completed_at(outlook: Outlook) -> str | None:
    estimate = outlook.errands.estimate
    if estimate is not None and estimate.result is not None:
        return estimate.result.at
    return max((result.ended_at or "" for result in outlook.survey.answered), default="") or (
        outlook.world.collection.status.completed_at or _second(outlook.world.now)
    )


def _failures(outlook: Outlook, failed: list[Result]) -> tuple[Failure, ...]:
    newest = sorted(failed, key=lambda result: result.ended_at or "", reverse=True)
    found = [
        Failure(domain=result.domain, reason=result.reason, message=result.message, at=result.ended_at)
        for result in newest[:MAX_FAILURES]
    ]
    for entry in outlook.world.wanted.invalid[: MAX_FAILURES - len(found)]:
        named = f" ({entry.text})" if entry.text is not None else ""
        found.append(Failure(reason="InvalidDomain", message=f"{entry.place}{named}: {entry.reason}"))
    return tuple(found)


def _place(outlook: Outlook) -> ResultsPlace:
    collection, room = outlook.world.collection, outlook.room
    if room is not None:
        selector = f"{names.COLLECTION_LABEL}={collection.key.name}"
        return ResultsPlace(config_map=ResultsSelector(selector, room.used, room.limit, room.expected))
    volume = collection.spec.volume
    if volume is None:
        return ResultsPlace()
    return ResultsPlace(persistent_volume_claim=ResultsClaim(volume.claim_name, volume.path or collection.key.name))


def _second(now: datetime) -> str:
    """Return a time as Kubernetes writes conditions' times: whole seconds."""
    return times.to_text(now.replace(microsecond=0)).replace(".000Z", "Z")
