"""The gateway's settings, out of the environment; the chart sets them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from novahunt_api.spec import CollectionSpec

TOKEN, KUBERNETES = "token", "kubernetes"


class SettingsError(ValueError):
    """A setting is missing or can't be used; the text says which, and what to do."""


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
    health_port: int
    max_body: int
    """Bytes of a request's body."""
    requests_per_second: float
    """Of one caller, on average."""
    burst: int
    """Of one caller at once."""
    seconds: float
    """That a request, and each piece of its body, may take to come; an export may take longer to be sent."""
    log_level: str
    log_format: str


_MAX_BODY: Final = 4 * 1024 * 1024 + 64 * 1024
"""Ten thousand domains of the longest kind, as the page takes them."""


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings.

    Raises:
        SettingsError: one is missing or can't be used.
    """
    reader = _Reader(environ)
    namespace = reader.text("NOVAHUNT_NAMESPACE")
    return Settings(
        namespace=namespace,
        namespaces=frozenset({namespace, *reader.names("NOVAHUNT_GATEWAY_NAMESPACES")}),
        authentication=reader.choice("NOVAHUNT_GATEWAY_AUTHENTICATION", TOKEN, KUBERNETES),
        token_file=Path(reader.text("NOVAHUNT_GATEWAY_TOKEN_FILE", "/etc/novahunt/token")),
        audience=reader.text("NOVAHUNT_GATEWAY_AUDIENCE", ""),
        volumes=reader.volumes("NOVAHUNT_GATEWAY_VOLUMES"),
        defaults=reader.spec("NOVAHUNT_GATEWAY_SPEC"),
        port=reader.number("NOVAHUNT_GATEWAY_PORT", 8080, low=0, high=65_535),
        health_port=reader.number("NOVAHUNT_GATEWAY_HEALTH_PORT", 8081, low=0, high=65_535),
        max_body=reader.number("NOVAHUNT_GATEWAY_MAX_BODY", _MAX_BODY, low=1024, high=64 * 1024 * 1024),
        requests_per_second=reader.number("NOVAHUNT_GATEWAY_REQUESTS_PER_SECOND", 50, low=1, high=10_000),
        burst=reader.number("NOVAHUNT_GATEWAY_BURST", 200, low=1, high=100_000),
        seconds=reader.number("NOVAHUNT_GATEWAY_REQUEST_SECONDS", 30, low=1, high=3600),
        log_level=reader.choice("NOVAHUNT_LOG_LEVEL", "info", "debug", "warning", "error").upper(),
        log_format=reader.choice("NOVAHUNT_LOG_FORMAT", "json", "text"),
    )


class _Reader:
    """Reads typed values out of the environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, default: str | None = None) -> str:
        value = self._environ.get(name, "").strip()
        if not value and default is None:
            raise SettingsError(f"{name} is not set: the chart sets it, else give it in the environment")
        return value or default or ""

    def choice(self, name: str, *words: str) -> str:
        """Return one of some words; the first is the default."""
        value = self.text(name, words[0]).lower()
        if value not in words:
            raise SettingsError(f"{name} is {value!r}: set {' or '.join(words)}")
        return value

    def number(self, name: str, default: int, *, low: int, high: int) -> int:
        text = self.text(name, str(default))
        try:
            value = int(text)
        except ValueError:
            raise SettingsError(f"{name} is {text!r}: it must be a whole number") from None
        if not low <= value <= high:
            raise SettingsError(f"{name} is {value}: it must be from {low} to {high}")
        return value

    def names(self, name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self._environ.get(name, "").split(",") if part.strip())

    def volumes(self, name: str) -> dict[str, Path]:
        """Read `claim=/folder,claim=/folder`."""
        found = {}
        for part in self.names(name):
            claim, is_there, folder = part.partition("=")
            if not is_there or not claim or not Path(folder).is_absolute():
                raise SettingsError(f"{name} holds {part!r}: write claim=/folder, separated by commas")
            found[claim] = Path(folder)
        return found

    def spec(self, name: str) -> dict[str, Any]:
        """Read fields of a collection's spec, as JSON."""
        text = self.text(name, "{}")
        try:
            msgspec.json.decode(text, type=CollectionSpec)
            found: dict[str, Any] = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise SettingsError(f"{name} is no spec of a collection as JSON: {error}") from None
        taken = {"domains", "domainsFrom", "recollect", "mode"} & found.keys()
        if taken:
            raise SettingsError(f"{name} sets {', '.join(sorted(taken))}: the gateway sets that itself")
        return found
