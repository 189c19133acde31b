"""The observer of the kill table sees what is there twice, and lets pass what is meant to be."""

from datetime import UTC, datetime
from typing import cast

from chaos.observing import JobFeed, Observer, ResultFeed
from novahunt_api import names, wire
from novahunt_api.cluster import Cluster
from novahunt_api.domainresults import ResultObject
from novahunt_contract.outcomes import Outcome

DOMAIN = "a.example"
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def observer() -> Observer:
    return Observer(cast("Cluster", None), "here")


def job(uid: str, run: int, *, ended: bool = False, deleting: bool = False) -> wire.JobObject:
    meta = wire.Meta(
        name=f"job-{uid}",
        uid=uid,
        annotations={names.DOMAIN_ANNOTATION: DOMAIN, names.RUN_ANNOTATION: str(run)},
        deletion_timestamp=NOW if deleting else None,
    )
    conditions = (wire.JobCondition("Complete", "True"),) if ended else ()
    return wire.JobObject(meta, status=wire.JobStatus(conditions=conditions))


def result(run: int, outcome: Outcome = Outcome.COLLECTED) -> ResultObject:
    return ResultObject(domain=DOMAIN, collection="a", run=run, outcome=outcome, metadata=wire.Meta(name="r", uid="r"))


def test_two_jobs_at_work_for_one_domain_are_one_too_many() -> None:
    seen = observer()
    jobs = JobFeed(seen)
    jobs.seen(job("1", 1))
    jobs.seen(job("1", 1))
    assert seen.take() == []
    jobs.seen(job("2", 2))
    assert len(seen.take()) == 1


def test_a_job_that_has_ended_or_goes_makes_room_for_the_next() -> None:
    seen = observer()
    jobs = JobFeed(seen)
    jobs.seen(job("1", 1))
    jobs.seen(job("1", 1, ended=True))
    jobs.seen(job("2", 2))
    jobs.seen(job("2", 2, deleting=True))
    jobs.seen(job("3", 3))
    jobs.gone(job("3", 3))
    jobs.seen(job("4", 4))
    jobs.only(None, set(), 0)
    jobs.seen(job("5", 5))
    assert seen.take() == []


def test_a_domain_with_an_answer_must_not_run_or_be_recorded_again_unless_it_is_asked_for() -> None:
    seen = observer()
    jobs, results = JobFeed(seen), ResultFeed(seen)
    results.seen(result(0, Outcome.PENDING))
    results.seen(result(1, Outcome.PENDING))
    results.seen(result(2))
    results.seen(result(2))
    assert seen.take() == []
    jobs.seen(job("1", 3))
    results.seen(result(3))
    assert len(seen.take()) == 2
    seen.ask_again(DOMAIN)
    jobs.only(None, set(), 0)
    jobs.seen(job("2", 3))
    # The intake lists what the run has stored under the number of the one before.
    results.seen(result(2))
    results.seen(result(3))
    assert seen.take() == []
    results.seen(result(4))
    assert len(seen.take()) == 1
