"""Each REST call through the gateway's own Service: as the chart installs it, beside real collectors."""

import csv
import functools
import json
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest

from e2e.node import SALES, SECONDS, Node
from hunter_simulator import truth
from novahunt_operator.authority import Pair, issue, new_authority

pytestmark = pytest.mark.node

TOKEN = "token-of-the-test"
GROUP = 2000
"""Of the volume's folder, and so of all that read or write it."""

SMALL, LARGE, REFUSED = "small.example", "large.example", "refused.example"


@functools.cache
def authority() -> Pair:
    """Who signs the gateway's certificate, as somebody else's than the operator's."""
    return new_authority(datetime.now(UTC))


@functools.cache
def trusting() -> ssl.SSLContext:
    """What callers check the gateway by."""
    return ssl.create_default_context(cadata=authority().certificate_pem.decode())


@pytest.fixture(scope="module")
def address(whole_node: Node) -> Iterator[str]:
    """The gateway's Service, on a port of the node."""
    node = whole_node.host
    shown = issue(authority(), [node], datetime.now(UTC))
    pair = {"tls.crt": shown.certificate_pem.decode(), "tls.key": shown.key_pem.decode()}
    for name, data in (("gateway", {"token": TOKEN}), ("gateway-tls", pair)):
        whole_node.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data})
    whole_node.install(
        gateway__enabled="true",
        gateway__tokenSecretRef__name="gateway",
        gateway__tls__secretName="gateway-tls",
        gateway__service__type="NodePort",
        **{"gateway.claims[0]": "collections", "gateway.podSecurityContext.supplementalGroups[0]": str(GROUP)},
    )
    port = whole_node.kubectl(
        *("get", "service", "novahunt-gateway", "-n", SALES, "-o", "jsonpath={.spec.ports[0].nodePort}")
    )
    yield f"https://{node}:{port}"
    whole_node.install()


@pytest.fixture
def caller(node: Node, address: str) -> Iterator[httpx.Client]:
    """Somebody with the token, once the gateway has seen what the node was cleared of."""
    with client(address) as found:
        until(lambda: found.get("/api/collections").json()["collections"] == [], "without collections")
        del node
        yield found


def client(address: str) -> httpx.Client:
    return httpx.Client(base_url=address, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30, verify=trusting())


def until(check: object, what: str) -> None:
    assert callable(check)
    deadline = time.monotonic() + SECONDS
    while not check():
        assert time.monotonic() < deadline, f"never {what}"
        time.sleep(0.1)


def ask(caller: httpx.Client, domain: str) -> httpx.Response:
    return caller.post("/api/collect-job", json={"domain": domain})


def followed(caller: httpx.Client, **query: str) -> list[dict[str, object]]:
    """Ask for a job's status until it has ended; return all different answers."""
    seen: list[dict[str, object]] = []

    def ended() -> bool:
        answer = caller.get("/api/collect-status", params=query)
        assert answer.status_code == 200
        if not seen or seen[-1] != answer.json():
            seen.append(answer.json())
        return answer.json()["status"] in ("completed", "failed")

    until(ended, "ended")
    return seen


def test_a_domain_is_queued_then_processed_with_progress_then_completed(node: Node, caller: httpx.Client) -> None:
    node.hold(LARGE, 600)
    node.slow_down(0.8)
    answer = ask(caller, f"https://www.{LARGE}/contact")
    assert answer.status_code == 200
    job = answer.json()["jobId"]
    assert answer.json() == {
        "ok": True,
        "jobId": job,
        "domain": LARGE,
        "status": "queued",
        "message": "Collection job enqueued successfully",
    }
    seen = followed(caller, jobId=job)
    states = list(dict.fromkeys(one["status"] for one in seen))
    assert states == ["queued", "processing", "completed"]
    progress = [one["progress"] for one in seen]
    assert progress == sorted(progress, key=lambda value: int(str(value)))
    assert len(set(progress)) > 2, progress
    last = seen[-1]
    assert (last["jobId"], last["domain"], last["progress"], last["itemCount"]) == (job, LARGE, 100, 600)
    assert (last["hasStoredResults"], last["total"]) == (True, 600)
    assert last["storedAt"]


