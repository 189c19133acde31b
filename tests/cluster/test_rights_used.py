"""The API server's audit log beside the chart's roles: each right is used, and nothing that is asked for is refused."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from bench import audit
from cluster.control_plane import ControlPlane
from cluster.gateway_process import GatewayProcess
from cluster.operator_process import OperatorProcess
from cluster.rights import Comparison, Right, Rule, compare, granted
from cluster.test_erasures import erased
from cluster.test_estimates import estimated
from cluster.test_gateway import let
from cluster.test_rights import token_of
from cluster.test_suppression import make_old, set_config_map, swept
from cluster.world import World
from hunter_simulator import truth
from novahunt_api import names, paths, wire

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240, func_only=True)]

VOLUME = {"persistentVolumeClaim": {"claimName": "collections"}}
LISTS = {
    "domainsFrom": [{"configMapKeyRef": {"name": "leads", "key": "domains"}}],
    "suppressionFrom": [{"configMapKeyRef": {"name": "partners", "key": "domains"}}],
}
OPEN_TO_ALL = ("get /.well-known/openid-configuration", "get /openid/v1/jwks")
"""By Kubernetes' own binding for every service account: what collectors' tokens are checked with."""


class _Role(msgspec.Struct, frozen=True):
    rules: tuple[Rule, ...] = ()


class _Ref(msgspec.Struct, frozen=True):
    kind: str
    name: str
    namespace: str = ""


class _Binding(msgspec.Struct, frozen=True, rename="camel"):
    metadata: wire.Meta
    role_ref: _Ref
    subjects: tuple[_Ref, ...] = ()


class _Bindings(msgspec.Struct, frozen=True):
    items: tuple[_Binding, ...]


def rights_of(plane: ControlPlane, namespace: str, account: str) -> list[Right]:
    """Read what is granted to a service account by name, in any namespace or in the whole cluster."""
    said = plane.kubectl("get", "rolebindings,clusterrolebindings", "-A", "-o", "json")
    found: list[Right] = []
    for binding in msgspec.json.decode(said, type=_Bindings).items:
        if _Ref("ServiceAccount", account, namespace) in binding.subjects:
            within = binding.metadata.namespace or ""
            place = ("-n", within) if binding.role_ref.kind == "Role" else ()
            role = plane.kubectl("get", binding.role_ref.kind, binding.role_ref.name, *place, "-o", "json")
            found += granted(msgspec.json.decode(role, type=_Role).rules, within)
    assert found, f"nothing is granted to {account}"
    return found


def compared(world: World, account: str) -> Comparison:
    """Compare what the chart grants an account with what the API server was asked for by it."""
    calls = audit.read_of(world.plane.audit_log, f"system:serviceaccount:{world.namespace}:{account}")
    return compare(rights_of(world.plane, world.namespace, account), calls)


async def test_the_operator_uses_each_of_its_rights_and_is_refused_nothing(world: World) -> None:
    world.make_claim("collections")
    await collect_into_config_maps(world)
    await collect_onto_a_volume_and_erase(world)
    await estimate_and_then_collect(world)
    await go_by_itself(world)
    await fail_and_be_asked_again(world)
    await take_over_and_tidy_up(world)
    assert compared(world, "novahunt") == Comparison((), (), OPEN_TO_ALL)


async def collect_into_config_maps(world: World) -> None:
    """Lists in ConfigMaps, a budget, a taken name, an edit, a recollection, a suppression, a retention."""
    set_config_map(world, "# nobody yet")
    set_leads(world, "small.example", "n4.example")
    limits: dict[str, Any] = {"budget": {"maxCredits": 100}, "retention": "1h", **LISTS}
    world.apply("maps", ["n6.example"], suspend=True, **limits)
    paused = await world.until("maps", lambda c: c.condition("Suspended")[0] == "True", "suspended")
    # A lost answer's Job is looked up by its name; here it is another's, and is waited for.
    taken = names.job_name("maps", str(paused.metadata.uid), "n6.example", 1)
    world.plane.kubectl("create", "job", taken, "-n", world.namespace, "--image=registry.example/c")
    world.apply("maps", ["n6.example"], **limits)
    await world.until("maps", lambda c: c.condition("Stalled") == ("True", "NameTaken"), "told that the name is taken")
    world.plane.kubectl("delete", "job", taken, "-n", world.namespace)
    await world.ready("maps")
    world.apply("maps", ["n6.example"], recollect="a", **limits)
    await world.ready("maps")
    assert {result.run for result in (await world.results("maps")).values()} == {2}
    set_config_map(world, truth("n6.example", 6)[0].value)
    await world.until("maps", swept, "swept")
    await make_old(world, "maps", "n4.example")
    await world.until("maps", lambda c: c.status.emails == 5 + len(truth("small.example", 7)), "without the old one")
    assert (await world.results("maps"))["n4.example"].reason == "Expired"
    world.delete("maps")
    await world.gone("jobs,pods", "maps")


def set_leads(world: World, *domains: str) -> None:
    metadata = {"name": "leads", "namespace": world.namespace}
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"domains": "\n".join(domains)}}
    world.simulator.set_domain("small.example", 7)
    world.plane.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))


async def collect_onto_a_volume_and_erase(world: World) -> None:
    """Documents on a volume, gone with their collection."""
    world.apply("files", ["n5.example"], deletionPolicy="Delete", storage=VOLUME)
    await world.ready("files")
    world.delete("files")
    assert await erased(world, "files")


async def estimate_and_then_collect(world: World) -> None:
    """Hunter's free counts, noted on their Job."""
    world.apply("offer", ["n3.example", "n8.example"], mode="Estimate")
    await world.until("offer", estimated, "estimated")
    world.apply("offer", ["n3.example", "n8.example"], deletionPolicy="Delete")
    await world.ready("offer")
    world.delete("offer")
    await world.gone("jobs,pods,domainresults,configmaps", "offer")


