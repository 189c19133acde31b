"""What sweeps may do at the intake, with real tokens over HTTP: their own collection's documents, and nothing else."""

import gzip
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import aiohttp
import jwt
import msgspec
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from builders import KEY, at, collection, complete, errand, job, pod, result, spec
from log_lines import written
from novahunt_api import parts, paths, wire
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Place, Result, VolumePlace
from novahunt_api.objects import Key
from novahunt_contract import document as documents
from novahunt_contract import intake as protocol
from novahunt_contract.document import Document, Item
from novahunt_contract.errands import Task
from novahunt_contract.outcomes import Outcome
from novahunt_contract.receipt import ConfigMapPlace
from novahunt_operator.documents import Documents
from novahunt_operator.intake import Intake
from novahunt_operator.ledger import Ledger
from novahunt_operator.leftovers import Leftovers
from novahunt_operator.metrics import Metrics
from novahunt_operator.permits import Permits
from novahunt_operator.progress import ProgressBoard
from novahunt_operator.recorder import Recorder
from novahunt_operator.records import Errand, Job, Pod
from novahunt_operator.store import Store
from novahunt_operator.sweeping import Sweeping
from novahunt_operator.territory import Territory
from novahunt_operator.tokens import Tokens
from unit.operator.memory_cluster import CrashError, MemoryCluster

ISSUER = "https://kubernetes.default.svc.cluster.local"
SIGNER = ec.generate_private_key(ec.SECP256R1())
MAPS = paths.config_maps(KEY.namespace)
A, B = "a.example", "b.example"
LISTS = spec(suppressionFrom=[{"secretKeyRef": {"name": "blocked", "key": "list.txt"}}])
VOLUME = {"persistentVolumeClaim": {"claimName": "collections"}}


def document(domain: str = A, size: int = 3, **fields: Any) -> Document:
    people = tuple(
        Item(email=f"person{number}@{domain}", name="A Person", title=None, confidence=0.9, source=None)
        for number in range(size)
    )
    given = {"stored_at": at(-60), "collected_at": at(-61), "job_id": f"collect-{domain}-1"}
    return Document(domain=domain, items=people, total=size, **{**given, **fields})


def left_of(whole: Document, size: int, **fields: Any) -> Document:
    return msgspec.structs.replace(
        whole, items=whole.items[:size], total=size, stored_at=at(0), suppressed=whole.total - size, **fields
    )


@dataclass
class Desk:
    """An intake at work, with the cluster behind it."""

    cluster: MemoryCluster
    store: Store
    url: str
    progress: ProgressBoard
    metrics: Metrics
    session: aiohttp.ClientSession

    def keep(self, of: Collection) -> None:
        self.store.put_collection(of)

    def caller(self, of: Errand | Job, wishes: Collection | None = None) -> str:
        """Have a pod of a Job at work, and return its token."""
        self.keep(wishes or collection(LISTS))
        self.store.put_errand(of) if isinstance(of, Errand) else self.store.put_job(of)
        self.store.put_pod(pod(of))
        return token(pod(of))

    async def stored(self, whole: Document) -> Result:
        """Have a document in ConfigMaps, as the intake stores it, and its run recorded."""
        run = job(whole.domain, whole.run, uid=f"once-{whole.domain}")
        data = documents.encode(whole)
        recorder = Recorder(self.cluster, self.store)
        await Documents(self.cluster, self.store, recorder, 2**30).put(collection(LISTS), run, data)
        known = self.store.results_of(KEY)[whole.domain].data
        done = msgspec.structs.replace(
            known, run=whole.run, outcome=Outcome.COLLECTED, reason="Collected", suppression="d1"
        )
        return (await recorder.write(collection(LISTS), done, before=known)).data

    async def record(self, data: Result) -> None:
        known = self.store.results_of(KEY).get(data.domain)
        before = known.data if known is not None else None
        await Recorder(self.cluster, self.store).write(collection(LISTS), data, before=before)

    def result(self, domain: str = A) -> Result:
        return self.store.results_of(KEY)[domain].data

    def documents(self) -> dict[str, Document]:
        """Read what the records tell of, as a person's script would; nothing else may be there."""
        found, told = {}, set[str]()
        for domain, known in self.store.results_of(KEY).items():
            place = known.data.storage.config_map if known.data.storage is not None else None
            if place is None:
                continue
            told |= set(place.names)
            held = [
                msgspec.convert(self.cluster.objects[f"{MAPS}/{name}"], type=wire.ConfigMapObject)
                for name in place.names
            ]
            data = parts.join(place.key, held)
            assert documents.digest(data) == known.data.sha256
            assert len(data) == known.data.bytes
            found[domain] = documents.decode(data)
        assert self.cluster.names(MAPS) == told, "a ConfigMap that no record tells of"
        return found

    async def call(self, method: str, path: str, bearer: str, body: object = None, **headers: str) -> tuple[int, bytes]:
        data = body if isinstance(body, bytes) else msgspec.json.encode(body) if body is not None else None
        told = {"Authorization": f"Bearer {bearer}", **headers}
        async with self.session.request(method, self.url + path, data=data, headers=told) as answer:
            return answer.status, await answer.read()

    async def swept(self, bearer: str, domain: str = A, **fields: Any) -> int:
        status, _ = await self.call("POST", protocol.SWEPT, bearer, protocol.Swept(domain=domain, **fields))
        return status


