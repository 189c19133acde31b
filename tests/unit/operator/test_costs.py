"""What a run has cost: known from receipts, else never too little."""

from builders import SECOND, finished_pod, job, pod, receipt
from novahunt_contract.outcomes import Reason
from novahunt_contract.receipt import Receipt, decode
from novahunt_operator import costs
from novahunt_operator.costs import Heard
from novahunt_operator.records import Pod, Reservation


def cost(
    *receipts: Receipt,
    told: dict[str, int] | None = None,
    complete: bool = True,
    attempts: int | None = None,
    charged: bool = False,
    reservation: Reservation | None = None,
    watched: bool = False,
) -> int:
    """Return the cost of a run whose pods p0, p1, … left these receipts."""
    made = job(reservation=reservation)
    return costs.of_run(
        made,
        [pod(made, created=made.created + 3 * SECOND)],
        {f"p{number}": one for number, one in enumerate(receipts)},
        Heard(told=told or {}, watched=watched, repeats_charged=charged),
        complete=complete,
        attempts=len(receipts) if attempts is None else attempts,
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


def test_of_a_job_that_this_process_made_it_has_heard_all_that_its_attempts_could_spend() -> None:
    reserved = Reservation(100)
    # A pod that was evicted is no attempt to Kubernetes; one that never asked for credits has spent none.
    assert (
        cost(receipt(credits=5), told={"gone": 30, "idle": 0}, complete=False, reservation=reserved, watched=True) == 30
    )
    assert cost(attempts=1, complete=False, reservation=reserved, watched=True) == 0
    assert cost(told={"a": 30, "b": 20}, charged=True, reservation=reserved, watched=True) == 50


def test_after_a_restart_evicted_pods_may_have_spent_all_that_is_set_aside() -> None:
    reserved = Reservation(100)
    assert cost(receipt(credits=5), complete=False, reservation=reserved) == 100
    assert cost(receipt(credits=5), complete=False, reservation=reserved, told={"p0": 5}) == 100
    # The pod that asked last is gone, and those before it are not known.
    charged = Reservation(100, pod="gone", lost=20)
    assert cost(receipt(credits=0, requests=0), complete=False, charged=True, reservation=charged) == 100


AT_ONCE = job().created + SECOND
LATER = job().created + 60 * SECOND
MAY_TRY_AGAIN = receipt(Reason.HUNTER_UNAVAILABLE, credits=5)
LAST = receipt(Reason.DOMAIN_REFUSED, credits=5)


def cost_of_pods(*pods: Pod, attempts: int = 1, told: dict[str, int] | None = None) -> int:
    """Return the cost of a run of which 100 credits are set aside, by the pods that an operator finds at its start."""
    receipts = {one.uid: decode(one.termination_message) for one in pods if one.termination_message}
    made = job(reservation=Reservation(100))
    return costs.of_run(made, pods, receipts, Heard(told=told or {}), complete=False, attempts=attempts)


def test_where_the_first_pod_has_ended_its_job_none_came_before_it_and_none_after() -> None:
    first = finished_pod(job(), LAST, uid="first", created=AT_ONCE)
    assert cost_of_pods(first) == 5
    assert cost_of_pods(first, attempts=2) == 100
    assert cost_of_pods(first, told={"gone": 9}) == 100
    assert cost_of_pods(finished_pod(job(), LAST, created=LATER)) == 100


def test_a_pod_that_left_no_receipt_may_have_spent_all_that_is_set_aside_also_where_it_is_no_attempt() -> None:
    evicted = pod(job(), uid="first", created=AT_ONCE, phase="Failed", finished=True, end_reason="Evicted")
    assert cost_of_pods(evicted, finished_pod(job(), LAST, uid="second", created=LATER)) == 100


def test_after_a_pod_that_did_not_end_its_job_one_may_have_come_and_be_gone() -> None:
    first = finished_pod(job(), MAY_TRY_AGAIN, uid="first", created=AT_ONCE)
    assert cost_of_pods(first, finished_pod(job(), LAST, uid="second", created=LATER), attempts=2) == 100
    # It wrote its receipt and was killed before its process ended: then its Job goes on.
    killed = finished_pod(job(), LAST, uid="first", created=AT_ONCE, exit_code=137)
    assert cost_of_pods(killed) == 100


def test_a_first_pod_that_has_not_begun_has_spent_nothing() -> None:
    waits = pod(job(), created=AT_ONCE, phase="Pending", started=False)
    assert cost_of_pods(waits, attempts=0) == 0
    assert cost_of_pods(waits, attempts=1) == 100


def test_what_earlier_runs_had_paid_for_a_stored_document_is_not_this_runs() -> None:
    stored = receipt(credits=0, requests=0, credits_earlier=40, from_storage=True)
    assert cost(stored, attempts=2, reservation=Reservation(10)) == 10
    assert cost(stored, attempts=2, reservation=Reservation(10), charged=True) == 10