async def go_by_itself(world: World) -> None:
    """A collection that is removed when its time is over."""
    world.apply("brief", ["n2.example"], ttlSecondsAfterFinished=1)
    gone = ("get", "dcol", "brief", "-n", world.namespace, "--ignore-not-found", "-o", "name")
    await world.until_true(lambda: not world.plane.kubectl(*gone), "gone")


async def fail_and_be_asked_again(world: World) -> None:
    """A refused key, its probes, and a Job that is deleted by hand."""
    world.set_key("no-such-key")
    world.apply("key", ["n9.example"])
    await world.until("key", lambda c: c.condition("Stalled") == ("True", "KeyRefused"), "stalled")
    for job in await world.jobs("key"):
        await world.admin.delete(paths.jobs(world.namespace, job.metadata.name), uid=job.metadata.uid)
    world.set_key()
    await world.ready("key")


async def take_over_and_tidy_up(world: World) -> None:
    """A standby that takes the Lease over, and removes what a crash left in ConfigMaps."""
    labels = {
        names.MANAGED_BY_LABEL: names.MANAGED_BY,
        names.COMPONENT_LABEL: names.DOCUMENT,
        names.COLLECTION_LABEL: "key",
    }
    result = (await world.result_objects("key"))["n9.example"].metadata
    owner = {"apiVersion": names.API_VERSION, "kind": "DomainResult", "name": result.name, "uid": result.uid}
    annotations = {names.DOMAIN_ANNOTATION: "n9.example"}
    metadata = {"name": "stray", "labels": labels, "annotations": annotations, "ownerReferences": [owner]}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    await world.admin.create(paths.config_maps(world.namespace), body, wire.ConfigMapObject)
    standby = OperatorProcess(world.plane, world.namespace, world.folder, world.operator.settings, name="operator-1")
    standby.start()
    try:
        await world.until_true(lambda: "operator-0" in holder(world), "led by the first")
        assert world.operator.stop() == 0
        await world.until_true(lambda: "operator-1" in holder(world), "led by the standby")
        stray = ("get", "configmap", "stray", "-n", world.namespace, "--ignore-not-found", "-o", "name")
        await world.until_true(lambda: not world.plane.kubectl(*stray), "tidied up")
    finally:
        standby.stop()


def holder(world: World) -> str:
    return world.plane.kubectl("get", "lease", "novahunt-leader", "-n", world.namespace, "-o", "yaml")


async def test_the_gateway_uses_each_of_its_rights_and_is_refused_nothing(world: World) -> None:
    world.make_claim("collections")
    verbs = ("get", "list", "create", "patch")
    let(world, "maker", *verbs, resources=("domaincollections.novahunt.io", "domaincollections.novahunt.io/content"))
    token = token_of(world, "maker")
    settings = {
        "NOVAHUNT_GATEWAY_AUTHENTICATION": "kubernetes",
        "NOVAHUNT_GATEWAY_VOLUMES": f"collections={world.kubelet.folder}",
    }
    gateway = GatewayProcess(world.plane, world.namespace, world.folder, settings)
    world.simulator.set_domain("small.example", 7)
    world.apply("on-volume", ["small.example"], storage=VOLUME)
    await world.ready("on-volume")

    together = threading.Barrier(20)

    def ask(domain: str) -> str:
        with gateway.client(token) as caller:
            caller.get("/healthz")
            together.wait(timeout=30)
            answer = caller.post("/api/collect-job", json={"domain": domain})
            assert answer.status_code == 200, answer.text
            return str(answer.json()["jobId"])

    def many(domain: str = "small.example") -> set[str]:
        with ThreadPoolExecutor(20) as callers:
            return set(callers.map(ask, [domain] * 20))

    def exported(collection: str) -> int:
        with gateway.client(token) as caller:
            answer = caller.get("/api/export-csv", params={"collection": collection})
            return len(answer.text.splitlines()) - 1 if answer.status_code == 200 else -1

    with gateway.running():
        first = await asyncio.to_thread(many)
        assert len(first) == 1
        await world.ready("collect-small.example")
        # Asked for again, it is changed.
        second = await asyncio.to_thread(many)
        assert (len(second), first & second) == (1, set())
        await world.ready("collect-small.example")
        for collection in ("on-volume", "collect-small.example"):
            assert await asyncio.to_thread(exported, collection) == 7
        # One is read only if it was made by another call a moment ago, and its news has not come yet.
        for number in range(20):
            if not compared(world, "novahunt-gateway").unused:
                break
            await asyncio.to_thread(many, f"n{number}.example")
    assert compared(world, "novahunt-gateway") == Comparison((), (), ())
