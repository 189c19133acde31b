"""The gateway as a whole: the page beside the REST calls, the reference, and what Prometheus and the kubelet ask."""

from collections.abc import Iterator

import httpx
import pytest

from contract.gateway.conftest import SALES, TOKEN, Served, wanting
from contract.gateway.test_rest import in_config_map, item
from novahunt_api.cluster import error_of
from novahunt_contract import __version__
from novahunt_gateway import serving
from page.serving import served_as

A, OWN = "a.example", "collect-a.example"


@pytest.fixture
def person(served_gateway: Served) -> Iterator[httpx.Client]:
    """Somebody who has logged in on the page."""
    headers = {"Origin": served_gateway.url}
    with httpx.Client(base_url=served_gateway.url, headers=headers, follow_redirects=True) as found:
        csrf = found.get("/login").text.partition('name="csrf" value="')[2].partition('"')[0]
        assert found.post("/login", data={"csrf": csrf, "token": TOKEN}).status_code == 200
        yield found


def csrf_of(page: httpx.Response) -> str:
    return page.text.partition('name="csrf" value="')[2].partition('"')[0]


def test_the_page_shows_what_the_rest_calls_have_made(caller: httpx.Client, person: httpx.Client) -> None:
    assert "a.example" not in person.get("/").text
    assert caller.post("/api/collect-job", json={"domain": A}).status_code == 200
    assert f"collect-{A}" in person.get("/").text


def test_what_the_page_makes_is_a_collection_within_a_budget(served_gateway: Served, person: httpx.Client) -> None:
    fields = {"domains": f"https://www.{A}/x", "name": "mine", "budget": "50", "do": "start"}
    answer = person.post("/new/start", data={"csrf": csrf_of(person.get("/new")), **fields})
    assert answer.url.path == "/collections/mine"
    made = served_gateway.collection("mine")
    assert made.spec.domains == (A,)
    assert made.spec.budget is not None
    assert made.spec.budget.max_credits == 50


def test_a_name_that_is_taken_is_told_beside_its_field(served_gateway: Served, person: httpx.Client) -> None:
    fields = {"domains": A, "name": "mine", "budget": "50", "do": "start"}
    for expected in (200, 400):
        answer = person.post("/new/start", data={"csrf": csrf_of(person.get("/new")), **fields})
        assert answer.status_code == expected
    assert "There is a collection of that name already" in answer.text
    assert len(served_gateway.gateway.objects.collections(SALES)) == 1


def start(person: httpx.Client, name: str, do: str = "start") -> httpx.Response:
    fields = {"domains": A, "name": name, "budget": "50", "do": do}
    return person.post("/new/start", data={"csrf": csrf_of(person.get("/new")), **fields})


def test_a_single_domain_is_one_job_whether_the_page_or_a_call_began_it(
    served_gateway: Served, caller: httpx.Client, person: httpx.Client
) -> None:
    preview = person.post("/new", data={"csrf": csrf_of(person.get("/new")), "domains": f"https://www.{A}/"})
    assert f'value="{OWN}"' in preview.text
    page = start(person, OWN)
    assert page.url.path == f"/collections/{OWN}"
    made = served_gateway.collection(OWN)
    assert made.spec.budget is not None
    assert made.spec.budget.max_credits == 50
    told = caller.post("/api/collect-job", json={"domain": A}).json()
    assert (told["status"], told["jobId"]) == ("queued", f"collect-{A}-{made.spec.recollect}")
    assert "There is a collection of that name already" in start(person, OWN).text
    assert person.post(f"/collections/{OWN}/recollect", data={"csrf": csrf_of(page)}).status_code == 200
    again = caller.post("/api/collect-job", json={"domain": A})
    assert again.status_code == 200
    assert again.json()["jobId"] == f"collect-{A}-{served_gateway.collection(OWN).spec.recollect}"


def test_a_domain_that_is_only_estimated_is_no_job_until_it_may_cost_something(
    caller: httpx.Client, person: httpx.Client
) -> None:
    page = start(person, OWN, do="estimate")
    refused = caller.post("/api/collect-job", json={"domain": A})
    assert (refused.status_code, "only estimates" in refused.json()["error"]) == (409, True)
    person.post(f"/collections/{OWN}/collect", data={"csrf": csrf_of(page), "budget": "9"})
    assert caller.post("/api/collect-job", json={"domain": A}).status_code == 200


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((503, b""), (503, "Kubernetes does not answer")),
        ((422, b'{"message": "spec.budget is too large"}'), (400, "spec.budget is too large")),
    ],
    ids=["away", "refused"],
)
def test_what_is_not_done_is_told_alike_by_the_page_and_by_a_call(
    served_gateway: Served,
    person: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
    answer: tuple[int, bytes],
    expected: tuple[int, str],
) -> None:
    page, (code, told) = start(person, "mine"), expected

    async def fail(*_given: object, **_options: object) -> bytes:
        raise error_of(*answer)

    monkeypatch.setattr(served_gateway.cluster, "call", fail)
    with served_gateway.client() as caller:
        refused = caller.post("/api/collections", json={"name": "other", "domains": [A]})
    assert refused.status_code == code
    assert told in refused.json()["error"]
    assert ("retry-after" in refused.headers) == (code == 503)
    shown = person.post("/collections/mine/suspend", data={"csrf": csrf_of(page)})
    assert shown.status_code == code
    assert told in shown.text
    assert told in start(person, "other").text


