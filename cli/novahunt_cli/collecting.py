"""The commands that make collections and wait for them: collect, watch, estimate."""

import sys
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from novahunt_api import creating, domaincollections, paths
from novahunt_api.cluster import Cluster, NotFoundError, UnavailableError
from novahunt_api.conditions import ConditionType, find
from novahunt_api.domaincollections import Collection
from novahunt_cli import bars, exits, following, manifests, options, printing, reading
from novahunt_cli.exits import CommandError, Exit
from novahunt_cli.following import Ending
from novahunt_cli.session import Session
from novahunt_client import lists
from novahunt_client.explain import explain
from novahunt_contract import wanted
from novahunt_contract.wanted import Entry

_SHOWN = 20
"""Entries that are left out and named; the rest is counted."""

_MODES = click.Choice(["server", "client"])


def _fields(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_WISHES):
        command = option(command)
    return command


_WISHES = (
    click.option("--max-results", type=click.IntRange(1, 100_000), help="Addresses of one domain at most."),
    click.option("--page-size", type=click.IntRange(1, 100), help="Addresses in one request."),
    click.option("--search-type", type=click.Choice(["personal", "generic"]), help="Only such addresses."),
    click.option("--seniority", multiple=True, help="Hunter's word, for example senior; may be given again."),
    click.option("--department", multiple=True, help="Hunter's word, for example it; may be given again."),
    click.option("--required-field", multiple=True, type=click.Choice(["full_name", "position", "phone_number"])),
    click.option("--verification", multiple=True, type=click.Choice(["valid", "accept_all", "unknown"])),
    click.option("--key-secret", metavar="NAME[/KEY]", help="Secret with the Hunter key."),
)

_COLLECT_WISHES = (
    click.option("--budget", type=click.IntRange(0), help="Credits that it may spend."),
    click.option("--budget-per-domain", type=click.IntRange(0), help="The same for each domain."),
    click.option("--budget-period", type=click.Choice(["Lifetime", "Month"])),
    click.option("--concurrency", type=click.IntRange(1, 1000), help="Domains at once."),
    click.option("--priority", type=int, help="Higher ones start first."),
    click.option("--storage-claim", metavar="CLAIM", help="Store on this claim; default: in ConfigMaps."),
    click.option("--storage-path", metavar="FOLDER", help="Folder on the claim."),
    click.option("--refresh-after", metavar="TIME", help="Collect again that long after, for example 720h."),
    click.option("--retention", metavar="TIME", help="Remove documents that are older, for example 4320h."),
    click.option("--deletion-policy", type=click.Choice(["Retain", "Delete"])),
    click.option("--suppression-secret", metavar="NAME[/KEY]", help="List of what is never stored."),
    click.option("--suppression-config-map", metavar="NAME[/KEY]", help="The same, in a ConfigMap."),
    click.option("--suspend", is_flag=True, help="Make it suspended."),
)


def _collect_fields(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_COLLECT_WISHES):
        command = option(command)
    return command


@click.command()
@click.argument("domains", nargs=-1)
@click.option("-f", "--file", "files", multiple=True, metavar="FILE", help="List: text or CSV; - is standard input.")
@click.option("--name", help="Default: made from the first domain and the time.")
@click.option("--wait", is_flag=True, help="Wait for the end, and tell it by the exit code.")
@click.option("--timeout", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="Wait so long at most.")
@click.option("--dry-run", type=_MODES, help="Make nothing; server: have it checked.")
@_fields
@_collect_fields
@options.connected()
def collect(
    session: Session,
    domains: tuple[str, ...],
    files: tuple[str, ...],
    name: str | None,
    wait: bool,
    timeout: float | None,
    dry_run: str | None,
    **wish: Any,
) -> int:
    """Collect DOMAINS, or those of a list."""
    found = _domains(domains, files)
    made = manifests.manifest(name or _name(found), session.namespace, found, manifests.Wish(**wish))
    if session.output in ("json", "yaml") and dry_run is None and not wait:
        dry_run = "client"
    if dry_run == "client":
        _print_made(session, made)
        return Exit.DONE

    async def work(cluster: Cluster) -> int:
        created = await _create(cluster, made, dry_run=dry_run == "server")
        if dry_run is not None or session.output != "table":
            _print_made(session, created)
        if dry_run is not None:
            return Exit.DONE
        if session.output == "table":
            click.echo(f"domaincollection.novahunt.io/{created['metadata']['name']} created")
        if not wait:
            printing.say(f"See it with `novahunt watch {created['metadata']['name']}`.")
            return Exit.DONE
        return await _wait(cluster, session.namespace, created["metadata"]["name"], timeout)

    return session.run(work)


