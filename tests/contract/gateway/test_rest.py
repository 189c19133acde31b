"""The REST calls, over HTTP: one job a domain however many ask, its state, and the file of its addresses."""

import csv
import io
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import msgspec
import pytest

from builders import result
from contract.gateway.conftest import SALES, Served, wanting
from novahunt_api import parts, paths
from novahunt_api.cluster import ApiError, NotFoundError
from novahunt_api.domainresults import Place, Result, VolumePlace
from novahunt_api.objects import Key
from novahunt_api.statusobject import RunningDomain
from novahunt_contract import document, domains
from novahunt_contract.document import Document, Item
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_contract.receipt import ConfigMapPlace

A, OWN = "a.example", "collect-a.example"


def post(caller: httpx.Client, domain: str = A) -> httpx.Response:
    return caller.post("/api/collect-job", json={"domain": domain})


def status(caller: httpx.Client, **query: str) -> httpx.Response:
    return caller.get("/api/collect-status", params=query)


def ended(served: Served, reason: Reason = Reason.COLLECTED, **fields: object) -> Result:
    """Let the domain's job have ended under its wish."""
    wish = served.collection(OWN).spec.recollect
    found = result(A, reason, collection=OWN, recollect=wish, **fields)
    served.record(found)
    return found


def in_config_map(served: Served, domain: str, *items: Item, collection: str = OWN, namespace: str = SALES) -> Result:
    """Have a document stored, and its result known."""
    split = parts.split(domain, document.encode(Document(domain, items, len(items), "", "", "")))
    body = {"metadata": {"name": f"doc-{domain}", "namespace": namespace}, **split.fields(0)}
    served.cluster.put(paths.config_maps(namespace, f"doc-{domain}"), body)
    place = Place(config_map=ConfigMapPlace((f"doc-{domain}",), split.key))
    found = result(
        domain, collection=collection, storage=place, emails=len(items), stored_at="2026-11-26T10:00:00.000Z"
    )
    served.record(found, namespace)
    return found


def item(email: str, name: str | None = None) -> Item:
    return Item(email, name, None, 0.9, None)


def test_a_domain_becomes_a_job_with_the_gateways_own_fields(served_gateway: Served, caller: httpx.Client) -> None:
    answer = post(caller, "https://WWW.A.example/contact")
    assert answer.status_code == 200
    told = answer.json()
    assert told == {
        "ok": True,
        "jobId": told["jobId"],
        "domain": A,
        "status": "queued",
        "message": "Collection job enqueued successfully",
    }
    made = served_gateway.collection(OWN)
    assert made.spec.domains == (A,)
    assert told["jobId"] == f"collect-{A}-{made.spec.recollect}"
    assert made.spec.budget is not None
    assert made.spec.budget.max_credits_per_domain == 50


def test_twenty_callers_at_once_get_one_job(served_gateway: Served) -> None:
    def ask(_: int) -> tuple[int, str]:
        with served_gateway.client() as caller:
            answer = post(caller)
            return answer.status_code, answer.json()["jobId"]

    with ThreadPoolExecutor(20) as pool:
        answers = set(pool.map(ask, range(20)))
    assert len(answers) == 1
    assert next(iter(answers))[0] == 200


def test_after_the_end_twenty_callers_get_one_new_job(served_gateway: Served, caller: httpx.Client) -> None:
    first = post(caller).json()["jobId"]
    ended(served_gateway)
    # The next job is another one, because it is asked for in another millisecond.
    asked = time.time_ns() // 1_000_000
    while time.time_ns() // 1_000_000 == asked:
        pass
    with ThreadPoolExecutor(20) as pool:
        again = set(pool.map(lambda _: post(caller).json()["jobId"], range(20)))
    assert len(again) == 1
    assert first not in again


def test_a_collection_of_somebodys_own_is_never_changed(served_gateway: Served, caller: httpx.Client) -> None:
    made = caller.post("/api/collections", json={"name": OWN, "domains": ["other.example"]})
    assert made.status_code == 201
    assert post(caller).status_code == 409
    assert served_gateway.collection(OWN).spec.domains == ("other.example",)


