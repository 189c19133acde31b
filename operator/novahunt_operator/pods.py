"""Builds the pod that runs the collector image: restricted, without Kubernetes credentials, told where all lies."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from novahunt_api import names
from novahunt_api.domaincollections import Collection
from novahunt_api.spec import JobTemplate, SuppressionSource
from novahunt_contract import environment as env
from novahunt_contract.intake import AUDIENCE
from novahunt_operator.settings import CollectorSettings, KeyOf

VOLUME_FOLDER = "/collections"
"""Where a collection's claim is mounted in a collector's pod."""

CA_FOLDER = "/certificates"
"""Where the ConfigMap with certificates is mounted."""

SUPPRESSION_FOLDER = "/suppression"
"""Where suppression lists are mounted: each in a numbered folder of its own, as the file `list`."""

TOKEN_FOLDER = "/var/run/secrets/novahunt"  # noqa: S105 - a path
_TOKEN_SECONDS = 3600
_STOP_SECONDS = 30
"""A collector ends within ten seconds of SIGTERM; the rest is slack for a busy node."""

_CA_FILE = "ca.crt"
_PROXY = ("HTTPS_PROXY", "HTTP_PROXY")
_RESOURCES = {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}}


def volume_path(collection: Collection) -> str | None:
    """Return the folder on the claim that documents go to; None with ConfigMaps."""
    volume = collection.spec.volume
    return (volume.path or collection.key.name) if volume is not None else None


def shared_environment(collection: Collection, settings: CollectorSettings) -> dict[str, str]:
    """Return the variables that every process of the collector image is given."""
    # While the intake is away, all running collectors together stay below the key's windows.
    per_second = settings.requests_per_second / settings.concurrency
    per_minute = settings.requests_per_minute / settings.concurrency
    return {
        env.COLLECTION: collection.key.name,
        env.COLLECTION_NAMESPACE: collection.key.namespace,
        env.HUNTER_BASE_URL: settings.hunter_base_url,
        env.HUNTER_REQUESTS_PER_SECOND: f"{per_second:.6g}",
        env.HUNTER_REQUESTS_PER_MINUTE: f"{per_minute:.6g}",
        env.INTAKE_URL: settings.intake_url,
        **({env.INTAKE_AUTHORITIES: settings.trust.authorities} if settings.trust.authorities else {}),
        env.INTAKE_TOKEN_FILE: f"{TOKEN_FOLDER}/token",
        env.TERMINATION_LOG: "/dev/termination-log",
        env.LOG_FORMAT: settings.log_format,
        env.HUNTER_REPEATS_CHARGED: "true" if settings.repeats_charged else "false",
    }


def storage_environment(collection: Collection) -> dict[str, str]:
    """Return the variables that say where documents lie and which lists name what is never stored."""
    path = volume_path(collection)
    values = {env.STORAGE: env.STORAGE_INTAKE if path is None else f"{VOLUME_FOLDER}/{path}"}
    lists = [
        {"name": source.name, "path": f"{SUPPRESSION_FOLDER}/{number}/list"}
        for number, source in enumerate(collection.spec.suppression_from)
    ]
    return values | ({env.SUPPRESSION: json.dumps(lists)} if lists else {})


def search_environment(collection: Collection) -> dict[str, str]:
    """Return the variables that say what Hunter is asked for."""
    spec = collection.spec
    return {
        env.SEARCH: msgspec.json.encode(spec.search).decode(),
        env.HUNTER_PAGE_SIZE: str(spec.page_size),
        env.HUNTER_MAX_COLLECT: str(spec.max_results),
    }


def pod(
    collection: Collection,
    settings: CollectorSettings,
    values: Mapping[str, str],
    *,
    hunter: bool = True,
    storage: bool = True,
    intake: bool = True,
) -> dict[str, Any]:
    """Return the spec of a pod of the collector image.

    Args:
        collection: The collection that it works for.
        settings: The operator's.
        values: The environment's variables, without the key.
        hunter: Whether it is given the Hunter key.
        storage: Whether documents' volume and suppression lists are mounted.
        intake: Whether it is given a token for the operator's intake.
    """
    template = collection.spec.job_template
    environment: list[dict[str, Any]] = [{"name": name, "value": value} for name, value in values.items()]
    if hunter:
        key = collection.spec.api_key_secret_ref
        reference = {"secretKeyRef": {"name": key.name, "key": key.key}}
        environment.append({"name": env.HUNTER_API_KEY, "valueFrom": reference})
        environment += _proxy(settings)
    mounts: list[dict[str, Any]] = []
    volumes: list[dict[str, Any]] = []
    if hunter and settings.ca_bundle is not None:
        environment.append({"name": "SSL_CERT_FILE", "value": f"{CA_FOLDER}/{_CA_FILE}"})
        mounts.append({"name": "certificates", "mountPath": CA_FOLDER, "readOnly": True})
        volumes.append({"name": "certificates", **_certificates(settings.ca_bundle)})
    if intake:
        mounts.append({"name": "intake-token", "mountPath": TOKEN_FOLDER, "readOnly": True})
        volumes.append({"name": "intake-token", "projected": {"sources": [_token()]}})
    volume = collection.spec.volume
    if storage and volume is not None:
        mounts.append({"name": "collections", "mountPath": VOLUME_FOLDER})
        volumes.append({"name": "collections", "persistentVolumeClaim": {"claimName": volume.claim_name}})
    for number, source in enumerate(collection.spec.suppression_from if storage else ()):
        name = f"suppression-{number}"
        mounts.append({"name": name, "mountPath": f"{SUPPRESSION_FOLDER}/{number}", "readOnly": True})
        volumes.append({"name": name, **_list_volume(source)})
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        # Thousands of Services in a namespace would overflow the environment.
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": _STOP_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
            **msgspec.to_builtins(template.pod_security_context),
        },
        **optional("serviceAccountName", template.service_account_name),
        **optional("nodeSelector", template.node_selector or None),
        **optional("tolerations", _plain(template.tolerations)),
        **optional("affinity", _plain(template.affinity)),
        **optional("priorityClassName", template.priority_class_name),
        **optional("imagePullSecrets", _pull_secrets(template, settings)),
        "volumes": volumes,
        "containers": [
            {
                "name": names.COLLECTOR,
                "image": settings.image,
                "imagePullPolicy": settings.image_pull_policy,
                "env": environment,
                "resources": _plain(template.resources) or _RESOURCES,
                "volumeMounts": mounts,
                "terminationMessagePolicy": "File",
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    }


def _proxy(settings: CollectorSettings) -> list[dict[str, Any]]:
    """Return the variables by which every HTTP client finds its proxy; the intake is never reached through one."""
    found: list[dict[str, Any]] = []
    if settings.proxy_secret is not None:
        secret = {"secretKeyRef": {"name": settings.proxy_secret.name, "key": settings.proxy_secret.key}}
        found = [{"name": name, "valueFrom": secret} for name in _PROXY]
    elif settings.proxy:
        found = [{"name": name, "value": settings.proxy} for name in _PROXY]
    if settings.no_proxy:
        found.append({"name": "NO_PROXY", "value": settings.no_proxy})
    return found


def _certificates(bundle: KeyOf) -> dict[str, Any]:
    """A missing one does not keep the pod from starting: the collector finds it so, and says so in its receipt."""
    items = [{"key": bundle.key, "path": _CA_FILE}]
    return {"configMap": {"name": bundle.name, "items": items, "optional": True}}


def _list_volume(source: SuppressionSource) -> dict[str, Any]:
    """A missing list does not keep the pod from starting: the collector finds it so, and can say so in its receipt."""
    if source.config_map_key_ref is not None:
        ref, kind, name = source.config_map_key_ref, "configMap", "name"
    elif source.secret_key_ref is not None:
        ref, kind, name = source.secret_key_ref, "secret", "secretName"
    else:
        return {"emptyDir": {}}
    return {kind: {name: ref.name, "items": [{"key": ref.key, "path": "list"}], "optional": True}}


def _token() -> Mapping[str, Any]:
    token = {"audience": AUDIENCE, "expirationSeconds": _TOKEN_SECONDS, "path": "token"}
    return {"serviceAccountToken": token}


def _pull_secrets(template: JobTemplate, settings: CollectorSettings) -> object:
    own = _plain(template.image_pull_secrets) or []
    return [*own, *({"name": name} for name in settings.image_pull_secrets)] or None


def _plain(raw: msgspec.Raw) -> Any:
    """Return a passed-through part of the pod's own API as the plain data that the API call needs."""
    return msgspec.json.decode(raw)


def optional(name: str, value: object) -> dict[str, Any]:
    """Return a field of an object, or nothing where it has no value."""
    return {} if value is None else {name: value}