def token(of: Pod) -> str:
    claims = {
        "aud": [protocol.AUDIENCE],
        "exp": int(time.time()) + 600,
        "iss": ISSUER,
        "kubernetes.io": {"namespace": of.key.namespace, "pod": {"name": of.key.name, "uid": of.uid}},
    }
    return jwt.encode(claims, SIGNER, "ES256", headers={"kid": "k"})


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    cluster, store, progress, metrics = MemoryCluster(), Store(), ProgressBoard(), Metrics()
    key = {**ECAlgorithm.to_jwk(SIGNER.public_key(), as_dict=True), "kid": "k", "use": "sig", "alg": "ES256"}
    cluster.objects[paths.ISSUER] = {"issuer": ISSUER}
    cluster.objects[paths.SIGNING_KEYS] = {"keys": [key]}
    recorder = Recorder(cluster, store)
    stored = Documents(cluster, store, recorder, 2**30)
    intake = Intake(
        store=store,
        tokens=Tokens(cluster),
        permits=Permits(15, 500),
        metrics=metrics,
        documents=stored,
        sweeping=Sweeping(store, recorder, stored),
        ledger=Ledger(cluster, store, repeats_charged=False, now=lambda: datetime.now(UTC)),
        progress=progress,
        active=lambda: True,
        progressed=lambda _: None,
    )
    runner = web.AppRunner(intake.application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as session:
        yield Desk(cluster, store, f"http://127.0.0.1:{runner.addresses[0][1]}", progress, metrics, session)
    await runner.cleanup()
    await cluster.close()


@pytest.fixture
def sweep(desk: Desk) -> str:
    """The token of a sweep at work."""
    return desk.caller(errand(Task.SWEEP))


# Counting


async def test_calls_are_counted_by_route_never_by_path_and_strange_ones_together(desk: Desk, sweep: str) -> None:
    await desk.stored(document())
    await desk.call("GET", f"{protocol.DOCUMENTS}/{A}", sweep)
    await desk.call("GET", f"{protocol.DOCUMENTS}/{A}", "no token")
    await desk.call("GET", "/v1/a.example", sweep)
    await desk.call("PURGE", protocol.PERMITS, sweep)
    family = next(one for one in desk.metrics.registry.collect() if one.name == "novahunt_intake_requests")
    assert {(*sample.labels.values(), sample.value) for sample in family.samples} == {
        ("GET", "/v1/documents/{domain}", "200", 1),
        ("GET", "/v1/documents/{domain}", "401", 1),
        ("none", "none", "404", 1),
        ("none", "none", "405", 1),
    }


# Log lines


async def test_lines_on_calls_name_the_callers_collection_and_domain(desk: Desk, sweep: str) -> None:
    await desk.stored(document())
    bearer = desk.caller(job(B, 7))
    with written() as lines:
        await desk.call("PUT", f"{protocol.DOCUMENTS}/{A}", sweep, b"{")
        await desk.call("PUT", protocol.DOCUMENT, bearer, b"{")
    assert lines.subjects(f"PUT {protocol.DOCUMENTS}/{A}:") == [(str(KEY), A, None)]
    assert lines.subjects(f"PUT {protocol.DOCUMENT}:") == [(str(KEY), B, 7)]


# Rights


CALLS = [("GET", protocol.DOCUMENTS), ("GET", f"{protocol.DOCUMENTS}/{A}"), ("PUT", f"{protocol.DOCUMENTS}/{A}")]


@pytest.mark.parametrize("caller", [job(B), errand(Task.ESTIMATE)], ids=["a domain's Job", "an estimate"])
async def test_who_is_no_sweep_may_not_do_what_sweeps_may(desk: Desk, caller: Errand | Job) -> None:
    await desk.stored(document())
    bearer = desk.caller(caller)
    for method, path in CALLS:
        status, _ = await desk.call(method, path, bearer, documents.encode(left_of(document(), 1)))
        assert status == 403, path
    assert await desk.swept(bearer, removed=True) == 403
    assert desk.documents()[A].total == 3


@pytest.mark.parametrize("task", list(Task)[1:])
async def test_an_errand_speaks_for_no_domain(desk: Desk, task: Task) -> None:
    bearer = desk.caller(errand(task))
    for method in ("GET", "PUT"):
        status, _ = await desk.call(method, protocol.DOCUMENT, bearer, documents.encode(document()))
        assert status == 403
    assert desk.cluster.names(MAPS) == set()


async def test_a_sweep_sees_its_own_collection_only(desk: Desk) -> None:
    await desk.stored(document())
    other = Key(KEY.namespace, "other")
    wishes = collection(LISTS, key=other, uid="uid-other")
    stranger = errand(Task.SWEEP, key=Key(KEY.namespace, "s"), uid="s", owner_uid="uid-other", collection="other")
    bearer = desk.caller(stranger, wishes)
    status, body = await desk.call("GET", protocol.DOCUMENTS, bearer)
    assert (status, msgspec.json.decode(body, type=protocol.Listing)) == (200, protocol.Listing(()))
    assert (await desk.call("GET", f"{protocol.DOCUMENTS}/{A}", bearer))[0] == 404
    assert await desk.swept(bearer, removed=True) == 200
    assert desk.documents()[A].total == 3


async def test_a_sweep_of_a_collection_that_is_gone_is_refused(desk: Desk) -> None:
    bearer = desk.caller(errand(Task.SWEEP, owner_uid="uid-before"))
    assert (await desk.call("GET", protocol.DOCUMENTS, bearer))[0] == 403


async def test_errands_get_permits_without_credits_and_tell_their_progress(desk: Desk) -> None:
    at_work = errand(Task.ESTIMATE)
    bearer = desk.caller(at_work, collection(spec(mode="Estimate", budget={"maxCredits": 0})))
    told = protocol.Progress(percent=40, emails=7, requests=9)
    call = protocol.PermitCall(fingerprint="0123456789abcdef", progress=told)
    status, body = await desk.call("POST", protocol.PERMITS, bearer, call)
    answer = msgspec.json.decode(body, type=protocol.PermitAnswer)
    assert (status, answer.permit is not None, answer.refused) == (200, True, None)
    assert desk.progress.get()[pod(at_work).uid] == told
    assert (
        await desk.call("POST", protocol.PERMITS, bearer, msgspec.structs.replace(call, wanted=False, stopping=True))
    )[0] == 200
    assert (await desk.call("POST", protocol.PERMITS, bearer, msgspec.structs.replace(call, credits=1)))[0] == 403


# Documents in ConfigMaps


async def test_a_sweep_is_told_which_documents_lie_in_config_maps_and_reads_them(desk: Desk, sweep: str) -> None:
    whole = document()
    await desk.stored(whole)
    await desk.record(result(B, storage=Place(VolumePlace("collections", "q4")), sha256="ab" * 32))
    _, body = await desk.call("GET", protocol.DOCUMENTS, sweep)
    assert msgspec.json.decode(body, type=protocol.Listing) == protocol.Listing((A,))
    assert await desk.call("GET", f"{protocol.DOCUMENTS}/{A}", sweep) == (200, documents.encode(whole))
    assert (await desk.call("GET", f"{protocol.DOCUMENTS}/{B}", sweep))[0] == 404
    assert (await desk.call("GET", f"{protocol.DOCUMENTS}/unknown.example", sweep))[0] == 404


async def test_what_is_left_takes_the_place_of_the_whole_under_the_same_run(desk: Desk, sweep: str) -> None:
    whole = document(size=400, run=4)
    await desk.stored(whole)
    left = left_of(whole, 250)
    packed = gzip.compress(documents.encode(left))
    status, body = await desk.call("PUT", f"{protocol.DOCUMENTS}/{A}", sweep, packed, **{"Content-Encoding": "gzip"})
    assert status == 200
    told, known = msgspec.json.decode(body, type=protocol.Stored), desk.result()
    assert desk.documents() == {A: left}
    assert (known.run, known.outcome, known.reason) == (4, Outcome.COLLECTED, "Collected")
    assert (known.emails, known.suppressed, known.stored_at, known.collected_at) == (250, 150, at(0), at(-61))
    assert (known.sha256, known.bytes, known.storage) == (told.sha256, told.bytes, Place(config_map=told.config_map))
    assert known.stored_bytes < known.bytes
    assert known.suppression == "", "the sweep's own receipt tells it"


async def test_the_same_once_more_changes_nothing(desk: Desk, sweep: str) -> None:
    await desk.stored(document())
    for _ in range(2):
        status, _ = await desk.call("PUT", f"{protocol.DOCUMENTS}/{A}", sweep, documents.encode(left_of(document(), 1)))
        assert status == 200
    assert desk.documents()[A].total == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (document(size=4), 400),
        (document(B, 1), 400),
        (b"{", 400),
        (document(size=1, collected_at=at(-5)), 409),
    ],
    ids=["more than there is", "another domain's", "no document", "another one was collected since"],
)
async def test_what_is_not_left_of_the_stored_document_is_refused(
    desk: Desk, sweep: str, body: Any, status: int
) -> None:
    await desk.stored(document())
    data = body if isinstance(body, bytes) else documents.encode(body)
    assert (await desk.call("PUT", f"{protocol.DOCUMENTS}/{A}", sweep, data))[0] == status
    assert desk.documents()[A].total == 3


