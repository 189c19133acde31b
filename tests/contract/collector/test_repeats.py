"""What Hunter gives away because it was paid for in the same billing period is counted so; nothing else is."""

from datetime import timedelta
from pathlib import Path

import msgspec

from contract.collector.running import DOMAIN, collect, environ, run_process
from hunter_simulator import AnswerStatus, Fault, Plan, Simulator
from novahunt_contract import document as documents
from novahunt_contract import keys
from novahunt_contract.exitcodes import ExitCode
from novahunt_contract.outcomes import Reason

OTHER_KEY = "another-account"


async def test_collecting_again_in_a_billing_period_costs_nothing_and_is_seen_so(
    simulator: Simulator, folder: Path
) -> None:
    simulator.set_domain(DOMAIN, 230)
    first = await collect(simulator, folder)
    second = await collect(simulator, folder, again=True)
    assert (first.receipt.credits, second.receipt.credits) == (23, 0)
    assert second.receipt.reason is Reason.COLLECTED
    report = simulator.report()
    assert (report.credits, report.repeats_free) == (23, 3)
    # One look at the account page tells when the period began; the first collection had no need to know.
    assert report.paths["/v2/account"] == 1


async def test_a_page_that_has_grown_since_is_paid_for_alone(simulator: Simulator, folder: Path) -> None:
    simulator.set_domain(DOMAIN, 200)
    await collect(simulator, folder, HUNTER_MAX_COLLECT="200")
    simulator.set_domain(DOMAIN, 250)
    more = await collect(simulator, folder, again=True, HUNTER_MAX_COLLECT="250")
    assert more.receipt.credits == 5
    assert simulator.report().credits == 25


async def test_the_next_billing_period_pays_anew(simulator: Simulator, folder: Path) -> None:
    await collect(simulator, folder)
    simulator.advance_clock(timedelta(days=31))
    second = await collect(simulator, folder, again=True)
    assert second.receipt.credits == 3
    assert simulator.report().credits == 6


async def test_other_filters_are_another_request(simulator: Simulator, folder: Path) -> None:
    await collect(simulator, folder)
    second = await collect(simulator, folder, again=True, NOVAHUNT_SEARCH='{"type": "personal"}')
    assert second.receipt.credits == simulator.report().credits - 3 > 0


async def test_where_repeats_are_charged_they_count(simulator: Simulator, folder: Path) -> None:
    simulator.set_settings(msgspec.structs.replace(simulator.settings, repeats_cost=True))
    await collect(simulator, folder, HUNTER_REPEATS_CHARGED="true")
    second = await collect(simulator, folder, again=True, HUNTER_REPEATS_CHARGED="true")
    assert second.receipt.credits == 3
    assert simulator.report().credits == 6


async def test_an_account_page_that_does_not_answer_counts_too_much_rather_than_nothing(
    simulator: Simulator, folder: Path
) -> None:
    await collect(simulator, folder)
    simulator.add_fault(Fault(action=AnswerStatus(status=404), endpoint="account", times=None))
    second = await collect(simulator, folder, again=True)
    assert (second.receipt.reason, second.receipt.credits) == (Reason.COLLECTED, 3)


async def test_the_next_attempt_of_a_run_counts_saved_pages_as_its_own_and_another_run_does_not(
    simulator: Simulator, folder: Path
) -> None:
    simulator.set_domain(DOMAIN, 300)
    simulator.add_fault(Fault(action=AnswerStatus(status=503), offset=200, times=4))
    cut = await collect(simulator, folder, NOVAHUNT_JOB_ID="collect-example.com-1")
    same = await collect(simulator, folder, NOVAHUNT_JOB_ID="collect-example.com-1")
    assert (cut.receipt.reason, cut.receipt.credits) == (Reason.HUNTER_UNAVAILABLE, 20)
    assert (same.receipt.credits, same.receipt.credits_saved, same.receipt.credits_earlier) == (10, 20, 20)
    simulator.add_fault(Fault(action=AnswerStatus(status=503), offset=200, times=4))
    late = same.receipt.stored_at or ""
    await collect(simulator, folder, NOVAHUNT_JOB_ID="collect-example.com-2", NOVAHUNT_NOT_BEFORE=late)
    other = await collect(simulator, folder, NOVAHUNT_JOB_ID="collect-example.com-3", NOVAHUNT_NOT_BEFORE=late)
    # Hunter gave the second run's pages away, for they were asked for in this billing period before.
    assert (other.receipt.credits, other.receipt.credits_saved, other.receipt.credits_earlier) == (0, 0, 0)
    assert simulator.report().credits == 30


