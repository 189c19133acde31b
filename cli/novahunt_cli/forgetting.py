"""The command `forget`: adds an entry to a suppression list, has what is stored swept, and tells what was removed."""

import base64
import sys
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import click
import msgspec

from novahunt_api import domaincollections, names, paths
from novahunt_api.cluster import MERGE_PATCH, ApiError, Cluster, ConflictError, NotFoundError
from novahunt_api.domaincollections import Collection
from novahunt_cli import exits, following, options, printing, reading, suppressing
from novahunt_cli.exits import CommandError, Exit
from novahunt_cli.session import Session
from novahunt_cli.suppressing import ListRef
from novahunt_client.explain import waits_for
from novahunt_contract import times

_TRIES = 5
_MANAGER = "novahunt"
_SECONDS = 300.0


@click.command()
@click.argument("entry", metavar="ADDRESS|@DOMAIN|DOMAIN|-")
@click.option(
    "--list", "list_", metavar="KIND/NAME[/KEY]", help="secret/… or configmap/…; default: the one list of all."
)
@click.option("--create", is_flag=True, help="Make the list, and add it to the collections.")
@click.option("--collection", "only", multiple=True, help="With --create: only these; default: all of the namespace.")
@click.option("--timeout", type=click.FloatRange(0, min_open=True), default=_SECONDS, metavar="SECONDS")
@options.connected(output=False)
def forget(session: Session, entry: str, list_: str | None, create: bool, only: tuple[str, ...], timeout: float) -> int:
    """Never store an address or a domain again, and remove what is stored of it; - reads it from standard input."""
    if only and not create:
        raise CommandError("--collection says which collections --create adds the list to: give both", Exit.USAGE)
    try:
        line = suppressing.entry_of(sys.stdin.readline() if entry == "-" else entry)
        ref = suppressing.parse_ref(list_) if list_ is not None else None
    except ValueError as error:
        raise CommandError(str(error), Exit.USAGE) from None
    return session.run(lambda cluster: _forget(cluster, session.namespace, line, ref, create, only, timeout))


async def _forget(
    cluster: Cluster,
    namespace: str,
    line: str,
    ref: ListRef | None,
    create: bool,
    only: tuple[str, ...],
    seconds: float,
) -> int:
    every = [domaincollections.read(raw) for raw in await reading.collections(cluster, namespace)]
    alive = [collection for collection in every if not collection.deleting]
    meant = [collection for collection in alive if not only or collection.key.name in only]
    if unknown := set(only) - {collection.key.name for collection in meant}:
        raise CommandError(f"there is no collection {', '.join(sorted(unknown))} in {namespace}", Exit.NOT_FOUND)
    ref = ref or _default(alive, create=create)
    await _add(cluster, namespace, ref, line, create=create)
    if create:
        alive = [await _name_list(cluster, one, ref) if one in meant else one for one in alive]
    concerned = suppressing.naming(alive, ref)
    if not concerned:
        raise CommandError(
            f"the entry is in {ref}, but no collection names that list, so nothing is removed: "
            f"give --create --collection NAME, or set spec.suppressionFrom"
        )
    if failed := await _sweep(cluster, concerned, seconds):
        raise CommandError(f"the entry is in {ref}, but {'; '.join(map(str, failed))}", failed[0].code)
    return Exit.DONE


def _default(collections: list[Collection], *, create: bool) -> ListRef:
    common = suppressing.common_lists(collections)
    if len(common) == 1:
        return common[0]
    if create and not common:
        return ListRef("secret", suppressing.DEFAULT_NAME, suppressing.DEFAULT_KEY)
    if common:
        several = ", ".join(map(str, common))
        raise CommandError(f"the collections name several lists: give one of them with --list ({several})", Exit.USAGE)
    raise CommandError(
        "no suppression list is named by all collections of the namespace: give --list KIND/NAME/KEY, "
        "or --create to make one and add it to them",
        Exit.USAGE,
    )


