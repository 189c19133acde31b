"""The gateway as a process with the chart's account: who may do what, what it hands out, and its described calls."""

import asyncio
import csv
import json
from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cluster.gateway_process import TOKEN, GatewayProcess
from cluster.test_command_line_cluster import novahunt
from cluster.test_rights import as_account, token_of
from cluster.world import World
from hunter_simulator import truth
from novahunt_cli.exits import Exit

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240, func_only=True)]

A = "small.example"
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def gateway_of(world: World, **settings: str) -> GatewayProcess:
    return GatewayProcess(world.plane, world.namespace, world.folder, settings)


def emails(table: str) -> list[str]:
    return sorted(row["email"] for row in csv.DictReader(table.splitlines()))


def let(
    world: World, account: str, *verbs: str, resources: tuple[str, ...] = ("domaincollections.novahunt.io",)
) -> None:
    """Make a service account, and allow it verbs on resources of our group."""
    plane, namespace = world.plane, world.namespace
    plane.kubectl("create", "serviceaccount", account, "-n", namespace)
    if verbs:
        asked = [f"--verb={','.join(verbs)}", f"--resource={','.join(resources)}"]
        plane.kubectl("create", "role", account, "-n", namespace, *asked)
        subject = f"--serviceaccount={namespace}:{account}"
        plane.kubectl("create", "rolebinding", account, "-n", namespace, f"--role={account}", subject)


async def test_with_kubernetes_tokens_each_caller_may_do_what_their_roles_say(world: World) -> None:
    world.simulator.set_domain(A, 7)
    world.apply("q4", [A])
    await world.ready("q4")
    let(world, "nobody")
    let(world, "viewer", "get", "list")
    let(world, "maker", "get", "create", "patch")
    let(world, "reader", "get", resources=("domaincollections.novahunt.io", "domaincollections.novahunt.io/content"))
    gateway = gateway_of(world, NOVAHUNT_GATEWAY_AUTHENTICATION="kubernetes")

    def codes(account: str) -> list[int]:
        with gateway.client(token_of(world, account)) as caller:
            return [
                caller.get("/api/collections").status_code,
                caller.get("/api/collections/q4").status_code,
                caller.post("/api/collect-job", json={"domain": f"{account}.example"}).status_code,
                caller.get("/api/export-csv", params={"collection": "q4"}).status_code,
            ]

    with gateway.running():
        assert await asyncio.to_thread(codes, "nobody") == [401] * 4
        assert await asyncio.to_thread(codes, "viewer") == [200, 200, 403, 403]
        assert await asyncio.to_thread(codes, "maker") == [403, 200, 200, 403]
        assert await asyncio.to_thread(codes, "reader") == [403, 200, 403, 200]
        with gateway.client(f"{token_of(world, 'viewer')[:-4]}AAAA") as forger:
            assert forger.get("/api/collections").status_code == 401
        with gateway.client(TOKEN) as other:
            assert other.get("/api/collections").status_code == 401
        with gateway.client(token_of(world, "viewer")) as viewer:
            elsewhere = viewer.get("/api/collections", params={"namespace": "kube-system"})
        assert elsewhere.status_code == 401
    assert token_of(world, "viewer")[:20] not in gateway.log


async def test_documents_on_a_volume_are_handed_out_over_rest_and_by_the_command_line(world: World) -> None:
    world.simulator.set_domain(A, 7)
    world.simulator.set_domain("other.example", 3)
    world.make_claim("collections")
    storage = {"persistentVolumeClaim": {"claimName": "collections", "path": "leads/q4"}}
    world.apply("q4", [A, "other.example"], storage=storage)
    await world.ready("q4")
    wanted = sorted(person.value for name, count in ((A, 7), ("other.example", 3)) for person in truth(name, count))
    gateway = gateway_of(world, NOVAHUNT_GATEWAY_VOLUMES=f"collections={world.kubelet.folder}")
    with gateway.running():
        with gateway.client() as caller:
            whole = await asyncio.to_thread(caller.get, "/api/export-csv", params={"collection": "q4"})
            one = await asyncio.to_thread(caller.get, "/api/export-csv", params={"domain": "other.example"})
        assert emails(whole.text) == wanted
        assert len(emails(one.text)) == 3
        more = {"NOVAHUNT_GATEWAY": gateway.url, "NOVAHUNT_TOKEN": TOKEN}
        table = await novahunt(world, "export", "q4", more=more)
        assert (table.code, emails(table.out)) == (Exit.DONE, wanted)
        lines = await novahunt(world, "export", "q4", "-o", "jsonl", "--domain", A, more=more)
        assert {json.loads(line)["domain"] for line in lines.out.splitlines()} == {A}
        wrong = await novahunt(world, "export", "q4", more={**more, "NOVAHUNT_TOKEN": "wrong"})
        assert wrong.code == Exit.NOT_ALLOWED
    without = gateway_of(world)
    with without.running():
        refused = await novahunt(world, "export", "q4", more={**more, "NOVAHUNT_GATEWAY": without.url})
    assert refused.code == Exit.ERROR
    assert "this gateway has not mounted the claim collections" in refused.err


@pytest.mark.parametrize(
    "call",
    [
        ("get", "secrets"),
        ("get", "jobs"),
        ("get", "pods"),
        ("get", "events"),
        ("list", "configmaps"),
        ("delete", "dcol", "any"),
        ("patch", "dcol", "any", "--subresource=status", "--type=merge", "-p", "{}"),
        ("patch", "dres", "any", "--type=merge", "-p", "{}"),
        ("create", "token", "default"),
    ],
    ids=" ".join,
)
async def test_the_gateway_is_refused_what_it_has_no_use_for(world: World, call: tuple[str, ...]) -> None:
    verb = ("get", *call[1:]) if call[0] == "list" else call
    answer = as_account(world.plane, token_of(world, "novahunt-gateway"), "-n", world.namespace, *verb)
    assert answer.code != 0
    assert "forbidden" in answer.err.lower()


def _call_all(gateway: GatewayProcess) -> Counter[str]:
    """Call everything that is described, with what is allowed and what isn't; return which statuses came."""
    seen: Counter[str] = Counter()
    for found in schemathesis.openapi.from_url(f"{gateway.url}/openapi.json").get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        for mode in GenerationMode:
            _call(gateway, operation, mode, seen)
    return seen


def _call(
    gateway: GatewayProcess, operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, seen: Counter[str]
) -> None:
    @settings(max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case: schemathesis.Case[Any]) -> None:
        if mode is GenerationMode.POSITIVE:
            # Of another namespace nothing is told.
            case.query.pop("namespace", None)
        answer = case.call(base_url=gateway.url, headers={"Authorization": f"Bearer {TOKEN}"})
        case.validate_response(answer, checks=CHECKS)
        seen[f"{operation.label} {answer.status_code}"] += 1

    call()


async def test_it_answers_as_it_describes_whatever_it_is_sent(world: World) -> None:
    world.operator.stop()
    generous = {"NOVAHUNT_GATEWAY_REQUESTS_PER_SECOND": "10000", "NOVAHUNT_GATEWAY_BURST": "100000"}
    gateway = gateway_of(world, **generous)
    with gateway.running():
        seen = await asyncio.to_thread(_call_all, gateway)
    for expected in ("POST /api/collections 201", "POST /api/collections 400", "GET /api/collect-status 404"):
        assert seen[expected], seen
