"""Writes the kubeconfig of each component and of the admin."""

import base64
from pathlib import Path

import yaml

from devcluster.certificates import KeyPair, write_private


def _inline(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


def write_kubeconfig(file: Path, *, cluster: str, server: str, authority: Path, user: str, pair: KeyPair) -> None:
    """Write a kubeconfig that stands alone: keys and certificates are inside."""
    context = f"novahunt-{cluster}"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": context, "cluster": {"server": server, "certificate-authority-data": _inline(authority)}}
        ],
        "users": [
            {
                "name": user,
                "user": {
                    "client-certificate-data": _inline(pair.certificate),
                    "client-key-data": _inline(pair.key),
                },
            }
        ],
        "contexts": [{"name": context, "context": {"cluster": context, "user": user}}],
        "current-context": context,
    }
    write_private(file, yaml.safe_dump(content, sort_keys=False).encode())
