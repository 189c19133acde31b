"""The collector's Job: restricted, without Kubernetes credentials, owned by its collection, told all it needs."""

import inspect
import json
import re
from typing import Any

import msgspec
import pytest

import novahunt_collector.arguments
import novahunt_collector.settings
from builders import KEY, NOW, UID, collection, collector_settings, spec
from novahunt_api.domaincollections import Collection
from novahunt_contract import environment as env
from novahunt_contract.intake import AUDIENCE
from novahunt_operator import parse
from novahunt_operator.jobs import build, owner_reference, template_hash
from novahunt_operator.planner import Start
from novahunt_operator.pods import volume_path
from novahunt_operator.settings import KeyOf, Trust
from unit.operator.api_objects import job_object

VOLUME = {"persistentVolumeClaim": {"claimName": "collections", "path": "a/b"}}
START = Start("example.com", 3, None)


def made(of: Collection | None = None, start: Start = START, **settings: Any) -> dict[str, Any]:
    return build(of or collection(), start, collector_settings(**settings), NOW)


def pod_of(body: dict[str, Any]) -> Any:
    return body["spec"]["template"]["spec"]


def environment(body: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in pod_of(body)["containers"][0]["env"] if "value" in entry}


def test_the_pod_is_as_restricted_as_pod_security_asks() -> None:
    pod = pod_of(made())
    (container,) = pod["containers"]
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(pod)
    assert all(set(volume) - {"name"} <= {"projected", "persistentVolumeClaim"} for volume in pod["volumes"])


def test_the_pod_has_no_kubernetes_credentials_but_a_token_for_the_intake() -> None:
    pod = pod_of(made())
    assert pod["automountServiceAccountToken"] is False
    (volume,) = pod["volumes"]
    (source,) = volume["projected"]["sources"]
    assert source["serviceAccountToken"]["audience"] == AUDIENCE
    assert {mount["name"] for mount in pod["containers"][0]["volumeMounts"]} == {volume["name"]}
    token = environment(made())[env.INTAKE_TOKEN_FILE]
    assert token.startswith(pod["containers"][0]["volumeMounts"][0]["mountPath"])


def test_what_a_volume_needs_of_the_pods_identity_can_be_said_and_no_more() -> None:
    template = {"podSecurityContext": {"fsGroup": 2000, "runAsUser": 1000, "supplementalGroups": [3000]}}
    context = pod_of(made(collection(spec(jobTemplate=template))))["securityContext"]
    assert context == {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
        "fsGroup": 2000,
        "runAsUser": 1000,
        "supplementalGroups": (3000,),
    }


def test_permanent_exit_codes_end_the_job_and_disruptions_are_no_attempt() -> None:
    policy = made()["spec"]["podFailurePolicy"]["rules"]
    assert policy == [
        {
            "action": "FailJob",
            "onExitCodes": {"containerName": "collector", "operator": "In", "values": [2, 10, 11, 12, 13, 14, 15]},
        },
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
    ]
    assert pod_of(made())["restartPolicy"] == "Never"
    assert pod_of(made())["containers"][0]["name"] == "collector"


@pytest.mark.parametrize(("attempts", "limit"), [(1, 0), (4, 3)])
def test_attempts_are_the_jobs_own(attempts: int, limit: int) -> None:
    body = made(collection(spec(retry={"maxAttempts": attempts})))["spec"]
    assert (body["backoffLimit"], body["podReplacementPolicy"]) == (limit, "Failed")
    assert "activeDeadlineSeconds" not in body
    deadline = made(collection(spec(jobTemplate={"activeDeadlineSeconds": 600})))["spec"]
    assert deadline["activeDeadlineSeconds"] == 600


def test_the_collection_owns_the_job_without_needing_rights_on_its_finalizers() -> None:
    labelled = collection(spec(), key=KEY)
    body = made(labelled)
    assert body["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "novahunt.io/v1alpha1",
            "kind": "DomainCollection",
            "name": KEY.name,
            "uid": UID,
            "controller": True,
            "blockOwnerDeletion": False,
        }
    ]
    assert owner_reference(labelled.key.name, labelled.uid) == body["metadata"]["ownerReferences"][0]
    assert set(body["metadata"]["labels"]) == {
        "app.kubernetes.io/name",
        "app.kubernetes.io/managed-by",
        "app.kubernetes.io/component",
        "novahunt.io/collection",
        "novahunt.io/domain-hash",
        "novahunt.io/domain",
    }


