"""The breaker: a failure that any other run would repeat stops the starts, and the newest end decides."""

import itertools
from datetime import timedelta

import pytest

from builders import NOW, TEMPLATE, at, result
from novahunt_api.domainresults import Result
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_contract.times import from_text
from novahunt_operator.breaker import OpenBreaker, Scope, find_open, ready_at
from novahunt_operator.ends import IN_A_ROW, OF_THE_KEY, SHARED, Elsewhere, Wishes, ends_of
from novahunt_operator.settle import Lost

PROBE = timedelta(seconds=60)
A, B, C = "a.example", "b.example", "c.example"


def ended(seconds: float, reason: str, domain: str = A, **fields: object) -> Result:
    return result(domain, reason, ended_at=at(seconds), **fields)


def waits(seconds: float, reason: str, domain: str = A, **fields: object) -> Result:
    return ended(seconds, reason, domain, **{"outcome": Outcome.PENDING, **fields})


def find(*results: Result, elsewhere: Elsewhere | None = None, wishes: Wishes | None = None) -> OpenBreaker | None:
    ends = ends_of("sales/q4", results)
    return find_open(ends, elsewhere or Elsewhere(), wishes or Wishes(TEMPLATE), PROBE)


@pytest.mark.parametrize("reason", sorted(SHARED))
def test_a_failure_that_all_domains_share_opens_it(reason: str) -> None:
    found = find(ended(-5, reason))
    assert found is not None
    assert (found.reason, found.message) == (reason, f"{reason}.")
    assert found.since == from_text(at(-5))
    assert found.scope is (Scope.KEY if reason in OF_THE_KEY else Scope.COLLECTION)


@pytest.mark.parametrize("reason", sorted(({*Reason} | {*Lost}) - SHARED))
def test_any_other_end_does_not(reason: str) -> None:
    assert find(ended(-5, reason)) is None


def test_nothing_is_open_before_anything_ended() -> None:
    assert find() is None
    assert find(result(reason=Reason.KEY_REFUSED, ended_at=None)) is None


@pytest.mark.parametrize(
    "closing", [Reason.COLLECTED, Reason.NOTHING_FOUND, Reason.DOMAIN_REFUSED, Reason.PLAN_REDUCED]
)
def test_a_later_answer_of_hunter_closes_it(closing: Reason) -> None:
    refused = ended(-5, Reason.KEY_REFUSED)
    assert find(refused, ended(-4, closing, B)) is None
    assert find(refused, ended(-6, closing, B)) is not None


@pytest.mark.parametrize("silent", [*Lost, Reason.STORAGE, Reason.INTERRUPTED, Reason.HUNTER_UNAVAILABLE])
def test_an_end_that_says_nothing_of_hunter_leaves_it_open(silent: str) -> None:
    assert find(ended(-5, Reason.KEY_REFUSED), ended(-4, silent, B)) is not None


def test_an_answer_from_storage_says_nothing_of_hunter() -> None:
    assert find(ended(-5, Reason.KEY_REFUSED), ended(-4, Reason.COLLECTED, B, requests=0)) is not None


def test_ends_in_the_same_second_decide_alike_in_whatever_order_they_are_known() -> None:
    # Kubernetes gives the end of a Job in whole seconds.
    ends = [ended(-5, Reason.KEY_REFUSED, A), ended(-5, Reason.COLLECTED, B), ended(-5, Reason.BAD_REQUEST, C)]
    assert {find(*order) for order in itertools.permutations(ends)} == {None}
    assert len({find(*order) for order in itertools.permutations([ends[0], ends[2]])}) == 1


