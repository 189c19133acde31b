"""What the REST calls of a single domain call a job: its name, its state and its progress. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import msgspec

from novahunt_api import names
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Result
from novahunt_api.spec import CollectionSpec, Mode
from novahunt_client.explain import waits_for
from novahunt_contract import domains
from novahunt_contract.outcomes import Outcome
from novahunt_gateway.standing import Standing

PREFIX: Final = "collect-"
_HASHED: Final = 12
_MILLISECONDS: Final = 13
"""Digits of a time in milliseconds, until the year 2286."""
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


class State(StrEnum):
    """How far a job is."""

    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """Whether nothing happens by itself any more."""
        return self in (State.COMPLETED, State.FAILED)


class Job(msgspec.Struct, frozen=True):
    """The job of one domain in one collection."""

    job_id: str
    domain: str
    state: State
    progress: int
    """Percent, 0 to 100."""
    stored: bool
    """Whether a document is there, be it of an earlier run."""
    items: int
    stored_at: str | None
    error: str | None = None
    waits_for: str | None = None
    """What holds it up, in words; None: nothing that is known."""


def collection_name(domain: str) -> str:
    """Return the name of a domain's own collection; hashed where it would be too long for a label."""
    whole = PREFIX + domain
    if len(whole) <= names.MAX_LABEL:
        return whole
    # One character less for the hyphen before the hash.
    begin = domain[: names.MAX_LABEL - len(PREFIX) - _HASHED - 1].rstrip("-.")
    return f"{PREFIX}{begin}-{names.domain_hash(domain)}"


def job_id(domain: str, wish: str | None) -> str:
    """Return the job's name: `collect-<domain>-<milliseconds>`; the wish to collect holds when it was asked for."""
    return f"{PREFIX}{domain}-{wish or 0}"


def domain_of(text: str) -> str | None:
    """Return the domain that a job's name tells; None: it is no job's name."""
    name, _, milliseconds = text.rpartition("-")
    if not name.startswith(PREFIX) or not (milliseconds.isascii() and milliseconds.isdecimal()):
        return None
    domain = name.removeprefix(PREFIX)
    try:
        return domain if domains.normalise(domain) == domain else None
    except domains.NotADomainError:
        return None


def is_wish(text: str | None) -> bool:
    """Tell whether a wish to collect is one of the gateway's: a time in milliseconds."""
    return text is not None and len(text) == _MILLISECONDS and text.isascii() and text.isdecimal()


def job_of(standing: Standing) -> Job:
    """Return the job of a domain in a collection."""
    collection, result, running = standing.collection, standing.result, standing.running
    state = _state(standing)
    percent = running.percent if running is not None else 0
    if state is State.PROCESSING and running is None and collection is not None and _is_alone(collection):
        percent = collection.status.progress or 0
    stored = result is not None and result.storage is not None
    return Job(
        job_id=_name(standing),
        domain=standing.domain,
        state=state,
        progress=100 if state.ended else min(percent, 99),
        stored=stored,
        items=result.emails if result is not None else 0,
        stored_at=result.stored_at if result is not None and stored else None,
        error=_error(result) if result is not None and state is State.FAILED else None,
        waits_for=None if state.ended or collection is None else waits_for(collection) or None,
    )


def is_active(standing: Standing) -> bool:
    """Tell whether something works on a domain there, or will without anybody's doing."""
    state = _state(standing)
    if state is not State.QUEUED:
        return state is State.PROCESSING
    collection = standing.collection
    if collection is None or standing.wishes is None or _is_held_refresh(standing):
        return False
    return _starts(collection)


def works(collection: Collection) -> bool:
    """Tell whether a collection collects anything, or will without anybody's doing."""
    return bool(collection.status.running) or _starts(collection)


def chosen(standings: Iterable[Standing]) -> Standing | None:
    """Return what speaks for a domain: where it is worked on, then where it has ended; the newest of each.

    What deleted collections have left comes after that, the last stored first.
    """
    return max(standings, key=_rank, default=None)


def _starts(collection: Collection) -> bool:
    """Tell whether a collection starts runs.

    One that only estimates, is suspended, deleted or done, or whose spec can't be read, starts none.
    """
    spec, is_over = collection.spec, collection.deleting or collection.is_ready
    return spec.mode is Mode.COLLECT and collection.spec_error is None and not (spec.suspend or is_over)


def _rank(standing: Standing) -> tuple[object, ...]:
    one, result = standing.collection, standing.result
    age = (one.created, one.uid) if one is not None else (_NEVER, "")
    stored_at = (result.stored_at or "") if result is not None else ""
    return is_active(standing), _state(standing).ended, one is not None, result is not None, age, stored_at


def _name(standing: Standing) -> str:
    """Return the job's name, by the wish that it is under; a result that nobody wants again keeps its own."""
    result, wish = standing.result, standing.wish
    if is_wish(wish):
        return job_id(standing.domain, wish)
    return result.job_id if result is not None else ""


def _error(result: Result) -> str:
    return result.message or result.reason or "it ended without an answer"


def _is_alone(collection: Collection) -> bool:
    """Tell whether a collection is of one domain, so that its progress is that domain's."""
    counts = collection.status.domains
    return counts is not None and counts.total == 1


def _is_held_refresh(standing: Standing) -> bool:
    """Tell whether a domain may only wait to be refreshed: it counts under its last answer, not among those that wait.

    Such a refresh may wait for days, for a plan or a key, and what it would replace is there.
    """
    collection, result = standing.collection, standing.result
    counts = collection.status.domains if collection is not None else None
    # Without an answer it is no refresh: its first run comes back by itself.
    is_pending = result is not None and result.outcome is Outcome.PENDING and result.collected_at is not None
    return is_pending and standing.running is None and counts is not None and counts.refreshing > 0


def _is_under_way(standing: Standing) -> bool:
    """Tell whether a domain has begun that the status does not name among those that run: it names twenty at most."""
    collection = standing.collection
    # Where nothing is collected, nothing waits either.
    if collection is None or standing.wishes is None or collection.spec.mode is not Mode.COLLECT:
        return False
    status, counts = collection.status, collection.status.domains
    if collection.spec_error is not None or counts is None or status.observed_generation < collection.generation:
        return False
    if _is_held_refresh(standing):
        return False
    # A run that has ended and is not recorded yet counts among those that wait, but its progress stays.
    return counts.waiting == 0 or (counts.total == 1 and bool(status.progress))


def _state(standing: Standing) -> State:
    if standing.running is not None:
        return State.PROCESSING
    result = standing.result
    if result is None or not _is_last_word(result, standing.wishes):
        # Ready may be seen before the result is: it does not say that a domain has not begun.
        return State.PROCESSING if _is_under_way(standing) else State.QUEUED
    return State.FAILED if result.outcome in (Outcome.FAILED, Outcome.PENDING) else State.COMPLETED


def _is_last_word(result: Result, wishes: CollectionSpec | None) -> bool:
    """Tell whether a domain's wishes ask for no further run; None: nobody wants it collected any more."""
    if wishes is None:
        return True
    if result.run == 0 or result.outcome is Outcome.PENDING:
        return False
    if wishes.recollect is not None and result.recollect != wishes.recollect:
        return False
    retry = wishes.retry_failed
    return result.outcome is not Outcome.FAILED or retry is None or result.retry_failed == retry