def test_a_create_whose_answer_was_lost_is_not_told_as_taken(
    served_gateway: Served, caller: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster, answered = served_gateway.cluster, served_gateway.cluster.call

    async def repeated(method: str, path: str, **options: Any) -> bytes:
        if method == "POST":
            await answered(method, path, **options)
        return await answered(method, path, **options)

    monkeypatch.setattr(cluster, "call", repeated)
    wish = {"name": "q4", "domains": [A]}
    assert caller.post("/api/collections", json=wish).status_code == 201
    assert caller.post("/api/collections", json=wish).status_code == 409
    assert (post(caller).status_code, post(caller).json()["status"]) == (200, "queued")


@pytest.mark.parametrize("entries", [["https://A.example"], [A, "www.a.example"]])
def test_a_list_under_a_jobs_name_is_that_job_in_whatever_form_it_writes_the_domain(
    served_gateway: Served, caller: httpx.Client, entries: list[str]
) -> None:
    assert caller.post("/api/collections", json={"name": OWN, "domains": entries}).status_code == 201
    made = served_gateway.collection(OWN)
    assert made.spec.domains == (A,)
    answer = post(caller)
    assert (answer.status_code, answer.json()["jobId"]) == (200, f"collect-{A}-{made.spec.recollect}")


@pytest.mark.parametrize(
    "entries",
    [
        [A, *(f"{number}.example" for number in range(1500))],
        ["other.example", *(f"{number}.example" for number in range(1500))],
        [f"https://{A}/{number}" for number in range(1500)],
        [A] * 1500,
    ],
    ids=["begins with its domain", "begins with another", "many spellings", "one spelling"],
)
def test_a_long_list_under_a_jobs_name_is_looked_at_no_further_than_it_takes(
    served_gateway: Served, monkeypatch: pytest.MonkeyPatch, entries: list[str]
) -> None:
    looked_at: list[str] = []
    normalise = domains.normalise

    def counted(entry: str) -> str:
        looked_at.append(entry)
        return normalise(entry)

    async def refused(*_given: object, **_options: object) -> bytes:
        raise ApiError(413, "RequestEntityTooLarge", "etcdserver: request is too large")

    monkeypatch.setattr(domains, "normalise", counted)
    monkeypatch.setattr(served_gateway.cluster, "call", refused)
    with served_gateway.client() as caller:
        answer = caller.post("/api/collections", json={"name": OWN, "domains": entries})
    assert (answer.status_code, answer.json()["error"]) == (400, "etcdserver: request is too large")
    assert len(looked_at) <= 20


@pytest.mark.parametrize(
    "message", ['namespaces "other" not found', "the server could not find the requested resource"]
)
def test_where_the_namespace_or_the_kinds_are_missing_a_create_is_refused_in_words(
    served_gateway: Served, caller: httpx.Client, monkeypatch: pytest.MonkeyPatch, message: str
) -> None:
    async def missing(*_given: object, **_options: object) -> bytes:
        raise NotFoundError(404, "NotFound", message)

    monkeypatch.setattr(served_gateway.cluster, "call", missing)
    bodies = {"collect-job": {"domain": A}, "collections": {"name": "n", "domains": [A]}}
    described = caller.get("/openapi.json").json()["paths"]
    for call, body in bodies.items():
        answer = caller.post(f"/api/{call}", params={"namespace": "other"}, json=body)
        assert (answer.status_code, answer.json()["ok"]) == (503, False)
        assert "no namespace other" in answer.json()["error"]
        assert message in answer.json()["error"]
        assert str(answer.status_code) in described[f"/api/{call}"]["post"]["responses"]


@pytest.mark.parametrize("domain", ["", "x", "a b", "jane@a.example", "127.0.0.1", "../../etc", "a" * 3000])
def test_what_is_no_domain_is_refused_and_not_repeated(caller: httpx.Client, domain: str) -> None:
    answer = post(caller, domain)
    assert answer.status_code == 400
    assert answer.json()["ok"] is False
    assert not domain or domain not in answer.text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"domain": 5}', b'{"domain": "a.example", "more": 1}'])
def test_a_body_that_is_none_is_refused(caller: httpx.Client, body: bytes) -> None:
    answer = caller.post("/api/collect-job", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["ok"]) == (400, False)


