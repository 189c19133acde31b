"""Writes the kubeconfig of a service account, so that a process outside the cluster has that account's rights alone."""

from pathlib import Path

import yaml


def write_kubeconfig(file: Path, *, admin: Path, token: str, server: str | None = None) -> None:
    """Write a kubeconfig for the cluster that the admin's one names, with this token in place of the admin's key.

    With `server`, the API server is reached at that URL.
    """
    kubeconfig = yaml.safe_load(admin.read_text())
    kubeconfig["users"] = [{"name": "account", "user": {"token": token}}]
    kubeconfig["contexts"][0]["context"]["user"] = "account"
    if server is not None:
        kubeconfig["clusters"][0]["cluster"] = {"server": server}
    # Made private before the token is in it.
    file.touch(mode=0o600)
    file.write_text(yaml.safe_dump(kubeconfig))
