"""Retention: documents in ConfigMaps are taken back when they are too old, at that very moment, and nothing else."""

from typing import Any

import pytest

from builders import HOUR, NOW, SECOND, at, collection, complete, job, outlook, result, spec
from novahunt_api.domainresults import Place, Result, VolumePlace
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_contract.receipt import ConfigMapPlace
from novahunt_operator.planner import plan
from novahunt_operator.retention import AT_ONCE

A, B = "a.example", "b.example"
KEEPING = collection(spec(retention="1h"))


def stored(domain: str = A, age: float = 7200, **fields: Any) -> Result:
    place = Place(config_map=ConfigMapPlace((f"{domain}-0",), f"{domain}.json"))
    given = {
        "emails": 7,
        "sha256": "ab" * 32,
        "bytes": 9,
        "storage": place,
        "collected_at": at(-age),
        "stored_at": at(-age),
    }
    return result(domain, **{**given, **fields})


def test_a_document_that_is_too_old_is_taken_back_and_the_outcome_stays() -> None:
    (removal,) = plan(outlook(A, of=KEEPING, results=[stored()]), 0).expire
    assert removal.before == stored()
    found = removal.after
    assert (found.outcome, found.reason) == (Outcome.COLLECTED, "Expired")
    assert found.message == "The document was removed after retention 1h."
    assert (found.emails, found.bytes, found.sha256, found.storage) == (0, 0, None, None)
    assert (found.collected_at, found.stored_at) == (None, None)
    assert (found.run, found.ended_at, found.credits_total) == (1, at(-3600), 0)


def test_it_makes_nothing_due_by_itself() -> None:
    (removal,) = plan(outlook(A, of=KEEPING, results=[stored()]), 0).expire
    after = outlook(A, of=KEEPING, results=[removal.after])
    assert after.startable == ()
    assert plan(after, 9).expire == ()


def test_a_younger_one_stays_and_its_time_is_known() -> None:
    found = outlook(A, B, of=KEEPING, results=[stored(A, 3000), stored(B, 3599)])
    assert plan(found, 0).expire == ()
    assert found.wake_at == NOW + SECOND


def test_the_very_moment_counts() -> None:
    assert len(plan(outlook(A, of=KEEPING, results=[stored(age=3600)]), 0).expire) == 1


def test_without_retention_documents_are_kept() -> None:
    assert plan(outlook(A, results=[stored(age=10**8)]), 0).expire == ()


def test_documents_of_domains_that_are_not_wanted_any_more_grow_old_too() -> None:
    assert len(plan(outlook(A, of=KEEPING, results=[stored(B)]), 0).expire) == 1


def test_files_on_a_volume_are_left_to_the_sweep() -> None:
    on_volume = stored(storage=Place(VolumePlace("collections", "q4")))
    assert plan(outlook(A, of=KEEPING, results=[on_volume]), 0).expire == ()


@pytest.mark.parametrize("under_way", [job(A, 2), complete(A, 2)], ids=["at work", "not recorded"])
def test_a_run_that_may_answer_from_it_ends_first(under_way: Any) -> None:
    assert plan(outlook(A, of=KEEPING, results=[stored()], jobs=[under_way]), 0).expire == ()


def test_suspended_collections_grow_old_too_and_deleted_ones_do_not_matter() -> None:
    suspended = collection(spec(retention="1h", suspend=True))
    assert len(plan(outlook(A, of=suspended, results=[stored()]), 0).expire) == 1
    deleting = collection(spec(retention="1h"), deleting=True)
    assert plan(outlook(A, of=deleting, results=[stored()]), 0).expire == ()


def test_why_the_last_run_failed_is_not_forgotten_with_the_document() -> None:
    failed = stored(outcome=Outcome.FAILED, reason=Reason.HUNTER_UNAVAILABLE, message="Hunter is away.")
    (removal,) = plan(outlook(A, of=KEEPING, results=[failed]), 0).expire
    found = removal.after
    assert (found.reason, found.message, found.storage) == (Reason.HUNTER_UNAVAILABLE, "Hunter is away.", None)


def test_many_are_taken_back_some_at_a_time() -> None:
    many = [stored(f"n{number}.example") for number in range(AT_ONCE + 1)]
    found = outlook(of=collection(spec(retention="1h"), created=NOW - HOUR), results=many)
    assert len(plan(found, 0).expire) == AT_ONCE
    assert found.wake_at == NOW