def test_a_job_goes_from_queued_over_processing_to_completed(served_gateway: Served, caller: httpx.Client) -> None:
    job = post(caller).json()["jobId"]
    assert status(caller, domain=A).json()["status"] == "queued"
    made = served_gateway.collection(OWN)
    running = msgspec.structs.replace(made.status, running=(RunningDomain(A, 40, 3),))
    served_gateway.tell(msgspec.structs.replace(made, status=running))
    told = status(caller, jobId=job).json()
    assert (told["status"], told["progress"], told["hasStoredResults"]) == ("processing", 40, False)
    assert post(caller).json()["message"] == "Collection job is already running"
    served_gateway.tell(made)
    ended(served_gateway, emails=3, storage=Place(config_map=ConfigMapPlace(("x",), "k")), stored_at="2026-11-26")
    assert status(caller, domain=A).json() == {
        "ok": True,
        "jobId": job,
        "domain": A,
        "status": "completed",
        "progress": 100,
        "hasStoredResults": True,
        "itemCount": 3,
        "total": 3,
        "storedAt": "2026-11-26",
        "collection": OWN,
        "error": None,
        "waitsFor": None,
    }


def test_a_failed_job_tells_its_error(served_gateway: Served, caller: httpx.Client) -> None:
    post(caller)
    ended(served_gateway, Reason.CLAIMED, outcome=Outcome.FAILED, message="a person asked to be left alone")
    told = status(caller, domain=A).json()
    assert (told["status"], told["error"]) == ("failed", "a person asked to be left alone")


def test_what_nobody_knows_is_not_found_and_nothing_asked_is_refused(caller: httpx.Client) -> None:
    assert status(caller).status_code == 400
    assert status(caller, domain="unknown.example").status_code == 404
    for job in ("", "collect-unknown.example-1", "../../etc/passwd", "collect-../a-1", "collect-a.example-"):
        assert status(caller, jobId=job).status_code == 404


def test_a_domain_is_known_in_whatever_form_a_list_writes_it(served_gateway: Served, caller: httpx.Client) -> None:
    served_gateway.tell(wanting("q4", "b.example", "https://WWW.A.example/contact"))
    for asked in (A, "http://a.example/"):
        told = status(caller, domain=asked).json()
        assert (told["status"], told["domain"], told["collection"]) == ("queued", A, "q4")
    assert caller.get("/api/export-csv", params={"domain": A}).status_code == 202
    assert status(caller, domain="other.example").status_code == 404


def test_a_domains_addresses_come_as_a_table_that_runs_nothing(served_gateway: Served, caller: httpx.Client) -> None:
    in_config_map(served_gateway, A, item(f"x@{A}", "=cmd|' /C calc'!A0"), item(f"y@{A}"))
    served_gateway.tell(wanting(OWN, A))
    answer = caller.get("/api/export-csv", params={"domain": A})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{A}.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["email"] for row in rows] == [f"x@{A}", f"y@{A}"]
    assert rows[0]["name"].startswith("'=")


def test_a_collections_addresses_come_once_each(served_gateway: Served, caller: httpx.Client) -> None:
    in_config_map(served_gateway, A, item("x@b.example"), collection="many")
    in_config_map(served_gateway, "b.example", item("x@b.example"), collection="many")
    served_gateway.tell(wanting("many", A, "b.example"))
    answer = caller.get("/api/export-csv", params={"collection": "many", "format": "json"})
    assert [one["email"] for one in answer.json()] == ["x@b.example"]


def test_what_is_still_collected_is_accepted_and_what_is_not_there_not_found(caller: httpx.Client) -> None:
    assert caller.get("/api/export-csv", params={"domain": A}).status_code == 404
    post(caller)
    answer = caller.get("/api/export-csv", params={"domain": A})
    assert (answer.status_code, answer.json()["ok"]) == (202, False)
    assert caller.get("/api/export-csv").status_code == 400


