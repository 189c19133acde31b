"""What carrying a plan out counts, and that long work tells after each step that it does not hang."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from builders import KEY, NOW, collection, collector_settings, job, result, spec, stored
from log_lines import written
from novahunt_api import paths
from novahunt_api.cluster import ConflictError
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Result, StoredResult
from novahunt_api.objects import Key
from novahunt_contract.outcomes import Reason
from novahunt_operator.actions import Actions
from novahunt_operator.metrics import Metrics
from novahunt_operator.planner import Plan, Start
from novahunt_operator.recorder import Recorder
from novahunt_operator.store import Store
from novahunt_operator.survey import Settlement
from unit.operator.memory_cluster import MemoryCluster


class Dated(MemoryCluster):
    """A cluster that dates what is created, as a Job must be."""

    def _keep(self, path: str, body: dict[str, object]) -> dict[str, object]:
        kept = super()._keep(path, body)
        metadata = kept["metadata"]
        assert isinstance(metadata, dict)
        metadata.setdefault("creationTimestamp", "2026-11-24T12:00:00Z")
        return kept


class Desk:
    """Actions, and what they count and tell."""

    def __init__(self) -> None:
        self.cluster = Dated()
        self.store = Store()
        self.metrics = Metrics()
        self.steps: list[Key] = []
        self.actions = self.made_with(Recorder(self.cluster, self.store, self.metrics))

    def made_with(self, recorder: Recorder) -> Actions:
        return Actions(
            self.cluster,
            self.store,
            recorder,
            collector_settings(),
            metrics=self.metrics,
            progressed=self.steps.append,
        )

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"novahunt_{name}_total", labels)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    found = Desk()
    yield found
    await found.cluster.close()


async def test_started_and_recorded_runs_are_counted_and_each_step_is_told(desk: Desk) -> None:
    ends = [
        Settlement(job(domain), None, result(domain, reason), delete=False)
        for domain, reason in (("a.example", Reason.COLLECTED), ("b.example", Reason.KEY_REFUSED))
    ]
    starts = tuple(Start(f"n{number}.example", 1, None) for number in range(25))
    await desk.actions.carry_out(collection(), Plan(settle=tuple(ends), start=starts, delete=()), NOW)
    assert desk.value("jobs_started", task="collect") == 25
    assert desk.value("jobs_ended", outcome="Collected", reason="Collected") == 1
    assert desk.value("jobs_ended", outcome="Pending", reason="KeyRefused") == 1
    assert desk.value("results_recorded", outcome="Collected") == 1
    assert desk.steps == [KEY] * 27


async def test_a_start_does_not_wait_until_the_ends_of_other_domains_are_recorded(desk: Desk) -> None:
    class WaitsForAJob(Recorder):
        async def write(self, collection: Collection, result: Result, *, before: Result | None) -> StoredResult:
            async with asyncio.timeout(5):
                while not desk.cluster.names(paths.jobs(KEY.namespace)):  # noqa: ASYNC110 - other tasks make it
                    await asyncio.sleep(0)
            return await super().write(collection, result, before=before)

    desk.actions = desk.made_with(WaitsForAJob(desk.cluster, desk.store, desk.metrics))
    end = Settlement(job("a.example"), None, result("a.example", Reason.COLLECTED), delete=False)
    plan = Plan(settle=(end,), start=(Start("n1.example", 1, None),), delete=())
    await desk.actions.carry_out(collection(), plan, NOW)
    assert desk.value("results_recorded", outcome="Collected") == 1


async def test_a_step_that_fails_is_told_too_and_not_counted(desk: Desk) -> None:
    earlier = Start("n1.example", 1, None)
    await desk.actions.carry_out(collection(), Plan(settle=(), start=(earlier,), delete=()), NOW)
    # Another one's Job has the name now.
    for path in desk.cluster.names(paths.jobs(KEY.namespace)):
        desk.cluster.objects[paths.jobs(KEY.namespace, path)]["metadata"]["ownerReferences"][0]["uid"] = "stranger"
    with pytest.raises(ConflictError):
        await desk.actions.carry_out(collection(), Plan(settle=(), start=(earlier,), delete=()), NOW)
    assert desk.value("jobs_started", task="collect") == 1
    assert desk.steps == [KEY] * 2


@pytest.mark.parametrize("policy", ["Retain", "Delete"])
async def test_a_record_that_goes_with_a_deleted_collection_is_neither_taken_up_nor_written_over(
    desk: Desk, policy: str
) -> None:
    desk.store.put_result(stored(result("a.example"), owner_uid="uid-before"))
    assert not await desk.actions.adopt(collection(spec(deletionPolicy=policy)))
    with pytest.raises(ConflictError, match="about to go"):
        await Recorder(desk.cluster, desk.store).write(
            collection(), result("a.example", run=9), before=result("a.example")
        )
    assert not desk.cluster.objects


async def test_while_its_wishes_can_t_be_read_records_keep_to_the_policy_of_before(desk: Desk) -> None:
    desk.store.put_result(stored(result("a.example"), owner_uid=collection().uid))
    assert not await desk.actions.adopt(collection(spec_error="spec can't be read"))


async def test_lines_on_runs_name_collection_domain_and_run(desk: Desk) -> None:
    class Recorded(Recorder):
        async def write(self, collection: Collection, result: Result, *, before: Result | None) -> StoredResult:
            logging.getLogger("novahunt_test").info("a call for %s", result.domain)
            return await super().write(collection, result, before=before)

    actions = desk.made_with(Recorded(desk.cluster, desk.store, desk.metrics))
    end = Settlement(job("a.example"), None, result("a.example", Reason.COLLECTED), delete=False)
    plan = Plan(settle=(end,), start=(Start("b.example", 4, None),), delete=())
    with written() as lines:
        await actions.carry_out(collection(spec()), plan, NOW)
    assert lines.subjects("run 4 of b.example started") == [(str(KEY), "b.example", 4)]
    # What is called for a run names it as well, though it does not know it.
    for words in ("ended: Collected", "a call for"):
        assert lines.subjects(words) == [(str(KEY), "a.example", end.result.run)]
