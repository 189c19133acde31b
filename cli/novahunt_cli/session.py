"""What every command that speaks to a cluster is given: the connection, the namespace, and how to print."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import click
import yaml
from kubernetes.aio import config

from novahunt_api.cluster import ApiError, Cluster, Kubeconfig
from novahunt_cli import exits

T = TypeVar("T")

PATIENCE_SECONDS = 3.0
"""How long a call is tried again; a person wants to know, not to wait."""


@dataclass(frozen=True)
class Session:
    """What was said before the command's own options."""

    kubeconfig: Kubeconfig
    named_namespace: str | None
    all_namespaces: bool
    output: str

    @property
    def namespace(self) -> str:
        """The namespace that is meant: the named one, the context's, or default."""
        return self.named_namespace or self._of_context() or "default"

    @property
    def scope(self) -> str | None:
        """The namespace whose objects are listed; None: all."""
        return None if self.all_namespaces else self.namespace

    def run(self, work: Callable[[Cluster], Awaitable[T]]) -> T:
        """Connect, do it, and close the connection.

        Raises:
            CommandError: no connection, or the API server refused a call.
        """
        return asyncio.run(self._run(work))

    async def _run(self, work: Callable[[Cluster], Awaitable[T]]) -> T:
        try:
            cluster = await Cluster.connect(program="novahunt", kubeconfig=self.kubeconfig, patience=PATIENCE_SECONDS)
        except config.ConfigException as error:
            raise exits.of_kubeconfig(error) from None
        except (OSError, ValueError, KeyError, yaml.YAMLError) as error:
            raise exits.CommandError(
                f"the kubeconfig can't be read ({type(error).__name__}): correct it, or name another with --kubeconfig"
            ) from None
        try:
            return await work(cluster)
        except ApiError as error:
            raise exits.of_api(error, cluster.host) from None
        finally:
            await cluster.close()

    def _of_context(self) -> str | None:
        if not self.kubeconfig.is_there():
            return None
        try:
            contexts, active = config.list_kube_config_contexts(self.kubeconfig.file)
        except (config.ConfigException, OSError, ValueError, yaml.YAMLError):
            return None
        wanted = self.kubeconfig.context
        chosen: Mapping[str, Any] | None = active
        if wanted is not None:
            chosen = next((context for context in contexts if context["name"] == wanted), None)
        found = (chosen or {}).get("context", {}).get("namespace")
        return found if isinstance(found, str) else None


def session_of(context: click.Context) -> Session:
    """Return the session that the command stands in; what the command line names last counts."""
    found: dict[str, Any] = {}
    at: click.Context | None = context
    while at is not None:
        for key, value in at.params.items():
            if key in _KEYS and value and key not in found:
                found[key] = value
        at = at.parent
    return Session(
        Kubeconfig(found.get("kubeconfig"), found.get("kube_context")),
        found.get("namespace"),
        bool(found.get("all_namespaces")),
        found.get("output") or "table",
    )


_KEYS = frozenset({"kubeconfig", "kube_context", "namespace", "all_namespaces", "output"})