DONE = {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True", "reason": "Completed"}]}


def test_what_does_not_work_on_a_domain_never_hides_what_is_stored(
    served_gateway: Served, caller: httpx.Client
) -> None:
    job = post(caller).json()["jobId"]
    in_config_map(served_gateway, A, item(f"x@{A}"))
    ended(served_gateway, emails=1)
    for later in (
        wanting("estimate", A, mode="Estimate"),
        wanting("estimated", A, mode="Estimate", status=DONE),
        wanting("suspended", A, suspend=True),
    ):
        served_gateway.tell(later)
        told = status(caller, domain=A).json()
        assert (told["status"], told["jobId"], told["collection"]) == ("completed", job, OWN)


def test_a_domain_off_its_list_is_told_as_it_ended_whatever_is_wished_later(
    served_gateway: Served, caller: httpx.Client
) -> None:
    served_gateway.tell(wanting("many", "b.example", recollect="x", status=DONE))
    served_gateway.record(result(A, collection="many", emails=3, job_id="collect-a.example-5"))
    told = status(caller, domain=A).json()
    assert (told["status"], told["jobId"], told["itemCount"]) == ("completed", "collect-a.example-5", 3)


def test_what_a_deleted_collection_has_left_is_still_found_by_its_domain(
    served_gateway: Served, caller: httpx.Client
) -> None:
    job = post(caller).json()["jobId"]
    in_config_map(served_gateway, A, item(f"x@{A}"))
    place = served_gateway.gateway.objects.results_of(Key(SALES, OWN))[A].data.storage
    ended(served_gateway, emails=1, storage=place, stored_at="2026-11-26")
    gone = served_gateway.collection(OWN)
    served_gateway.gateway.objects.drop_collection(gone.key, gone.uid)
    for asked in ({"domain": A}, {"jobId": job}):
        told = status(caller, **asked).json()
        assert (told["status"], told["jobId"], told["storedAt"]) == ("completed", job, "2026-11-26")
    for asked in ({"domain": A}, {"collection": OWN}, {"collection": OWN, "domain": A}):
        answer = caller.get("/api/export-csv", params=asked)
        assert (answer.status_code, f"x@{A}" in answer.text) == (200, True)
    assert caller.get("/api/export-csv", params={"domain": A, "namespace": "other"}).status_code == 404


def test_what_will_never_come_by_itself_is_not_found(served_gateway: Served, caller: httpx.Client) -> None:
    def code(**query: str) -> int:
        return caller.get("/api/export-csv", params=query).status_code

    served_gateway.tell(wanting("done", "x.example", status=DONE))
    served_gateway.tell(wanting("estimate", "y.example", mode="Estimate"))
    served_gateway.tell(wanting("suspended", "z.example", suspend=True))
    served_gateway.tell(wanting("works", "b.example"))
    for name, domain in (("done", "x.example"), ("estimate", "y.example"), ("suspended", "z.example")):
        assert code(domain=domain) == 404
        assert code(collection=name) == 404
        assert code(collection=name, domain="nowhere.example") == 404
    assert code(collection="works") == code(collection="works", domain="b.example") == code(domain="b.example") == 202
    assert code(collection="works", domain="nowhere.example") == 404


def test_documents_on_a_volume_are_read_where_it_is_mounted(served_gateway: Served, caller: httpx.Client) -> None:
    folder = served_gateway.volume / "q4"
    folder.mkdir()
    held = Document(A, (item(f"x@{A}"),), 1, "", "", "")
    (folder / f"{A}.json").write_bytes(document.encode(held))
    for claim, namespace, code in (("claim", SALES, 200), ("another", SALES, 409), ("claim", "other", 409)):
        place = Place(persistent_volume_claim=VolumePlace(claim, "q4"))
        served_gateway.record(result(A, collection="kept", storage=place), namespace)
        found = wanting("kept", A, namespace=namespace)
        served_gateway.tell(found)
        answer = caller.get("/api/export-csv", params={"domain": A, "namespace": namespace})
        assert answer.status_code == code, answer.text
        served_gateway.gateway.objects.drop_result(
            served_gateway.gateway.objects.results_of(found.key)[A].key, f"uid-kept-{A}"
        )


def test_many_domains_are_made_listed_and_shown(caller: httpx.Client) -> None:
    wish = {"name": "q4", "domains": [A, "b.example"], "budget": {"maxCredits": 500}, "maxResults": 10}
    made = caller.post("/api/collections", json=wish)
    assert made.status_code == 201
    assert made.json()["collection"]["spec"]["domains"] == [A, "b.example"]
    assert caller.post("/api/collections", json=wish).status_code == 409
    assert [one["name"] for one in caller.get("/api/collections").json()["collections"]] == ["q4"]
    assert caller.get("/api/collections/q4").json()["collection"]["spec"]["budget"]["maxCredits"] == 500
    assert caller.get("/api/collections/q5").status_code == 404
