"""Paths of the Kubernetes API that the operator calls; the Role in the chart allows these and no others."""

from typing import NamedTuple

from novahunt_api import names

ISSUER = "/.well-known/openid-configuration"
SIGNING_KEYS = "/openid/v1/jwks"

NONRESOURCE = "nonresource"
"""Stands for all paths that speak of no resource: discovery, versions, signing keys."""


class Target(NamedTuple):
    """What a call is about, as roles name it and without any object's name; so it may be a label."""

    resource: str
    """With its subresource, for example `domaincollections/status`."""
    namespace: str | None
    named: bool
    """Whether it speaks of one object."""


def collection_status(namespace: str, name: str) -> str:
    """Return the path of a DomainCollection's status."""
    return f"{collections(namespace, name)}/status"


def collections(namespace: str | None, name: str | None = None) -> str:
    """Return the path of a namespace's (None: all namespaces') DomainCollections, or of one."""
    return _path(f"/apis/{names.API_VERSION}", namespace, names.COLLECTIONS, name)


def results(namespace: str | None, name: str | None = None) -> str:
    """Return the path of a namespace's (None: all namespaces') DomainResults, or of one."""
    return _path(f"/apis/{names.API_VERSION}", namespace, names.RESULTS, name)


def jobs(namespace: str | None, name: str | None = None) -> str:
    """Return the path of a namespace's Jobs, or of one."""
    return _path("/apis/batch/v1", namespace, "jobs", name)


def pods(namespace: str | None) -> str:
    """Return the path of a namespace's pods."""
    return _path("/api/v1", namespace, "pods", None)


def config_maps(namespace: str | None, name: str | None = None) -> str:
    """Return the path of a namespace's (None: all namespaces') ConfigMaps, or of one."""
    return _path("/api/v1", namespace, "configmaps", name)


def secrets(namespace: str, name: str) -> str:
    """Return the path of one Secret."""
    return _path("/api/v1", namespace, "secrets", name)


def events(namespace: str) -> str:
    """Return the path of a namespace's Events."""
    return _path("/apis/events.k8s.io/v1", namespace, "events", None)


def leases(namespace: str, name: str | None = None) -> str:
    """Return the path of a namespace's Leases, or of one."""
    return _path("/apis/coordination.k8s.io/v1", namespace, "leases", name)


def target(path: str) -> Target:
    """Return what a path of the Kubernetes API is about."""
    parts = path.strip("/").split("/")
    rest = parts[2:] if parts[0] == "api" else parts[3:] if parts[0] == "apis" else []
    namespace = None
    if len(rest) > 2 and rest[0] == "namespaces":  # noqa: PLR2004 - a namespace's name, and something in it
        namespace, rest = rest[1], rest[2:]
    if not rest:
        return Target(NONRESOURCE, None, named=False)
    return Target("/".join((rest[0], *rest[2:])), namespace, named=len(rest) > 1)


_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def verb(method: str, about: Target, *, watching: bool = False) -> str:
    """Return a call's verb as roles name it."""
    if method in _VERBS:
        return _VERBS[method]
    if watching:
        return "watch"
    return "get" if about.named or about.resource == NONRESOURCE else "list"


def _path(api: str, namespace: str | None, plural: str, name: str | None) -> str:
    scope = f"/namespaces/{namespace}" if namespace is not None else ""
    return f"{api}{scope}/{plural}" + (f"/{name}" if name is not None else "")
