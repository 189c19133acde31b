"""A collection's credits: what is used, set aside and left, whatever was deleted and whichever month it is."""

from datetime import UTC, datetime
from typing import Any

import pytest

from builders import NOW, collection, job, result, spec
from novahunt_api.domainresults import Result
from novahunt_api.statusobject import CollectionStatus, Credits
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_operator.account import (
    Account,
    Books,
    account,
    month_ends,
    price_to_start,
    share_allows_more,
    share_is_spent,
)
from novahunt_operator.records import Job, Reservation

A, B = "a.example", "b.example"


def of(
    *records: Job | Result, books: Books | None = None, shown: Credits | None = None, now: datetime = NOW, **budget: Any
) -> Account:
    """Return the account of a collection with these Jobs and results."""
    wishes = collection(spec(budget={"maxCredits": 100, **budget}), status=CollectionStatus(credits=shown))
    jobs = [one for one in records if isinstance(one, Job)]
    results = {one.domain: one for one in records if isinstance(one, Result)}
    return account(wishes, jobs, results, books or Books(), now)


def reserving(credits_: int, domain: str = A, run: int = 1, **fields: Any) -> Job:
    return job(domain, run, reservation=Reservation(credits_), **fields)


def test_what_all_runs_cost_is_used_and_the_rest_is_left() -> None:
    found = of(result(A, credits_total=30), result(B, credits_total=5))
    assert (found.used, found.reserved, found.available) == (35, 0, 65)


def test_a_run_that_is_not_settled_counts_with_all_that_is_set_aside_for_it() -> None:
    found = of(result(A, run=1, credits_total=10), reserving(20, A, run=2), reserving(30, B))
    assert (found.used, found.reserved, found.available) == (10, 50, 40)


def test_a_settled_run_counts_by_what_it_cost_and_no_more() -> None:
    assert of(result(A, run=2, credits_total=12), reserving(50, A, run=2)).available == 88


def test_a_job_of_a_collection_that_is_gone_sets_nothing_aside() -> None:
    assert of(reserving(50, A, owner_uid="another")).reserved == 0


def test_what_is_promised_counts_before_the_job_shows_it_and_once_afterwards() -> None:
    promised = reserving(20)
    books = Books(holds={promised.key.name: 30, "a-job-to-come": 10})
    assert of(promised, books=books).reserved == 40


def test_more_than_the_limit_leaves_nothing() -> None:
    assert of(result(A, credits_total=130)).available == 0


def test_without_a_limit_anything_is_left() -> None:
    wishes = collection(spec(budget={"maxCreditsPerDomain": 5}))
    assert account(wishes, (), {}, Books(), NOW).available is None


def test_a_deleted_result_and_a_job_deleted_while_it_ran_stay_used() -> None:
    books = Books(lost=(result(A, credits_total=7), reserving(20, B)))
    assert (of(books=books).used, of(books=books).removed) == (27, 27)


def test_a_job_without_budget_that_was_deleted_counts_what_its_pods_told() -> None:
    lost = job(A)
    wishes = collection(spec())
    assert account(wishes, (), {}, Books(told={lost.uid: {"p": 12}}, lost=(lost,)), NOW).used == 12


def test_what_was_removed_stays_so_when_others_spend_more() -> None:
    shown = Credits(used=40, removed=10)
    assert of(result(A, credits_total=35), shown=shown).used == 45


def test_what_was_deleted_while_nobody_watched_stays_used() -> None:
    found = of(result(A, credits_total=5), shown=Credits(used=40))
    assert (found.used, found.removed) == (40, 35)


def test_a_month_counts_its_own_credits_alone() -> None:
    results = (
        result(A, credits_total=30, month="2026-10", credits_month=30),
        result(B, credits_total=30, month="2026-11", credits_month=4),
    )
    found = of(*results, shown=Credits(used=90, period="2026-10", removed=60), period="Month")
    assert (found.used, found.removed, found.period, found.available) == (4, 0, "2026-11", 96)
    december = of(*results, now=datetime(2026, 12, 1, tzinfo=UTC), period="Month")
    assert december.available == 100


def test_a_month_ends_with_the_first_moment_of_the_next_one() -> None:
    assert month_ends(NOW) == datetime(2026, 12, 1, tzinfo=UTC)
    assert month_ends(datetime(2026, 12, 31, 23, 59, tzinfo=UTC)) == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "price"),
    [({}, 10), ({"maxResults": 10}, 1), ({"pageSize": 25}, 3), ({"pageSize": 50, "maxResults": 45}, 5)],
)
def test_a_domain_starts_with_what_its_first_page_can_cost(fields: dict[str, int], price: int) -> None:
    assert price_to_start(spec(**fields), None) == price


def test_a_run_that_the_budget_stopped_needs_more_than_it_had_where_nothing_was_saved() -> None:
    stopped = result(A, Reason.BUDGET, outcome=Outcome.PENDING, credits=20)
    assert price_to_start(spec(), stopped) == 30
    volume = {"persistentVolumeClaim": {"claimName": "c"}}
    assert price_to_start(spec(storage=volume), stopped) == 10


@pytest.mark.parametrize(
    ("used", "emails", "is_spent"),
    [(0, 0, False), (49, 0, False), (50, 0, True), (20, 300, False), (21, 300, True)],
)
def test_a_share_is_spent_when_no_run_could_get_beyond_what_is_stored(
    used: int,
    emails: int,
    is_spent: bool,  # noqa: FBT001 - a table
) -> None:
    wishes = spec(budget={"maxCreditsPerDomain": 50})
    assert share_is_spent(wishes, result(A, credits_total=used, emails=emails), NOW) is is_spent


@pytest.mark.parametrize(("share", "more"), [(50, False), (100, False), (101, True), (None, True)])
def test_a_domain_that_its_share_cut_off_runs_again_when_it_could_get_further(
    share: int | None,
    more: bool,  # noqa: FBT001 - a table
) -> None:
    wishes = spec(budget={"maxCreditsPerDomain": share} if share else {"maxCredits": 1})
    cut_off = result(A, Reason.DOMAIN_BUDGET, credits_total=50, emails=500, max_credits=50)
    assert share_allows_more(wishes, cut_off, NOW) is more
