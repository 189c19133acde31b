"""Storing in ConfigMaps: a crash at any moment leaves one whole document, and nothing of another for long."""

import asyncio
import random

import msgspec
import pytest

from builders import KEY, at, collection, errand, job, pod
from novahunt_api import domainresults, paths
from novahunt_api.cluster import ApiError, NoRightError, UnavailableError, error_of
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Result, ResultObject
from novahunt_api.parts import PART_BYTES, DamagedDocumentError
from novahunt_contract import document as documents
from novahunt_contract.document import Document, Item
from novahunt_contract.errands import Task
from novahunt_contract.outcomes import Outcome
from novahunt_operator.documents import Documents, LaterRunError, NotStoredError
from novahunt_operator.leftovers import Leftovers
from novahunt_operator.recorder import Recorder, document_names
from novahunt_operator.records import Job
from novahunt_operator.store import Store
from novahunt_operator.territory import Territory
from unit.operator.memory_cluster import CrashError, MemoryCluster

A, B = "a.example", "b.example"
MAPS = paths.config_maps(KEY.namespace)
RESULTS = paths.results(KEY.namespace)
LIMIT = 2**30


def document(domain: str = A, run: int = 1, size: int = 100) -> Document:
    """Return a document of about so many bytes, which can't be packed well."""
    title = random.Random(f"{domain}{run}{size}").randbytes(size // 2).hex()
    item = Item(email=f"person@{domain}", name=None, title=title, confidence=0.9, source=None)
    return Document(domain, (item,), 1, at(-60), at(-61), f"collect-{domain}-{run}", run=run)


class Operator:
    """What one replica knows and does, from its start to its crash."""

    def __init__(self, cluster: MemoryCluster, max_bytes: int = LIMIT) -> None:
        self.cluster = cluster
        self.store = Store()
        self.store.put_collection(collection())
        for path, known in cluster.objects.items():
            if path.startswith(f"{RESULTS}/"):
                self.store.put_result(domainresults.read(msgspec.convert(known, ResultObject)))
        self.recorder = Recorder(cluster, self.store)
        self.documents = Documents(cluster, self.store, self.recorder, max_bytes)
        self.leftovers = Leftovers(cluster, self.store, self.recorder, Territory(cluster, (KEY.namespace,)))

    async def put(self, whole: Document, of: Job | None = None) -> None:
        made = of or job(whole.domain, whole.run)
        await self.documents.put(self.collection, made, documents.encode(whole))

    async def get(self, domain: str = A, run: int = 9) -> Document | None:
        data = await self.documents.get(self.collection, job(domain, run))
        return documents.decode(data) if data is not None else None

    async def stored(self) -> Document | None:
        """Read as a collector does, for which a document that is not whole is none."""
        try:
            return await self.get()
        except DamagedDocumentError:
            return None

    @property
    def collection(self) -> Collection:
        return collection()

    def result(self, domain: str = A) -> Result:
        return self.store.results_of(KEY)[domain].data

    async def record(self, domain: str = A, **fields: object) -> None:
        before = self.result(domain)
        await self.recorder.write(self.collection, msgspec.structs.replace(before, **fields), before=before)

    @property
    def maps(self) -> set[str]:
        return self.cluster.names(MAPS)


@pytest.fixture
def cluster() -> MemoryCluster:
    return MemoryCluster()


# ---------------------------------------------------------------------- crashes

THREE_PARTS = 3 * PART_BYTES
"""Characters of hexadecimal digits: they pack to a little more than half, so into two parts."""


@pytest.mark.parametrize("writes", range(7))
async def test_a_crash_at_any_moment_leaves_the_old_document_or_the_new_one_and_soon_nothing_else(
    cluster: MemoryCluster, writes: int
) -> None:
    before = Operator(cluster)
    old, new = document(size=THREE_PARTS), document(run=2, size=THREE_PARTS + 100)
    await before.put(old)
    await before.record(run=1)
    assert len(before.maps) == 2
    cluster.writes_left = writes
    crashed = False
    try:
        await before.put(new)
    except CrashError:
        crashed = True
    cluster.writes_left = None
    # Two parts are made, the result is written, two parts are deleted.
    assert crashed is (writes < 5)
    after = Operator(cluster)
    assert await after.get() == (old if writes < 3 else new)
    await after.leftovers.clear()
    assert after.maps == set(document_names(after.result()))
    assert await after.get() == (old if writes < 3 else new)


@pytest.mark.parametrize("writes", range(4))
async def test_a_crash_while_the_first_document_is_stored_leaves_none_or_the_whole(
    cluster: MemoryCluster, writes: int
) -> None:
    cluster.writes_left = writes
    crashed = False
    new = document(size=THREE_PARTS)
    try:
        await Operator(cluster).put(new)
    except CrashError:
        crashed = True
    cluster.writes_left = None
    # The record is made, then two parts.
    assert crashed is (writes < 3)
    after = Operator(cluster)
    assert await after.stored() == (None if crashed else new)
    # What was made belongs to a record from the start: it goes with that, whatever happens.
    owners = [cluster.objects[f"{MAPS}/{name}"]["metadata"]["ownerReferences"][0]["uid"] for name in after.maps]
    assert set(owners) <= {known.uid for known in after.store.results()}
    await after.leftovers.clear()
    await after.leftovers.clear()
    assert len(after.maps) == (0 if crashed else 2)
    assert await after.get() == (None if crashed else new)
    if writes:
        assert after.store.in_config_maps(KEY) == after.result().stored_bytes
        assert after.result().emails == (0 if crashed else 1)


async def test_a_first_document_that_is_still_being_stored_is_not_taken_back(cluster: MemoryCluster) -> None:
    cluster.writes_left = 1
    with pytest.raises(CrashError):
        await Operator(cluster).put(document())
    cluster.writes_left = None
    after, live = Operator(cluster), job(A)
    after.store.put_job(live)
    await after.leftovers.clear()
    assert after.result().emails == 1
    after.store.drop_job(live.key, live.uid)
    await after.leftovers.clear()
    assert after.result().storage is None


async def test_a_record_whose_config_maps_a_person_has_deleted_still_tells_of_them(cluster: MemoryCluster) -> None:
    operator = Operator(cluster)
    await operator.put(document())
    await operator.record(run=1, outcome=Outcome.COLLECTED)
    for name in operator.maps:
        del cluster.objects[f"{MAPS}/{name}"]
    await operator.leftovers.clear()
    assert operator.result().storage is not None


async def test_a_collector_that_calls_again_after_the_crash_finishes_what_was_begun(cluster: MemoryCluster) -> None:
    new = document(size=THREE_PARTS)
    cluster.writes_left = 2
    with pytest.raises(CrashError):
        await Operator(cluster).put(new)
    cluster.writes_left = None
    after = Operator(cluster)
    (made,) = after.maps
    # Of the two parts one is there already; the record says all that it will.
    cluster.writes_left = 2
    await after.put(new)
    assert len(after.maps) == 2
    assert made in after.maps
    assert await after.get() == new


# ---------------------------------------------------------------------- what is left over


async def stray(operator: Operator, domain: str = A) -> None:
    """Leave a part of a second document of a domain."""
    operator.cluster.writes_left = 1
    with pytest.raises(CrashError):
        await operator.put(document(domain, run=2))
    operator.cluster.writes_left = None


async def with_stray(cluster: MemoryCluster) -> Operator:
    first = Operator(cluster)
    await first.put(document())
    await first.record(run=1)
    await stray(first)
    after = Operator(cluster)
    assert len(after.maps) == 2
    return after


async def test_what_a_collector_may_still_be_storing_is_left_and_looked_at_again(cluster: MemoryCluster) -> None:
    operator = await with_stray(cluster)
    live = job(A, run=2)
    operator.store.put_job(live)
    await operator.leftovers.clear()
    assert len(operator.maps) == 2
    operator.store.drop_job(live.key, live.uid)
    await operator.leftovers.clear()
    assert operator.maps == set(document_names(operator.result()))


async def test_a_pod_that_outlives_its_job_and_a_sweep_protect_as_well(cluster: MemoryCluster) -> None:
    operator = await with_stray(cluster)
    orphan, sweep = pod(job(A, run=2)), errand(Task.SWEEP)
    operator.store.put_pod(orphan)
    await operator.leftovers.clear()
    operator.store.drop_pod(orphan.uid)
    operator.store.put_errand(sweep)
    await operator.leftovers.clear()
    assert len(operator.maps) == 2
    operator.store.drop_errand(sweep.key, sweep.uid)
    await operator.leftovers.clear()
    assert len(operator.maps) == 1


async def test_where_there_are_no_config_maps_nothing_is_left_over(cluster: MemoryCluster) -> None:
    await Operator(cluster).leftovers.clear()
    assert cluster.reads == [MAPS]


async def test_another_domains_job_protects_nothing(cluster: MemoryCluster) -> None:
    operator = await with_stray(cluster)
    operator.store.put_job(job(B))
    await operator.leftovers.clear()
    assert len(operator.maps) == 1


async def test_after_the_first_look_only_collections_where_storing_broke_off_are_looked_at(
    cluster: MemoryCluster,
) -> None:
    operator = Operator(cluster)
    await operator.put(document())
    await operator.leftovers.clear()
    looks = cluster.reads.count(MAPS)
    await operator.leftovers.clear()
    assert cluster.reads.count(MAPS) == looks == 1
    operator.recorder.untidy.add(KEY)
    await operator.leftovers.clear()
    await operator.leftovers.clear()
    assert cluster.reads.count(MAPS) == 2


async def test_a_second_record_of_a_domain_keeps_its_document(cluster: MemoryCluster) -> None:
    operator = Operator(cluster)
    await operator.put(document())
    body = cluster.objects[f"{RESULTS}/{next(iter(cluster.names(RESULTS)))}"]
    restored = {**body, "metadata": {"name": "restored", "namespace": KEY.namespace, "uid": "other"}, "storage": {}}
    cluster.put(f"{RESULTS}/restored", restored)
    after = Operator(cluster)
    await after.leftovers.clear()
    assert len(after.maps) == 1


# ---------------------------------------------------------------------- room


async def test_what_does_not_fit_is_refused_and_noted_and_the_old_document_stays(cluster: MemoryCluster) -> None:
    operator = Operator(cluster, max_bytes=3000)
    old = document(size=2000)
    await operator.put(old)
    await operator.record(run=1)
    with pytest.raises(NotStoredError, match=r"of 2\.9 KiB\. Set spec\.storage\.persistentVolumeClaim"):
        await operator.put(document(run=2, size=4000))
    assert operator.result().refused_bytes > 4000
    assert len(operator.maps) == 1
    # The run that would store it again must not be paid for; another domain's is no matter of it.
    with pytest.raises(NotStoredError):
        await operator.get()
    assert await operator.get(B) is None
    roomier = Operator(cluster, max_bytes=LIMIT)
    assert await roomier.get() == old
    await roomier.put(document(run=2, size=4000))
    assert roomier.result().refused_bytes == 0


async def test_a_document_counts_without_the_one_that_it_replaces(cluster: MemoryCluster) -> None:
    operator = Operator(cluster, max_bytes=3000)
    await operator.put(document(size=2000))
    await operator.put(document(size=2400))
    assert operator.store.in_config_maps(KEY) == operator.result().stored_bytes > 2400


async def test_documents_that_are_stored_at_the_same_time_do_not_pass_the_limit_together(
    cluster: MemoryCluster,
) -> None:
    operator = Operator(cluster, max_bytes=8000)
    new = [document(f"d{number}.example", size=2000) for number in range(8)]
    ends = await asyncio.gather(*(operator.put(one) for one in new), return_exceptions=True)
    stored = [end for end in ends if end is None]
    assert len(stored) == 3
    assert all(isinstance(end, NotStoredError) for end in ends if end is not None)
    assert operator.store.in_config_maps(KEY) <= 8000
    assert len(operator.maps) == 3


async def test_what_a_broken_off_document_would_have_added_is_not_counted_for_ever(cluster: MemoryCluster) -> None:
    operator = Operator(cluster, max_bytes=3000)
    await operator.put(document(size=100))
    await operator.record(run=1)
    cluster.writes_left = 0
    with pytest.raises(CrashError):
        await operator.put(document(run=2, size=2000))
    cluster.writes_left = None
    await operator.put(document(B, size=1500))
    assert set(operator.store.results_of(KEY)) >= {B}


# ---------------------------------------------------------------------- refusals


class RefusingCluster(MemoryCluster):
    """Refuses new ConfigMaps after the first, with one of the API server's codes."""

    def __init__(self, code: int, message: str = "exceeded quota: few") -> None:
        super().__init__()
        self.code = code
        self.message = message

    def _write(self, method: str, path: str, body: object) -> dict[str, object]:
        if method == "POST" and path == MAPS and self.names(MAPS):
            status = {"code": self.code, "reason": "Forbidden", "message": self.message}
            raise error_of(self.code, msgspec.json.encode(status))
        return super()._write(method, path, body)


@pytest.mark.parametrize("code", [400, 403, 413, 422])
async def test_what_the_cluster_refuses_for_good_is_told_in_its_own_words_and_leaves_nothing(code: int) -> None:
    operator = Operator(RefusingCluster(code))
    await operator.leftovers.clear()
    with pytest.raises(NotStoredError, match="refuses to store the document: exceeded quota: few"):
        await operator.put(document(size=THREE_PARTS))
    assert (len(operator.maps), operator.result().storage) == (0, None)
    assert operator.result().refused_bytes == 0, "the limit is not to blame"


async def test_an_answer_that_may_change_is_left_to_the_collector_to_try_again() -> None:
    operator = Operator(RefusingCluster(401))
    with pytest.raises(ApiError) as raised:
        await operator.put(document(size=THREE_PARTS))
    assert raised.value.code == 401
    assert operator.recorder.untidy == {KEY}


async def test_a_right_that_an_api_server_has_not_read_yet_is_waited_for_and_one_that_is_missing_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    message = 'configmaps is forbidden: User "system:serviceaccount:a:novahunt" cannot create resource "configmaps"'
    cluster = RefusingCluster(403, message)
    operator = Operator(cluster)
    with pytest.raises(NoRightError):
        await operator.put(document(size=THREE_PARTS))
    cluster.message, cluster.code = "etcdserver: request timed out", 500
    with pytest.raises(UnavailableError):
        await operator.put(document(size=THREE_PARTS))
    cluster.message, cluster.code = message, 403
    monkeypatch.setattr("novahunt_operator.documents.GRACE_SECONDS", 0.0)
    with pytest.raises(NotStoredError, match="cannot create resource"):
        await operator.put(document(size=THREE_PARTS))


# ---------------------------------------------------------------------- whose document


async def test_a_run_that_is_over_stores_nothing_more(cluster: MemoryCluster) -> None:
    operator = Operator(cluster)
    await operator.put(document(run=2))
    await operator.record(run=2)
    for run in (1, 2):
        with pytest.raises(LaterRunError, match=r"run 2 of a\.example has ended already"):
            await operator.put(document(run=run))


@pytest.mark.parametrize("of", [job(B), job(A, run=2)])
async def test_a_document_of_another_domain_or_run_is_refused(cluster: MemoryCluster, of: Job) -> None:
    with pytest.raises(documents.InvalidDocumentError, match="another domain or run"):
        await Operator(cluster).put(document(), of)
    assert cluster.objects == {}


async def test_a_document_of_which_a_part_is_gone_or_changed_is_not_given_out(cluster: MemoryCluster) -> None:
    operator = Operator(cluster)
    await operator.put(document(size=THREE_PARTS))
    first, second = document_names(operator.result())
    kept = cluster.objects.pop(f"{MAPS}/{second}")
    with pytest.raises(DamagedDocumentError, match="is gone"):
        await operator.get()
    cluster.objects[f"{MAPS}/{second}"] = {**kept, "binaryData": cluster.objects[f"{MAPS}/{first}"]["binaryData"]}
    with pytest.raises(DamagedDocumentError):
        await operator.get()
