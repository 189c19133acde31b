"""After a sync there is no difference: neither what the API server adds nor what the operator writes makes one."""

import json
from typing import Any

import pytest
import yaml

from cluster.control_plane import ROOT, ControlPlane
from cluster.world import World, install

pytestmark = pytest.mark.cluster

APPLIER = ("--server-side", "--force-conflicts", "--field-manager=argocd-controller")
COLLECTION = ROOT / "examples/argocd/collections/leads.yaml"

EVERYTHING = (
    "networkPolicy.enabled=true,dashboard.enabled=true,podDisruptionBudget.enabled=true,"
    "gateway.podDisruptionBudget.enabled=true,gateway.claims={collections},rbac.addressReader=true,"
    "gateway.ingress.enabled=true,gateway.ingress.hosts[0].host=leads.example.com,"
    "results.claims[0].name=collections,results.claims[0].size=1Gi,"
    "topologySpreadConstraints[0].maxSkew=1,topologySpreadConstraints[0].whenUnsatisfiable=ScheduleAnyway,"
    "topologySpreadConstraints[0].topologyKey=topology.kubernetes.io/zone"
)


def lost(desired: Any, live: Any, place: str = "") -> list[str]:
    """Name what is not there as it was written; more may be there."""
    if isinstance(desired, dict) and isinstance(live, dict):
        return [one for name, inner in desired.items() for one in lost(inner, live.get(name), f"{place}.{name}")]
    if isinstance(desired, list) and isinstance(live, list) and len(desired) == len(live):
        return [one for n, (a, b) in enumerate(zip(desired, live, strict=True)) for one in lost(a, b, f"{place}[{n}]")]
    # Kubernetes leaves out what is empty; whoever compares its own kinds reads both as absent.
    same = desired == live or (not desired and live is None)
    return [] if same else [f"{place}: {live!r}, not {desired!r}"]


def assert_in_sync(plane: ControlPlane, namespace: str, manifest: str) -> None:
    """See that another sync would change nothing, as both ways of Argo CD to compare judge it."""
    by_server = plane.try_kubectl("diff", *APPLIER, "-n", namespace, "-f", "-", stdin=manifest)
    assert (by_server.code, by_server.out, by_server.err) == (0, "", "")
    desired = [one for one in yaml.safe_load_all(manifest) if one]
    live = json.loads(plane.kubectl("get", "-n", namespace, "-f", "-", "-o", "json", stdin=manifest))
    by_fields = [
        f"{one['kind']} {one['metadata']['name']}: {what}"
        for one, other in zip(desired, live["items"], strict=True)
        for what in lost(one, other)
    ]
    assert by_fields == []


async def test_neither_a_release_at_work_nor_its_collections_differ_from_what_was_applied(world: World) -> None:
    plane, namespace = world.plane, world.namespace
    install(plane, namespace, EVERYTHING)
    release = plane.helm("get", "manifest", "novahunt", "--namespace", namespace)
    assert {"Secret", "PersistentVolumeClaim", "Ingress", "NetworkPolicy"} <= {
        one["kind"] for one in yaml.safe_load_all(release)
    }
    collection = COLLECTION.read_text("utf-8")
    plane.kubectl("apply", *APPLIER, "-n", namespace, "-f", "-", stdin=collection)
    await world.until("leads", lambda found: bool(found.status.conditions), "taken up")
    assert_in_sync(plane, namespace, collection)
    await world.ready("leads")
    held = json.loads(plane.kubectl("get", "secret", "novahunt-certificate", "-n", namespace, "-o", "json"))
    assert held["data"], "the operator has written what the chart ships empty"
    assert_in_sync(plane, namespace, collection)
    assert_in_sync(plane, namespace, release)
    # What does differ is seen.
    plane.kubectl(
        "patch", "dcol", "leads", "-n", namespace, "--type=merge", "-p", '{"spec":{"budget":{"maxCredits":1}}}'
    )
    changed = plane.try_kubectl("diff", *APPLIER, "-n", namespace, "-f", "-", stdin=collection)
    assert changed.code == 1
    assert "maxCredits: 100" in changed.out


def test_the_kinds_differ_in_nothing_once_they_are_served(kinds: ControlPlane) -> None:
    for path in sorted((ROOT / "crds").glob("*.yaml")):
        assert_in_sync(kinds, "default", path.read_text("utf-8"))
