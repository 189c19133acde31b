"""The operator's settings, read once from the environment; the chart's values set them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from novahunt_api import logs
from novahunt_api.logs import LogSettings
from novahunt_api.variables import SettingsError, Variables
from novahunt_contract import environment as env
from novahunt_contract import traces


@dataclass(frozen=True, slots=True)
class KeyOf:
    """A key of a Secret or a ConfigMap in each namespace that has collections."""

    name: str
    key: str


@dataclass(slots=True)
class Trust:
    """By what collectors check the intake; it changes while the operator runs."""

    authorities: str = ""
    """Certificates as PEM; empty: the public ones, or plain HTTP."""


@dataclass(frozen=True, slots=True)
class CertificateSettings:
    """Where the intake's certificate lies, and for whom it is."""

    secret: str
    """A Secret of the operator's own namespace."""
    host: str
    """The intake's name or address."""
    gateway_hosts: tuple[str, ...] = ()
    """The gateway's names or addresses; none: it gets no certificate here."""
    external: bool = False
    """Somebody else keeps it, such as cert-manager: the operator reads it alone."""


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
    proxy: str = ""
    """URL of a proxy on the way to Hunter; empty: none."""
    no_proxy: str = ""
    """Hosts that are reached without it, as in NO_PROXY."""
    proxy_secret: KeyOf | None = None
    """Holds that URL instead, for one with a password."""
    ca_bundle: KeyOf | None = None
    """ConfigMap with the certificates that Hunter's, or the proxy's, is checked by; None: the public ones."""
    trust: Trust = field(default_factory=Trust)
    """By what the intake's certificate is checked."""
    traces_endpoint: str = ""
    """URL that spans go to by OTLP over HTTP; empty: there are no traces."""


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
    certificate: CertificateSettings | None = None
    """None: the intake speaks plain HTTP, as its URL says."""
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
    log: LogSettings
    collector: CollectorSettings


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read all settings.

    Raises:
        SettingsError: one is missing or can't be used.
    """
    reader = Variables(environ)
    clusterwide = reader.flag("NOVAHUNT_CLUSTER_WIDE")
    namespaces = reader.names("NOVAHUNT_NAMESPACES")
    if clusterwide and namespaces:
        raise SettingsError("NOVAHUNT_CLUSTER_WIDE is true and NOVAHUNT_NAMESPACES names some: set one of them")
    own_namespace = reader.text("NOVAHUNT_OPERATOR_NAMESPACE")
    if not clusterwide and not namespaces:
        namespaces = (own_namespace,)
    log = logs.read(reader)
    intake_url = reader.url("NOVAHUNT_INTAKE_URL")
    return Settings(
        namespaces=namespaces,
        own_namespace=own_namespace,
        identity=reader.text("NOVAHUNT_POD_NAME"),
        lease_name=reader.text("NOVAHUNT_LEASE_NAME", "novahunt-operator"),
        intake_port=reader.number("NOVAHUNT_INTAKE_PORT", 8090, low=0, high=65535),
        certificate=_certificate(reader, intake_url),
        health_port=reader.number("NOVAHUNT_HEALTH_PORT", 8081, low=0, high=65535),
        probe_after=timedelta(seconds=reader.number("NOVAHUNT_PROBE_SECONDS", 60, low=1, high=86400)),
        sweep_every=timedelta(seconds=reader.number("NOVAHUNT_SWEEP_SECONDS", 86_400, low=10, high=31_536_000)),
        max_starts=reader.number(env.WORKER_MAX_JOBS_PER_INTERVAL, 10, low=0, high=1_000_000),
        start_interval=timedelta(
            milliseconds=reader.number(env.WORKER_RATE_LIMIT_DURATION_MS, 60_000, low=1, high=86_400_000)
        ),
        max_config_map_bytes=reader.number("NOVAHUNT_MAX_CONFIGMAP_BYTES", 100 * 2**20, low=1, high=2**40),
        log=log,
        collector=CollectorSettings(
            image=reader.text("NOVAHUNT_COLLECTOR_IMAGE"),
            image_pull_policy=reader.text("NOVAHUNT_COLLECTOR_IMAGE_PULL_POLICY", "IfNotPresent"),
            image_pull_secrets=reader.names("NOVAHUNT_COLLECTOR_IMAGE_PULL_SECRETS"),
            intake_url=intake_url,
            hunter_base_url=reader.url(env.HUNTER_BASE_URL, env.DEFAULT_BASE_URL),
            requests_per_second=reader.number(
                env.HUNTER_REQUESTS_PER_SECOND, int(env.DEFAULT_REQUESTS_PER_SECOND), low=1, high=10_000
            ),
            requests_per_minute=reader.number(
                env.HUNTER_REQUESTS_PER_MINUTE, int(env.DEFAULT_REQUESTS_PER_MINUTE), low=1, high=600_000
            ),
            concurrency=reader.number(env.WORKER_CONCURRENCY, 2, low=1, high=10_000),
            log_format=log.form,
            repeats_charged=reader.flag(env.HUNTER_REPEATS_CHARGED),
            proxy=reader.url("NOVAHUNT_COLLECTOR_PROXY") if reader.text("NOVAHUNT_COLLECTOR_PROXY", "") else "",
            no_proxy=reader.text("NOVAHUNT_COLLECTOR_NO_PROXY", ""),
            proxy_secret=_key_of(reader, "NOVAHUNT_COLLECTOR_PROXY_SECRET"),
            ca_bundle=_key_of(reader, "NOVAHUNT_COLLECTOR_CA_CONFIGMAP"),
            traces_endpoint=reader.url(traces.ENDPOINT) if reader.text(traces.ENDPOINT, "") else "",
        ),
    )


def _key_of(variables: Variables, name: str) -> KeyOf | None:
    """Read `name/key`; nothing where it is not set."""
    text = variables.text(name, "")
    if not text:
        return None
    found, _, key = text.partition("/")
    if not found or not key:
        raise SettingsError(f"{name} is {text!r}: write NAME/KEY")
    return KeyOf(found, key)


def _certificate(variables: Variables, intake_url: str) -> CertificateSettings | None:
    parts = urlsplit(intake_url)
    if parts.scheme != "https":
        return None
    return CertificateSettings(
        secret=variables.text("NOVAHUNT_CERTIFICATE_SECRET"),
        host=parts.hostname or "",
        gateway_hosts=variables.names("NOVAHUNT_CERTIFICATE_GATEWAY_HOSTS"),
        external=variables.flag("NOVAHUNT_CERTIFICATE_EXTERNAL"),
    )
