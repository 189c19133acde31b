"""What is recorded replaces only what it was derived from: a document that was stored meanwhile is never lost."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import msgspec
import pytest

from builders import (
    KEY,
    NOW,
    at,
    collection,
    collector_settings,
    failed,
    finished_pod,
    job,
    outlook,
    receipt,
    result,
    spec,
)
from novahunt_api import domainresults, names
from novahunt_api.cluster import ConflictError, UnavailableError
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Place, ResultObject, VolumePlace
from novahunt_contract import document as documents
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_operator.actions import Actions
from novahunt_operator.metrics import Metrics
from novahunt_operator.planner import Plan, plan
from novahunt_operator.recorder import document_names
from novahunt_operator.records import Job, Pod
from novahunt_operator.stored import expire, forget
from novahunt_operator.survey import Settlement
from novahunt_operator.sweeping import BusyError, Sweeping
from unit.operator.memory_cluster import MemoryCluster
from unit.operator.test_documents import MAPS, RESULTS, A, B, Operator, document

KEEPING = collection(spec(retention="1s"))
"""Every document of the tests is too old for it."""


class Interrupted(MemoryCluster):
    """Lets something happen while it works on a call, or loses the answer to one that it has carried out."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: dict[tuple[str, str], Callable[[], Awaitable[object]]] = {}
        """What happens, once, before a call has its effect, by the call's method and path."""
        self.loses: set[tuple[str, str]] = set()
        """Calls whose next answer does not arrive."""

    async def call_once(self, method: str, path: str, **more: Any) -> bytes:
        happens = self.meanwhile.pop((method, path), None)
        if happens is not None:
            await happens()
        answer = await super().call_once(method, path, **more)
        if (method, path) in self.loses:
            self.loses.remove((method, path))
            raise UnavailableError(0, "TimeoutError", f"no answer to {method} {path}")
        return answer


class Desk(Operator):
    """An operator with a first run's documents recorded, and what carries plans out."""

    cluster: Interrupted

    def __init__(self, cluster: Interrupted) -> None:
        super().__init__(cluster)
        self.sweeping = Sweeping(self.store, self.recorder, self.documents)
        self.actions = Actions(
            cluster,
            self.store,
            self.recorder,
            collector_settings(),
            metrics=Metrics(),
            progressed=lambda _: None,
        )

    async def collected(self, *domains: str) -> None:
        for domain in domains:
            await self.put(document(domain))
            await self.record(domain, run=1, outcome=Outcome.COLLECTED)

    def plan(self, of: Collection, jobs: Iterable[Job] = (), pods: Iterable[Pod] = ()) -> Plan:
        results = [known.data for known in self.store.results_of(KEY).values()]
        return plan(outlook(A, B, of=of, results=results, jobs=tuple(jobs), pods=tuple(pods)), 0)

    async def carry_out(self, decided: Plan) -> None:
        await self.actions.carry_out(collection(), decided, NOW)

    async def assert_stored(self, whole: Mapping[str, int]) -> None:
        """Check by domain of which run the document is that its record tells of, and that nothing else is there."""
        for domain, run in whole.items():
            assert await self.get(domain) == document(domain, run), domain
        listed = {name for known in self.store.results() for name in document_names(known.data)}
        await self.leftovers.clear()
        assert self.maps == listed


@pytest.fixture
def desk() -> Desk:
    return Desk(Interrupted())


def path_of(domain: str) -> str:
    return f"{RESULTS}/{names.result_name(KEY.name, domain)}"


# ---------------------------------------------------------------------- the recorder


async def test_what_was_derived_from_another_record_is_not_written_and_no_config_map_goes(desk: Desk) -> None:
    await desk.collected(A)
    old = desk.result()
    await desk.put(document(run=2))
    new, there = desk.result(), dict(desk.cluster.objects)
    for stale in (old, forget(old), expire(old, "1s")):
        for before in (old, None):
            with pytest.raises(ConflictError, match=r"the record of a\.example has changed"):
                await desk.recorder.write(collection(), stale, before=before)
    assert desk.cluster.objects == there
    assert desk.result() == new


async def test_what_was_derived_from_a_record_that_is_gone_does_not_bring_it_back(desk: Desk) -> None:
    await desk.collected(A)
    known = desk.store.results_of(KEY)[A]
    desk.store.lose_result(known.key, known.uid)
    with pytest.raises(ConflictError, match="has changed"):
        await desk.recorder.write(collection(), known.data, before=known.data)


async def test_a_change_of_the_object_that_leaves_the_result_as_it_is_holds_nothing_up(desk: Desk) -> None:
    await desk.collected(A)
    old = desk.result()
    path = path_of(A)
    labelled = {**desk.cluster.objects[path], "metadata": {**desk.cluster.objects[path]["metadata"]}}
    labelled["metadata"]["labels"] = {**labelled["metadata"]["labels"], "team": "sales"}
    seen = msgspec.convert(desk.cluster.put(path, labelled), ResultObject)
    desk.store.put_result(domainresults.read(seen))
    await desk.recorder.write(collection(), forget(old), before=old)
    assert (desk.result().storage, desk.maps) == (None, set())


# ---------------------------------------------------------------------- who records


async def test_a_document_that_is_stored_while_records_are_adopted_stays(desk: Desk) -> None:
    domains = [f"d{number:02}.example" for number in range(25)]
    await desk.collected(*domains)
    wishes, last = collection(spec(deletionPolicy="Delete")), domains[-1]

    stores = asyncio.create_task(desk.put(document(last, run=2)))
    # The last ones wait while twenty others are written.
    for domain in domains[:20]:
        desk.cluster.meanwhile["PUT", path_of(domain)] = lambda: asyncio.shield(stores)
    assert await desk.actions.adopt(wishes)
    assert {known.owner_uid for known in desk.store.results()} == {wishes.uid}
    await desk.assert_stored(dict.fromkeys(domains, 1) | {last: 2})
    assert not await desk.actions.adopt(wishes)