class TestSeveralInARow:
    """One domain may fail for itself; when several follow each other it is Hunter, or the storage."""

    @pytest.mark.parametrize("reason", sorted(IN_A_ROW))
    def test_three_domains_open_it_since_the_first(self, reason: Reason) -> None:
        row = [waits(-9, reason, A), waits(-7, reason, B), waits(-5, reason, C)]
        assert find(*row[:2]) is None
        found = find(*row)
        assert found is not None
        assert (found.reason, found.since, found.probe_at) == (reason, from_text(at(-9)), from_text(at(55)))

    @pytest.mark.parametrize("reason", sorted(IN_A_ROW))
    def test_so_do_three_runs_of_a_single_domain(self, reason: Reason) -> None:
        assert find(waits(-5, reason, in_a_row=2, since=at(-90))) is None
        found = find(waits(-5, reason, in_a_row=3, since=at(-90)))
        assert found is not None
        assert found.since == from_text(at(-90))

    @pytest.mark.parametrize("reason", sorted(IN_A_ROW))
    def test_what_is_older_than_an_answer_does_not_count(self, reason: Reason) -> None:
        row = [waits(-9, reason, A), waits(-8, reason, B), waits(-5, reason, C)]
        assert find(*row, ended(-7, Reason.COLLECTED, "d.example", sha256="0")) is None

    def test_a_domain_that_failed_for_itself_does_not_count(self) -> None:
        own = ended(-5, Reason.HUNTER_UNAVAILABLE, C, outcome=Outcome.FAILED, in_a_row=3)
        assert find(own) is None

    def test_a_refusal_shows_that_hunter_is_there(self) -> None:
        row = [waits(-9, Reason.HUNTER_UNAVAILABLE, domain) for domain in (A, B, C)]
        found = find(*row, ended(-5, Reason.KEY_REFUSED, "d.example"))
        assert found is not None
        assert found.reason == Reason.KEY_REFUSED

    def test_a_document_from_storage_shows_that_the_storage_works(self) -> None:
        row = [waits(-9, Reason.STORAGE, domain) for domain in (A, B, C)]
        assert find(*row, ended(-5, Reason.COLLECTED, "d.example", requests=0, sha256="0")) is None


class TestProbes:
    """When one Job may find out whether it is over."""

    @pytest.mark.parametrize("reason", [Reason.KEY_REFUSED, Reason.THROTTLED, Reason.SUPPRESSION_LIST])
    def test_once_a_minute(self, reason: Reason) -> None:
        assert probe_at(ended(-5, reason)) == from_text(at(55))

    @pytest.mark.parametrize("reason", [Reason.BAD_REQUEST, Reason.USAGE])
    def test_what_a_person_must_change_once_an_hour(self, reason: Reason) -> None:
        assert probe_at(ended(-5, reason)) == from_text(at(3595))

    @pytest.mark.parametrize("reason", sorted(SHARED))
    @pytest.mark.parametrize("edit", [Wishes("other"), Wishes(TEMPLATE, retry_failed="a"), Wishes(TEMPLATE, None, "b")])
    def test_at_once_when_what_may_have_caused_it_was_edited(self, reason: Reason, edit: Wishes) -> None:
        assert probe_at(ended(-5, reason), wishes=edit) == from_text(at(-5))

    def test_another_collections_wishes_are_no_reason(self) -> None:
        others = ends_of("sales/other", [ended(-5, Reason.KEY_REFUSED, template_hash="other")])
        assert probe_at(elsewhere=Elsewhere(same_key=others)) == from_text(at(55))

    def test_a_used_up_plan_at_its_reset_date_and_once_an_hour_for_it_may_be_raised(self) -> None:
        # NOW is noon of the 24th.
        late = ended(-5, Reason.QUOTA_EXHAUSTED, reset_date="2026-12-01")
        assert probe_at(late) == from_text(at(3595))
        soon = ended(12 * 3600 - 600, Reason.QUOTA_EXHAUSTED, reset_date="2026-11-25")
        assert probe_at(soon) == from_text("2026-11-25T00:00:00.000Z")

    @pytest.mark.parametrize("reset_date", ["", "2026-11-24", "soon"])
    def test_a_used_up_plan_without_a_date_to_come_once_a_minute(self, reset_date: str) -> None:
        assert probe_at(ended(-5, Reason.QUOTA_EXHAUSTED, reset_date=reset_date)) == from_text(at(55))


