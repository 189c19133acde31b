"""The operator's settings: sound defaults, and each value that can't be used is named with what it should be."""

from datetime import timedelta

import pytest

from novahunt_api.variables import SettingsError
from novahunt_operator.settings import KeyOf, Settings, read

NEEDED = {
    "NOVAHUNT_OPERATOR_NAMESPACE": "novahunt",
    "NOVAHUNT_POD_NAME": "operator-0",
    "NOVAHUNT_COLLECTOR_IMAGE": "registry.example/collector:1",
    "NOVAHUNT_INTAKE_URL": "http://intake.novahunt.svc:8090/",
}


def settings(**extra: str) -> Settings:
    return read({**NEEDED, **extra})


def test_with_only_what_is_needed_the_documented_defaults_hold() -> None:
    found = settings()
    assert found.namespaces == ("novahunt",)
    assert (found.max_starts, found.start_interval) == (10, timedelta(minutes=1))
    assert (found.probe_after, found.sweep_every) == (timedelta(minutes=1), timedelta(days=1))
    collector = found.collector
    assert (collector.concurrency, collector.requests_per_second, collector.requests_per_minute) == (2, 15, 500)
    assert (collector.hunter_base_url, collector.intake_url) == (
        "https://api.hunter.io/v2",
        "http://intake.novahunt.svc:8090",
    )
    assert collector.image_pull_secrets == ()


def test_given_values_are_read() -> None:
    found = settings(
        WORKER_CONCURRENCY=" 7 ",
        WORKER_MAX_JOBS_PER_INTERVAL="0",
        WORKER_RATE_LIMIT_DURATION_MS="1500",
        NOVAHUNT_SWEEP_SECONDS="3600",
        NOVAHUNT_NAMESPACES="sales, marketing,,",
        NOVAHUNT_COLLECTOR_IMAGE_PULL_SECRETS="one,two",
        NOVAHUNT_COLLECTOR_PROXY="http://proxy.example:3128/",
        NOVAHUNT_COLLECTOR_CA_CONFIGMAP="company-ca/ca.crt",
        NOVAHUNT_LOG_FORMAT="text",
        NOVAHUNT_LOG_LEVEL="debug",
    )
    assert found.namespaces == ("sales", "marketing")
    assert (found.collector.concurrency, found.max_starts) == (7, 0)
    assert (found.start_interval, found.sweep_every) == (timedelta(milliseconds=1500), timedelta(hours=1))
    assert found.collector.image_pull_secrets == ("one", "two")
    assert (found.collector.proxy, found.collector.proxy_secret) == ("http://proxy.example:3128", None)
    assert found.collector.ca_bundle == KeyOf("company-ca", "ca.crt")
    assert (found.collector.log_format, found.log.level) == ("text", "DEBUG")


def test_cluster_wide_watches_all_namespaces() -> None:
    assert settings(NOVAHUNT_CLUSTER_WIDE="true").namespaces == ()


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_what_is_missing_is_named(name: str, value: str | None) -> None:
    environ = {key: text for key, text in NEEDED.items() if key != name} | ({name: value} if value is not None else {})
    with pytest.raises(SettingsError, match=f"{name} is not set"):
        read(environ)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WORKER_CONCURRENCY", "0"),
        ("WORKER_CONCURRENCY", "two"),
        ("WORKER_CONCURRENCY", "2.5"),
        ("WORKER_MAX_JOBS_PER_INTERVAL", "-1"),
        ("WORKER_RATE_LIMIT_DURATION_MS", "0"),
        ("HUNTER_REQUESTS_PER_SECOND", "0"),
        ("HUNTER_REQUESTS_PER_MINUTE", "none"),
        ("HUNTER_BASE_URL", "api.hunter.io"),
        ("HUNTER_BASE_URL", "ftp://api.hunter.io"),
        ("NOVAHUNT_INTAKE_URL", "http://"),
        ("NOVAHUNT_INTAKE_URL", "http://[intake"),
        ("NOVAHUNT_INTAKE_PORT", "70000"),
        ("NOVAHUNT_HEALTH_PORT", "-1"),
        ("NOVAHUNT_PROBE_SECONDS", "0"),
        ("NOVAHUNT_MAX_CONFIGMAP_BYTES", "0"),
        ("NOVAHUNT_MAX_CONFIGMAP_BYTES", "100Mi"),
        ("NOVAHUNT_COLLECTOR_PROXY", "proxy.example:3128"),
        ("NOVAHUNT_COLLECTOR_PROXY_SECRET", "proxy"),
        ("NOVAHUNT_COLLECTOR_CA_CONFIGMAP", "/ca.crt"),
        ("NOVAHUNT_CLUSTER_WIDE", "yes"),
        ("NOVAHUNT_LOG_FORMAT", "xml"),
        ("NOVAHUNT_LOG_LEVEL", "loud"),
    ],
)
def test_a_value_that_can_not_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is "):
        settings(**{name: value})


def test_namespaces_and_cluster_wide_exclude_each_other() -> None:
    with pytest.raises(SettingsError, match="set one of them"):
        settings(NOVAHUNT_CLUSTER_WIDE="true", NOVAHUNT_NAMESPACES="sales")