def test_whom_to_trust_is_told_as_it_is_when_the_job_is_made() -> None:
    trust = Trust()
    assert env.INTAKE_AUTHORITIES not in environment(made(trust=trust))
    trust.authorities = "certificates"
    assert environment(made(trust=trust))[env.INTAKE_AUTHORITIES] == "certificates"


def test_every_variable_that_a_collector_in_the_cluster_reads_is_set() -> None:
    source = inspect.getsource(novahunt_collector.settings) + inspect.getsource(novahunt_collector.arguments)
    read = set(re.findall(r"(?:names|environment)\.([A-Z_]+)", source))
    names = {getattr(env, name) for name in read if not name.startswith(("DEFAULT_", "STORAGE_"))}
    assert {env.DOMAIN, env.HUNTER_API_KEY, env.STORAGE, env.SEARCH, env.NOT_BEFORE, env.INTAKE_URL} <= names
    lists = [{"configMapKeyRef": {"name": "do-not-contact", "key": "list.txt"}}]
    of = collection(spec(budget={"maxCreditsPerDomain": 50}, suppressionFrom=lists))
    start = Start("example.com", 3, "2026-11-24T11:00:00.000Z")
    container = pod_of(made(of, start, trust=Trust("certificates")))["containers"][0]
    assert names <= {entry["name"] for entry in container["env"]}


def test_the_environment_holds_the_runs_wishes() -> None:
    of = collection(spec(pageSize=50, maxResults=70, search={"type": "personal", "department": ["it"]}))
    found = environment(made(of, Start("example.com", 3, "2026-11-24T11:00:00.000Z")))
    assert found[env.DOMAIN] == "example.com"
    assert (found[env.RUN], found[env.COLLECTION], found[env.JOB_ID]) == (
        "3",
        "q4",
        "collect-example.com-1795521600000",
    )
    assert (found[env.HUNTER_PAGE_SIZE], found[env.HUNTER_MAX_COLLECT]) == ("50", "70")
    assert msgspec.json.decode(found[env.SEARCH]) == {"type": "personal", "department": ["it"]}
    assert found[env.NOT_BEFORE] == "2026-11-24T11:00:00.000Z"
    assert found[env.TERMINATION_LOG] == "/dev/termination-log"
    assert env.NOT_BEFORE not in environment(made())


def test_the_key_comes_from_the_secret_and_never_through_the_operator() -> None:
    of = collection(spec(apiKeySecretRef={"name": "hunter", "key": "api-key"}))
    entries = [entry for entry in pod_of(made(of))["containers"][0]["env"] if entry["name"] == env.HUNTER_API_KEY]
    expected = {"secretKeyRef": {"name": "hunter", "key": "api-key"}}
    assert entries == [{"name": env.HUNTER_API_KEY, "valueFrom": expected}]


def test_the_way_to_hunter_may_lead_through_a_proxy() -> None:
    assert not {"HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE"} & environment(made()).keys()
    found = environment(made(proxy="http://proxy.example:3128", no_proxy="simulator.demo.svc"))
    assert (found["HTTPS_PROXY"], found["HTTP_PROXY"]) == ("http://proxy.example:3128",) * 2
    assert found["NO_PROXY"] == "simulator.demo.svc"


def test_a_proxys_password_comes_from_a_secret_and_never_through_the_operator() -> None:
    body = made(proxy="http://other.example", proxy_secret=KeyOf("proxy", "url"))
    entries = {entry["name"]: entry.get("valueFrom") for entry in pod_of(body)["containers"][0]["env"]}
    assert entries["HTTPS_PROXY"] == {"secretKeyRef": {"name": "proxy", "key": "url"}}
    assert "other.example" not in json.dumps(body)


