"""Credits: prices, repeats, plans, caps and billing periods."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hunter_simulator import AnswerStatus, Config, Domain, Fault, Key, Plan, Settings, price
from hunter_simulator.plans import period_at, with_reset_date
from unit.hunter_simulator.asking import Asking


def _with_plan(plan: Plan, settings: Settings | None = None) -> Asking:
    return Asking(Config(settings=settings or Settings(), keys=(Key("demo-key", plan),)))


@pytest.mark.parametrize(
    ("addresses", "credits_"), [(0, 0), (1, 1), (9, 1), (10, 1), (11, 2), (99, 10), (100, 10), (5000, 500)]
)
def test_a_credit_buys_up_to_ten_addresses(addresses: int, credits_: int) -> None:
    assert price(addresses) == credits_


def test_each_call_is_rounded_up_by_itself(hunter: Asking) -> None:
    spent = [hunter.search("n25.example", limit=11, offset=offset).credits for offset in (0, 11, 22)]
    assert spent == [2, 2, 1]
    assert hunter.simulator.report().credits == 5


@pytest.mark.parametrize("domain", ["nobody.example", "n0.example", "webmail.example"])
def test_nothing_found_costs_nothing(hunter: Asking, domain: str) -> None:
    assert hunter.search(domain).credits == 0


def test_a_filter_that_lets_nobody_through_costs_nothing(hunter: Asking) -> None:
    assert hunter.search("n25.example", type="generic", seniority="senior").credits == 0


def test_counts_and_account_are_free(hunter: Asking) -> None:
    hunter.get("email-count", domain="n250.example")
    hunter.get("account")
    assert hunter.simulator.report().credits == 0


def test_a_repeat_in_the_same_period_is_free(hunter: Asking) -> None:
    first = hunter.search("n250.example", limit=100, department="it,hr")
    again = hunter.search("N250.example", limit=100, department="HR, it", offset=0)
    assert (first.credits > 0, first.entry.repeat) == (True, False)
    assert (again.credits, again.entry.repeat, again.emails) == (0, True, first.emails)
    report = hunter.simulator.report()
    assert (report.repeats_free, report.repeats_charged) == (1, 0)


@pytest.mark.parametrize("change", [{"offset": 10}, {"limit": 20}, {"type": "personal"}])
def test_another_page_or_filter_is_no_repeat(hunter: Asking, change: dict[str, str]) -> None:
    hunter.search("n250.example", limit=10)
    other = hunter.search("n250.example", key="demo-key", **({"limit": 10} | change))
    assert other.credits > 0
    assert not other.entry.repeat


def test_another_keys_request_is_no_repeat(hunter: Asking) -> None:
    hunter.simulator.set_key("other")
    assert [hunter.search("n250.example", key=key).credits for key in ("demo-key", "other")] == [1, 1]


def test_a_switch_charges_repeats() -> None:
    hunter = _with_plan(Plan(), Settings(repeats_cost=True))
    assert [hunter.search("n250.example", limit=100).credits for _ in range(3)] == [10, 10, 10]
    report = hunter.simulator.report()
    assert (report.credits, report.repeats_free, report.repeats_charged) == (30, 0, 2)


def test_a_repeat_costs_again_in_the_next_period(hunter: Asking) -> None:
    hunter.search("n250.example")
    hunter.simulator.move_clock_to(datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC))
    assert hunter.search("n250.example").credits == 0
    hunter.simulator.advance_clock(timedelta(seconds=1))
    assert hunter.search("n250.example").credits == 1


def test_a_used_up_plan_is_429_that_speaks_of_the_billing_period() -> None:
    hunter = _with_plan(Plan(credits=10))
    hunter.search("n250.example", limit=100)
    answer = hunter.search("n250.example", limit=100, offset=100)
    status, error_id, details = answer.error
    assert (status, error_id, answer.credits) == (429, "usage_limit_reached", 0)
    assert all(word in details for word in ("billing period", "usage limit", "plan"))


def test_in_the_other_world_used_up_is_402() -> None:
    hunter = _with_plan(Plan(credits=0), Settings(used_up_status=402))
    assert hunter.search("n25.example").error_id == (402, "payment_required")


def test_an_answer_dearer_than_what_is_left_is_refused_and_a_cheaper_one_given() -> None:
    hunter = _with_plan(Plan(credits=10, used_before=7.5))
    assert hunter.search("n250.example", limit=100).status == 429
    assert hunter.search("n250.example", limit=20).credits == 2
    assert hunter.search("n250.example", limit=10, offset=20).status == 429


def test_with_nothing_left_repeats_are_given_and_even_empty_searches_refused() -> None:
    hunter = _with_plan(Plan(credits=1))
    assert hunter.search("n250.example").credits == 1
    assert hunter.search("n250.example").status == 200
    assert hunter.search("nobody.example").status == 429
    assert hunter.get("email-count", domain="n250.example").status == 200


def test_a_new_period_fills_the_plan_again() -> None:
    hunter = _with_plan(Plan(credits=1, used_before=1, reset_date=date(2026, 12, 9)))
    assert hunter.search("n5.example").status == 429
    hunter.simulator.move_clock_to(datetime(2026, 12, 9, tzinfo=UTC))
    assert hunter.search("n5.example").status == 200
    assert hunter.get("account").body["data"]["reset_date"] == "2027-01-09"


def test_the_account_tells_plan_reset_date_and_fractions() -> None:
    hunter = _with_plan(Plan(name="Free", credits=50, used_before=12.5))
    hunter.search("n25.example", limit=25)
    data = hunter.get("account").body["data"]
    assert (data["plan_name"], data["reset_date"]) == ("Free", "2026-12-01")
    assert data["requests"]["searches"] == {"used": 15.5, "available": 50}
    assert data["requests"]["credits"] == {"used": 15.5, "available": 50, "remaining": 34.5}
    assert data["requests"]["verifications"] == {"used": 0, "available": 100}


def test_the_account_may_leave_credits_out() -> None:
    hunter = _with_plan(Plan(), Settings(account_names_credits=False))
    assert hunter.get("account").body["data"]["requests"].keys() == {"searches", "verifications"}


@pytest.mark.parametrize(("limit", "offset", "status"), [(10, 0, 200), (4, 6, 200), (11, 0, 400), (1, 10, 400)])
def test_a_plans_cap_refuses_what_reaches_beyond_it(limit: int, offset: int, status: int) -> None:
    hunter = _with_plan(Plan(result_cap=10))
    answer = hunter.search("n250.example", limit=limit, offset=offset)
    assert answer.status == status
    if status == 400:
        assert answer.error_id == (400, "pagination_error")
        assert "limited to 10 email addresses on your current plan" in answer.error[2]
        assert answer.credits == 0


def test_a_plans_cap_refuses_outright_however_few_there_are() -> None:
    assert _with_plan(Plan(result_cap=10)).search("n3.example", limit=100).status == 400


def test_a_capped_plan_still_tells_the_whole_number() -> None:
    assert _with_plan(Plan(result_cap=10)).search("n250.example").results == 250


def test_a_refused_search_costs_nothing_and_is_no_repeat_later(hunter: Asking) -> None:
    hunter.simulator.add_fault(Fault(action=AnswerStatus(status=503)))
    assert hunter.search("n250.example").credits == 0
    later = hunter.search("n250.example")
    assert (later.credits, later.entry.repeat) == (1, False)


def test_setting_a_plan_begins_the_account_anew(hunter: Asking) -> None:
    hunter.search("n250.example")
    hunter.simulator.set_key("demo-key", Plan(credits=5))
    assert hunter.get("account").body["data"]["requests"]["searches"] == {"used": 0, "available": 5}
    assert hunter.search("n250.example").credits == 1


def test_a_repeat_stays_free_when_the_domain_has_grown(hunter: Asking) -> None:
    hunter.search("n25.example", limit=100)
    hunter.simulator.set_domain("n25.example", Domain(size=80))
    assert hunter.search("n25.example", limit=100).credits == 0


def test_a_plan_without_reset_date_ends_with_the_month() -> None:
    assert with_reset_date(Plan(), datetime(2026, 12, 31, 23, tzinfo=UTC)).reset_date == date(2027, 1, 1)


@pytest.mark.parametrize(
    ("today", "number", "reset"),
    [
        (date(2020, 1, 1), 0, date(2026, 1, 31)),
        (date(2026, 1, 30), 0, date(2026, 1, 31)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 2, 28), 2, date(2026, 3, 31)),
        (date(2026, 12, 31), 12, date(2027, 1, 31)),
    ],
)
def test_periods_end_on_the_same_day_of_each_month_or_its_last(today: date, number: int, reset: date) -> None:
    period = period_at(datetime(today.year, today.month, today.day, tzinfo=UTC), Plan(reset_date=date(2026, 1, 31)))
    assert (period.number, period.reset_date) == (number, reset)


@given(st.dates(date(2026, 1, 1), date(2040, 1, 1)), st.dates(date(2025, 6, 1), date(2027, 1, 1)))
def test_now_is_always_before_the_reset_date_and_at_most_a_month(today: date, first: date) -> None:
    period = period_at(datetime(today.year, today.month, today.day, 13, tzinfo=UTC), Plan(reset_date=first))
    assert today < period.reset_date
    assert period.number == 0 or period.reset_date - today <= timedelta(days=31)


def test_plans_with_unknown_fields_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"credit": 5}, Plan)