@click.command()
@options.name_argument(required=False)
@click.option("--timeout", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="Watch so long at most.")
@options.connected(output=False)
def watch(session: Session, name: str | None, timeout: float | None) -> int:
    """Watch collection NAME, or all of the namespace, until they are done."""
    if name is not None:
        one = name
        return session.run(lambda cluster: _watch(cluster, session.namespace, one, timeout))
    return session.run(lambda cluster: _watch(cluster, session.scope, None, timeout))


@click.command()
@click.argument("domains", nargs=-1, metavar="[NAME | DOMAINS]...", shell_complete=options.complete_names)
@click.option("-f", "--file", "files", multiple=True, metavar="FILE", help="List: text or CSV; - is standard input.")
@click.option("--keep", is_flag=True, help="Keep the collection that was made for it.")
@click.option("--timeout", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="Wait so long at most.")
@_fields
@options.connected()
def estimate(
    session: Session,
    domains: tuple[str, ...],
    files: tuple[str, ...],
    keep: bool,
    timeout: float | None,
    **wish: Any,
) -> int:
    """Ask for Hunter's free counts of DOMAINS, or show the estimate of collection NAME. It spends nothing.

    One word is taken for a collection if there is one of that name, else for a domain.
    """
    if len(domains) == 1 and not files and manifests.is_name(domains[0]):
        raw = session.run(lambda cluster: _named(cluster, session.namespace, domains[0]))
        if raw is not None:
            _print_estimate(session, raw)
            return Exit.DONE
    found = _domains(domains, files)
    name = _name(found, "estimate-")
    made = manifests.manifest(name, session.namespace, found, manifests.Wish(mode="Estimate", **wish))

    async def work(cluster: Cluster) -> int:
        await _create(cluster, made, dry_run=False)
        try:
            code = await _wait(cluster, session.namespace, name, timeout, quiet=True)
            if code in (Exit.DONE, Exit.SOME_FAILED):
                _print_estimate(session, await reading.collection(cluster, session.namespace, name))
                code = Exit.DONE
            return code
        finally:
            if keep:
                printing.say(f"Kept as collection {name}; set mode: Collect to collect it.")
            else:
                await cluster.delete(paths.collections(session.namespace, name))

    return session.run(work)


async def _named(cluster: Cluster, namespace: str, word: str) -> dict[str, Any] | None:
    """Read the collection of that name; None: there is none, and the word may be a domain.

    The names of single domains' collections hold a dot: only the cluster tells such a name from a domain.

    Raises:
        NotFoundError: there is none, and a word without a dot is no domain either.
    """
    try:
        return await reading.collection(cluster, namespace, word)
    except NotFoundError:
        if "." in word:
            return None
        raise


