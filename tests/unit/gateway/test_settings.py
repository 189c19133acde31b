"""The gateway's settings: sound defaults, and each value that can't be used is named with what it should be."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from novahunt_api.variables import SettingsError
from novahunt_gateway.settings import Settings, read

NEEDED = {"NOVAHUNT_NAMESPACE": "sales"}


def settings(**extra: str) -> Settings:
    return read({**NEEDED, **extra})


def test_with_only_what_is_needed_the_documented_defaults_hold() -> None:
    found = settings()
    assert (found.namespace, found.namespaces) == ("sales", frozenset({"sales"}))
    assert (found.authentication, found.token_file) == ("token", Path("/etc/novahunt/token"))
    assert (found.port, found.health_port) == (8080, 8081)
    assert (found.volumes, found.defaults, found.proxies, found.seal_keys) == ({}, {}, (), ())


def test_given_values_are_read(tmp_path: Path) -> None:
    keys = [Fernet.generate_key(), Fernet.generate_key()]
    (tmp_path / "keys").write_bytes(b"\n".join(keys) + b"\n\n")
    found = settings(
        NOVAHUNT_GATEWAY_NAMESPACES="sales, marketing",
        NOVAHUNT_GATEWAY_AUTHENTICATION="Kubernetes",
        NOVAHUNT_GATEWAY_VOLUMES="collections=/volumes/collections, more=/volumes/more",
        NOVAHUNT_GATEWAY_SPEC='{"budget": {"maxCreditsPerDomain": 50}, "maxResults": 100}',
        NOVAHUNT_GATEWAY_PROXIES="10.0.0.0/8, 192.0.2.7",
        NOVAHUNT_GATEWAY_SEAL_KEYS_FILE=str(tmp_path / "keys"),
        NOVAHUNT_LOG_LEVEL="debug",
    )
    assert found.namespaces == {"sales", "marketing"}
    assert found.authentication == "kubernetes"
    assert found.volumes == {"collections": Path("/volumes/collections"), "more": Path("/volumes/more")}
    assert found.defaults == {"budget": {"maxCreditsPerDomain": 50}, "maxResults": 100}
    assert found.proxies == ("10.0.0.0/8", "192.0.2.7")
    assert found.seal_keys == tuple(keys)
    assert (found.log.level, found.log.form) == ("DEBUG", "json")


def test_a_certificate_that_is_not_mounted_is_named(tmp_path: Path) -> None:
    (tmp_path / "tls.crt").write_text("one")
    with pytest.raises(SettingsError, match=r"there is no tls\.key"):
        settings(NOVAHUNT_GATEWAY_CERTIFICATE=str(tmp_path))
    (tmp_path / "tls.key").write_text("the other")
    found = settings(NOVAHUNT_GATEWAY_CERTIFICATE=str(tmp_path)).certificate
    assert found is not None
    assert (found.file, found.key_file) == (tmp_path / "tls.crt", tmp_path / "tls.key")


def test_without_a_namespace_it_says_what_is_missing() -> None:
    with pytest.raises(SettingsError, match="NOVAHUNT_NAMESPACE is not set"):
        read({})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("NOVAHUNT_GATEWAY_AUTHENTICATION", "none", "set token or kubernetes"),
        ("NOVAHUNT_GATEWAY_VOLUMES", "collections", "write claim=/folder"),
        ("NOVAHUNT_GATEWAY_VOLUMES", "collections=folder", "write claim=/folder"),
        ("NOVAHUNT_GATEWAY_SPEC", "{", "no spec of a collection"),
        ("NOVAHUNT_GATEWAY_SPEC", '{"maxResults": "many"}', "no spec of a collection"),
        ("NOVAHUNT_GATEWAY_SPEC", '{"domains": ["a.example"]}', "sets domains"),
        ("NOVAHUNT_GATEWAY_PORT", "70000", "from 0 to 65535"),
        ("NOVAHUNT_GATEWAY_PROXIES", "10.0.0.0/8,proxy", "addresses or networks"),
        ("NOVAHUNT_GATEWAY_SEAL_KEYS_FILE", "/nowhere/keys", "can't be read"),
        ("NOVAHUNT_LOG_FORMAT", "xml", "set json or text"),
    ],
)
def test_a_value_that_can_not_be_used_is_named(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as raised:
        settings(**{name: value})
    assert name in str(raised.value)


@pytest.mark.parametrize(("content", "said"), [("", "holds no key"), ("too-short", "line 1"), ("\n", "holds no key")])
def test_a_file_of_keys_that_can_not_be_used_is_named_without_its_content(
    tmp_path: Path, content: str, said: str
) -> None:
    (tmp_path / "keys").write_text(content)
    with pytest.raises(SettingsError, match=said) as raised:
        settings(NOVAHUNT_GATEWAY_SEAL_KEYS_FILE=str(tmp_path / "keys"))
    assert "too-short" not in str(raised.value)