class TestOtherCollections:
    """What one of them finds out holds for all that it concerns."""

    @pytest.mark.parametrize("reason", sorted(OF_THE_KEY))
    def test_a_refused_key_holds_for_all_that_use_it(self, reason: Reason) -> None:
        others = ends_of("sales/other", [ended(-5, reason)])
        found = find(elsewhere=Elsewhere(same_key=others, everybody=others))
        assert found is not None
        assert (found.reason, found.scope, found.probing) == (reason, Scope.KEY, False)
        assert find(elsewhere=Elsewhere(everybody=others)) is None

    def test_an_answer_to_another_collection_closes_it(self) -> None:
        others = ends_of("sales/other", [ended(-3, Reason.COLLECTED)])
        assert find(ended(-5, Reason.KEY_REFUSED), elsewhere=Elsewhere(same_key=others, everybody=others)) is None

    def test_hunter_is_away_for_all_whatever_their_keys(self) -> None:
        others = ends_of("sales/other", [waits(-6, Reason.HUNTER_UNAVAILABLE, domain) for domain in (A, B)])
        mine = waits(-5, Reason.HUNTER_UNAVAILABLE)
        found = find(mine, elsewhere=Elsewhere(everybody=others))
        assert found is not None
        assert (found.scope, found.since) == (Scope.HUNTER, from_text(at(-6)))
        assert find(mine) is None

    def test_a_failing_storage_and_a_wrong_request_are_a_collections_own(self) -> None:
        others = ends_of(
            "sales/other",
            [ended(-5, Reason.BAD_REQUEST), *(waits(-6, Reason.STORAGE, domain) for domain in (A, B, C))],
        )
        assert find(elsewhere=Elsewhere(same_key=others, everybody=others)) is None

    def test_one_probe_is_enough(self) -> None:
        refused = ended(-5, Reason.KEY_REFUSED)
        busy = find(refused, elsewhere=Elsewhere(same_key_live=1, live=1))
        assert busy is not None
        assert busy.probing
        other_key = find(refused, elsewhere=Elsewhere(live=1))
        assert other_key is not None
        assert not other_key.probing


def test_hunter_may_be_away_for_ten_minutes_before_a_person_is_called() -> None:
    found = find(waits(-5, Reason.HUNTER_UNAVAILABLE, in_a_row=3, since=at(-60)))
    assert found is not None
    assert found.needs_person_at == NOW + timedelta(minutes=9)


def test_throttling_needs_no_person_and_a_refused_key_needs_one_at_once() -> None:
    throttled, refused = find(ended(-5, Reason.THROTTLED)), find(ended(-5, Reason.KEY_REFUSED))
    assert throttled is not None
    assert throttled.needs_person_at is None
    assert refused is not None
    assert refused.needs_person_at == from_text(at(-5))


@pytest.mark.parametrize(("run", "seconds"), [(1, 2), (2, 4), (5, 32), (6, 60), (400, 60)])
def test_a_domain_whose_receipt_was_lost_comes_back_after_a_growing_pause(run: int, seconds: int) -> None:
    assert ready_at(ended(0, Lost.RECEIPT_MISSING, run=run)) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(("in_a_row", "seconds"), [(1, 2), (2, 4), (6, 60)])
def test_a_domain_that_hunter_did_not_answer_pauses_by_its_runs_in_a_row(in_a_row: int, seconds: int) -> None:
    last = waits(0, Reason.HUNTER_UNAVAILABLE, run=400, in_a_row=in_a_row)
    assert ready_at(last) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "last", [None, result(), ended(0, Lost.SUPERSEDED), ended(0, Reason.KEY_REFUSED), ended(0, Reason.CLAIMED)]
)
def test_other_domains_are_ready_at_once(last: Result | None) -> None:
    assert ready_at(last) is None


def probe_at(*results: Result, elsewhere: Elsewhere | None = None, wishes: Wishes | None = None) -> object:
    found = find(*results, elsewhere=elsewhere, wishes=wishes)
    assert found is not None
    return found.probe_at