def test_the_addresses_of_a_domain_are_a_csv_file_once_they_are_stored(node: Node, caller: httpx.Client) -> None:
    node.hold(SMALL, 7)
    assert caller.get("/api/export-csv", params={"domain": SMALL}).status_code == 404
    node.slow_down(1.5)
    ask(caller, SMALL)
    waiting = caller.get("/api/export-csv", params={"domain": SMALL})
    assert waiting.status_code == 202
    followed(caller, domain=SMALL)
    answer = caller.get("/api/export-csv", params={"domain": SMALL})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(answer.text.splitlines()))
    assert sorted(row["email"] for row in rows) == sorted(person.value for person in truth(SMALL, 7))


def test_a_domain_that_fails_says_why(node: Node, caller: httpx.Client) -> None:
    node.hold(REFUSED, 0, refused=True)
    assert ask(caller, REFUSED).status_code == 200
    last = followed(caller, domain=REFUSED)[-1]
    assert last["status"] == "failed"
    assert last["error"]
    assert caller.get("/api/export-csv", params={"domain": REFUSED}).status_code == 404


def test_what_is_no_domain_and_what_is_not_asked_whole_is_refused(caller: httpx.Client) -> None:
    answer = ask(caller, "no domain")
    assert (answer.status_code, answer.json()["ok"]) == (400, False)
    assert caller.get("/api/collect-status").status_code == 400
    assert caller.get("/api/collect-status", params={"domain": "unknown.example"}).status_code == 404
    assert (
        caller.get("/api/collect-status", params={"jobId": "collect-unknown.example-1795521600000"}).status_code == 404
    )


def test_twenty_callers_at_once_get_one_job(node: Node, caller: httpx.Client, address: str) -> None:
    node.hold(SMALL, 7)

    def one(_: int) -> str:
        with client(address) as each:
            answer = ask(each, SMALL)
            assert answer.status_code == 200, answer.text
            return str(answer.json()["jobId"])

    with ThreadPoolExecutor(20) as callers:
        jobs = set(callers.map(one, range(20)))
    assert len(jobs) == 1
    followed(caller, domain=SMALL)
    collections = json.loads(node.kubectl("get", "dcol", "-n", SALES, "-o", "json"))["items"]
    assert [one["metadata"]["name"] for one in collections] == [f"collect-{SMALL}"]
    assert node.results(f"collect-{SMALL}")[SMALL].run == 1
    again = ask(caller, SMALL).json()
    assert again["jobId"] not in jobs, "after its end it is another run"


def test_many_domains_are_one_collection_and_one_file_off_a_volume(node: Node, caller: httpx.Client) -> None:
    for domain, size in ((SMALL, 7), ("other.example", 3)):
        node.hold(domain, size)
    wish = {"name": "q4", "domains": [SMALL, "https://other.example/x"], "budget": {"maxCredits": 50}}
    made = caller.post("/api/collections", json=wish)
    assert made.status_code == 201
    assert caller.post("/api/collections", json=wish).status_code == 409
    until(lambda: len(caller.get("/api/export-csv", params={"collection": "q4"}).text.splitlines()) == 11, "stored")
    shown = caller.get("/api/collections/q4").json()["collection"]
    assert shown["spec"]["budget"]["maxCredits"] == 50
    storage = {"persistentVolumeClaim": {"claimName": "collections"}}
    node.collect("on-volume", [SMALL], storage=storage, jobTemplate={"podSecurityContext": {"fsGroup": GROUP}})
    node.ready("on-volume")
    until(lambda: caller.get("/api/export-csv", params={"collection": "on-volume"}).status_code == 200, "seen")
    file = caller.get("/api/export-csv", params={"collection": "on-volume"})
    assert len(file.text.splitlines()) == 8
    names = [one["name"] for one in caller.get("/api/collections").json()["collections"]]
    assert names == ["on-volume", "q4"]


@pytest.mark.parametrize("token", [None, "wrong"])
def test_without_the_token_there_is_no_answer(caller: httpx.Client, address: str, token: str | None) -> None:
    ask(caller, SMALL)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with httpx.Client(base_url=address, headers=headers, verify=trusting()) as stranger:
        for path in (f"/api/collect-status?domain={SMALL}", "/api/collect-status?domain=unknown.example"):
            assert stranger.get(path).json() == {"ok": False, "error": "show a token that opens this namespace"}
