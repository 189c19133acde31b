"""The command line: verbs, their options, and how errors are told."""

import platform
import shlex
import signal
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec

import click

from devcluster import base_image, builds, components, images, requirements, shell, startup, status, teardown
from devcluster.allocation import checked_name
from devcluster.builds import Part
from devcluster.errors import DevclusterError, LeftBehindError, RefusedInputError
from devcluster.paths import cache_root, run_root
from devcluster.record import Kind, Limits, Registry

P = ParamSpec("P")


def _say(text: str) -> None:
    click.echo(text, err=True)


def _told(verb: Callable[Concatenate[Registry, P], None]) -> Callable[P, None]:
    """Tell a known error in one message and exit with 1; anything else is a fault of ours and keeps its traceback."""

    @wraps(verb)
    def telling(*arguments: P.args, **options: P.kwargs) -> None:
        # So that a half-done `up` is taken down on `kill` as on Ctrl-C.
        signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(128 + signal.SIGTERM))
        try:
            if platform.system() != "Linux":
                raise RefusedInputError("a Kubernetes node needs Linux; run this in a Linux machine or container")
            verb(Registry(run_root()), *arguments, **options)
        except DevclusterError as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(1)

    return telling


def _checked(_context: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    """A name is part of paths that `down` removes, so no verb takes any other text for one."""
    try:
        return None if name is None else checked_name(name)
    except RefusedInputError as refused:
        raise click.BadParameter(str(refused)) from refused


_name = click.option(
    "--name", default="dev", show_default=True, callback=_checked, help="Which cluster; several run side by side."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    r"""A real Kubernetes on this machine, built from package registries alone.

    \b
    The first time:   python -m devcluster up --control-plane    (builds for about 15 minutes, then starts)
    Then:             eval "$(python -m devcluster env)"; kubectl get nodes
    In the end:       python -m devcluster down

    Built parts are kept in $NOVAHUNT_CACHE (default: novahunt in the user's cache folder). Clusters live in
    $NOVAHUNT_DEVCLUSTER_RUN (default: /var/lib/novahunt for root, else novahunt in the user's state folder).
    """


@main.command()
@click.option(
    "--only",
    "only",
    multiple=True,
    type=click.Choice([part.value for part in Part]),
    help="Build this part only; may be given several times.",
)
@_told
def build(_: Registry, only: tuple[str, ...]) -> None:
    """Build all parts that the cache lacks.

    The Go programs take about 15 minutes on two cores the first time; the base image needs root. Two builds at once
    are safe: the second waits for the first.
    """
    parts = [Part(part) for part in only] or list(Part)
    builds.build(cache_root(), parts)
    _say(f"cached in {cache_root()}: {', '.join(parts)}")


@main.command()
@_name
@click.option("--control-plane", is_flag=True, help="No kubelet and no containers; needs no root, starts in seconds.")
@click.option("--simulated-nodes", type=int, default=0, show_default=True, help="Nodes played by KWOK.")
@click.option(
    "--kube-api-qps",
    type=int,
    help="Requests a second that the controller-manager allows itself. Default: Kubernetes' own, 20, with or without "
    "--control-plane.",
)
@click.option(
    "--kube-api-burst",
    type=int,
    help="Requests at once that the controller-manager allows itself. Default: Kubernetes' own, 30.",
)
@click.option("--network-policies", is_flag=True, help="Enforce NetworkPolicies; a whole node alone.")
@click.option("--audit-log", is_flag=True, help="Have the API server log who asked for what; `status` names the file.")
@_told
def up(
    registry: Registry,
    *,
    name: str,
    control_plane: bool,
    simulated_nodes: int,
    kube_api_qps: int | None,
    kube_api_burst: int | None,
    network_policies: bool,
    audit_log: bool,
) -> None:
    """Start a cluster, building first what is missing.

    Without --control-plane it is a whole node with containers, in a network namespace of its own; that needs root.

    Simulated nodes run pods without containers. A pod that is to end (restartPolicy Never or OnFailure) ends as its
    annotations say: devcluster.novahunt.io/run-seconds, /exit-code and /termination-message. Next to a real node
    they are tainted with devcluster.novahunt.io/simulated.
    """
    if (kube_api_qps is None) != (kube_api_burst is None):
        raise RefusedInputError("--kube-api-qps and --kube-api-burst belong together; give both or neither")
    limits = None if kube_api_qps is None or kube_api_burst is None else Limits(kube_api_qps, kube_api_burst)
    wish = startup.Wish(
        name=name,
        kind=Kind.CONTROL_PLANE if control_plane else Kind.NODE,
        simulated_nodes=simulated_nodes,
        audit_log=audit_log,
        network_policies=network_policies,
        limits=limits,
    )
    startup.up(registry, cache_root(), wish, _say)
    _say(f'to use it: eval "$(python -m devcluster env --name {name})"')


@main.command()
@_name
@click.option("--all", "every", is_flag=True, help="All clusters of this run folder.")
@_told
def down(registry: Registry, *, name: str, every: bool) -> None:
    """Stop a cluster and remove all of it: processes, mounts, network, data, logs.

    Works whatever state the cluster is in, and may be repeated.
    """
    failures: list[DevclusterError] = []
    for each in registry.names() if every else [name]:
        try:
            with registry.cluster_lock(each):
                was_there = teardown.take_down(registry, each)
            _say(f"cluster {each!r} is down" if was_there else f"there is no cluster {each!r}; nothing to do")
        except DevclusterError as error:
            failures.append(error)
    if failures:
        raise LeftBehindError("\n".join(map(str, failures)))


@main.command(name="kill")
@_name
@click.argument("component")
@_told
def kill_component(registry: Registry, *, name: str, component: str) -> None:
    """End one component at once, as a crash would: etcd, kube-apiserver, kubelet, ...; `restart` brings it back."""
    components.kill(registry, name, component)
    _say(f"{component} of {name!r} is ended")


@main.command(name="restart")
@_name
@click.argument("component")
@_told
def restart_component(registry: Registry, *, name: str, component: str) -> None:
    """Start one component again with the command line that it had, ending it first if it runs."""
    components.restart(registry, name, component)
    _say(f"{component} of {name!r} runs again")


@main.command(name="status")
@click.option("--name", callback=_checked, help="Only this cluster.")
@_told
def show_status(registry: Registry, name: str | None) -> None:
    """List clusters: what of them runs, their nodes, addresses and files."""
    records = registry.all() if name is None else [registry.get(name)]
    click.echo(status.table([status.look(registry, record) for record in records]))


@main.command()
@_name
@_told
def env(registry: Registry, name: str) -> None:
    """Print what a shell needs: eval "$(python -m devcluster env)"."""
    for variable, value in shell.environment(registry, cache_root(), name).items():
        click.echo(f"export {variable}={shlex.quote(value)}")


@main.command()
@_name
@click.argument("image", nargs=-1, required=True)
@_told
def load(registry: Registry, *, name: str, image: tuple[str, ...]) -> None:
    """Load images that `image build` has built into a whole node.

    Pods find them by the same name, with imagePullPolicy IfNotPresent or Never.
    """
    record = registry.get(name)
    if record.kind is not Kind.NODE:
        raise RefusedInputError(
            f"cluster {name!r} is a {record.kind}: it runs no containers, so there is nothing to load"
        )
    requirements.ensure(requirements.IMAGE_TOOLS)
    images.check_tags(image)
    buildah = images.Buildah(cache_root())
    for each in image:
        with images.exported(buildah, each) as archive:
            images.load(registry.folder(name), archive)
        _say(f"loaded {each} into {name!r}")


def _labels(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    found = tuple(label.partition("=") for label in given)
    if wrong := [label for label, (name, equals, _) in zip(given, found, strict=True) if not (name and equals)]:
        raise click.BadParameter(f"{wrong[0]!r} is no label; write NAME=VALUE")
    return tuple((name, value) for name, _, value in found)


@main.group()
def image() -> None:
    """Build container images without a registry."""


@image.command(name="build")
@click.option("--tag", required=True, help="The image's name, with a tag.")
@click.option("--file", "file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--label", "labels", multiple=True, metavar="NAME=VALUE", callback=_labels, help="May be given several times."
)
@click.argument("context", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_told
def build_image(_: Registry, *, tag: str, file: Path, labels: tuple[tuple[str, str], ...], context: Path) -> None:
    """Build an ordinary Dockerfile with buildah; needs root.

    Nothing is pulled: `FROM python:3.13-slim` is a stand-in made from Debian's packages. pip inside the build uses
    this machine's settings and authorities, which do not get into the image. Every file of it has the time 0, so that
    the same files give the same image.
    """
    requirements.need_root("building images")
    requirements.ensure(requirements.IMAGE_TOOLS)
    images.check_tags([tag])
    buildah = images.Buildah(cache_root())
    base_image.provide(cache_root(), buildah)
    images.build(buildah, images.Plan(tag=tag, file=file, context=context, labels=labels))
