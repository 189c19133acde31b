"""What the REST calls of a single domain call a job: its name, its state and its progress. Pure."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec

from novahunt_api import names
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Result
from novahunt_client.explain import waits_for
from novahunt_contract import domains
from novahunt_contract.outcomes import Outcome

PREFIX: Final = "collect-"
_HASHED: Final = 12
_MILLISECONDS: Final = 13
"""Digits of a time in milliseconds, until the year 2286."""


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


def job_of(collection: Collection, domain: str, result: Result | None) -> Job:
    """Return the job of a domain that a collection wants, or has a result of."""
    running = next((one for one in collection.status.running if one.domain == domain), None)
    state = _state(collection, result, is_running=running is not None)
    percent = running.percent if running is not None else 0
    if state is State.QUEUED and _is_under_way(collection):
        # Its run has ended, and the result has not been seen yet: nobody should see it go back.
        state, percent = State.PROCESSING, collection.status.progress or 0
    wish = collection.spec.recollect
    named = job_id(domain, wish) if is_wish(wish) else result.job_id if result is not None else ""
    stored = result is not None and result.storage is not None
    return Job(
        job_id=named,
        domain=domain,
        state=state,
        progress=100 if state.ended else min(percent, 99),
        stored=stored,
        items=result.emails if result is not None else 0,
        stored_at=result.stored_at if result is not None and stored else None,
        error=(result.message or result.reason) if result is not None and state is State.FAILED else None,
        waits_for=None if state.ended else waits_for(collection) or None,
    )


def chosen(collections: Iterable[Collection], domain: str, of: dict[str, Result | None]) -> Collection | None:
    """Return the collection that speaks for a domain: one that works on it, then the newest.

    Args:
        collections: Those that want the domain, or have a result of it.
        domain: In its one form.
        of: The domain's result in each, by the collection's UID.
    """
    found = sorted(collections, key=lambda one: (one.created, one.uid), reverse=True)
    active = (one for one in found if not job_of(one, domain, of.get(one.uid)).state.ended)
    return next(active, found[0] if found else None)


def _is_under_way(collection: Collection) -> bool:
    """Tell whether the only domain of a collection has begun, by what the operator says of the newest wishes."""
    status = collection.status
    counts = status.domains
    is_seen = status.observed_generation >= collection.generation
    return is_seen and counts is not None and counts.total == 1 and counts.waiting == 0


def _state(collection: Collection, result: Result | None, *, is_running: bool) -> State:
    if is_running:
        return State.PROCESSING
    wish = collection.spec.recollect
    answered = result is not None and result.run > 0 and (wish is None or result.recollect == wish)
    if result is None or not answered or result.outcome is Outcome.PENDING:
        return State.QUEUED
    if result.outcome is Outcome.FAILED:
        retry = collection.spec.retry_failed
        return State.FAILED if retry is None or result.retry_failed == retry else State.QUEUED
    return State.COMPLETED
