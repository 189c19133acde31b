"""Receipts: what an end cost is told whole, whatever the end."""

from novahunt_collector import receipts
from novahunt_collector.paging import Ask
from novahunt_collector.tally import Tally
from novahunt_contract.outcomes import Reason


def test_a_run_that_a_suppression_list_ends_tells_what_its_earlier_attempts_have_paid() -> None:
    name = receipts.RunName(domain="example.com", run=1, job_id="collect-example.com-1")
    tally = Tally()
    tally.took_over(credits=20, requests=2, of_this_run=20)
    tally.received(Ask(3, 200, 100), 95)
    ended = receipts.of_suppressed(name, tally, message="it is listed", suppression="digest")
    assert (ended.credits, ended.credits_earlier) == (10, 20)
    failed = receipts.of_failure(name, Reason.BUDGET, "no credits", tally)
    assert (failed.credits, failed.credits_earlier) == (10, 20)
