"""What the page shows of collections and their domains, in the words it shows. Pure."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from novahunt_api.conditions import Condition, ConditionType, find
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Result, StoredResult
from novahunt_api.spec import CollectionSpec, Mode
from novahunt_client.explain import FAILURES
from novahunt_contract import wanted
from novahunt_contract.outcomes import Outcome

PAGE_ROWS = 100
"""Domains on one page."""


class Tone(msgspec.Struct, frozen=True):
    """A state in a word, and the class that gives its colour; the word alone says it all."""

    word: str
    kind: str


class Summary(msgspec.Struct, frozen=True):
    """One collection, as a line of the list and as the head of its own page."""

    name: str
    tone: Tone
    message: str
    ended: int
    total: int
    percent: int
    succeeded: int
    failed: int
    running: int
    waiting: int
    invalid: int
    duplicate: int
    emails: int
    used: int
    reserved: int
    limit: int | None
    worst_case: int | None
    rate: str
    eta: str
    created: str
    suspended: bool
    estimating: bool
    """It only estimates: there is nothing to retry or download, and collecting can begin from here."""
    estimate: str
    said: str
    """What a screen reader is told when it changes: not every percent."""


class Row(msgspec.Struct, frozen=True):
    """One domain of a collection."""

    domain: str
    tone: Tone
    emails: int | None
    credits: int | None
    percent: int | None
    """Of a running one."""
    at: str
    message: str


class Rows(msgspec.Struct, frozen=True):
    """One page of a collection's domains."""

    rows: tuple[Row, ...]
    matching: int
    page: int
    pages: int
    state: str
    search: str


STATES = {
    "": "All",
    "failed": "Failed",
    "running": "Running",
    "waiting": "Waiting",
    "done": "Done",
}
"""What the list of domains can be narrowed to."""

_OUTCOMES = {
    Outcome.COLLECTED: Tone("Collected", "good"),
    Outcome.EMPTY: Tone("Nothing found", "good"),
    Outcome.TRUNCATED: Tone("Cut short", "good"),
    Outcome.FAILED: Tone("Failed", "bad"),
    Outcome.PENDING: Tone("Waiting", "calm"),
}
_REMOVED = Tone("Removed", "calm")
_GROUPS = {
    "Collected": "done", "Nothing found": "done", "Cut short": "done", "Failed": "failed", "Running": "running",
    "Removed": "",
}  # fmt: skip
"""The state that each word belongs to; Waiting for all others, and none for what is no part of the counts."""


def summary(collection: Collection) -> Summary:
    """Return what is shown of a collection beside its domains."""
    status = collection.status
    counts, spent = status.domains, status.credits
    ended = counts.succeeded + counts.failed if counts is not None else 0
    total = counts.total if counts is not None else 0
    tone, message = _state(collection)
    percent = max(0, min(100, status.progress or 0))
    estimating = collection.spec.mode is Mode.ESTIMATE
    estimate = ""
    if status.estimate is not None:
        estimate = f"at most {status.estimate.emails:,} addresses, {status.estimate.credits:,} credits"
    return Summary(
        name=collection.key.name,
        tone=tone,
        message=message,
        ended=ended,
        total=total,
        percent=percent,
        succeeded=counts.succeeded if counts is not None else 0,
        failed=counts.failed if counts is not None else 0,
        running=counts.running if counts is not None else 0,
        waiting=counts.waiting + counts.backing_off if counts is not None else 0,
        invalid=counts.invalid if counts is not None else 0,
        duplicate=counts.duplicate if counts is not None else 0,
        emails=status.emails or 0,
        used=spent.used if spent is not None else 0,
        reserved=spent.reserved if spent is not None else 0,
        limit=spent.limit if spent is not None else None,
        worst_case=spent.worst_case if spent is not None else None,
        rate=status.rate or "",
        eta=moment(status.estimated_completion_time),
        created=collection.created.strftime("%Y-%m-%d %H:%M"),
        suspended=collection.spec.suspend,
        estimating=estimating,
        estimate=estimate,
        said=f"{collection.key.name}: {tone.word}, {percent // 10 * 10} percent done"
        + (f", {counts.failed} failed" if counts is not None and counts.failed else ""),
    )


def listed(collections: Iterable[Collection], search: str = "") -> tuple[Summary, ...]:
    """Return the collections whose name holds what is searched for, the newest first."""
    wanted_text = search.strip().lower()
    found = [one for one in collections if wanted_text in one.key.name]
    found.sort(key=lambda one: (one.created, one.key.name), reverse=True)
    return tuple(summary(one) for one in found)