async def test_what_is_not_stored_can_not_be_replaced(desk: Desk, sweep: str) -> None:
    assert (await desk.call("PUT", f"{protocol.DOCUMENTS}/{A}", sweep, documents.encode(document())))[0] == 409
    assert desk.cluster.names(MAPS) == set()


UNDER_WAY = {
    "a Job at work": ([job(A, 2)], []),
    "an end that is not recorded": ([complete(A, 2)], []),
    "a pod of a Job that is gone": ([], [pod(job(A, 2))]),
}


@pytest.mark.parametrize(("jobs", "pods"), UNDER_WAY.values(), ids=UNDER_WAY)
async def test_a_domain_with_a_run_under_way_is_left_alone(
    desk: Desk, sweep: str, jobs: list[Job], pods: list[Pod]
) -> None:
    await desk.stored(document())
    for under_way in jobs:
        desk.store.put_job(under_way)
    for alive in pods:
        desk.store.put_pod(alive)
    body = documents.encode(left_of(document(), 1))
    assert (await desk.call("PUT", f"{protocol.DOCUMENTS}/{A}", sweep, body))[0] == 409
    assert await desk.swept(sweep, removed=True) == 409
    assert desk.documents()[A].total == 3
    assert (await desk.call("GET", f"{protocol.DOCUMENTS}/{A}", sweep))[0] == 200