async def _add(cluster: Cluster, namespace: str, ref: ListRef, line: str, *, create: bool) -> None:
    """Write the entry into the list, unless it is there; nobody else's change is lost."""
    plural, kind = ("secrets", "Secret") if ref.kind == "secret" else ("configmaps", "ConfigMap")
    folder = f"/api/v1/namespaces/{namespace}/{plural}"
    query = {"fieldManager": _MANAGER}
    for _ in range(_TRIES):
        try:
            found: dict[str, Any] = await cluster.get(f"{folder}/{ref.name}", dict)
        except NotFoundError:
            if not create:
                raise CommandError(
                    f"{kind} {ref.name} is not there: make it, or give --create", Exit.NOT_FOUND
                ) from None
            found = {"apiVersion": "v1", "kind": kind, "metadata": {"name": ref.name, "namespace": namespace}}
        data = dict(found.get("data") or {})
        held = data.get(ref.key, "")
        try:
            content = base64.b64decode(held).decode() if ref.kind == "secret" else held
        except UnicodeDecodeError:
            raise CommandError(f"{ref} is no UTF-8 text, and no collector can read it: correct it") from None
        changed = suppressing.added(content, line)
        if changed is None:
            return
        data[ref.key] = base64.b64encode(changed.encode()).decode() if ref.kind == "secret" else changed
        is_new = "resourceVersion" not in found["metadata"]
        path = folder if is_new else f"{folder}/{ref.name}"
        try:
            await cluster.call("POST" if is_new else "PUT", path, body={**found, "data": data}, query=query)
        except ConflictError:
            # Somebody else wrote meanwhile: read theirs first.
            continue
        return
    raise CommandError(f"{kind} {ref.name} is changed by others all the time: try again")


async def _name_list(cluster: Cluster, collection: Collection, ref: ListRef) -> Collection:
    """Add the list to a collection, unless it names it, and return the collection."""
    name, namespace = collection.key.name, collection.key.namespace
    for _ in range(_TRIES):
        raw = await reading.collection(cluster, namespace, name)
        found = domaincollections.read(raw)
        if ref in suppressing.lists_of(found):
            return found
        sources = [*raw["spec"].get("suppressionFrom", []), ref.source()]
        version = {"resourceVersion": raw["metadata"]["resourceVersion"]}
        body = {"metadata": version, "spec": {"suppressionFrom": sources}}
        try:
            changed = await cluster.patch(paths.collections(namespace, name), body, MERGE_PATCH, dict)
        except ConflictError:
            continue
        return domaincollections.read(changed)
    raise CommandError(f"collection {name} is changed by others all the time: try again")


async def _sweep(cluster: Cluster, collections: tuple[Collection, ...], seconds: float) -> list[CommandError]:
    """Have collections swept, and tell of each; returns what went wrong with some, which keeps no other from it."""
    asked: list[tuple[Collection, str]] = []
    failed: list[CommandError] = []
    for collection in collections:
        name = collection.key.name
        try:
            asked.append(await _ask(cluster, collection))
        except NotFoundError:
            printing.say(f"{name} has been deleted meanwhile")
        except ApiError as error:
            said = exits.of_api(error, cluster.host)
            failed.append(CommandError(f"{name} can't be asked to sweep now: {said}", said.code))
    for collection, since in asked:
        try:
            click.echo(suppressing.report(await _until_swept(cluster, collection, since, seconds)))
        except CommandError as error:
            failed.append(error)
        except ApiError as error:
            failed.append(exits.of_api(error, cluster.host))
    return failed


async def _ask(cluster: Cluster, collection: Collection) -> tuple[Collection, str]:
    """Ask for a sweep; returns the collection, and when that was by the API server's clock."""
    wish = times.to_text(datetime.now(UTC))
    body = {"metadata": {"annotations": {names.SWEEP_ANNOTATION: wish}}}
    path = paths.collections(collection.key.namespace, collection.key.name)
    data = await cluster.call(
        "PATCH", path, body=body, content_type=MERGE_PATCH, query={"fieldManager": f"{_MANAGER}-forget"}
    )
    raw = msgspec.json.decode(data)
    managed = raw["metadata"].get("managedFields", [])
    asked = [entry["time"] for entry in managed if entry.get("manager") == f"{_MANAGER}-forget" and "time" in entry]
    return domaincollections.read(raw), max(asked, default=wish)


async def _until_swept(cluster: Cluster, asked: Collection, since: str, seconds: float) -> Collection:
    old = asked.status.sweep.of if asked.status.sweep is not None else ""
    name = asked.key.name
    said = ""
    try:
        async with aclosing(following.until(cluster, asked.key.namespace, name, seconds)) as stream:
            async for seen in stream:
                now = next(iter(seen.values()))
                if suppressing.swept_since(now, old, since):
                    return now
                waits = waits_for(now)
                if waits and waits != said:
                    said = waits
                    printing.say(f"{name} waits for {waits}")
    except CommandError as error:
        if error.code is Exit.TIMEOUT:
            said = f"{name} is not swept after {seconds:g} seconds: `novahunt why {name}`"
            raise CommandError(said, Exit.TIMEOUT) from None
        raise
    raise AssertionError("a watch without an end has ended")
