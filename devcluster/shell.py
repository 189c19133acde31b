"""`env`: what a shell needs to use a cluster."""

import os
from collections.abc import Mapping
from pathlib import Path

from devcluster.programs import Programs
from devcluster.record import Registry


def environment(registry: Registry, cache: Path, name: str, current: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables to set, given the current ones."""
    record = registry.get(name)
    folder = registry.folder(name)
    programs = Programs.cached(cache)
    found = {
        "KUBECONFIG": str(folder.admin_kubeconfig),
        "PATH": os.pathsep.join((str(programs.kubernetes), str(programs.helm), current.get("PATH", ""))),
    }
    if record.link is not None:
        found["NOVAHUNT_DEVCLUSTER_VOLUMES"] = str(folder.volumes)
        found["NOVAHUNT_DEVCLUSTER_HOST"] = str(record.link.host)
    if record.audit_log:
        found["NOVAHUNT_DEVCLUSTER_AUDIT_LOG"] = str(folder.audit_log)
    if any(current.get(proxy) for proxy in ("HTTPS_PROXY", "https_proxy")):
        # kubectl would ask the proxy for an address that only this machine has.
        direct = current.get("NO_PROXY") or current.get("no_proxy")
        found["NO_PROXY"] = ",".join(filter(None, (direct, record.api_host)))
    return found