async def test_other_runs_and_ends_that_are_recorded_are_no_hindrance(desk: Desk, sweep: str) -> None:
    await desk.stored(document())
    desk.store.put_job(job(B))
    desk.store.put_job(complete(A, 1))
    assert await desk.swept(sweep, removed=True) == 200


async def test_a_domain_that_a_list_names_loses_its_document_and_keeps_its_outcome(desk: Desk, sweep: str) -> None:
    await desk.stored(document())
    assert await desk.swept(sweep, removed=True) == 200
    assert desk.documents() == {}
    known = desk.result()
    assert (known.outcome, known.reason, known.emails, known.storage) == (Outcome.COLLECTED, "Suppressed", 0, None)
    assert known.message == "A suppression list names the domain; its document was removed."
    assert (known.sha256, known.bytes, known.stored_bytes, known.collected_at, known.stored_at) == (
        None,
        0,
        0,
        None,
        None,
    )
    assert await desk.swept(sweep, removed=True) == 200, "once more"


async def test_a_file_left_by_an_earlier_storage_does_not_take_the_config_maps_along(desk: Desk, sweep: str) -> None:
    await desk.stored(document())
    assert await desk.swept(sweep, removed=True, expired=True) == 200
    assert await desk.swept(sweep, emails=1, sha256="cd" * 32, bytes=5, stored_at=at(0)) == 200
    assert desk.documents()[A].total == 3


# Crashes


async def crash_after(desk: Desk, writes: int, call: Any) -> bool:
    """Make a call of the parts below HTTP, with a crash after so many writes; tell whether it crashed."""
    desk.cluster.writes_left = writes
    try:
        await call()
    except CrashError:
        return True
    finally:
        desk.cluster.writes_left = None
    return False


