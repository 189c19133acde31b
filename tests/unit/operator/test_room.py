"""Room in ConfigMaps: the limit is judged early, named with what to do, and never makes a domain fail."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import (
    NOW,
    at,
    collection,
    complete,
    failed,
    finished_pod,
    job,
    outlook,
    receipt,
    result,
    scheduling,
    spec,
)
from novahunt_api.conditions import ConditionType, find
from novahunt_api.domainresults import Place, Result, VolumePlace
from novahunt_api.statusobject import CollectionStatus, Estimate, ResultsSelector
from novahunt_api.waiting import Wait
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_contract.receipt import ConfigMapPlace
from novahunt_operator.events import transitions
from novahunt_operator.planner import Limits, Outlook
from novahunt_operator.records import Job, Pod
from novahunt_operator.room import BYTES_PER_ADDRESS, ENOUGH_DOCUMENTS, Room, refusal
from novahunt_operator.settle import RECEIPT_GRACE, settle
from novahunt_operator.status import compute
from novahunt_operator.stored import config_map_bytes
from novahunt_operator.waits import Waiting, find_wait

A, B, C, D = "a.example", "b.example", "c.example", "d.example"
MIB = 2**20
ON_A_VOLUME = spec(storage={"persistentVolumeClaim": {"claimName": "collections"}})


def kept(domain: str, stored_bytes: int, **fields: Any) -> Result:
    place = Place(config_map=ConfigMapPlace((f"{domain}-0",), f"{domain}.json"))
    return result(domain, **{"storage": place, "stored_bytes": stored_bytes, "collected_at": at(-3600), **fields})


def refused(domain: str, refused_bytes: int, **fields: Any) -> Result:
    given = {"outcome": Outcome.PENDING, "refused_bytes": refused_bytes, "ended_at": at(-600)}
    return result(domain, Reason.STORAGE, **{**given, **fields})


def some(count: int, stored_bytes: int) -> list[Result]:
    return [kept(f"s{number}.example", stored_bytes) for number in range(count)]


def within(limit: int, *domains: str, **parts: Any) -> Outlook:
    return outlook(*domains, limits=Limits(max_config_map_bytes=limit), **parts)


def room(found: Outlook) -> Room:
    assert found.room is not None
    return found.room


def wait(found: Outlook) -> Waiting | None:
    return find_wait(found, scheduling(), None)


# ---------------------------------------------------------------------- what is used and expected


def test_what_is_used_counts_the_documents_of_domains_that_left_the_list_and_none_on_volumes() -> None:
    moved = result(B, storage=Place(VolumePlace("c", "p")), stored_bytes=50)
    found = within(1000, A, results=[kept(A, 300), kept("gone.example", 40), moved])
    assert room(found).used == 340


def test_a_collection_on_a_volume_has_no_limit() -> None:
    found = within(1, A, of=collection(ON_A_VOLUME), results=[kept(B, 300)])
    assert (found.room, found.startable) == (None, (A,))


def test_what_all_will_take_is_judged_by_the_average_once_there_are_enough_documents() -> None:
    stored = some(ENOUGH_DOCUMENTS, 100)
    wanted = [one.domain for one in stored]
    found = within(10_000, *wanted, A, B, C, jobs=[job(C)], results=stored)
    assert room(found).expected == ENOUGH_DOCUMENTS * 100 + 3 * 100
    assert room(within(10_000, *wanted[1:], A, results=stored[1:])).expected == 0


def test_before_that_by_the_estimate_of_addresses() -> None:
    estimated = collection(status=CollectionStatus(estimate=Estimate(emails=9100)))
    assert room(within(10_000, A, of=estimated)).expected == 9100 * BYTES_PER_ADDRESS
    assert room(within(10_000, A)).expected == 0


def test_a_refresh_is_not_expected_to_take_more() -> None:
    stored = some(ENOUGH_DOCUMENTS, 100)
    of = collection(spec(refreshAfter="1m"))
    found = within(10_000, *(one.domain for one in stored), of=of, results=stored)
    assert len(found.survey.refreshing) == ENOUGH_DOCUMENTS
    assert room(found).expected == ENOUGH_DOCUMENTS * 100


def test_the_status_tells_what_is_used_allowed_and_expected() -> None:
    stored = some(ENOUGH_DOCUMENTS, 100)
    found = within(10_000, *(one.domain for one in stored), A, results=stored)
    place = compute(found, wait(found)).results
    assert place is not None
    assert place.config_map == ResultsSelector("novahunt.io/collection=q4", 500, 10_000, 600)


def test_too_little_room_is_said_long_before_it_is_used_up() -> None:
    stored = some(ENOUGH_DOCUMENTS, MIB)
    more = [f"d{number}.example" for number in range(200)]
    found = within(100 * MIB, *(one.domain for one in stored), *more, results=stored)
    ready = find(compute(found, wait(found)).conditions, ConditionType.READY)
    assert ready is not None
    assert ready.reason == "InProgress"
    assert "expected to take 205 MiB in ConfigMaps, and 100 MiB is the limit" in ready.message
    assert "spec.storage.persistentVolumeClaim" in ready.message
    assert found.startable == tuple(more[:2])


def test_it_is_told_once_in_an_event_that_warns() -> None:
    stored = some(ENOUGH_DOCUMENTS, MIB)
    wanted = [*(one.domain for one in stored), *(f"d{number}.example" for number in range(200))]
    found = within(100 * MIB, *wanted, results=stored)
    shown = compute(found, wait(found))
    (note,) = [one for one in transitions(CollectionStatus(), shown) if one.reason == "StorageScarce"]
    assert (note.warning, note.once) == (True, str(100 * MIB))
    assert "expected to take 205 MiB" in note.message
    assert [one for one in transitions(shown, shown) if one.reason == "StorageScarce"] == []


# ---------------------------------------------------------------------- what starts


def test_a_first_document_starts_while_anything_is_left_and_nothing_when_all_is_used() -> None:
    assert within(301, A, results=[kept(B, 300)]).startable == (A,)
    found = within(300, A, results=[kept(B, 300)])
    assert (found.startable, found.cramped) == ((), 1)


def test_once_the_average_is_known_only_what_is_expected_to_fit_starts() -> None:
    stored = some(ENOUGH_DOCUMENTS, 100)
    assert within(699, A, B, results=stored).startable == (A,)
    assert within(700, A, B, results=stored).startable == (A, B)
    assert within(599, A, B, results=stored).startable == ()


def test_running_jobs_are_left_what_they_are_expected_to_need() -> None:
    stored = some(ENOUGH_DOCUMENTS, 100)
    assert within(699, A, B, jobs=[job(B)], results=stored).startable == ()
    assert within(700, A, B, jobs=[job(B)], results=stored).startable == (A,)
    on_volume = job(B, claim_name="c", path="p")
    assert within(699, A, B, jobs=[on_volume], results=stored).startable == (A,)


def test_a_refresh_starts_where_no_new_document_fits() -> None:
    stored = some(ENOUGH_DOCUMENTS, 100)
    of = collection(spec(refreshAfter="1m", concurrency=9))
    found = within(550, *(one.domain for one in stored), A, of=of, results=stored)
    assert len(found.startable) == ENOUGH_DOCUMENTS
    assert (found.cramped, A in found.startable) == (1, False)


def test_a_refused_document_stops_the_starts_until_there_is_room_for_it() -> None:
    results = [kept(B, 300), refused(A, 800)]
    full = within(1000, A, C, results=results)
    assert (full.startable, room(full).refused) == ((), True)
    assert within(1101, A, C, results=results).startable == (A, C)
    assert within(1000, A, C, of=collection(ON_A_VOLUME), results=results).startable == (A, C)


def test_a_refused_replacement_needs_only_what_it_takes_beyond_the_old_document() -> None:
    replaced = kept(A, 300, outcome=Outcome.PENDING, reason="Storage", refused_bytes=500, ended_at=at(-600))
    assert within(499, A, results=[replaced]).startable == ()
    assert within(500, A, results=[replaced]).startable == (A,)


# ---------------------------------------------------------------------- what is said


def test_used_up_room_needs_a_person_and_says_what_to_do() -> None:
    found = wait(within(100 * MIB, A, C, results=[kept(B, 100 * MIB)]))
    assert found is not None
    assert (found.reason, found.stalled) == (Wait.STORAGE, True)
    assert found.message == (
        "The documents take 100 MiB of the 100 MiB that this collection may use in ConfigMaps; 2 domains wait. "
        "Set spec.storage.persistentVolumeClaim: what is stored stays where it is and is read there, "
        "the rest goes to the volume."
    )


def test_a_refused_document_is_named_at_once_although_its_domain_pauses() -> None:
    found = wait(within(1000, A, results=[kept(B, 300), refused(A, 800, ended_at=at(-1))]))
    assert found is not None
    assert (found.reason, found.stalled) == (Wait.STORAGE, True)


def test_room_that_running_jobs_may_leave_is_waited_for_without_a_person() -> None:
    found = wait(within(650, A, B, jobs=[job(B)], results=some(ENOUGH_DOCUMENTS, 100)))
    assert found is not None
    assert (found.reason, found.stalled) == (Wait.STORAGE, False)


def test_a_full_collection_that_has_ended_needs_nobody() -> None:
    found = within(300, B, results=[kept(B, 300)])
    assert wait(found) is None
    ready = find(compute(found, None).conditions, ConditionType.READY)
    assert ready is not None
    assert ready.status == "True"


@pytest.mark.parametrize(
    ("size", "text"), [(10, "10 bytes"), (1536, "1.5 KiB"), (100 * MIB, "100 MiB"), (3 * 2**30, "3 GiB")]
)
def test_sizes_are_told_as_people_read_them(size: int, text: str) -> None:
    assert f"takes {text} in ConfigMaps" in refusal(size, 1, 2)


def test_a_refusal_says_what_is_used_and_what_to_do_within_what_collectors_keep_of_it() -> None:
    sentence = refusal(99 * MIB, 1023 * MIB, 1023 * MIB)
    assert "the collection's documents take 1023 MiB of 1023 MiB" in sentence
    assert "Set spec.storage.persistentVolumeClaim" in sentence
    assert len(sentence) <= 300


# ---------------------------------------------------------------------- how runs end


def refused_end(run: int = 2, **fields: Any) -> tuple[Job, Pod]:
    ended = failed("BackoffLimitExceeded", A, run, failed=4, **fields)
    return ended, finished_pod(ended, receipt(Reason.STORAGE, domain=A, run=run, message="No room.", credits=3))


def ended_as(before: Result | None, ended: tuple[Job, Pod]) -> Result:
    made, last = ended
    found = settle(made, [last], before, NOW + RECEIPT_GRACE)
    assert found is not None
    return found


def test_a_document_refused_for_want_of_room_leaves_its_domain_waiting_and_the_old_document_in_place() -> None:
    before = kept(A, 300, refused_bytes=900, sha256="ab" * 32)
    found = ended_as(before, refused_end())
    assert (found.outcome, found.reason, found.message) == (Outcome.PENDING, Reason.STORAGE, "No room.")
    assert (found.storage, found.stored_bytes, found.sha256) == (before.storage, 300, "ab" * 32)
    assert (found.refused_bytes, found.credits_total) == (900, 3)


def test_want_of_room_is_no_failing_storage_for_a_smaller_document_may_fit() -> None:
    full = [waiting(domain, refused_bytes=900) for domain in (A, B, C)]
    assert outlook(A, B, C, results=full).breaker is None
    broken = [waiting(domain) for domain in (A, B, C)]
    found = outlook(A, B, C, results=broken).breaker
    assert found is not None
    assert found.reason == Reason.STORAGE


def test_what_the_intake_recorded_of_a_document_stays_when_its_run_is_settled() -> None:
    place = ConfigMapPlace((f"{A}-0",), f"{A}.json")
    ended = complete(A, run=2)
    note = receipt(domain=A, run=2, config_map=place, sha256="ab" * 32, bytes=5000)
    for before, expected in ((kept(A, 300, sha256="ab" * 32), 300), (kept(A, 300, sha256="cd" * 32), 5000)):
        found = ended_as(before, (ended, finished_pod(ended, note)))
        assert (found.stored_bytes, found.refused_bytes) == (expected, 0)


def test_a_document_on_a_volume_takes_nothing() -> None:
    ended = complete(A, run=2, claim_name="c", path="p")
    found = ended_as(kept(A, 300), (ended, finished_pod(ended, receipt(domain=A, run=2))))
    assert (found.stored_bytes, config_map_bytes(found)) == (0, 0)


def test_a_removed_document_takes_nothing() -> None:
    ended = failed("PodFailurePolicy", A, 2)
    found = ended_as(kept(A, 300), (ended, finished_pod(ended, receipt(Reason.CLAIMED, domain=A, run=2))))
    assert (found.stored_bytes, config_map_bytes(found)) == (0, 0)


# ---------------------------------------------------------------------- whatever there is

_sizes = st.integers(0, 400)


@given(
    held=st.lists(_sizes, max_size=12),
    wanted_again=st.lists(_sizes, max_size=4),
    at_work=st.integers(0, 4),
    limit=st.integers(1, 3000),
    concurrency=st.integers(1, 8),
)
def test_whatever_is_stored_and_runs_no_more_starts_than_is_expected_to_fit(
    held: list[int], wanted_again: list[int], at_work: int, limit: int, concurrency: int
) -> None:
    results = [kept(f"s{number}.example", size) for number, size in enumerate(held)]
    results += [refused(f"r{number}.example", size) for number, size in enumerate(wanted_again)]
    jobs = [job(f"w{number}.example") for number in range(at_work)]
    domains = [*(one.domain for one in results), *(one.domain for one in jobs), A, B, C, D]
    found = within(limit, *domains, of=collection(spec(concurrency=concurrency)), jobs=jobs, results=results)
    mean = -(-sum(held) // max(1, sum(size > 0 for size in held)))
    known = mean if sum(size > 0 for size in held) >= ENOUGH_DOCUMENTS else 1
    needs = dict(zip((f"r{number}.example" for number in range(9)), wanted_again, strict=False))
    added = sum(needs.get(domain) or max(1, known) for domain in found.startable)
    if found.startable:
        assert sum(held) + at_work * max(1, known) + added <= limit
        assert all(sum(held) + size <= limit for size in wanted_again)
    assert len(found.startable) <= max(0, concurrency - at_work)


def waiting(domain: str, **fields: Any) -> Result:
    return result(domain, Reason.STORAGE, outcome=Outcome.PENDING, **fields)
