"""What counts as paid: answers, lost answers, and repeats of what an earlier run paid for."""

from novahunt_collector.paging import Ask
from novahunt_collector.tally import Page, Tally

FIRST, SECOND = Ask(1, 0, 100), Ask(2, 100, 100)


def test_each_answer_is_rounded_up_by_itself() -> None:
    tally = Tally()
    tally.received(FIRST, 11)
    tally.received(SECOND, 11)
    assert tally.credits == 4


def test_pages_that_were_paid_in_this_billing_period_are_free_again() -> None:
    tally = Tally()
    tally.know_paid({Page(0, 100)})
    tally.lost(FIRST)
    tally.received(FIRST, 100)
    tally.received(SECOND, 7)
    assert tally.credits == 1


def test_where_repeats_are_charged_nothing_is_free_again() -> None:
    tally = Tally(repeats_charged=True)
    tally.know_paid({Page(0, 100)})
    tally.received(FIRST, 100)
    assert tally.credits == 10


def test_asking_again_for_what_was_lost_can_cost_no_more_than_is_counted_already() -> None:
    tally = Tally()
    assert tally.most(FIRST) == 10
    tally.lost(FIRST)
    assert (tally.credits, tally.most(FIRST), tally.most(SECOND)) == (10, 0, 10)
    tally.know_paid({Page(100, 100)})
    assert tally.most(SECOND) == 10


def test_where_repeats_are_charged_asking_again_can_cost_as_much_again() -> None:
    tally = Tally(repeats_charged=True)
    tally.lost(FIRST)
    assert (tally.credits, tally.most(FIRST)) == (10, 10)