def sweeping(desk: Desk) -> Sweeping:
    recorder = Recorder(desk.cluster, desk.store)
    return Sweeping(desk.store, recorder, Documents(desk.cluster, desk.store, recorder, 2**30))


def parts_of(whole: Document) -> int:
    return len(parts.split(A, documents.encode(whole)).contents)


@pytest.mark.parametrize("most", [None, 100], ids=["one ConfigMap", "several"])
async def test_a_crash_between_any_two_writes_of_a_replacement_is_mended_by_a_second_try(
    desk: Desk, most: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if most is not None:
        monkeypatch.setattr(parts, "PACK_ABOVE", most)
        monkeypatch.setattr(parts, "PART_BYTES", most)
    wishes, whole = collection(LISTS), document(size=9)
    left = left_of(whole, 4)
    assert (parts_of(left) > 1) == (most is not None)
    crashed, writes = True, 0
    while crashed:
        for path in [path for path in desk.cluster.objects if path.startswith((MAPS, paths.results(KEY.namespace)))]:
            del desk.cluster.objects[path]
        known = desk.store.results_of(KEY).get(A)
        if known is not None:
            desk.store.drop_result(known.key, known.uid)
        await desk.stored(whole)
        body = documents.encode(left)
        crashed = await crash_after(desk, writes, partial(sweeping(desk).put, wishes, A, body))
        await sweeping(desk).put(wishes, A, body)
        # As the operator does after its start.
        await Leftovers(
            desk.cluster, desk.store, Recorder(desk.cluster, desk.store), Territory(desk.cluster, (KEY.namespace,))
        ).clear()
        assert desk.documents() == {A: left}
        writes += 1
    assert writes > parts_of(whole) + parts_of(left), "each was crashed before"


async def test_a_crash_while_a_document_is_removed_never_leaves_addresses_that_nothing_tells_of(desk: Desk) -> None:
    wishes = collection(LISTS)
    await desk.stored(document())
    gone = protocol.Swept(domain=A, removed=True)
    assert await crash_after(desk, 1, lambda: sweeping(desk).swept(wishes, gone))
    assert desk.cluster.names(MAPS) == set()
    assert desk.result().storage is not None, "it is done again"
    await sweeping(desk).swept(wishes, gone)
    assert desk.result().storage is None


# Files on a volume


def on_volume(path: str = "q4", **fields: Any) -> Result:
    place = Place(VolumePlace("collections", path))
    return result(
        A, emails=3, sha256="ab" * 32, bytes=9, storage=place, collected_at=at(-61), stored_at=at(-60), **fields
    )


@pytest.fixture
def on_files(desk: Desk) -> str:
    """The token of a sweep of a collection that stores on a volume, under a retention."""
    wishes = spec(storage=VOLUME, retention="720h")
    return desk.caller(errand(Task.SWEEP), collection(wishes))


async def test_what_is_left_of_a_file_is_recorded(desk: Desk, on_files: str) -> None:
    await desk.record(on_volume(suppression="d1"))
    assert await desk.swept(on_files, emails=1, sha256="cd" * 32, bytes=5, stored_at=at(0)) == 200
    known = desk.result()
    assert (known.emails, known.sha256, known.bytes, known.stored_at) == (1, "cd" * 32, 5, at(0))
    assert (known.collected_at, known.suppression, known.storage) == (at(-61), "", on_volume().storage)


async def test_a_file_that_is_removed_for_its_age_is_recorded_so(desk: Desk, on_files: str) -> None:
    await desk.record(on_volume())
    assert await desk.swept(on_files, removed=True, expired=True) == 200
    known = desk.result()
    assert (known.outcome, known.reason, known.storage) == (Outcome.COLLECTED, "Expired", None)
    assert known.message == "The document was removed after retention 720h."


async def test_a_file_that_no_record_tells_of_is_recorded_nowhere(desk: Desk, on_files: str) -> None:
    assert await desk.swept(on_files, removed=True) == 200
    assert desk.cluster.names(paths.results(KEY.namespace)) == set()


async def test_a_record_of_another_folder_is_not_touched(desk: Desk, on_files: str) -> None:
    await desk.record(on_volume("elsewhere"))
    assert await desk.swept(on_files, removed=True) == 200
    assert desk.result() == on_volume("elsewhere")


async def test_a_place_in_the_contract_is_what_people_read(desk: Desk) -> None:
    known = await desk.stored(document())
    assert known.storage == Place(config_map=ConfigMapPlace((next(iter(desk.cluster.names(MAPS))),), f"{A}.json"))