async def test_what_another_run_saved_was_paid_by_that_run(simulator: Simulator, folder: Path) -> None:
    simulator.set_domain(DOMAIN, 300)
    simulator.add_fault(Fault(action=AnswerStatus(status=503), offset=200, times=4))
    await collect(simulator, folder, NOVAHUNT_JOB_ID="collect-example.com-1")
    other = await collect(simulator, folder, NOVAHUNT_JOB_ID="collect-example.com-2")
    assert (other.receipt.credits, other.receipt.credits_saved, other.receipt.credits_earlier) == (10, 20, 0)


async def test_the_next_attempt_of_a_run_whose_document_is_stored_tells_what_the_run_paid(
    simulator: Simulator, folder: Path
) -> None:
    # The first one was killed after it had stored its document, and so nobody reads its receipt.
    first = await collect(simulator, folder, NOVAHUNT_JOB_ID="collect-example.com-1")
    same = await collect(simulator, folder, NOVAHUNT_JOB_ID="collect-example.com-1")
    assert (same.receipt.from_storage, same.receipt.credits, same.receipt.requests) == (True, 0, 0)
    assert same.receipt.credits_earlier == first.receipt.credits == 3
    other = await collect(simulator, folder, NOVAHUNT_JOB_ID="collect-example.com-2")
    assert (other.receipt.from_storage, other.receipt.credits_earlier) == (True, 0)


async def test_another_accounts_key_pays_again_and_its_budget_holds(
    simulator: Simulator, place: Path, folder: Path
) -> None:
    simulator.set_domain(DOMAIN, 400)
    simulator.set_key(OTHER_KEY, Plan(credits=1000))
    await collect(simulator, folder)
    arguments = ["--again", "--max-credits", "10", DOMAIN]
    ended = await run_process(arguments, environ(simulator, folder, HUNTER_API_KEY=OTHER_KEY), place)
    assert ended.code == ExitCode.BUDGET_REFUSED
    assert simulator.report().credits == 40 + 10
    assert ended.receipt is not None
    assert ended.receipt.credits == 10


async def test_a_document_of_two_keys_is_free_for_neither(simulator: Simulator, folder: Path) -> None:
    simulator.set_domain(DOMAIN, 250)
    simulator.set_key(OTHER_KEY, Plan(credits=1000))
    simulator.add_fault(Fault(action=AnswerStatus(status=503), offset=200, times=4))
    await collect(simulator, folder)
    mixed = await collect(simulator, folder, HUNTER_API_KEY=OTHER_KEY)
    assert mixed.document is not None
    assert (mixed.document.pages, mixed.document.key) == ((100, 100, 100), "")
    again = await collect(simulator, folder, again=True, HUNTER_API_KEY=OTHER_KEY)
    assert again.receipt.credits == 25
    assert again.document is not None
    assert again.document.key == keys.fingerprint(OTHER_KEY)


async def test_a_document_that_does_not_tell_its_key_is_not_free(simulator: Simulator, folder: Path) -> None:
    await collect(simulator, folder)
    path = folder / documents.file_name(DOMAIN)
    path.write_bytes(documents.encode(msgspec.structs.replace(documents.decode(path.read_bytes()), key="")))
    assert (await collect(simulator, folder, again=True)).receipt.credits == 3


async def test_the_next_attempt_does_not_tell_what_another_run_paid_for_the_pages_of_its_document(
    simulator: Simulator, folder: Path
) -> None:
    simulator.set_domain(DOMAIN, 300)
    simulator.add_fault(Fault(action=AnswerStatus(status=503), offset=200, times=4))
    await collect(simulator, folder, NOVAHUNT_JOB_ID="collect-example.com-1")
    # This one was killed after it had stored its document, and so nobody reads its receipt.
    killed = await collect(simulator, folder, NOVAHUNT_JOB_ID="collect-example.com-2")
    assert killed.document is not None
    assert (killed.document.credits, killed.document.run_credits) == (30, 10)
    same = await collect(simulator, folder, NOVAHUNT_JOB_ID="collect-example.com-2")
    assert (same.receipt.from_storage, same.receipt.credits_saved, same.receipt.credits_earlier) == (True, 30, 10)