def rows(
    collection: Collection, results: Sequence[StoredResult], state: str = "", search: str = "", page: int = 1
) -> Rows:
    """Return a page of a collection's domains, those that failed first, then those that run, then the list's order."""
    state = state if state in STATES else ""
    text = search.strip().lower()
    running = {one.domain: one for one in collection.status.running}
    of_domain = {result.data.domain: result.data for result in results}
    named = _domains(collection.spec.domains)
    every = dict.fromkeys((*named, *of_domain, *running))
    # Where ConfigMaps name some, or the spec can't be read, the list is not known, and nothing to be removed from it.
    is_known = not collection.spec.domains_from and collection.spec_error is None
    removed = of_domain.keys() - named if is_known else frozenset()
    found = []
    for domain in every:
        if text and text not in domain:
            continue
        if domain in running:
            row = Row(domain, Tone("Running", "busy"), running[domain].emails, None, running[domain].percent, "", "")
        else:
            row = _row(domain, of_domain.get(domain), collection.spec, is_removed=domain in removed)
        if not state or _GROUPS.get(row.tone.word, "waiting") == state:
            found.append(row)
    found.sort(key=lambda row: {"bad": 0, "busy": 1}.get(row.tone.kind, 2))
    pages = max(1, -(-len(found) // PAGE_ROWS))
    page = max(1, min(page, pages))
    return Rows(tuple(found[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]), len(found), page, pages, state, search)


def failed_by_reason(results: Iterable[StoredResult]) -> dict[str, int]:
    """Return how many domains failed for each reason."""
    counted: dict[str, int] = {}
    for result in results:
        if result.data.outcome is Outcome.FAILED:
            counted[result.data.reason] = counted.get(result.data.reason, 0) + 1
    return counted


def moment(text: str | None) -> str:
    """Return a time as people read it: to the minute, UTC; empty for none."""
    return text[:16].replace("T", " ") if text else ""


def _row(domain: str, result: Result | None, spec: CollectionSpec, *, is_removed: bool) -> Row:
    if result is None or (result.run == 0 and not result.ended_at):
        return Row(domain, Tone("Waiting", "calm"), None, None, None, "", "")
    message = result.message or result.reason
    if result.outcome is Outcome.FAILED and result.reason in FAILURES:
        message = f"{FAILURES[result.reason]} ({message})"
    return Row(
        domain,
        _tone(result, spec, is_removed=is_removed),
        result.emails,
        result.credits_total or result.credits,
        None,
        moment(result.ended_at or result.collected_at),
        "" if result.outcome is Outcome.COLLECTED else message,
    )


def _tone(result: Result, spec: CollectionSpec, *, is_removed: bool) -> Tone:
    """Return how a domain's last run ended; a failure that the operator counts no more is none here either."""
    if result.outcome is Outcome.FAILED:
        if is_removed:
            return _REMOVED
        again = (spec.recollect, result.recollect), (spec.retry_failed, result.retry_failed)
        if any(wish not in (None, answered) for wish, answered in again):
            return _OUTCOMES[Outcome.PENDING]
    return _OUTCOMES[result.outcome]


@lru_cache(maxsize=64)
def _domains(entries: tuple[str, ...]) -> tuple[str, ...]:
    """Return a list's domains; it is the same one at every look, and thousands take a moment."""
    return wanted.resolve(wanted.listed(entries)).domains


def _state(collection: Collection) -> tuple[Tone, str]:
    """Return a collection's state in a word, and the operator's sentence."""
    conditions = collection.status.conditions
    ready = find(conditions, ConditionType.READY)
    stalled = find(conditions, ConditionType.STALLED)
    if stalled is not None and stalled.status == "True":
        return Tone("Needs you", "bad"), stalled.message or stalled.reason
    if collection.spec.suspend:
        return Tone("Suspended", "calm"), ready.message if ready is not None else ""
    if ready is None or collection.deleting:
        return Tone("Being deleted" if collection.deleting else "New", "calm"), ""
    counts = collection.status.domains
    if ready.status == "True":
        done = Tone("Done, some failed", "warn") if counts is not None and counts.failed else Tone("Done", "good")
        return Tone("Estimated", "good") if ready.reason == "Estimated" else done, ready.message
    return _at_work(collection, ready)


def _at_work(collection: Collection, ready: Condition) -> tuple[Tone, str]:
    counts = collection.status.domains
    waiting = find(collection.status.conditions, ConditionType.WAITING)
    if waiting is not None and waiting.status == "True" and not (counts is not None and counts.running):
        return Tone("Waiting", "calm"), waiting.message or waiting.reason
    return Tone("Running", "busy"), ready.message