def test_certificates_of_ones_own_are_mounted_and_a_missing_one_is_the_collectors_to_name() -> None:
    pod = pod_of(made(ca_bundle=KeyOf("company-ca", "bundle.pem")))
    (container,) = pod["containers"]
    file = next(entry["value"] for entry in container["env"] if entry["name"] == "SSL_CERT_FILE")
    mount = next(mount for mount in container["volumeMounts"] if file.startswith(mount["mountPath"]))
    volume = next(volume for volume in pod["volumes"] if volume["name"] == mount["name"])
    items = [{"key": "bundle.pem", "path": file.rpartition("/")[2]}]
    assert volume["configMap"] == {"name": "company-ca", "items": items, "optional": True}
    assert mount["readOnly"]


@pytest.mark.parametrize("concurrency", [1, 2, 7, 1000])
def test_all_running_collectors_together_stay_below_the_windows_without_the_intake(concurrency: int) -> None:
    found = environment(made(concurrency=concurrency))
    assert float(found[env.HUNTER_REQUESTS_PER_SECOND]) * concurrency == pytest.approx(15, rel=1e-5)
    assert float(found[env.HUNTER_REQUESTS_PER_MINUTE]) * concurrency == pytest.approx(500, rel=1e-5)


def test_documents_go_to_the_claim_or_to_the_intake() -> None:
    on_volume = made(collection(spec(storage=VOLUME)))
    assert environment(on_volume)[env.STORAGE] == "/collections/a/b"
    claims = [volume.get("persistentVolumeClaim") for volume in pod_of(on_volume)["volumes"]]
    assert {"claimName": "collections"} in claims
    assert environment(made())[env.STORAGE] == env.STORAGE_INTAKE
    assert volume_path(collection(spec(storage={"persistentVolumeClaim": {"claimName": "c"}}))) == "q4"
    assert volume_path(collection()) is None


