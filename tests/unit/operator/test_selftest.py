"""What `helm test` tells of a release: against an API server and programs that answer as the test wants."""

from collections import defaultdict
from http import HTTPStatus

import pytest
from aiohttp import web

from novahunt_api.variables import SettingsError
from novahunt_operator.selftest import Release, check, read
from unit.operator.loopback_api import connected

COLLECTIONS = "/apis/novahunt.io/v1alpha1/namespaces/sales/domaincollections"
RESULTS = "/apis/novahunt.io/v1alpha1/namespaces/sales/domainresults"
READY = "/readyz"


class Server:
    """In the place of the API server and of the operator's Service; answers are taken by path, the last one stays."""

    def __init__(self) -> None:
        self.answers = {COLLECTIONS: [(201, "")], RESULTS: [(200, "")], READY: [(200, "ok")]}
        self.asked: defaultdict[str, list[web.BaseRequest]] = defaultdict(list)
        self.trial: dict[str, object] = {}

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked[request.path].append(request)
        if request.path == COLLECTIONS:
            self.trial = await request.json()
        left = self.answers[request.path]
        code, text = left.pop(0) if len(left) > 1 else left[0]
        if request.path == READY:
            return web.Response(status=code, text=text)
        reason = HTTPStatus(code).phrase.replace(" ", "")
        status = {"kind": "Status", "code": code, "reason": reason, "message": text}
        return web.json_response(status, status=code)


async def told(server: Server, patience: float = 0.0) -> list[tuple[bool, str]]:
    async with connected(server.answer) as cluster:
        release = Release(("sales",), (("operator", cluster.host),))
        return [line async for line in check(release, cluster, patience)]


async def test_all_is_well() -> None:
    server = Server()
    assert await told(server) == [(True, "namespace sales takes both kinds"), (True, "the operator is ready")]
    (tried,) = server.asked[COLLECTIONS]
    assert (tried.method, tried.query["dryRun"]) == ("POST", "All")
    assert server.trial["spec"] == {"domains": ["example.com"], "suspend": True}


@pytest.mark.parametrize(
    ("path", "code", "message", "advice"),
    [
        (COLLECTIONS, 404, "the server could not find the requested resource", "crds.enabled=true"),
        (RESULTS, 404, "the server could not find the requested resource", "crds.enabled=true"),
        (COLLECTIONS, 422, 'spec.domains: Invalid value: "string"', "upgrade with crds.enabled=true"),
        (COLLECTIONS, 403, 'User "a" cannot create resource "domaincollections"', "the chart's Role for it"),
    ],
)
async def test_what_the_api_server_refuses_is_told_with_what_to_do(
    path: str, code: int, message: str, advice: str
) -> None:
    server = Server()
    server.answers[path] = [(code, message)]
    (kinds_good, kinds), (ready_good, _) = await told(server)
    assert (kinds_good, ready_good) == (False, True), "the other check is made all the same"
    assert "namespace sales" in kinds
    assert message in kinds
    assert advice in kinds


async def test_a_program_that_is_not_ready_says_why() -> None:
    server = Server()
    server.answers[READY] = [(503, "the Lease is not read yet")]
    (_, (good, text)) = await told(server)
    assert not good
    assert "the Lease is not read yet" in text
    assert "kubectl get pods" in text


async def test_a_program_that_becomes_ready_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("novahunt_operator.selftest._PAUSE_SECONDS", 0.01)
    server = Server()
    server.answers[READY] = [(503, "not yet"), (503, "not yet"), (200, "ok")]
    (_, (good, _)) = await told(server, patience=30.0)
    assert good
    assert len(server.asked[READY]) == 3


async def test_a_program_that_nobody_reaches_is_told_with_its_address() -> None:
    server = Server()
    async with connected(server.answer) as cluster:
        gone = cluster.host
    async with connected(server.answer) as cluster:
        lines = [line async for line in check(Release((), (("gateway", gone),)), cluster, 0.0)]
    ((good, text),) = lines
    assert not good
    assert f"{gone}/readyz" in text
    assert "NetworkPolicies" in text


def test_what_the_chart_tells_it() -> None:
    told_by_chart = {"NOVAHUNT_NAMESPACES": "sales,leads", "NOVAHUNT_SELFTEST_OPERATOR": "http://a.novahunt.svc:8081"}
    found = read(told_by_chart | {"NOVAHUNT_SELFTEST_GATEWAY": "http://b.sales.svc:8081"})
    programs = (("operator", "http://a.novahunt.svc:8081"), ("gateway", "http://b.sales.svc:8081"))
    assert found == Release(("sales", "leads"), programs)
    assert [name for name, _ in read(told_by_chart).programs] == ["operator"]


def test_without_an_address_it_says_which_variable_is_missing() -> None:
    with pytest.raises(SettingsError, match="NOVAHUNT_SELFTEST_OPERATOR is not set"):
        read({})
