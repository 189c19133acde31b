"""What a run has cost: known from receipts, else never too little."""

from builders import job, receipt
from novahunt_contract.outcomes import Reason
from novahunt_contract.receipt import Receipt
from novahunt_operator import costs
from novahunt_operator.records import Reservation


def cost(
    *receipts: Receipt,
    told: dict[str, int] | None = None,
    complete: bool = True,
    attempts: int | None = None,
    charged: bool = False,
    reservation: Reservation | None = None,
) -> int:
    """Return the cost of a run whose pods p0, p1, … left these receipts."""
    return costs.of_run(
        job(reservation=reservation),
        {f"p{number}": one for number, one in enumerate(receipts)},
        told or {},
        complete=complete,
        attempts=len(receipts) if attempts is None else attempts,
        repeats_charged=charged,
    )


def test_one_attempt_costs_what_its_receipt_says() -> None:
    assert cost(receipt(credits=7)) == 7
    assert cost(receipt(credits=7), charged=True) == 7


def test_the_attempt_that_got_furthest_has_paid_for_all_and_saved_pages_were_paid_by_an_earlier_one() -> None:
    assert cost(receipt(credits=20), receipt(credits=15, credits_earlier=10)) == 25


def test_where_repeats_are_charged_every_attempt_counts_and_saved_pages_once() -> None:
    assert cost(receipt(credits=20), receipt(credits=15, credits_earlier=20), charged=True) == 35


def test_an_attempt_without_receipt_does_not_matter_when_a_later_one_is_complete() -> None:
    reserved = Reservation(100)
    assert cost(receipt(credits=30, requests=3), attempts=2, told={"gone": 60}, reservation=reserved) == 30


def test_a_complete_attempt_that_asked_nothing_has_paid_what_it_says_of_earlier_ones() -> None:
    stored = receipt(credits=0, requests=0, credits_earlier=14, from_storage=True)
    assert cost(stored, attempts=2, told={"gone": 20}) == 14
    # Even where nobody counts the killed one as an attempt, or remembers what it told.
    assert cost(stored, attempts=1, charged=True) == 14


def test_an_attempt_without_receipt_counts_where_a_suppression_list_answered_for_it() -> None:
    suppressed = receipt(Reason.SUPPRESSED, credits=0, requests=0)
    assert cost(suppressed, attempts=2, told={"gone": 7}) == 7
    assert cost(suppressed, attempts=1) == 0


def test_an_attempt_without_receipt_counts_with_what_is_set_aside_when_none_is_complete() -> None:
    reserved = Reservation(100)
    assert cost(receipt(credits=30), attempts=2, complete=False, reservation=reserved) == 100
    assert cost(attempts=1, complete=False, reservation=reserved) == 100


def test_without_a_budget_it_counts_with_what_it_told_last() -> None:
    assert cost(receipt(credits=30), told={"gone": 60}, attempts=2, complete=False) == 60
    assert cost(receipt(credits=30), told={"gone": 60, "p0": 40}, attempts=2, charged=True) == 90


def test_what_lost_attempts_cost_where_repeats_are_charged_is_on_the_reservation() -> None:
    reservation = Reservation(80, pod="p0", lost=30)
    assert cost(receipt(credits=20, credits_earlier=10), charged=True, reservation=reservation) == 60


def test_where_repeats_are_charged_a_last_attempt_without_receipt_counts_in_full() -> None:
    reservation = Reservation(80, pod="gone", lost=30)
    assert cost(receipt(credits=20), charged=True, complete=False, attempts=2, reservation=reservation) == 80
