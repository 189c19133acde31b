"""Policies of a cluster-wide install hold the operator's account to what the operator makes, at the real API server.

Each call is made as that account, for which the administrator stands in, and as a trial that changes nothing.
"""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from builders import NOW, collection, collector_settings, spec
from cluster.control_plane import ROOT, Answer, ControlPlane
from cluster.operator_process import IMAGE
from cluster.world import World, running_world
from novahunt_api.domainresults import VolumePlace
from novahunt_api.objects import Key
from novahunt_contract.errands import Task
from novahunt_operator import erasure_jobs, errand_jobs, jobs
from novahunt_operator.errands import ErrandStart
from novahunt_operator.planner import Start
from novahunt_operator.settings import KeyOf

pytestmark = pytest.mark.cluster

SECONDS = 60.0
"""How long the API server may take to learn of a policy; it takes about one."""
REPOSITORY, TAG = IMAGE.rsplit(":", 1)
VALUES = (
    "crds.enabled=false,image.repository=registry.example/novahunt-operator,image.tag=v1,fullnameOverride=novahunt,"
    f"collector.image.repository={REPOSITORY},collector.image.tag={TAG},clusterWide=true,replicas=0"
)
SETTINGS = collector_settings(
    image=IMAGE,
    image_pull_secrets=("registry",),
    proxy="http://proxy.example:3128",
    ca_bundle=KeyOf("company-ca", "ca.crt"),
)
PLAIN = spec()
FULL = spec(
    storage={"persistentVolumeClaim": {"claimName": "collections"}},
    budget={"maxCredits": 100},
    retention="P30D",
    deletionPolicy="Delete",
    suppressionFrom=[
        {"name": "a", "configMapKeyRef": {"name": "a", "key": "list"}},
        {"name": "b", "secretKeyRef": {"name": "b", "key": "list"}},
    ],
    jobTemplate={
        "labels": {"team": "sales", "app.kubernetes.io/component": "mine"},
        "serviceAccountName": "default",
        "podSecurityContext": {"runAsUser": 1000, "fsGroup": 1000},
        "tolerations": [{"operator": "Exists"}],
    },
)

Json = dict[str, Any]


