"""The demonstration: twelve entries of a list become stored addresses, on a real cluster, before one's eyes.

Run as `python -m tools.demo [--kubeconfig FILE] [--registry HOST/PATH] [--clean]`.
"""

import json
import sys
import time
from pathlib import Path
from string import Template

import click
import msgspec
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from novahunt_api.statusobject import CollectionStatus
from tools import images
from tools.shell import ROOT, ProgramError, ask, devcluster
from tools.target import OWN_CONTEXT, Target

CLUSTER = "demo"
NAMESPACE = "novahunt-demo"
COLLECTION = "demo"
_SECONDS = 300.0

_VALUES = {
    "hunter.baseUrl": f"http://hunter-simulator.{NAMESPACE}.svc:8080/v2",
    "worker.concurrency": "3",
}


class _Collection(msgspec.Struct, frozen=True):
    status: CollectionStatus = CollectionStatus()


class _Place(msgspec.Struct, frozen=True):
    names: tuple[str, ...] = ()
    key: str = ""


class _Storage(msgspec.Struct, frozen=True, rename="camel"):
    config_map: _Place | None = None


class _Result(msgspec.Struct, frozen=True, rename="camel"):
    domain: str
    outcome: str
    reason: str = ""
    emails: int = 0
    credits_total: int = 0
    requests: int = 0
    attempts: int = 0
    storage: _Storage = _Storage()


class _Results(msgspec.Struct, frozen=True):
    items: tuple[_Result, ...]


def prepare(target: Target) -> None:
    """Build, load and install everything that the demonstration needs."""
    images.build(images.ALL, target.registry, own=target.is_own)
    target.load(images.ALL)
    target.install(NAMESPACE, images.OPERATOR, images.COLLECTOR, _VALUES)
    manifest = Template((ROOT / "tests/hunter_simulator/kubernetes.yaml").read_text())
    simulator = manifest.substitute(image=images.SIMULATOR.reference(target.registry))
    target.kubectl("apply", "-n", NAMESPACE, "-f", "-", stdin=simulator)
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "hunter-api-key", "namespace": NAMESPACE},
        "stringData": {"HUNTER_API_KEY": "demo-key"},
    }
    target.kubectl("apply", "-f", "-", stdin=json.dumps(secret))
    target.kubectl("rollout", "status", "deployment/hunter-simulator", "-n", NAMESPACE, "--timeout=120s")


def collect(target: Target, console: Console) -> CollectionStatus:
    """Apply the example, show its progress until it is ready, and return its last status.

    Raises:
        ProgramError: it was not ready in time.
    """
    console.print("\n[bold]kubectl apply -f examples/demo.yaml[/bold]")
    target.kubectl("apply", "-n", NAMESPACE, "-f", "examples/demo.yaml")
    deadline = time.monotonic() + _SECONDS
    with Live(console=console, refresh_per_second=4) as live:
        while True:
            answer = target.kubectl("get", "dcol", COLLECTION, "-n", NAMESPACE, "-o", "json")
            status = msgspec.json.decode(answer, type=_Collection).status
            live.update(_picture(status))
            ready = next((c for c in status.conditions if c.type == "Ready"), None)
            if ready is not None and ready.status == "True":
                return status
            if time.monotonic() > deadline:
                raise ProgramError(f"the collection was not ready within {_SECONDS:g} s: {status.conditions}")
            time.sleep(0.5)


def _picture(status: CollectionStatus) -> Group:
    bars = Progress(
        TextColumn("{task.description:28}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %  {task.fields[note]}")
    )
    credits_used = status.credits.used if status.credits else 0
    bars.add_task(
        f"[bold]{COLLECTION}[/bold]  {status.done}",
        total=100,
        completed=status.progress or 0,
        note=f"{status.emails or 0} addresses, {credits_used} credits, {status.rate or ''}",
    )
    for domain in status.running:
        bars.add_task(f"  {domain.domain}", total=100, completed=domain.percent, note=f"{domain.emails} addresses")
    waiting = next((c.message for c in status.conditions if c.type == "Waiting"), "")
    return Group(bars, waiting)


