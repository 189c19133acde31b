"""Which kubeconfig is read, and how long a person's calls are tried again."""

import os
import time
from pathlib import Path

import pytest
from kubernetes.aio import client, config

from novahunt_api import paths, wire
from novahunt_api.cluster import Cluster, Kubeconfig, UnavailableError


async def test_impatience_ends_a_call_that_finds_nobody_at_once() -> None:
    cluster = Cluster(client.ApiClient(client.Configuration(host="http://127.0.0.1:1")), patience=0.0)
    begun = time.monotonic()
    try:
        with pytest.raises(UnavailableError):
            await cluster.get(paths.collections("sales"), wire.Kind)
    finally:
        await cluster.close()
    assert time.monotonic() - begun < 10


async def test_a_named_kubeconfig_that_is_not_there_is_never_replaced_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_pod(*_given: object, **_options: object) -> None:
        raise AssertionError("the pod's account was taken")

    monkeypatch.setattr(config, "load_incluster_config", no_pod)
    with pytest.raises(config.ConfigException, match="there is no kubeconfig"):
        await Kubeconfig(str(tmp_path / "absent")).load(client.Configuration())
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "absent"))
    with pytest.raises(AssertionError):
        await Kubeconfig().load(client.Configuration())


def test_any_file_of_the_variable_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").touch()
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join([str(tmp_path / "absent"), str(tmp_path / "config")]))
    assert Kubeconfig().is_there()
    assert not Kubeconfig(str(tmp_path / "absent")).is_there()
