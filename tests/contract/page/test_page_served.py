"""The page over HTTP: no session, no answer; forms that are ours; rights; escaping; headers."""

import re
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from novahunt_client import lists
from novahunt_gateway.rights import Right
from page import memory_gateway as memory
from page.memory_gateway import ALL, READER, WRITER, MemoryGateway
from page.serving import served


@pytest.fixture
def gateway() -> MemoryGateway:
    made = MemoryGateway()
    memory.working(made)
    memory.finished(made)
    return made


@pytest.fixture
def client(gateway: MemoryGateway) -> Iterator[httpx.Client]:
    with served(memory.app_of(gateway, history=3)) as at, httpx.Client(base_url=at) as made:
        yield made


def csrf_of(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found is not None
    return found[1]


def log_in(client: httpx.Client, token: str = ALL) -> str:
    """Log in, and return what forms must hold."""
    answer = client.post("/login", data={"csrf": csrf_of(client.get("/login")), "token": token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    return csrf_of(client.get("/"))


@pytest.mark.parametrize(
    "path",
    ["/", "/new", "/collections/berlin", "/collections/nowhere", "/collections/berlin/download",
     "/partials/collections", "/partials/collections/berlin", "/partials/collections/nowhere",
     "/nowhere", "/static/nothing.css"],
)  # fmt: skip
def test_without_a_session_every_path_leads_to_the_login(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["location"], answer.content) == (303, "/login", b"")


@pytest.mark.parametrize("token", ["", "wrong", "x" * 5000, "ü"])
def test_a_token_that_nobody_knows_opens_nothing(client: httpx.Client, token: str) -> None:
    answer = client.post("/login", data={"csrf": csrf_of(client.get("/login")), "token": token})
    assert answer.status_code == 401
    assert 'aria-invalid="true"' in answer.text
    assert client.get("/").status_code == 303


def test_a_token_that_may_not_read_is_told_so_at_the_login(client: httpx.Client) -> None:
    answer = client.post("/login", data={"csrf": csrf_of(client.get("/login")), "token": WRITER})
    assert answer.status_code == 403
    assert "This token may not read collections, which takes list or get on domaincollections." in answer.text
    assert "novahunt" not in client.cookies
    assert client.get("/").status_code == 303


@pytest.mark.parametrize("right", [Right.LIST, Right.GET])
def test_a_token_that_may_read_a_little_is_let_in(client: httpx.Client, gateway: MemoryGateway, right: Right) -> None:
    gateway.rights[WRITER] = frozenset({right})
    log_in(client, WRITER)


def test_a_token_that_is_withdrawn_ends_the_session(client: httpx.Client, gateway: MemoryGateway) -> None:
    log_in(client)
    del gateway.rights[ALL]
    assert client.get("/").status_code == 303
    assert "novahunt" not in client.cookies


def test_the_cookie_is_strict_and_sealed(client: httpx.Client) -> None:
    page = client.get("/login")
    answer = client.post("/login", data={"csrf": csrf_of(page), "token": ALL})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert ALL not in cookie


def test_a_visit_to_the_login_keeps_a_session(client: httpx.Client) -> None:
    log_in(client)
    client.get("/login")
    assert client.get("/").status_code == 200


def test_logging_out_ends_the_session(client: httpx.Client) -> None:
    csrf = log_in(client)
    assert client.post("/logout", data={"csrf": csrf}).status_code == 303
    assert client.get("/").status_code == 303


@pytest.mark.parametrize("headers", [{"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_a_form_from_another_site_does_nothing(
    client: httpx.Client, gateway: MemoryGateway, headers: dict[str, str]
) -> None:
    csrf = log_in(client)
    answer = client.post("/collections/berlin/suspend", data={"csrf": csrf}, headers=headers)
    assert (answer.status_code, gateway.patches) == (403, [])


@pytest.mark.parametrize("csrf", ["", "made-up"])
def test_a_form_of_no_session_does_nothing(client: httpx.Client, gateway: MemoryGateway, csrf: str) -> None:
    log_in(client)
    assert client.post("/collections/berlin/suspend", data={"csrf": csrf}).status_code == 403
    assert client.post("/new/start", data={"csrf": csrf, "name": "x", "domains": "a.example"}).status_code == 403
    assert (gateway.patches, gateway.made) == ([], [])


def sent_as(client: httpx.Client, content_type: str, csrf: str) -> httpx.Response:
    body = f'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{csrf}\r\n--x--\r\n'
    return client.post("/logout", content=body.encode(), headers={"Content-Type": content_type})


@pytest.mark.parametrize("charset", ["punycode", '"punycode"', "utf-7", "idna", "latin-1", "", "utf-8; charset=utf-7"])
def test_a_form_in_another_encoding_than_utf_8_is_not_read(client: httpx.Client, charset: str) -> None:
    csrf = log_in(client)
    answer = sent_as(client, f"multipart/form-data; boundary=x; charset={charset}", csrf)
    assert (answer.status_code, "UTF-8" in answer.text) == (415, True)
    assert client.get("/").status_code == 200, "still logged in"


@pytest.mark.parametrize("parameters", ["", "; charset=utf-8", "; Charset=UTF-8", "; charset*=utf-7''utf-7"])
def test_a_form_in_utf_8_is_read(client: httpx.Client, parameters: str) -> None:
    csrf = log_in(client)
    answer = sent_as(client, f"multipart/form-data; boundary=x{parameters}", csrf)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_a_form_of_nobody_is_refused_before_it_has_come(client: httpx.Client, path: str) -> None:
    place = urlsplit(str(client.base_url))
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {place.netloc}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\n"
    )
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=20) as stranger:
        stranger.sendall(head.encode())
        assert stranger.recv(4096).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("action", ["suspend", "resume", "retry", "recollect"])
def test_actions_patch_the_collection(client: httpx.Client, gateway: MemoryGateway, action: str) -> None:
    csrf = log_in(client)
    answer = client.post(f"/collections/berlin/{action}", data={"csrf": csrf})
    assert (answer.status_code, answer.headers["location"]) == (303, "/collections/berlin")
    fields = {"suspend": "suspend", "resume": "suspend", "retry": "retryFailed", "recollect": "recollect"}
    assert [(name, list(spec)) for name, spec in gateway.patches] == [("berlin", [fields[action]])]


def test_who_may_only_read_sees_no_buttons_and_can_do_nothing(client: httpx.Client, gateway: MemoryGateway) -> None:
    csrf = log_in(client, READER)
    page = client.get("/collections/q4-prospects").text
    assert "Retry failed" not in page
    assert "Download" not in page
    assert client.post("/collections/q4-prospects/retry", data={"csrf": csrf}).status_code == 403
    assert client.get("/collections/q4-prospects/download").status_code == 403
    assert client.get("/new").status_code == 403
    assert client.post("/new/start", data={"csrf": csrf, "name": "x", "domains": "a.example"}).status_code == 403
    assert (gateway.patches, gateway.made) == ([], [])


def test_a_collection_that_needs_a_person_can_be_tried_at_once(client: httpx.Client, gateway: MemoryGateway) -> None:
    stalled = [{"type": kind, "status": "True", "reason": "QuotaExhausted"} for kind in ("Stalled", "Waiting")]
    gateway.hold("stuck", status={"observedGeneration": 1, "conditions": stalled})
    log_in(client)
    page = client.get("/collections/stuck").text
    assert "Try at once" in page
    assert "allowance of the Hunter plan is used up" in page


def test_what_hunter_said_is_escaped(client: httpx.Client) -> None:
    log_in(client)
    page = client.get("/collections/q4-prospects").text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_every_answer_has_a_strict_policy_and_no_style_or_script_of_its_own(client: httpx.Client) -> None:
    pages = [client.get("/login")]
    log_in(client)
    paths = ("/", "/new", "/collections/q4-prospects", "/nowhere", "/static/page.css", "/partials/collections")
    pages += [client.get(path) for path in paths]
    for page in pages:
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        inline = r"<[^>]+ (style|on\w+)=|<style|<script(?! src=\"/static/page.js\")"
        assert not re.search(inline, page.text)
        assert not re.search(r'(src|href|action)="(https?:)?//', page.text)


def test_a_live_part_is_sent_once(client: httpx.Client) -> None:
    log_in(client)
    first = client.get("/partials/collections/berlin")
    again = client.get("/partials/collections/berlin", headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert first.text in client.get("/collections/berlin").text


def test_a_download_is_a_file(client: httpx.Client) -> None:
    log_in(client)
    answer = client.get("/collections/berlin/download?form=csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="berlin.csv"'
    assert answer.text == "berlin as csv\r\n"


def test_a_list_is_looked_at_before_it_starts(client: httpx.Client, gateway: MemoryGateway) -> None:
    csrf = log_in(client)
    files = {"file": ("leads.csv", "name,website\nA,https://www.a.example/x\nB,nothing\n")}
    page = client.post("/new", data={"csrf": csrf, "domains": "A.example\nb.example"}, files=files)
    assert page.status_code == 200
    assert "file row 3" in page.text
    assert "list: one entry a line; file: CSV, column &#39;website&#39;." in page.text
    assert "1,000 credits" in page.text
    assert gateway.made == []


def test_a_table_that_is_pasted_is_read_as_one_that_is_uploaded(client: httpx.Client) -> None:
    csrf = log_in(client)
    page = client.post("/new", data={"csrf": csrf, "domains": "Name\tWebsite\nA\tA.example\nB\tnothing\n"})
    assert page.status_code == 200
    assert "list line 3" in page.text
    assert "a.example" in page.text


def test_a_list_that_can_not_be_read_is_told_beside_its_field(client: httpx.Client) -> None:
    csrf = log_in(client)
    page = client.post("/new", data={"csrf": csrf, "domains": "domain\n" + "x" * 200_000})
    assert page.status_code == 400
    assert 'aria-describedby="domains-hint domains-error"' in page.text
    assert "The list can&#39;t be read: it is no CSV, near line 2" in page.text
    for content in (b"PK\x03\x04\x00\x00", b"\xe4.example"):
        page = client.post("/new", data={"csrf": csrf}, files={"file": ("leads.csv", content)})
        assert page.status_code == 400
        assert 'aria-describedby="file-hint file-error"' in page.text
        assert "The file can&#39;t be read: it is no" in page.text


def test_nothing_starts_without_a_budget(client: httpx.Client, gateway: MemoryGateway) -> None:
    csrf = log_in(client)
    given = {"csrf": csrf, "name": "fresh", "domains": "a.example\nb.example"}
    page = client.post("/new/start", data={**given, "do": "start"})
    assert page.status_code == 400
    assert 'aria-describedby="budget-hint budget-error"' in page.text
    assert gateway.made == []
    answer = client.post("/new/start", data={**given, "do": "start", "budget": "25"})
    assert answer.headers["location"] == "/collections/fresh"
    assert [(made.name, made.domains, made.max_credits) for made in gateway.made] == [
        ("fresh", ("a.example", "b.example"), 25)
    ]


def test_an_estimate_needs_no_budget_and_collecting_after_it_does(client: httpx.Client, gateway: MemoryGateway) -> None:
    csrf = log_in(client)
    given = {"csrf": csrf, "name": "fresh", "domains": "a.example"}
    assert client.post("/new/start", data={**given, "do": "estimate"}).status_code == 303
    assert gateway.made[0].estimate
    assert client.post("/collections/fresh/collect", data={"csrf": csrf}).status_code == 400
    assert client.post("/collections/fresh/collect", data={"csrf": csrf, "budget": "9"}).status_code == 303
    assert gateway.patches == [("fresh", {"mode": "Collect", "budget": {"maxCredits": 9}})]


def test_a_name_that_is_taken_and_a_refusal_are_told(client: httpx.Client, gateway: MemoryGateway) -> None:
    csrf = log_in(client)
    given = {"csrf": csrf, "name": "berlin", "domains": "a.example", "budget": "9"}
    assert "of that name already" in client.post("/new/start", data=given).text
    gateway.refuse = "exceeded quota <b>"
    assert "exceeded quota &lt;b&gt;" in client.post("/new/start", data={**given, "name": "other"}).text
    refused = client.post("/collections/berlin/suspend", data={"csrf": csrf})
    assert (refused.status_code, "exceeded quota" in refused.text) == (400, True)


def test_too_much_is_refused(client: httpx.Client) -> None:
    csrf = log_in(client)
    assert client.post("/new", data={"csrf": csrf, "domains": "a" * 5_000_000}).status_code == 413


@pytest.mark.parametrize("path", ["/login", "/logout", "/collections/berlin/suspend", "/collections/berlin/collect"])
def test_a_form_without_a_list_is_small(client: httpx.Client, path: str) -> None:
    csrf = log_in(client)
    client.get("/login")
    answer = client.post(path, data={"csrf": csrf, "token": "a" * 70_000})
    assert (answer.status_code, "65,536 bytes" in answer.text) == (413, True)


def test_ten_thousand_domains_pass_through_both_forms(client: httpx.Client, gateway: MemoryGateway) -> None:
    csrf = log_in(client)
    text = "\n".join(f"company-{number}.example" for number in range(10_000))
    assert "10,000" in client.post("/new", data={"csrf": csrf, "domains": text}).text
    answer = client.post("/new/start", data={"csrf": csrf, "name": "big", "domains": text, "budget": "9"})
    assert answer.status_code == 303
    assert len(gateway.made[0].domains) == 10_000


def test_a_list_of_too_many_entries_is_refused_beside_its_field(client: httpx.Client, gateway: MemoryGateway) -> None:
    csrf = log_in(client)
    text = "a\n" * (lists.MAX_ENTRIES + 1)
    told = "can&#39;t be read: it has more than 50,000 entries"
    page = client.post("/new", data={"csrf": csrf, "domains": text})
    assert (page.status_code, f"The list {told}" in page.text) == (400, True)
    page = client.post("/new", data={"csrf": csrf}, files={"file": ("leads.txt", text.encode())})
    assert (page.status_code, f"The file {told}" in page.text) == (400, True)
    page = client.post("/new/start", data={"csrf": csrf, "name": "fresh", "domains": text, "budget": "9"})
    assert (page.status_code, f"The list {told}" in page.text) == (400, True)
    assert gateway.made == []


def test_nobody_waits_while_a_list_of_somebody_else_is_read(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    csrf = log_in(client)
    reading, go_on = threading.Event(), threading.Event()
    read = lists.read

    def slow(text: str, source: str) -> lists.ReadList:
        reading.set()
        assert go_on.wait(30)
        return read(text, source)

    monkeypatch.setattr(lists, "read", slow)
    pages: list[httpx.Response] = []
    person = threading.Thread(target=lambda: pages.append(client.post("/new", data={"csrf": csrf, "domains": "a.io"})))
    person.start()
    try:
        assert reading.wait(30)
        with httpx.Client(base_url=client.base_url, timeout=20) as other:
            assert other.get("/login").status_code == 200
        assert pages == []
    finally:
        go_on.set()
        person.join(30)
    assert [page.status_code for page in pages] == [200]