def test_parts_of_the_pods_own_api_are_passed_through() -> None:
    template = {
        "resources": {"limits": {"memory": "1Gi"}},
        "tolerations": [{"key": "spot", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "imagePullSecrets": [{"name": "mine"}],
        "nodeSelector": {"disk": "ssd"},
        "priorityClassName": "low",
        "serviceAccountName": "collectors",
    }
    pod = pod_of(made(collection(spec(jobTemplate=template))))
    assert pod["containers"][0]["resources"] == template["resources"]
    passed = {name: pod[name] for name in template if name != "resources"}
    assert passed == {name: value for name, value in template.items() if name != "resources"}


def test_a_collections_pull_secrets_are_added_to_the_operators() -> None:
    template = {"imagePullSecrets": [{"name": "mine"}]}
    pod = pod_of(made(collection(spec(jobTemplate=template)), image_pull_secrets=("operators",)))
    assert pod["imagePullSecrets"] == [{"name": "mine"}, {"name": "operators"}]


def test_what_is_not_set_is_not_sent_and_has_sound_defaults() -> None:
    pod = pod_of(made(image_pull_secrets=("operators",)))
    assert pod["imagePullSecrets"] == [{"name": "operators"}]
    assert pod["containers"][0]["resources"]["limits"] == {"memory": "256Mi"}
    absent = {"tolerations", "affinity", "nodeSelector", "priorityClassName", "serviceAccountName"}
    assert not absent & set(pod)
    assert "imagePullSecrets" not in pod_of(made())


def test_nobodys_labels_or_annotations_can_take_the_place_of_ours() -> None:
    plain = made()
    theirs = dict.fromkeys(plain["metadata"]["labels"], "x") | {"team": "sales"}
    notes = dict.fromkeys(plain["metadata"]["annotations"], "x") | {"note": "n"}
    body = made(collection(spec(jobTemplate={"labels": theirs, "annotations": notes})))
    ours = plain["metadata"]
    assert body["metadata"]["labels"] == ours["labels"] | {"team": "sales"}
    changed = {"novahunt.io/template-hash": body["metadata"]["annotations"]["novahunt.io/template-hash"]}
    assert body["metadata"]["annotations"] == ours["annotations"] | {"note": "n"} | changed
    template = body["spec"]["template"]["metadata"]
    assert template["labels"] == ours["labels"] | {"team": "sales"}
    assert template["annotations"]["novahunt.io/domain"] == "example.com"


def test_a_domain_too_long_for_a_label_is_found_by_its_hash() -> None:
    long = "a" * 60 + ".example"
    labels = made(start=Start(long, 1, None))["metadata"]["labels"]
    assert "novahunt.io/domain" not in labels
    assert len(labels["novahunt.io/domain-hash"]) == 12
    assert made(start=Start(long, 1, None))["metadata"]["annotations"]["novahunt.io/domain"] == long


def test_a_job_that_was_built_is_read_back_as_the_run_it_is() -> None:
    of = collection(spec(storage=VOLUME, recollect="r", retryFailed="f", maxResults=70))
    body = made(of)
    read = parse.job(job_object({**body, "metadata": {**body["metadata"], "uid": "u", "resourceVersion": "1"}}))
    assert read is not None
    assert (read.domain, read.run, read.collection, read.owner_uid) == ("example.com", 3, "q4", UID)
    assert (read.recollect, read.retry_failed, read.max_results) == ("r", "f", 70)
    assert (read.claim_name, read.path, read.job_id) == ("collections", "a/b", "collect-example.com-1795521600000")
    assert read.template_hash == template_hash(of, collector_settings())


def test_the_template_hash_tells_settings_apart_and_not_domains_or_runs() -> None:
    of = collection()
    hashes = {
        made(of, Start(domain, run, since))["metadata"]["annotations"]["novahunt.io/template-hash"]
        for domain, run, since in [("a.example", 1, None), ("b.example", 9, "2026-11-24T11:00:00.000Z")]
    }
    assert hashes == {template_hash(of, collector_settings())}
    others = [
        template_hash(collection(spec(apiKeySecretRef={"name": "other", "key": "k"})), collector_settings()),
        template_hash(collection(spec(storage=VOLUME)), collector_settings()),
        template_hash(collection(spec(jobTemplate={"nodeSelector": {"a": "b"}})), collector_settings()),
        template_hash(collection(spec(jobTemplate={"labels": {"a": "b"}})), collector_settings()),
        template_hash(of, collector_settings(image="other")),
        template_hash(of, collector_settings(image_pull_secrets=("s",))),
        template_hash(of, collector_settings(proxy="http://proxy.example:3128")),
        template_hash(of, collector_settings(ca_bundle=KeyOf("company-ca", "ca.crt"))),
    ]
    assert len({*hashes, *others}) == 1 + len(others)


def test_the_body_is_json() -> None:
    of = collection(spec(storage=VOLUME, jobTemplate={"podSecurityContext": {"supplementalGroups": [1]}}))
    assert msgspec.json.decode(msgspec.json.encode(made(of)))["kind"] == "Job"


LISTS = [
    {"secretKeyRef": {"name": "do-not-contact", "key": "list.txt"}},
    {"configMapKeyRef": {"name": "partners", "key": "domains"}},
]


def test_suppression_lists_are_mounted_each_as_one_file_and_named_as_people_call_them() -> None:
    body = made(collection(spec(suppressionFrom=LISTS)))
    lists = msgspec.json.decode(environment(body)[env.SUPPRESSION])
    assert lists == [
        {"name": "Secret do-not-contact, list.txt", "path": "/suppression/0/list"},
        {"name": "ConfigMap partners, domains", "path": "/suppression/1/list"},
    ]
    volumes = {volume["name"]: volume for volume in pod_of(body)["volumes"]}
    items = {"items": [{"key": "list.txt", "path": "list"}], "optional": True}
    assert volumes["suppression-0"] == {"name": "suppression-0", "secret": {"secretName": "do-not-contact", **items}}
    items = {"items": [{"key": "domains", "path": "list"}], "optional": True}
    assert volumes["suppression-1"] == {"name": "suppression-1", "configMap": {"name": "partners", **items}}
    mounts = {mount["name"]: mount for mount in pod_of(body)["containers"][0]["volumeMounts"]}
    for number in (0, 1):
        name = f"suppression-{number}"
        assert mounts[name] == {"name": name, "mountPath": f"/suppression/{number}", "readOnly": True}


def test_without_suppression_lists_nothing_is_said_of_them() -> None:
    assert env.SUPPRESSION not in environment(made())


def test_another_list_makes_a_job_that_can_not_start_outdated() -> None:
    hashes = {
        template_hash(collection(spec(suppressionFrom=lists)), collector_settings()) for lists in ([], LISTS[:1], LISTS)
    }
    assert len(hashes) == 3