def _domains(arguments: tuple[str, ...], files: tuple[str, ...]) -> tuple[str, ...]:
    """Read all lists, tell what is left out and where it stands, and return the rest.

    Raises:
        CommandError: a file can't be read, or nothing is left.
    """
    entries = [Entry(f"argument {number}", text) for number, text in enumerate(arguments, start=1)]
    for file in files:
        source = "standard input" if file == "-" else file
        try:
            # Bytes, because a terminal's encoding is not the list's.
            data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
            found = lists.read(lists.decoded(data), source, file_name=file)
        except OSError as error:
            raise CommandError(f"{source} can't be read: {error.strerror}", Exit.USAGE) from None
        except lists.UnreadableListError as error:
            raise CommandError(f"{source} can't be read: {error}", Exit.USAGE) from None
        printing.say(found.how)
        entries.extend(found.entries)
    if not entries:
        raise CommandError("name domains, or a list with -f FILE", Exit.USAGE)
    whole = wanted.resolve(entries)
    for invalid in whole.invalid[:_SHOWN]:
        shown = f" {invalid.text!r}" if invalid.text else ""
        printing.say(f"left out: {invalid.place}{shown}: {invalid.reason}")
    if len(whole.invalid) > _SHOWN:
        printing.say(f"left out: {len(whole.invalid) - _SHOWN} more")
    for repeat in lists.repeats(entries)[:_SHOWN]:
        printing.say(f"named again: {repeat.place} ({repeat.domain}, first in {repeat.first})")
    if not whole.domains:
        raise CommandError("no domain is left of the list, so nothing is made: correct it", Exit.USAGE)
    return whole.domains


def _name(found: tuple[str, ...], prefix: str = "") -> str:
    return manifests.readable_name(found, datetime.now(UTC).strftime("%m%d-%H%M%S"), prefix)


async def _create(cluster: Cluster, made: dict[str, Any], *, dry_run: bool) -> dict[str, Any]:
    name, path = made["metadata"]["name"], paths.collections(made["metadata"]["namespace"])
    query = {"fieldManager": "novahunt"}
    if dry_run:
        return dict(msgspec.json.decode(await cluster.call("POST", path, body=made, query={**query, "dryRun": "All"})))
    try:
        found: dict[str, Any] = msgspec.json.decode(await creating.create(cluster, path, made, query=query))
    except UnavailableError as error:
        said = exits.of_api(error, cluster.host)
        # A second collection of the same domains would pay for them again.
        raise CommandError(f"{said}. Before you make it again, see `novahunt status {name}`: it may be there") from None
    return found


def _print_made(session: Session, made: dict[str, Any]) -> None:
    output = "yaml" if session.output == "table" else session.output
    printing.objects([made], output, single=True)


async def _wait(cluster: Cluster, namespace: str, name: str, seconds: float | None, *, quiet: bool = False) -> int:
    with bars.display() as display:
        last = await following.until_ended(cluster, namespace, name, display.show, seconds)
    end = following.ending(last)
    if not quiet or end is Ending.STALLED:
        printing.say("\n\n".join(paragraph.text() for paragraph in explain(last)))
    return following.CODES[end]


async def _watch(cluster: Cluster, namespace: str | None, name: str | None, seconds: float | None) -> int:
    """Follow until none is open or stalled; what stalls may go on, and is shown meanwhile."""
    last: list[Collection] = []
    ends: list[Ending] = []
    lasting = (Ending.OPEN, Ending.STALLED)
    with bars.display() as display:
        async with aclosing(following.until(cluster, namespace, name, seconds)) as stream:
            async for seen in stream:
                display.show(seen)
                last = list(seen.values())
                ends = [following.ending(collection) for collection in last]
                if not any(end in lasting for end in ends):
                    break
    for collection in last:
        printing.say(f"{collection.key.name}: {explain(collection)[0].headline}")
    return Exit.SOME_FAILED if Ending.SOME_FAILED in ends else Exit.DONE


def _print_estimate(session: Session, raw: dict[str, Any]) -> None:
    found = domaincollections.read(raw)
    estimated = found.status.estimate
    if estimated is None:
        name = found.key.name
        raise CommandError(
            f"collection {name} has no estimate: `novahunt estimate DOMAINS` or mode: Estimate makes one"
        )
    if session.output != "table":
        data = msgspec.to_builtins(estimated)
        printing.objects([data], "yaml" if session.output == "name" else session.output, single=True)
        return
    row = (f"{estimated.domains:,}", f"{estimated.emails:,}", f"{estimated.credits:,}")
    printing.table(("DOMAINS", "ADDRESSES AT MOST", "CREDITS AT MOST"), [row])
    ready = find(found.status.conditions, ConditionType.READY)
    if ready is not None and ready.message and ready.reason == "Estimated":
        printing.say(ready.message)
