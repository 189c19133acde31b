"""The operator's settings, read once from the environment; the chart's values set them."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from novahunt_contract import environment as env


class SettingsError(ValueError):
    """An environment variable that can't be used; the text names it and says what it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorSettings:
    """What every collector's Job is given."""

    image: str
    image_pull_policy: str
    image_pull_secrets: tuple[str, ...]
    intake_url: str
    hunter_base_url: str
    requests_per_second: int
    """Per key; 1 or more."""
    requests_per_minute: int
    """Per key; 1 or more."""
    concurrency: int
    """WORKER_CONCURRENCY: Jobs at work at once, over all collections; 1 or more."""
    log_format: str
    repeats_charged: bool = False
    """HUNTER_REPEATS_CHARGED: count each repetition of a request as paid again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings."""

    namespaces: tuple[str, ...]
    """Namespaces to watch; empty: all (cluster-wide install)."""
    own_namespace: str
    identity: str
    """Names this replica in the Lease: the pod's name."""
    lease_name: str
    intake_port: int
    health_port: int
    probe_after: timedelta
    """How long after a refused key and the like one Job tries again."""
    sweep_every: timedelta
    """How often what is stored is held against suppression lists and retention though nothing has changed."""
    max_starts: int
    """Job starts per interval, over all collections; 0: no limit."""
    start_interval: timedelta
    max_config_map_bytes: int
    """What the documents of one collection may take in ConfigMaps."""
    log_level: str
    collector: CollectorSettings


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read all settings.

    Raises:
        SettingsError: one is missing or can't be used.
    """
    reader = _Reader(environ)
    clusterwide = reader.flag("NOVAHUNT_CLUSTER_WIDE")
    namespaces = reader.names("NOVAHUNT_NAMESPACES")
    if clusterwide and namespaces:
        raise SettingsError("NOVAHUNT_CLUSTER_WIDE is true and NOVAHUNT_NAMESPACES names some: set one of them")
    own_namespace = reader.text("NOVAHUNT_OPERATOR_NAMESPACE")
    if not clusterwide and not namespaces:
        namespaces = (own_namespace,)
    log_format = reader.text(env.LOG_FORMAT, "json")
    if log_format not in ("json", "text"):
        raise SettingsError(f"{env.LOG_FORMAT} is {log_format!r}: set json or text")
    log_level = reader.text("NOVAHUNT_LOG_LEVEL", "INFO").upper()
    if log_level not in logging.getLevelNamesMapping():
        raise SettingsError(f"NOVAHUNT_LOG_LEVEL is {log_level!r}: set DEBUG, INFO, WARNING or ERROR")
    return Settings(
        namespaces=namespaces,
        own_namespace=own_namespace,
        identity=reader.text("NOVAHUNT_POD_NAME"),
        lease_name=reader.text("NOVAHUNT_LEASE_NAME", "novahunt-operator"),
        intake_port=reader.number("NOVAHUNT_INTAKE_PORT", 8090, low=0, high=65535),
        health_port=reader.number("NOVAHUNT_HEALTH_PORT", 8081, low=0, high=65535),
        probe_after=timedelta(seconds=reader.number("NOVAHUNT_PROBE_SECONDS", 60, low=1, high=86400)),
        sweep_every=timedelta(seconds=reader.number("NOVAHUNT_SWEEP_SECONDS", 86_400, low=10, high=31_536_000)),
        max_starts=reader.number(env.WORKER_MAX_JOBS_PER_INTERVAL, 10, low=0, high=1_000_000),
        start_interval=timedelta(
            milliseconds=reader.number(env.WORKER_RATE_LIMIT_DURATION_MS, 60_000, low=1, high=86_400_000)
        ),
        max_config_map_bytes=reader.number("NOVAHUNT_MAX_CONFIGMAP_BYTES", 100 * 2**20, low=1, high=2**40),
        log_level=log_level,
        collector=CollectorSettings(
            image=reader.text("NOVAHUNT_COLLECTOR_IMAGE"),
            image_pull_policy=reader.text("NOVAHUNT_COLLECTOR_IMAGE_PULL_POLICY", "IfNotPresent"),
            image_pull_secrets=reader.names("NOVAHUNT_COLLECTOR_IMAGE_PULL_SECRETS"),
            intake_url=reader.url("NOVAHUNT_INTAKE_URL"),
            hunter_base_url=reader.url(env.HUNTER_BASE_URL, env.DEFAULT_BASE_URL),
            requests_per_second=reader.number(
                env.HUNTER_REQUESTS_PER_SECOND, int(env.DEFAULT_REQUESTS_PER_SECOND), low=1, high=10_000
            ),
            requests_per_minute=reader.number(
                env.HUNTER_REQUESTS_PER_MINUTE, int(env.DEFAULT_REQUESTS_PER_MINUTE), low=1, high=600_000
            ),
            concurrency=reader.number(env.WORKER_CONCURRENCY, 2, low=1, high=10_000),
            log_format=log_format,
            repeats_charged=reader.flag(env.HUNTER_REPEATS_CHARGED),
        ),
    )


class _Reader:
    """Reads typed values out of the environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, default: str | None = None) -> str:
        value = self._environ.get(name, "").strip() or default
        if value is None:
            raise SettingsError(f"{name} is not set: the chart sets it, else give it in the environment")
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

    def flag(self, name: str) -> bool:
        text = self.text(name, "false").lower()
        if text not in ("true", "false"):
            raise SettingsError(f"{name} is {text!r}: set true or false")
        return text == "true"

    def names(self, name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self._environ.get(name, "").split(",") if part.strip())

    def url(self, name: str, default: str | None = None) -> str:
        text = self.text(name, default).rstrip("/")
        try:
            parts = urlsplit(text)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(f"{name} is {text!r}: it must be an http or https URL")
        return text
