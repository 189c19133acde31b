"""Judges one trial by what was seen of it: what is lost, doubled, paid twice, beyond a limit, or left behind. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hunter_simulator.report import Entry
from novahunt_api.domainresults import Result
from novahunt_contract.outcomes import Outcome


@dataclass(frozen=True)
class DomainEvidence:
    """What was found of one domain when all was over."""

    domain: str
    on_volume: bool
    wanted: frozenset[str]
    """The addresses that Hunter has."""
    found: frozenset[str] | None
    """The addresses of the stored document; None: there is none."""
    result: Result | None
    run: int
    """The run whose answer it should be, where nothing is repeated; repetitions make it later."""
    kills: int = 0
    """How often its collector was killed."""


@dataclass(frozen=True)
class CreditEvidence:
    """What a collection says that it has spent since the trial began, and what Hunter says."""

    collection: str
    used: int
    charged: int
    limit: int | None
    """What `used` may come to; None: anything."""
    exact: bool
    """Whether both must be the same: no collector was killed."""


@dataclass(frozen=True)
class Evidence:
    """All that was seen of a trial."""

    domains: Sequence[DomainEvidence]
    credits: Sequence[CreditEvidence]
    asked: Sequence[Entry]
    """Requests to Hunter since the trial began."""
    doubled: Sequence[str]
    """What the observer saw twice."""
    left: Sequence[str]
    """What should not be there any more, in words."""
    not_ready: Sequence[str]
    """Collections that did not become ready in time."""


@dataclass(frozen=True)
class Verdict:
    """What is wrong, in words; all empty where nothing is."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    paid_twice: list[str] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)
    """Of Hunter's pace or of the budget."""
    left: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)

    @property
    def words(self) -> list[str]:
        """All that is wrong."""
        named = (
            ("lost", self.lost),
            ("doubled", self.doubled),
            ("paid twice", self.paid_twice),
            ("beyond a limit", self.beyond),
            ("left behind", self.left),
            ("stuck", self.stuck),
        )
        return [f"{name}: {word}" for name, words in named for word in words]


def judge(evidence: Evidence) -> Verdict:
    """Return what is wrong."""
    return Verdict(
        lost=[word for one in evidence.domains for word in _lost(one)],
        doubled=[*evidence.doubled, *(word for one in evidence.credits for word in _miscounted(one))],
        paid_twice=[word for one in evidence.domains for word in _paid_twice(one, evidence.asked)],
        beyond=_beyond(evidence),
        left=list(evidence.left),
        stuck=list(evidence.not_ready),
    )


def _lost(one: DomainEvidence) -> list[str]:
    if one.result is None:
        return [f"{one.domain} has no DomainResult"]
    if one.found is None:
        return [f"{one.domain} has no document"]
    words = []
    if one.found != one.wanted:
        missing, wrong = len(one.wanted - one.found), len(one.found - one.wanted)
        words.append(f"the document of {one.domain} lacks {missing} addresses and has {wrong} others")
    if one.result.outcome is not Outcome.COLLECTED or one.result.emails != len(one.wanted):
        words.append(f"{one.domain} is recorded as {one.result.outcome} with {one.result.emails} addresses")
    if one.result.run < one.run:
        words.append(f"the answer of {one.domain} is that of run {one.result.run}, not {one.run}")
    return words


def _paid_twice(one: DomainEvidence, asked: Sequence[Entry]) -> list[str]:
    """Name the pages that were asked for again although nothing was killed that may not have had the answer.

    Whether Hunter charged for it makes no difference: it need not give repeats away for ever. A collector without a
    volume has its pages in memory alone; on a volume, only the page on its way may be lost with its process.
    """
    answers = Counter(entry.offset for entry in asked if entry.domain == one.domain and entry.outcome == "answered")
    again = {offset: count - 1 for offset, count in answers.items() if count > 1}
    if not again:
        return []
    excused = all(count <= one.kills for count in again.values())
    if one.on_volume:
        excused = sum(again.values()) <= one.kills
    if excused:
        return []
    pages = ", ".join(f"{offset} {count + 1} times" for offset, count in sorted(again.items(), key=str))
    return [f"of {one.domain}, whose collector was killed {one.kills} times, pages were asked for again: {pages}"]


def _miscounted(one: CreditEvidence) -> list[str]:
    if one.exact and one.used != one.charged:
        return [f"{one.collection} counts {one.used} credits, Hunter {one.charged}"]
    return []


def _beyond(evidence: Evidence) -> list[str]:
    throttled = sum(entry.outcome == "throttled" for entry in evidence.asked)
    words = [f"{throttled} requests came too fast"] if throttled else []
    for one in evidence.credits:
        if one.used < one.charged:
            words.append(f"{one.collection} counts {one.used} credits, and {one.charged} were charged")
        if one.limit is not None and max(one.used, one.charged) > one.limit:
            words.append(f"{one.collection} has spent {one.used} (Hunter: {one.charged}) of {one.limit} credits")
    return words


def charged(asked: Sequence[Entry]) -> Mapping[str, int]:
    """Return the credits that were charged, by domain."""
    found: Counter[str] = Counter()
    for entry in asked:
        if entry.domain is not None:
            found[entry.domain] += entry.credits
    return found