def test_a_collection_is_suspended_from_the_page(served_gateway: Served, person: httpx.Client) -> None:
    made = person.post(
        "/new/start",
        data={"csrf": csrf_of(person.get("/new")), "domains": A, "name": "mine", "budget": "5", "do": "start"},
    )
    person.post("/collections/mine/suspend", data={"csrf": csrf_of(made)})
    assert served_gateway.collection("mine").spec.suspend


def test_the_page_hands_out_the_same_file_as_the_rest_call(
    served_gateway: Served, caller: httpx.Client, person: httpx.Client
) -> None:
    served_gateway.tell(wanting("q4", A))
    in_config_map(served_gateway, A, item("b@a.example", "=cmd"), item("a@a.example"), collection="q4")
    file = person.get("/collections/q4/download")
    assert file.status_code == 200
    assert file.text.count("@a.example") == 2
    assert file.content == caller.get("/api/export-csv", params={"collection": "q4"}).content


def test_documents_that_can_not_be_read_are_told_on_the_page(served_gateway: Served, person: httpx.Client) -> None:
    served_gateway.tell(wanting("q4", A))
    found = in_config_map(served_gateway, A, item("b@a.example"), collection="q4")
    assert found.config_map_place is not None
    path = f"/api/v1/namespaces/{SALES}/configmaps/doc-{A}"
    held = served_gateway.cluster.objects[path]
    held["data"] = dict.fromkeys(held["data"], "{")
    answer = person.get("/collections/q4/download")
    assert answer.status_code == 409
    assert "collect it again" in answer.text


def test_the_reference_names_every_call_and_needs_no_script_of_others(served_gateway: Served) -> None:
    with httpx.Client(base_url=served_gateway.url) as anybody:
        answer = anybody.get("/docs")
        described = anybody.get("/openapi.json").json()
    assert answer.status_code == 200
    assert described["info"]["version"] == __version__
    for path, calls in described["paths"].items():
        for method in calls:
            assert f"<code>{method.upper()} {path}</code>" in answer.text
    assert "//" not in answer.text.replace(served_gateway.url, "")
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_requests_are_counted_by_route_and_never_by_what_they_name(
    served_gateway: Served, caller: httpx.Client
) -> None:
    assert caller.get("/api/collect-status", params={"domain": "secret.example"}).status_code == 404
    assert caller.get("/api/collections/secret").status_code == 404
    assert caller.delete("/api/collections/secret").status_code == 405
    assert caller.get("/api/secret").status_code == 404
    assert caller.get("/api").status_code == 404
    with served_gateway.client("wrong-token") as stranger:
        stranger.get("/api/collections/secret")
    value = served_gateway.metrics.registry.get_sample_value
    name = "novahunt_gateway_requests_total"
    assert value(name, {"method": "GET", "route": "/api/collect-status", "code": "404"}) == 1
    assert value(name, {"method": "GET", "route": "/api/collections/{name}", "code": "404"}) == 1
    assert value(name, {"method": "DELETE", "route": "/api/collections/{name}", "code": "405"}) == 1
    assert value(name, {"method": "GET", "route": "/api/{path}", "code": "404"}) == 2
    assert value(name, {"method": "GET", "route": "refused", "code": "401"}) == 1
    assert value(name, {"method": "GET", "route": "refused", "code": "404"}) is None
    with served_as(serving.config(served_gateway.gateway.health(), 0, head_seconds=5)) as url:
        text = httpx.get(f"{url}/metrics", follow_redirects=True).text
    assert "novahunt_gateway_request_duration_seconds_bucket" in text
    assert "secret" not in text
    assert "wrong-token" not in text


def test_it_is_alive_at_once_and_ready_when_everything_was_listed(served_gateway: Served) -> None:
    with served_as(serving.config(served_gateway.gateway.health(), 0, head_seconds=5)) as url:
        assert httpx.get(f"{url}/healthz").text == "ok"
        answer = httpx.get(f"{url}/readyz")
        assert answer.status_code == 503
        assert "the first list is not complete: domaincollections in sales" in answer.text