async def test_a_record_that_changes_in_the_very_moment_of_its_adoption_keeps_no_other_up(desk: Desk) -> None:
    await desk.collected(A, B)
    wishes = collection(spec(deletionPolicy="Delete"))

    async def a_run_stores() -> None:
        await desk.put(document(A, run=2))

    desk.cluster.meanwhile["PUT", path_of(A)] = a_run_stores
    with pytest.raises(ConflictError):
        await desk.actions.adopt(wishes)
    assert desk.store.results_of(KEY)[B].owner_uid == wishes.uid
    await desk.assert_stored({A: 2, B: 1})
    assert await desk.actions.adopt(wishes)
    assert {known.owner_uid for known in desk.store.results()} == {wishes.uid}
    await desk.assert_stored({A: 2, B: 1})


async def test_a_document_that_is_stored_before_an_older_one_expires_stays(desk: Desk) -> None:
    await desk.collected(A, B)
    decided = desk.plan(KEEPING)
    assert [removal.before.domain for removal in decided.expire] == [A, B]
    await desk.put(document(A, run=2))
    with pytest.raises(ConflictError):
        await desk.carry_out(decided)
    # The other domain's has expired nevertheless; and the next round lets the run end first.
    assert desk.result(B).storage is None
    again = desk.plan(KEEPING, jobs=[job(A, 2)])
    assert again.expire == ()
    await desk.carry_out(again)
    await desk.assert_stored({A: 2})


async def test_a_run_whose_document_is_stored_after_its_end_was_decided_ends_with_that_document(desk: Desk) -> None:
    await desk.collected(A, B)
    jobs = [failed("BackoffLimitExceeded", domain, 2) for domain in (A, B)]
    # Its collector has given up on the call, which the intake still works on.
    notes = [receipt(Reason.STORAGE, domain=ended.domain, run=2, job_id=ended.job_id) for ended in jobs]
    pods = [finished_pod(ended, note) for ended, note in zip(jobs, notes, strict=True)]
    decided = desk.plan(collection(), jobs, pods)
    await desk.put(document(A, run=2))
    with pytest.raises(ConflictError):
        await desk.carry_out(decided)
    assert (desk.result(A).run, desk.result(B).run) == (1, 2)
    again = desk.plan(collection(), jobs, pods)
    assert [end.job.domain for end in again.settle] == [A]
    await desk.carry_out(again)
    assert (desk.result(A).run, desk.result(A).reason) == (2, Reason.STORAGE)
    await desk.assert_stored({A: 2, B: 1})


async def test_a_document_that_is_stored_while_a_sweep_replaces_an_older_one_stays(desk: Desk) -> None:
    await desk.collected(A)
    left = msgspec.structs.replace(document(), items=(), total=0, suppressed=1, stored_at=at(0))
    run = job(A, 2)

    async def a_run_stores() -> None:
        desk.store.put_job(run)
        await desk.put(document(run=2), run)

    desk.cluster.meanwhile["POST", MAPS] = a_run_stores
    with pytest.raises(ConflictError):
        await desk.sweeping.put(collection(), A, documents.encode(left))
    # As it calls again.
    with pytest.raises(BusyError):
        await desk.sweeping.put(collection(), A, documents.encode(left))
    desk.store.drop_job(run.key, run.uid)
    await desk.leftovers.clear()
    await desk.assert_stored({A: 2})


async def test_a_collector_whose_record_changes_while_it_stores_calls_again_and_succeeds(desk: Desk) -> None:
    await desk.collected(A)
    (removal,) = desk.plan(KEEPING).expire

    async def the_old_one_expires() -> None:
        await desk.recorder.write(collection(), removal.after, before=removal.before)

    desk.cluster.meanwhile["POST", MAPS] = the_old_one_expires
    with pytest.raises(ConflictError):
        await desk.put(document(run=2))
    await desk.put(document(run=2))
    await desk.assert_stored({A: 2})


# ---------------------------------------------------------------------- lost answers


async def test_config_maps_go_although_the_answer_is_lost_that_a_file_has_taken_their_place(desk: Desk) -> None:
    await desk.collected(A)
    await desk.leftovers.clear()
    old = desk.result()
    place = Place(persistent_volume_claim=VolumePlace("collections", "q4"))
    end = Settlement(job(A, 2), old, result(A, run=2, storage=place, sha256="ab" * 32, bytes=9))
    desk.cluster.loses.add(("PUT", path_of(A)))
    with pytest.raises(ConflictError):
        await desk.carry_out(Plan(settle=(end,), start=(), delete=()))
    # As the watch shows it: the run is recorded, and nobody writes it again.
    desk.store.put_result(domainresults.read(msgspec.convert(desk.cluster.objects[path_of(A)], ResultObject)))
    assert desk.result().storage == place
    await desk.leftovers.clear()
    assert desk.cluster.names(MAPS) == set()


async def test_a_lost_answer_that_leaves_nothing_unlisted_has_nothing_looked_through(desk: Desk) -> None:
    await desk.collected(A)
    desk.cluster.loses.add(("PUT", path_of(A)))
    with pytest.raises(ConflictError):
        await desk.record(A, run=2)
    assert desk.recorder.untidy == set()