class Account:
    """The operator's account in a namespace of a cluster-wide install."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self.plane = plane
        self.namespace = namespace

    def call(self, *args: str, stdin: Json | None = None) -> Answer:
        """Make a call on trial, as this account."""
        account = f"--as=system:serviceaccount:{self.namespace}:novahunt"
        words = (*args, "--dry-run=server", account, "-n", self.namespace)
        return self.plane.try_kubectl(*words, stdin=json.dumps(stdin) if stdin is not None else None)

    def create(self, manifest: Json) -> Answer:
        return self.call("create", "-f", "-", stdin=manifest)

    def there(self, manifest: Json) -> str:
        """Have the administrator make an object, and return how kubectl names it."""
        return self.plane.kubectl(
            "create", "-f", "-", "-n", self.namespace, "-o", "name", stdin=json.dumps(manifest)
        ).strip()

    def job(self) -> Json:
        """Return a Job as the operator makes it."""
        return jobs.build(self.collection(), Start("example.com", 1, None), SETTINGS, NOW)

    def collection(self, wishes: Any = PLAIN) -> Any:
        return collection(wishes, key=Key(self.namespace, "q4"))


def config_map(name: str, component: str = "document") -> Json:
    labels = {"app.kubernetes.io/managed-by": "novahunt", "app.kubernetes.io/component": component}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}}


@pytest.fixture
def account(kinds: ControlPlane, namespace: str) -> Iterator[Account]:
    """The account of the chart, which is installed cluster-wide; its policies are in force."""
    kinds.helm("upgrade", "--install", "novahunt", str(ROOT / "charts/novahunt"), "-n", namespace, "--set", VALUES)
    try:
        # The chart gives it no right to change ConfigMaps; with this one there is the policy alone to refuse it.
        kinds.kubectl("create", "role", "more", "--verb=update,patch", "--resource=configmaps", "-n", namespace)
        holder = f"--serviceaccount={namespace}:novahunt"
        kinds.kubectl("create", "rolebinding", "more", "--role=more", holder, "-n", namespace)
        found = Account(kinds, namespace)
        until_in_force(found)
        yield found
    finally:
        kinds.helm("uninstall", "novahunt", "-n", namespace)


def until_in_force(account: Account) -> None:
    bad = account.job()
    unlabelled(bad)
    end = time.monotonic() + SECONDS
    while not (account.create(config_map("foreign", "mine")).code and account.create(bad).code):
        assert time.monotonic() < end, "the policies never came into force"


def pod(job: Json) -> Json:
    found: Json = job["spec"]["template"]["spec"]
    return found


def container(job: Json) -> Json:
    found: Json = pod(job)["containers"][0]
    return found


def unlabelled(job: Json) -> None:
    del job["metadata"]["labels"]["app.kubernetes.io/component"]


def second_container(job: Json) -> None:
    pod(job)["containers"].append(container(job) | {"name": "second", "image": "registry.example/other:v1"})


def first_container(job: Json) -> None:
    pod(job)["initContainers"] = [container(job) | {"name": "first", "image": "registry.example/other:v1"}]


def token_sources(job: Json) -> list[Json]:
    (found,) = (volume["projected"]["sources"] for volume in pod(job)["volumes"] if "projected" in volume)
    return list(found)


def api_token(job: Json) -> None:
    del token_sources(job)[0]["serviceAccountToken"]["audience"]


def secret_beside_the_token(job: Json) -> None:
    volume = {"name": "more", "projected": {"sources": [*token_sources(job), {"secret": {"name": "any"}}]}}
    pod(job)["volumes"].append(volume)


WRONG: dict[str, tuple[Callable[[Json], Any], str]] = {
    "no label": (unlabelled, "only Jobs of collectors (labels"),
    "another image": (lambda job: container(job).update(image=f"{IMAGE}2"), "set collector.image of its chart"),
    "a second container": (second_container, "set collector.image of its chart"),
    "a container before it": (first_container, "set collector.image of its chart"),
    "another command": (lambda job: container(job).update(command=["sh"]), "leave command, args"),
    "arguments": (lambda job: container(job).update(args=["-c"]), "leave command, args"),
    "a hook": (
        lambda job: container(job).update(lifecycle={"preStop": {"exec": {"command": ["sh"]}}}),
        "leave command, args",
    ),
    "a mounted token": (
        lambda job: pod(job).update(automountServiceAccountToken=True),
        "set automountServiceAccountToken: false",
    ),
    "nothing about the token": (
        lambda job: pod(job).pop("automountServiceAccountToken"),
        "set automountServiceAccountToken: false",
    ),
    "a token for the API server": (api_token, "with audience: novahunt-intake"),
    "a Secret beside the token": (secret_beside_the_token, "with audience: novahunt-intake"),
    "a folder of the node": (
        lambda job: pod(job)["volumes"].append({"name": "root", "hostPath": {"path": "/"}}),
        "hostPath is not allowed",
    ),
    "the node's network": (lambda job: pod(job).update(hostNetwork=True), "leave hostNetwork, hostPID and hostIPC out"),
    "the node's processes": (lambda job: pod(job).update(hostPID=True), "leave hostNetwork, hostPID and hostIPC out"),
    "the node's memory": (lambda job: pod(job).update(hostIPC=True), "leave hostNetwork, hostPID and hostIPC out"),
    "perhaps root": (lambda job: pod(job)["securityContext"].pop("runAsNonRoot"), "set securityContext.runAsNonRoot"),
    "root in the container": (
        lambda job: container(job)["securityContext"].update(runAsNonRoot=False),
        "none of privileged",
    ),
    # Not here: privileged, which this API server takes from nobody (--allow-privileged is off).
    "escalation": (
        lambda job: container(job)["securityContext"].pop("allowPrivilegeEscalation"),
        "set allowPrivilegeEscalation: false",
    ),
    "all capabilities": (
        lambda job: container(job)["securityContext"].pop("capabilities"),
        "capabilities.drop: [ALL]",
    ),
    "one more capability": (
        lambda job: container(job)["securityContext"]["capabilities"].update(add=["NET_BIND_SERVICE"]),
        "none of privileged",
    ),
    "no security context": (lambda job: container(job).pop("securityContext"), "set allowPrivilegeEscalation: false"),
}


def test_a_job_is_refused_for_what_the_operator_never_makes_and_told_what_to_do(account: Account) -> None:
    right = account.create(account.job())
    assert right.code == 0, right.err
    for what, (change, told) in WRONG.items():
        job = account.job()
        change(job)
        answer = account.create(job)
        assert answer.code != 0, what
        assert "ValidatingAdmissionPolicy" in answer.err, what
        assert told in answer.err, f"{what}: {answer.err}"


def test_every_job_that_the_operator_makes_is_accepted(account: Account) -> None:
    for wishes in (PLAIN, FULL):
        of = account.collection(wishes)
        place = VolumePlace("collections", "q4")
        made = [
            jobs.build(of, Start("example.com", 1, "2026-11-24T11:00:00.000Z", 10, 10), SETTINGS, NOW),
            errand_jobs.build(of, ErrandStart(Task.ESTIMATE, "wishes", 1, ("example.com",)), SETTINGS, NOW),
            errand_jobs.build(of, ErrandStart(Task.SWEEP, "wishes", 1), SETTINGS, NOW),
            erasure_jobs.build(of, place, SETTINGS, NOW),
        ]
        for job in made:
            answer = account.create(job)
            assert answer.code == 0, answer.err


def test_only_jobs_of_collectors_are_changed_and_deleted_whatever_their_image(account: Account) -> None:
    older, foreign = account.job(), account.job()
    older["metadata"]["name"] = "older"
    container(older)["image"] = "registry.example/novahunt-collector:older"
    foreign["metadata"]["name"] = "foreign"
    unlabelled(foreign)
    for job in (older, foreign):
        # Without the owner, which is not there, they are left alone by the cluster.
        del job["metadata"]["ownerReferences"]
    ours, others = account.there(older), account.there(foreign)
    note = ("annotate", "novahunt.io/counts={}")
    for name, told in ((ours, ""), (others, "change and delete only Jobs of collectors")):
        for answer in (account.call(note[0], name, note[1]), account.call("delete", name)):
            assert (answer.code != 0, told in answer.err) == (bool(told), True), answer.err
    disown = account.call("label", ours, "app.kubernetes.io/component-")
    assert "change and delete only Jobs of collectors" in disown.err
    take_over = account.call("label", others, "app.kubernetes.io/component=collector")
    assert "change and delete only Jobs of collectors" in take_over.err


def test_only_its_own_config_maps_are_made_changed_and_deleted(account: Account) -> None:
    told = "only ConfigMaps that hold its documents"
    ours, others = account.there(config_map("ours")), account.there(config_map("others", "mine"))
    for name, made, refused in ((ours, config_map("new"), False), (others, config_map("new", "mine"), True)):
        calls = (account.create(made), account.call("annotate", name, "a=b"), account.call("delete", name))
        for answer in calls:
            assert (answer.code != 0, told in answer.err) == (refused, refused), answer.err
    assert told in account.call("label", others, "--overwrite", "app.kubernetes.io/component=document").err
    assert told in account.call("label", ours, "app.kubernetes.io/component-").err


def test_nobody_else_is_bound_by_them(account: Account) -> None:
    account.there(config_map("any", "mine"))
    account.plane.kubectl("create", "job", "any", "--image=registry.example/any:v1", "-n", account.namespace)


async def test_an_operator_that_is_bound_by_them_does_all_its_work(
    kinds: ControlPlane, tmp_path: Path, namespace: str
) -> None:
    async with running_world(kinds, namespace, tmp_path, values="clusterWide=true") as world:
        try:
            until_in_force(Account(kinds, namespace))
            world.simulator.set_domain("kept.example", 30)
            world.apply("bound", ["kept.example"])
            assert (await world.ready("bound")).status.done == "1/1"
            (older,) = documents(world)
            # Another document takes its place, whose ConfigMap is deleted, and no Job is kept.
            world.simulator.set_domain("kept.example", 40)
            world.apply("bound", ["kept.example"], recollect="again", history={"succeededJobs": 0})
            await world.until_true(lambda: len(documents(world) - {older}) == len(documents(world)) == 1, "replaced")
            await world.ready("bound")
            await world.gone("jobs", "bound")
        finally:
            kinds.helm("uninstall", "novahunt", "-n", namespace)


def documents(world: World) -> set[str]:
    """Return the names of the ConfigMaps that hold documents."""
    selector = "app.kubernetes.io/component=document"
    return set(world.plane.kubectl("get", "configmaps", "-n", world.namespace, "-l", selector, "-o", "name").split())
