"""A control plane with simulated nodes: starts without root, runs Jobs to an end of their choice, leaves nothing."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from devcluster.processes import is_alive, kill
from devcluster.testing import Cluster, wait_until

pytestmark = pytest.mark.cluster

MESSAGE = json.dumps({"receipt": 'quoted "text": {{ . }}', "letters": "äß\n—"})


def job(name: str, **wishes: str) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {
            "backoffLimit": 0,
            "template": {
                "metadata": {
                    "annotations": {
                        f"devcluster.novahunt.io/{key.replace('_', '-')}": wish for key, wish in wishes.items()
                    }
                },
                "spec": {"restartPolicy": "Never", "containers": [{"name": "only", "image": "simulated:1"}]},
            },
        },
    }


def ended(cluster: Cluster, name: str) -> str | None:
    """The condition with which a Job has ended."""
    conditions = cluster.get("job", name).get("status", {}).get("conditions", [])
    return next(
        (each["type"] for each in conditions if each["type"] in {"Complete", "Failed"} and each["status"] == "True"),
        None,
    )


def terminated(cluster: Cluster, name: str) -> dict[str, Any]:
    (pod,) = cluster.get("pods", "--selector", f"job-name={name}")["items"]
    found = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert isinstance(found, dict)
    return found


def test_jobs_end_as_their_pods_annotations_say(cluster: Cluster) -> None:
    cluster.up("--control-plane", "--simulated-nodes", "2", "--audit-log")
    jobs = [
        job("plain"),
        job("message", termination_message=MESSAGE),
        job("fails", exit_code="7", termination_message="why"),
        job("long", run_seconds="600"),
        job("short", run_seconds="1.5"),
    ]
    started = time.monotonic()
    cluster.kubectl("apply", "--filename=-", send=yaml.safe_dump_all(jobs))
    wait_until(lambda: ended(cluster, "short") == "Complete", "the job of 1.5 s completes")
    assert time.monotonic() - started > 1.5
    wait_until(lambda: ended(cluster, "plain") == "Complete", "the plain job completes")
    wait_until(lambda: ended(cluster, "message") == "Complete", "the job with a message completes")
    wait_until(lambda: ended(cluster, "fails") == "Failed", "the failing job fails")
    assert ended(cluster, "long") is None
    assert terminated(cluster, "message")["message"] == MESSAGE
    assert terminated(cluster, "fails")["exitCode"] == 7
    assert terminated(cluster, "fails")["message"] == "why"
    assert "message" not in terminated(cluster, "plain")

    again = cluster.up("--control-plane")
    assert "runs already" in again.err
    status = cluster.verb("status", "--name", cluster.name).out
    assert "2/2 simulated ready" in status
    assert str(cluster.folder.audit_log) in status
    written = [json.loads(line) for line in cluster.folder.audit_log.read_text().splitlines()]
    assert {entry["level"] for entry in written} == {"Metadata"}
    assert any(entry["verb"] == "create" and entry["objectRef"]["resource"] == "jobs" for entry in written)

    components = cluster.components
    assert cluster.down().err.startswith("cluster ")
    assert not any(is_alive(started.identity) for started in components.values())
    assert cluster.what_is_left() == []
    assert "nothing to do" in cluster.down().err


def test_what_it_refuses_and_allows_is_what_a_real_cluster_does(cluster: Cluster) -> None:
    cluster.up("--control-plane", "--kube-api-qps", "100", "--kube-api-burst", "200")
    controllers = cluster.components["kube-controller-manager"].identity.pid
    words = Path(f"/proc/{controllers}/cmdline").read_bytes().split(b"\0")
    assert {b"--kube-api-qps=100", b"--kube-api-burst=200"} <= set(words)

    cluster.kubectl("create", "namespace", "tight")
    cluster.kubectl("label", "namespace", "tight", "pod-security.kubernetes.io/enforce=restricted")
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "lax", "namespace": "tight"},
        "spec": {"containers": [{"name": "c", "image": "x:1"}]},
    }
    with pytest.raises(AssertionError, match='violates PodSecurity "restricted'):
        cluster.kubectl("create", "--filename=-", send=json.dumps(pod))
    rights = cluster.kubectl("auth", "can-i", "--list", "--as=system:serviceaccount:tight:default", "--namespace=tight")
    assert "selfsubjectreviews" in rights
    assert "jobs" not in rights

    keys = json.loads(cluster.kubectl("get", "--raw", "/openid/v1/jwks"))
    assert keys["keys"][0]["alg"] == "RS256"
    discovery = json.loads(cluster.kubectl("get", "--raw", "/.well-known/openid-configuration"))
    assert discovery["issuer"] == "https://kubernetes.default.svc.cluster.local"


def test_a_cluster_of_which_a_part_has_ended_is_said_to_be_damaged(cluster: Cluster) -> None:
    cluster.up("--control-plane")
    kill(cluster.components["kube-scheduler"].identity)
    wait_until(lambda: not is_alive(cluster.components["kube-scheduler"].identity), "the scheduler has ended")
    again = cluster.verb("up", "--name", cluster.name, "--control-plane")
    assert again.code == 1
    assert "these parts have ended: kube-scheduler" in again.err
    assert "down: kube-scheduler" in cluster.verb("status", "--name", cluster.name).out


def test_a_killed_component_is_started_again_and_all_data_is_there(cluster: Cluster) -> None:
    cluster.up("--control-plane", "--simulated-nodes", "1")
    cluster.kubectl("create", "configmap", "kept", "--from-literal=key=value")
    for component in ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        before = cluster.components[component].identity
        assert cluster.verb("kill", component, "--name", cluster.name).code == 0
        assert not is_alive(before)
        assert f"down: {component}" in cluster.verb("status", "--name", cluster.name).out
        assert cluster.verb("restart", component, "--name", cluster.name).code == 0
        assert cluster.components[component].identity != before
        assert cluster.get("configmap", "kept")["data"] == {"key": "value"}
    assert "runs already" in cluster.up("--control-plane").err
    cluster.kubectl("apply", "--filename=-", send=yaml.safe_dump(job("after")))
    wait_until(lambda: ended(cluster, "after") == "Complete", "a job completes")
    refused = cluster.verb("kill", "kubelet", "--name", cluster.name)
    assert (refused.code, "has no 'kubelet': it has etcd, kube-apiserver" in refused.err) == (1, True)


def test_a_start_that_fails_says_why_and_leaves_nothing(cluster: Cluster) -> None:
    launcher = cluster.launch("up", "--name", cluster.name, "--control-plane")
    wait_until(lambda: "kube-apiserver" in cluster.components, "the API server has been started")
    kill(cluster.components["etcd"].identity)
    out, err = launcher.communicate()
    assert launcher.returncode == 1, out
    assert "etcd ended with -9; its last lines:" in err
    assert "Traceback" not in err
    assert cluster.what_is_left() == []


@pytest.mark.parametrize("parts", [1, 3])
def test_a_start_whose_launcher_is_killed_is_cleaned_up_by_down(cluster: Cluster, parts: int) -> None:
    launcher = cluster.launch("up", "--name", cluster.name, "--control-plane")
    wait_until(lambda: len(cluster.components) >= parts, f"{parts} components have been started")
    launcher.send_signal(signal.SIGKILL)
    launcher.communicate()
    assert cluster.what_is_left() != []
    cluster.down()
    assert cluster.what_is_left() == []


def test_a_start_that_is_told_to_end_takes_itself_down(cluster: Cluster) -> None:
    launcher = cluster.launch("up", "--name", cluster.name, "--control-plane")
    wait_until(lambda: len(cluster.components) >= 1, "a component has been started")
    launcher.terminate()
    launcher.communicate()
    assert launcher.returncode == 128 + signal.SIGTERM
    assert cluster.what_is_left() == []


def test_a_killed_start_is_taken_over_by_the_next(cluster: Cluster) -> None:
    launcher = cluster.launch("up", "--name", cluster.name, "--control-plane")
    wait_until(lambda: len(cluster.components) >= 2, "two components have been started")
    launcher.kill()
    launcher.communicate()
    assert "removed what was left of an earlier" in cluster.up("--control-plane").err
