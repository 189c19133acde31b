"""The judge of the kill table finds what it is there to find, and excuses only what a kill explains."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from chaos.judging import CreditEvidence, DomainEvidence, Evidence, judge
from hunter_simulator.report import Entry
from novahunt_api.domainresults import Result
from novahunt_contract.outcomes import Outcome

DOMAIN = "a.example"
ADDRESSES = frozenset({"one@a.example", "two@a.example"})
GOOD = DomainEvidence(
    domain=DOMAIN,
    on_volume=True,
    wanted=ADDRESSES,
    found=ADDRESSES,
    result=Result(domain=DOMAIN, collection="a", run=1, outcome=Outcome.COLLECTED, emails=2),
    run=1,
)
CREDITS = CreditEvidence(collection="a", used=20, charged=20, limit=30, exact=True)


def asked(offset: int, *, throttled: bool = False) -> Entry:
    return Entry(
        at="",
        clock=0,
        method="GET",
        path="/v2/domain-search",
        key=None,
        key_place="header",
        user_agent="",
        status=200,
        outcome="throttled" if throttled else "answered",
        domain=DOMAIN,
        offset=offset,
        limit=100,
    )


def evidence(
    domain: DomainEvidence = GOOD,
    *entries: Entry,
    credits_: CreditEvidence = CREDITS,
    doubled: Sequence[str] = (),
    left: Sequence[str] = (),
    not_ready: Sequence[str] = (),
) -> Evidence:
    return Evidence([domain], [credits_], entries or [asked(0), asked(100)], doubled, left, not_ready)


def test_nothing_is_wrong_where_all_is_as_it_should_be() -> None:
    assert judge(evidence()).words == []


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (replace(GOOD, result=None), "has no DomainResult"),
        (replace(GOOD, found=None), "has no document"),
        (replace(GOOD, found=frozenset({"one@a.example"})), "lacks 1 addresses and has 0 others"),
        (replace(GOOD, found=ADDRESSES | {"three@a.example"}), "lacks 0 addresses and has 1 others"),
        (replace(GOOD, run=2), "is that of run 1, not 2"),
        (
            replace(GOOD, result=Result(domain=DOMAIN, collection="a", run=1, outcome=Outcome.FAILED, emails=2)),
            "is recorded as Failed with 2 addresses",
        ),
        (
            replace(GOOD, result=Result(domain=DOMAIN, collection="a", run=1, outcome=Outcome.COLLECTED, emails=1)),
            "is recorded as Collected with 1 addresses",
        ),
    ],
)
def test_a_domain_without_its_whole_answer_is_lost(wrong: DomainEvidence, word: str) -> None:
    verdict = judge(evidence(wrong))
    assert len(verdict.lost) == 1
    assert word in verdict.lost[0]


def test_a_page_asked_for_again_is_paid_twice_unless_its_collector_was_killed() -> None:
    pages = (asked(0), asked(100), asked(100))
    assert judge(evidence(GOOD, *pages)).paid_twice
    assert not judge(evidence(replace(GOOD, kills=1), *pages)).words


def test_of_a_volume_a_kill_explains_one_page_and_in_config_maps_one_time_of_each() -> None:
    pages = (asked(0), asked(0), asked(100), asked(100))
    killed = replace(GOOD, kills=1)
    assert judge(evidence(killed, *pages)).paid_twice
    assert not judge(evidence(replace(killed, on_volume=False), *pages)).words
    assert judge(evidence(replace(killed, on_volume=False), *pages, asked(0))).paid_twice


def test_credits_must_be_what_hunter_charged_and_never_fewer_or_beyond_the_budget() -> None:
    assert judge(evidence(credits_=replace(CREDITS, used=25))).doubled
    assert not judge(evidence(credits_=replace(CREDITS, used=25, exact=False))).words
    assert judge(evidence(credits_=replace(CREDITS, used=15, exact=False))).beyond
    assert judge(evidence(credits_=replace(CREDITS, used=31, exact=False))).beyond
    assert judge(evidence(credits_=replace(CREDITS, used=31, charged=31))).beyond


def test_requests_that_came_too_fast_are_counted() -> None:
    assert judge(evidence(GOOD, asked(0), asked(0, throttled=True), asked(100))).beyond


def test_what_was_seen_on_the_way_is_taken_over() -> None:
    verdict = judge(evidence(doubled=["two Jobs"], left=["a file"], not_ready=["a"]))
    assert (verdict.doubled, verdict.left, verdict.stuck) == (["two Jobs"], ["a file"], ["a"])
    assert len(verdict.words) == 3
