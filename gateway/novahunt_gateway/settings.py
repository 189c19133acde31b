"""The gateway's settings, out of the environment; the chart sets them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.fernet import Fernet

from novahunt_api import logs
from novahunt_api.logs import LogSettings
from novahunt_api.spec import CollectionSpec
from novahunt_api.variables import SettingsError, Variables
from novahunt_gateway.serving import Certificate

TOKEN, KUBERNETES = "token", "kubernetes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the gateway is told."""

    namespace: str
    """Its own: volumes are mounted for this one alone."""
    namespaces: frozenset[str]
    """Those that callers may name, its own included."""
    authentication: str
    """`token` or `kubernetes`."""
    token_file: Path
    audience: str
    """That Kubernetes tokens must be for; empty: the API server's own."""
    volumes: Mapping[str, Path]
    """Where the claims of its namespace are mounted, by their names."""
    defaults: Mapping[str, Any]
    """Fields of the spec of collections that are made for a single domain."""
    port: int
    certificate: Certificate | None
    """None: it speaks plain HTTP."""
    health_port: int
    max_body: int
    """Bytes of a request's body."""
    requests_per_second: float
    """Of one caller, on average."""
    burst: int
    """Of one caller at once."""
    seconds: float
    """That a request, and each piece of its body, may take to come; an export may take longer to be sent."""
    connections: int
    """That are served at once; beyond them a request is told to come again."""
    proxies: tuple[str, ...]
    """Addresses and networks of proxies, whose word on a caller's address and on TLS is taken."""
    seal_keys: tuple[bytes, ...]
    """Of the page's sessions, the newest first; none: a random one, which nobody else knows."""
    log: LogSettings


_MAX_BODY: Final = 4 * 1024 * 1024 + 64 * 1024
"""Ten thousand domains of the longest kind, as the page takes them."""


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings.

    Raises:
        SettingsError: one is missing or can't be used.
    """
    reader = Variables(environ)
    namespace = reader.text("NOVAHUNT_NAMESPACE")
    return Settings(
        namespace=namespace,
        namespaces=frozenset({namespace, *reader.names("NOVAHUNT_GATEWAY_NAMESPACES")}),
        authentication=reader.choice("NOVAHUNT_GATEWAY_AUTHENTICATION", TOKEN, KUBERNETES),
        token_file=Path(reader.text("NOVAHUNT_GATEWAY_TOKEN_FILE", "/etc/novahunt/token")),
        audience=reader.text("NOVAHUNT_GATEWAY_AUDIENCE", ""),
        volumes=_volumes(reader, "NOVAHUNT_GATEWAY_VOLUMES"),
        defaults=_spec(reader, "NOVAHUNT_GATEWAY_SPEC"),
        port=reader.number("NOVAHUNT_GATEWAY_PORT", 8080, low=0, high=65_535),
        certificate=_certificate(reader, "NOVAHUNT_GATEWAY_CERTIFICATE"),
        health_port=reader.number("NOVAHUNT_GATEWAY_HEALTH_PORT", 8081, low=0, high=65_535),
        max_body=reader.number("NOVAHUNT_GATEWAY_MAX_BODY", _MAX_BODY, low=1024, high=64 * 1024 * 1024),
        requests_per_second=reader.number("NOVAHUNT_GATEWAY_REQUESTS_PER_SECOND", 50, low=1, high=10_000),
        burst=reader.number("NOVAHUNT_GATEWAY_BURST", 200, low=1, high=100_000),
        seconds=reader.number("NOVAHUNT_GATEWAY_REQUEST_SECONDS", 30, low=1, high=3600),
        connections=reader.number("NOVAHUNT_GATEWAY_CONNECTIONS", 500, low=1, high=100_000),
        proxies=_networks(reader, "NOVAHUNT_GATEWAY_PROXIES"),
        seal_keys=_seal_keys(reader, "NOVAHUNT_GATEWAY_SEAL_KEYS_FILE"),
        log=logs.read(reader),
    )


def _certificate(variables: Variables, name: str) -> Certificate | None:
    """Read the name of a folder with `tls.crt` and `tls.key`; nothing where it is not set."""
    folder = variables.text(name, "")
    if not folder:
        return None
    found = Certificate(Path(folder, "tls.crt"), Path(folder, "tls.key"))
    for file in (found.file, found.key_file):
        if not file.is_file():
            raise SettingsError(f"{name} is {folder!r}, and there is no {file.name}: mount a Secret with both there")
    return found


def _volumes(variables: Variables, name: str) -> dict[str, Path]:
    """Read `claim=/folder,claim=/folder`."""
    found = {}
    for part in variables.names(name):
        claim, is_there, folder = part.partition("=")
        if not is_there or not claim or not Path(folder).is_absolute():
            raise SettingsError(f"{name} holds {part!r}: write claim=/folder, separated by commas")
        found[claim] = Path(folder)
    return found


def _spec(variables: Variables, name: str) -> dict[str, Any]:
    """Read fields of a collection's spec, as JSON."""
    text = variables.text(name, "{}")
    try:
        msgspec.json.decode(text, type=CollectionSpec)
        found: dict[str, Any] = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise SettingsError(f"{name} is no spec of a collection as JSON: {error}") from None
    taken = {"domains", "domainsFrom", "recollect", "mode"} & found.keys()
    if taken:
        raise SettingsError(f"{name} sets {', '.join(sorted(taken))}: the gateway sets that itself")
    return found


def _networks(variables: Variables, name: str) -> tuple[str, ...]:
    """Read addresses and networks, `10.0.0.0/8,192.0.2.7`."""
    found = variables.names(name)
    for one in found:
        try:
            ip_network(one, strict=False)
        except ValueError:
            raise SettingsError(f"{name} holds {one!r}: write addresses or networks, separated by commas") from None
    return found


def _seal_keys(variables: Variables, name: str) -> tuple[bytes, ...]:
    """Read Fernet keys out of a file, one a line; the newest comes first."""
    path = variables.text(name, "")
    if not path:
        return ()
    try:
        keys = tuple(line.strip() for line in Path(path).read_bytes().splitlines() if line.strip())
    except OSError as error:
        raise SettingsError(f"{name} is {path!r}, which can't be read: {error.strerror}") from None
    for number, key in enumerate(keys, 1):
        try:
            Fernet(key)
        except ValueError:
            raise SettingsError(
                f"{name}: line {number} of {path} is no key: 32 random bytes as URL-safe base64"
            ) from None
    if not keys:
        raise SettingsError(f"{name} is {path!r}, which holds no key: 32 random bytes as URL-safe base64, one a line")
    return keys
