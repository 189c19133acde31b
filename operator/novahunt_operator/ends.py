"""What the ends of runs say of the key, of Hunter and of the storage: a digest of many DomainResults. Pure."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from novahunt_api.domainresults import Result
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_operator.hindrances import GIVEN_UP
from novahunt_operator.stored import SUCCESS

OF_THE_KEY: Final = frozenset({Reason.KEY_REFUSED, Reason.QUOTA_EXHAUSTED, Reason.THROTTLED})
"""Failures that hold for whatever is asked with the same key."""

IN_A_ROW: Final = frozenset({Reason.HUNTER_UNAVAILABLE, Reason.STORAGE})
"""Failures that may be one domain's own, and are everybody's when several follow each other."""

OF_THE_WISHES: Final = frozenset({Reason.BAD_REQUEST, Reason.SUPPRESSION_LIST, Reason.USAGE})
"""Failures that hold for every domain of the collection until its wishes, or the operator's settings, change."""

OF_THE_POD: Final = GIVEN_UP
"""What keeps any pod of the collection from starting."""

SHARED: Final = OF_THE_KEY | OF_THE_WISHES
"""Failures of which one is enough to know that the next run would end the same way."""

ENOUGH: Final = 3
"""Runs in a row that end for the same reason, over all domains, make it everybody's: so many are kept."""

_ASKED = OF_THE_KEY | {Reason.BAD_REQUEST}
"""Refusals: somebody answered."""


class Wishes(msgspec.Struct, frozen=True):
    """What a run was made under; when it changes, the next run may end in another way."""

    template_hash: str = ""
    retry_failed: str | None = None
    recollect: str | None = None


class Failure(msgspec.Struct, frozen=True):
    """A domain's last run, which ended without an answer."""

    source: str
    """Names collection and domain, so that two digests know the same one."""
    at: str
    reason: str
    message: str
    in_a_row: int
    """Runs of the domain that ended for this reason one after the other, this one included."""
    since: str
    """When the first of them ended."""
    wishes: Wishes
    reset_date: str


class Ends(msgspec.Struct, frozen=True):
    """A digest of ends. Times are UTC text, empty where there was no such end."""

    key: str = ""
    """Fingerprint of the Hunter key of the newest run that had one."""
    key_template: str = ""
    """The template hash of that run's Job."""
    keyed_at: str = ""
    answered_at: str = ""
    """The newest end that is Hunter's answer for a domain."""
    spoke_at: str = ""
    """The newest end for which Hunter answered anything, refusals included."""
    started_at: str = ""
    """The newest end of a run whose pod had started."""
    stored_at: str = ""
    """The newest end whose document is stored."""
    failures: Mapping[str, tuple[Failure, ...]] = {}
    """The newest ones of each reason, the newest first."""

    def newest(self, reasons: Iterable[str]) -> Failure | None:
        """Return the newest failure for one of these reasons."""
        found = [self.failures[reason][0] for reason in reasons if reason in self.failures]
        return max(found, key=_order, default=None)


NO_ENDS: Final = Ends()


class Elsewhere(msgspec.Struct, frozen=True):
    """What other collections know, and do."""

    same_key: Ends = NO_ENDS
    everybody: Ends = NO_ENDS
    same_key_live: int = 0
    """Jobs at work with the same key, in other collections."""
    live: int = 0
    """Jobs at work in other collections."""


def ends_of(collection: str, results: Iterable[Result]) -> Ends:
    """Return the digest of a collection's results. Linear in their number.

    Args:
        collection: Names it among all collections.
        results: The last ends of its domains.
    """
    answered_at = spoke_at = started_at = stored_at = keyed_at = ""
    newest: Result | None = None
    failures: dict[str, list[Failure]] = {}
    for result in results:
        at = result.ended_at or ""
        if result.key and at > keyed_at:
            newest, keyed_at = result, at
        if result.attempts:
            started_at = max(started_at, at)
        if _is_answer(result):
            answered_at = max(answered_at, at)
        if result.outcome in SUCCESS:
            stored_at = max(stored_at, at if result.sha256 is not None else "")
        elif result.outcome is Outcome.PENDING and _counts(result):
            spoke_at = max(spoke_at, at if result.reason in _ASKED else "")
            failures.setdefault(result.reason, []).append(_failure(collection, result, at))
    return Ends(
        key=newest.key if newest is not None else "",
        key_template=newest.template_hash if newest is not None else "",
        keyed_at=keyed_at,
        answered_at=answered_at,
        spoke_at=max(spoke_at, answered_at),
        started_at=started_at,
        stored_at=stored_at,
        failures={reason: _newest(found) for reason, found in failures.items()},
    )


def merge(one: Ends, other: Ends) -> Ends:
    """Return what both say; of a domain that both know the newer end counts."""
    keyed = max(one, other, key=lambda ends: ends.keyed_at)
    return Ends(
        key=keyed.key,
        key_template=keyed.key_template,
        keyed_at=keyed.keyed_at,
        answered_at=max(one.answered_at, other.answered_at),
        spoke_at=max(one.spoke_at, other.spoke_at),
        started_at=max(one.started_at, other.started_at),
        stored_at=max(one.stored_at, other.stored_at),
        failures={
            reason: _newest([*one.failures.get(reason, ()), *other.failures.get(reason, ())])
            for reason in {*one.failures, *other.failures}
        },
    )


def _is_answer(result: Result) -> bool:
    """Tell whether Hunter told of the domain: what was answered from storage, or not asked at all, says nothing."""
    if result.outcome in SUCCESS:
        return result.requests > 0
    return result.outcome is Outcome.FAILED and result.reason in _DOMAINS_OWN


def _counts(result: Result) -> bool:
    """Tell whether a domain's failure may be everybody's; where there was no room, a smaller document may fit."""
    return result.ended_at is not None and result.reason in _COUNTED and not result.refused_bytes


def _failure(collection: str, result: Result, at: str) -> Failure:
    return Failure(
        source=f"{collection}/{result.domain}",
        at=at,
        reason=result.reason,
        message=result.message,
        in_a_row=max(1, result.in_a_row),
        since=result.since or at,
        wishes=Wishes(result.template_hash, result.retry_failed, result.recollect),
        reset_date=result.reset_date,
    )


def _newest(failures: list[Failure]) -> tuple[Failure, ...]:
    by_source: dict[str, Failure] = {}
    for failure in failures:
        known = by_source.get(failure.source)
        if known is None or known.at < failure.at:
            by_source[failure.source] = failure
    return tuple(sorted(by_source.values(), key=_order, reverse=True)[:ENOUGH])


def _order(failure: Failure) -> tuple[str, str]:
    return failure.at, failure.source


_DOMAINS_OWN = frozenset({Reason.DOMAIN_REFUSED, Reason.CLAIMED, Reason.PLAN_REDUCED})
_COUNTED = SHARED | IN_A_ROW | OF_THE_POD
