"""What REST calls a job: one name, one state and one progress for the domain of a collection."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import KEY, NOW, collection, result, spec
from novahunt_api.conditions import Condition, ConditionType
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Place, Result, VolumePlace
from novahunt_api.objects import Key
from novahunt_api.statusobject import CollectionStatus, DomainCounts, RunningDomain
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_gateway.jobs import (
    Job,
    State,
    chosen,
    collection_name,
    domain_of,
    is_active,
    is_wish,
    job_id,
    job_of,
    works,
)
from novahunt_gateway.standing import Standing

A = "a.example"
WISH, LATER = "1732233600000", "1732233700000"
READY = Condition(ConditionType.READY, "True", "Completed")
PLACE = Place(persistent_volume_claim=VolumePlace("claim", "q4"))


def asked(wish: str | None = WISH, **status: Any) -> Collection:
    made = collection(spec(domains=[A], recollect=wish))
    return msgspec.structs.replace(made, status=CollectionStatus(**status))


def ended(reason: Reason = Reason.COLLECTED, **fields: Any) -> Result:
    return result(A, reason, **{"recollect": WISH, "emails": 7, "storage": PLACE, "stored_at": "2026-11-26", **fields})


def standing(one: Collection | None, found: Result | None, *, is_listed: bool = True) -> Standing:
    return Standing(one.key if one is not None else KEY, A, one, found, is_listed)


def told_of(one: Collection, found: Result | None) -> Job:
    return job_of(standing(one, found))


def test_a_domain_has_one_collection_whose_name_kubernetes_takes() -> None:
    assert collection_name("example.com") == "collect-example.com"
    long = f"{'a' * 60}.example"
    assert collection_name(long) != collection_name(f"{'a' * 60}.test")


@given(st.from_regex(r"\A([a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?\.){1,4}[a-z]{2,10}\Z"))
def test_every_name_is_a_label_value_and_the_same_each_time(domain: str) -> None:
    name = collection_name(domain)
    assert len(name) <= 63
    assert name == collection_name(domain)
    assert name[-1].isalnum()


def test_a_jobs_name_tells_its_domain() -> None:
    assert job_id(A, WISH) == f"collect-{A}-{WISH}"
    assert domain_of(job_id(A, WISH)) == A
    assert domain_of("collect-xn--bcher-kva.example-1") == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    "text",
    ["", "collect-", "collect-a.example", "collect-../../etc-1", "collect-A.example-1", "erase-a.example-1",
     "collect-a.example-1x", "collect-a.example-\u0661", "collect-www.a.example-1"],
)  # fmt: skip
def test_what_is_no_jobs_name_tells_none(text: str) -> None:
    assert domain_of(text) is None


def test_a_wish_of_the_gateway_is_a_time_and_another_is_not() -> None:
    assert is_wish(WISH)
    assert not any(map(is_wish, [None, "", "a", "2026-11-26", "17322336000000", "\u0661" * 13]))


def test_before_anything_is_seen_it_is_queued_under_the_name_that_was_told() -> None:
    job = told_of(asked(), None)
    assert (job.job_id, job.state, job.progress, job.stored, job.items) == (job_id(A, WISH), State.QUEUED, 0, False, 0)


def test_while_its_pod_is_at_work_it_is_processing_with_its_percent() -> None:
    job = told_of(asked(running=(RunningDomain(A, 40, 12),)), None)
    assert (job.state, job.progress) == (State.PROCESSING, 40)


def test_between_the_end_of_a_run_and_its_result_it_does_not_go_back() -> None:
    counts = DomainCounts(total=1, succeeded=1)
    told = asked(observed_generation=collection().generation, domains=counts, progress=100)
    job = told_of(told, None)
    assert (job.state, job.progress) == (State.PROCESSING, 99)
    assert told_of(told, ended()).state is State.COMPLETED


def test_between_the_end_of_a_run_and_its_record_it_does_not_go_back() -> None:
    counts = DomainCounts(total=1, waiting=1)
    paused = Condition(ConditionType.WAITING, "True", "RetryPause", "1 domains come back in a moment.")
    told = asked(observed_generation=1, domains=counts, progress=99, conditions=(paused,))
    assert (told_of(told, None).state, told_of(told, None).progress) == (State.PROCESSING, 99)
    over = asked(observed_generation=1, domains=DomainCounts(total=1, succeeded=1), progress=100, conditions=(READY,))
    assert told_of(over, None).state is State.PROCESSING, "the result is seen after the status"
    again = asked(observed_generation=1, domains=counts, progress=0, conditions=(paused,))
    assert told_of(again, ended(Reason.HUNTER_UNAVAILABLE, outcome=Outcome.PENDING)).state is State.QUEUED


QUOTA = Condition(ConditionType.STALLED, "True", "QuotaExhausted", "the plan is used up")


@pytest.mark.parametrize("total", [1, 3])
@pytest.mark.parametrize(
    ("fields", "conditions"),
    [({}, (QUOTA,)), ({"suspend": True}, ()), ({}, (READY, QUOTA))],
    ids=["stalled", "suspended", "done"],
)
def test_a_refresh_that_is_held_is_queued_and_hides_nothing_that_has_ended(
    total: int, fields: dict[str, Any], conditions: tuple[Condition, ...]
) -> None:
    counts = DomainCounts(total=total, succeeded=total, refreshing=1)
    status = CollectionStatus(observed_generation=1, domains=counts, progress=100, conditions=conditions)
    wishes = spec(domains=[A], recollect=WISH, refreshAfter="24h", **fields)
    held = standing(
        msgspec.structs.replace(collection(wishes), status=status),
        ended(Reason.QUOTA_EXHAUSTED, outcome=Outcome.PENDING, collected_at="2026-11-25"),
    )
    job = job_of(held)
    assert (job.state, job.progress, job.stored) == (State.QUEUED, 0, True)
    assert not is_active(held)
    finished = standing(done(idle()), ended())
    assert chosen([held, finished]) is finished
    runs = msgspec.structs.replace(status, running=(RunningDomain(A, 40, 12),))
    working = standing(msgspec.structs.replace(collection(wishes), status=runs), held.result)
    assert job_of(working).state is State.PROCESSING
    assert chosen([working, finished]) is working


def test_a_domain_without_an_answer_is_worked_on_though_others_are_refreshed() -> None:
    counts = DomainCounts(total=2, succeeded=1, waiting=1, refreshing=1)
    status = CollectionStatus(observed_generation=1, domains=counts)
    first = standing(
        msgspec.structs.replace(collection(spec(domains=[A, "b.example"], refreshAfter="24h")), status=status),
        ended(Reason.KEY_REFUSED, outcome=Outcome.PENDING, collected_at=None),
    )
    assert is_active(first)
    assert chosen([first, standing(done(idle()), ended())]) is first


def test_a_first_run_that_the_status_does_not_name_is_processing_while_others_are_refreshed() -> None:
    counts = DomainCounts(total=30, running=25, succeeded=5, refreshing=5)
    assert told_of(asked(observed_generation=1, domains=counts), None).state is State.PROCESSING


def test_a_status_of_older_wishes_or_of_a_domain_that_waits_says_nothing_of_a_new_run() -> None:
    generation = collection().generation
    older = asked(observed_generation=generation - 1, domains=DomainCounts(total=1, succeeded=1), progress=100)
    waiting = asked(observed_generation=generation, domains=DomainCounts(total=1, waiting=1), progress=0)
    for told in (older, waiting):
        assert (told_of(told, None).state, told_of(told, None).progress) == (State.QUEUED, 0)


def test_an_answer_under_the_wish_completes_it() -> None:
    job = told_of(asked(), ended())
    assert (job.state, job.progress, job.stored, job.items, job.stored_at) == (
        State.COMPLETED, 100, True, 7, "2026-11-26",
    )  # fmt: skip
    assert told_of(asked(), ended(Reason.NOTHING_FOUND, storage=None)).state is State.COMPLETED


def test_an_answer_to_an_older_wish_is_what_is_stored_and_not_the_end() -> None:
    job = told_of(asked(LATER), ended())
    assert (job.state, job.stored, job.items, job.job_id) == (State.QUEUED, True, 7, job_id(A, LATER))


def test_a_run_that_waits_for_a_plan_or_a_key_is_queued_and_tells_why() -> None:
    message = "Hunter does not accept the key"
    stalled = Condition(ConditionType.STALLED, "True", "KeyRefused", message)
    job = told_of(asked(conditions=(stalled,)), ended(Reason.KEY_REFUSED, outcome=Outcome.PENDING))
    assert (job.state, job.waits_for) == (State.QUEUED, f"KeyRefused: {message}")


def test_a_failed_one_tells_why_until_it_is_to_be_tried_again() -> None:
    failed = ended(Reason.CLAIMED, message="a person asked to be left alone", storage=None)
    job = told_of(asked(), failed)
    assert (job.state, job.progress, job.error) == (State.FAILED, 100, "a person asked to be left alone")
    again = msgspec.structs.replace(asked(), spec=spec(domains=[A], recollect=WISH, retryFailed="now"))
    assert told_of(again, failed).state is State.QUEUED


def test_of_peoples_own_collections_the_last_run_gives_the_name() -> None:
    own = asked("autumn")
    assert told_of(own, ended(recollect="autumn", job_id="collect-a.example-5")).job_id == "collect-a.example-5"


def test_the_one_that_works_on_a_domain_speaks_for_it_and_else_the_newest() -> None:
    def one(name: str, seconds: float, wish: str) -> Standing:
        made = msgspec.structs.replace(asked(wish), uid=name, created=NOW + timedelta(seconds=seconds))
        return standing(made, ended())

    old, new, working = one("old", 0, WISH), one("new", 60, WISH), one("working", 30, LATER)
    assert chosen([old, new]) is new
    assert chosen([old, new, working]) is working
    assert chosen([]) is None


def idle(**fields: Any) -> Collection:
    """Return a newer collection that lists the domain."""
    made = collection(spec(domains=[A], **fields))
    return msgspec.structs.replace(made, uid="newer", created=NOW + timedelta(hours=1))


def done(one: Collection) -> Collection:
    return msgspec.structs.replace(one, status=CollectionStatus(observed_generation=1, conditions=(READY,)))


@pytest.mark.parametrize(
    "newer",
    [
        idle(mode="Estimate"),
        done(idle(mode="Estimate")),
        idle(suspend=True),
        msgspec.structs.replace(idle(), deleting=True),
        done(idle()),
    ],
    ids=["estimates", "estimated", "suspended", "being deleted", "done"],
)
def test_one_that_does_not_work_on_a_domain_never_hides_what_another_has(newer: Collection) -> None:
    finished, waiting = standing(asked(), ended()), standing(newer, None)
    assert not is_active(waiting)
    assert not works(newer)
    assert chosen([waiting, finished]) is finished
    assert chosen([waiting]) is waiting
    assert job_of(waiting).state is State.QUEUED


def test_a_suspended_one_works_on_what_runs_until_that_has_ended() -> None:
    runs = msgspec.structs.replace(idle(suspend=True), status=CollectionStatus(running=(RunningDomain(A, 40, 12),)))
    working, finished = standing(runs, None), standing(asked(), ended())
    assert works(runs)
    assert chosen([finished, working]) is working
    other = msgspec.structs.replace(runs, status=CollectionStatus(running=(RunningDomain("b.example", 40, 12),)))
    assert chosen([finished, standing(other, None)]) is finished


def test_a_later_wish_does_not_concern_a_domain_that_is_on_the_list_no_more() -> None:
    removed = standing(asked(LATER), ended(), is_listed=False)
    assert (job_of(removed).state, job_of(removed).job_id) == (State.COMPLETED, job_id(A, WISH))
    failed = ended(Reason.CLAIMED, message="a person asked to be left alone")
    again = msgspec.structs.replace(asked(), spec=spec(domains=["b.example"], recollect=WISH, retryFailed="now"))
    assert job_of(standing(again, failed, is_listed=False)).state is State.FAILED


def test_a_domain_off_the_list_that_had_no_answer_has_failed_and_tells_why() -> None:
    job = job_of(standing(asked(), ended(Reason.KEY_REFUSED), is_listed=False))
    assert (job.state, job.error) == (State.FAILED, "KeyRefused.")


def test_a_list_in_a_config_map_may_name_a_domain_until_all_is_done() -> None:
    source = [{"configMapKeyRef": {"name": "leads", "key": "domains.txt"}}]
    whole = collection(spec(domains=[], domainsFrom=source, recollect=LATER))
    assert is_active(standing(whole, ended(), is_listed=False))
    assert job_of(standing(done(whole), ended(), is_listed=False)).state is State.COMPLETED


def test_where_the_spec_can_t_be_read_a_list_may_name_a_domain_and_nothing_starts() -> None:
    counts = DomainCounts()
    stalled = Condition(ConditionType.STALLED, "True", "InvalidSpec", "spec can't be read")
    status = CollectionStatus(observed_generation=1, domains=counts, conditions=(stalled,))
    made = msgspec.structs.replace(collection(spec()), spec_error="spec can't be read", status=status)
    waits = standing(made, ended(Reason.BUDGET, outcome=Outcome.PENDING), is_listed=False)
    job = job_of(waits)
    assert (job.job_id, job.state, job.error) == (job_id(A, WISH), State.QUEUED, None)
    assert not is_active(waits)
    assert not works(made)
    assert chosen([waits, standing(done(idle()), ended())]) is not waits
    assert job_of(standing(made, ended(), is_listed=False)).state is State.COMPLETED


def test_what_deleted_collections_left_speaks_last_and_the_newest_of_it_first() -> None:
    def left(name: str, day: str) -> Standing:
        result = ended(recollect=None, stored_at=day, job_id=name)
        return Standing(Key("sales", name), A, None, result, is_listed=False)

    old, new = left("b", "2026-11-01"), left("a", "2026-11-26")
    job = job_of(old)
    assert (job.state, job.job_id, job.stored_at, job.waits_for) == (State.COMPLETED, "b", "2026-11-01", None)
    assert chosen([old, new]) is chosen([new, old]) is new
    finished, waiting = standing(asked(), ended()), standing(idle(suspend=True), None)
    assert chosen([new, finished, waiting]) is finished
    assert chosen([new, waiting]) is new
    assert not is_active(new)


def test_a_result_that_is_left_keeps_the_name_of_the_wish_that_it_answers() -> None:
    assert job_of(standing(None, ended(job_id="run"), is_listed=False)).job_id == job_id(A, WISH)


def test_a_run_that_is_not_among_the_twenty_that_the_status_names_is_processing_where_nothing_waits() -> None:
    others = tuple(RunningDomain(f"{number}.example", 50, 1) for number in range(20))
    counts = DomainCounts(total=25, running=25)
    all_run = asked(observed_generation=1, domains=counts, running=others, progress=50)
    assert (told_of(all_run, None).state, told_of(all_run, None).progress) == (State.PROCESSING, 0)
    one_waits = msgspec.structs.replace(counts, running=24, waiting=1)
    some_wait = asked(observed_generation=1, domains=one_waits, running=others)
    assert told_of(some_wait, None).state is State.QUEUED
    assert job_of(standing(all_run, ended(), is_listed=False)).state is State.COMPLETED
