"""The options that all commands take, before or after the command's name, and completion of names."""

import functools
from collections.abc import Callable
from typing import Any

import click
from click.shell_completion import CompletionItem

from novahunt_api import paths, wire
from novahunt_api.cluster import Cluster
from novahunt_api.domaincollections import CollectionObject
from novahunt_cli.exits import CommandError
from novahunt_cli.session import Session, session_of

Command = Callable[..., Any]

_GLOBAL = (
    click.option("-n", "--namespace", metavar="NAME", help="Namespace; default: that of the context."),
    click.option("-A", "--all-namespaces", is_flag=True, help="All namespaces, where a list is shown."),
    click.option("--context", "kube_context", metavar="NAME", help="Context of the kubeconfig."),
    click.option("--kubeconfig", metavar="FILE", help="Default: KUBECONFIG, then ~/.kube/config."),
)

_OUTPUT = click.option("-o", "--output", type=click.Choice(["table", "json", "yaml", "name"]), help="Default: table.")


def everywhere(command: Command) -> Command:
    """Add the connection's options."""
    for option in reversed(_GLOBAL):
        command = option(command)
    return command


def connected(*, output: bool = True) -> Callable[[Command], Command]:
    """Give a command its session in place of the connection's options."""

    def decorate(command: Command) -> Command:
        @click.pass_context
        @functools.wraps(command)
        def called(context: click.Context, /, **given: Any) -> Any:
            own = {key: value for key, value in given.items() if key not in _TAKEN}
            return command(session_of(context), **own)

        whole = everywhere(called)
        return _OUTPUT(whole) if output else whole

    return decorate


_TAKEN = frozenset({"kubeconfig", "kube_context", "namespace", "all_namespaces", "output"})


def complete_names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a collection's name from the cluster; where that fails, nothing is offered."""
    del parameter
    session: Session = session_of(context)

    async def names(cluster: Cluster) -> list[str]:
        page = await cluster.get(paths.collections(session.namespace), wire.Page[CollectionObject], {"limit": "500"})
        return [item.metadata.name for item in page.items]

    try:
        return [CompletionItem(name) for name in session.run(names) if name.startswith(incomplete)]
    except CommandError:
        return []


def name_argument(*, required: bool = True, many: bool = False) -> Callable[[Command], Command]:
    """Take a collection's name, which the shell completes."""
    return click.argument(
        "names" if many else "name", required=required, nargs=-1 if many else 1, shell_complete=complete_names
    )