def conclude(target: Target, status: CollectionStatus, console: Console) -> None:
    """Print the final table, one stored document, and how to look further."""
    found = msgspec.json.decode(target.kubectl("get", "dres", "-n", NAMESPACE, "-o", "json"), type=_Results).items
    table = Table(title=f"{COLLECTION}: {status.conditions[0].reason}, {status.conditions[0].message}")
    for heading in ("domain", "outcome", "reason"):
        table.add_column(heading)
    for heading in ("addresses", "credits", "requests", "attempts"):
        table.add_column(heading, justify="right")
    for result in sorted(found, key=lambda result: result.domain):
        numbers = (result.emails, result.credits_total, result.requests, result.attempts)
        table.add_row(result.domain, result.outcome, result.reason, *map(str, numbers))
    emails, credits_used = (sum(result.emails for result in found), sum(result.credits_total for result in found))
    table.add_row("[bold]all[/bold]", "", "", f"[bold]{emails}[/bold]", f"[bold]{credits_used}[/bold]", "", "")
    console.print(table)
    for failure in status.failures:
        console.print(f"  {failure.domain or 'not collected'}: {failure.message}", markup=False)
    small = next((result for result in found if result.domain == "small.example"), None)
    if small is not None and small.storage.config_map is not None:
        place = small.storage.config_map
        answer = target.kubectl("get", "configmap", place.names[0], "-n", NAMESPACE, "-o", "json")
        data = json.loads(answer)["data"][place.key]
        console.print(f"\n[bold]{place.key}[/bold], in ConfigMap {place.names[0]}:")
        console.print_json(data[:100_000], indent=1)


def _look_further(target: Target, console: Console) -> None:
    own = target.context == f"{OWN_CONTEXT}{CLUSTER}"
    enter = f'eval "$($(scripts/venv)/bin/python -m devcluster env --name {CLUSTER})"\n  ' if own else ""
    console.print(
        f"\nLook further:\n  {enter}kubectl -n {NAMESPACE} get dcol,dres\n"
        f"  kubectl -n {NAMESPACE} describe dcol {COLLECTION}\n  kubectl -n {NAMESPACE} logs deployment/novahunt\n"
        "Remove it all:\n  make demo-clean",
        markup=False,
    )


def clean(kubeconfig: Path | None) -> None:
    """Remove all that the demonstration made."""
    if kubeconfig is None:
        click.echo(ask(devcluster("down", "--name", CLUSTER), seconds=120).strip())
        return
    environment = Target.of(kubeconfig, "none").environment
    ask(["helm", "uninstall", "novahunt", "-n", NAMESPACE, "--ignore-not-found", "--wait"], environment=environment)
    words = ["delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=120s"]
    ask(["kubectl", *words], environment=environment, seconds=180)
    click.echo(f"removed the release and namespace {NAMESPACE}; the two kinds stay, as after any uninstall")


@click.command()
@click.option("--kubeconfig", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="Use this cluster.")
@click.option("--registry", help="Push the images there: host/path.")
@click.option("--clean", "only_clean", is_flag=True, help="Remove all that the demonstration made.")
def main(kubeconfig: Path | None, registry: str | None, *, only_clean: bool) -> None:
    """Collect twelve entries on a real cluster; without --kubeconfig on one of its own."""
    # Elsewhere than on a terminal 80 columns are assumed, and the table would be cut.
    console = Console() if sys.stdout.isatty() else Console(width=120)
    try:
        if only_clean:
            clean(kubeconfig)
            return
        target = Target.own(CLUSTER) if kubeconfig is None else Target.of(kubeconfig, registry)
        prepare(target)
        conclude(target, collect(target, console), console)
        _look_further(target, console)
    except ProgramError as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main()
