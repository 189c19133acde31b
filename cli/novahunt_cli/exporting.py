"""The command `export`: writes the addresses of a collection, from its ConfigMaps or through the gateway."""

import asyncio
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import aiohttp
import click
from kubernetes.aio import client, config

from novahunt_api import parts, paths, wire
from novahunt_api.cluster import Cluster
from novahunt_api.domainresults import ResultObject
from novahunt_cli import options, printing, reading, showing, tabling
from novahunt_cli.exits import CommandError, Exit
from novahunt_cli.session import Session
from novahunt_contract import document, domains
from novahunt_contract.document import Document

_AT_ONCE = 16
_GATEWAY_SECONDS = 300.0


@click.command()
@options.name_argument()
@click.option("--domain", help="Only this one.")
@click.option("-o", "--format", "form", type=click.Choice(tabling.FORMATS), default="csv", show_default=True)
@click.option("--output", "file", metavar="FILE", help="Default: standard output. A file is for its owner alone.")
@click.option("--gateway", envvar="NOVAHUNT_GATEWAY", metavar="URL", help="For documents on a volume.")
@options.connected(output=False)
def export(session: Session, name: str, domain: str | None, form: str, file: str | None, gateway: str | None) -> None:
    """Write the addresses that collection NAME has stored."""
    try:
        only = domains.normalise(domain) if domain is not None else None
    except domains.NotADomainError as error:
        raise CommandError(f"--domain: {error}", Exit.USAGE) from None

    async def work(cluster: Cluster) -> tuple[Iterable[str], str]:
        found = [reading.typed(raw) for raw in await reading.results(cluster, session.namespace, name)]
        if not found:
            await reading.collection(cluster, session.namespace, name)
        stored = [one for one in found if one.storage is not None and only in (None, one.domain)]
        if not stored:
            what = f"of {only} " if only else ""
            raise CommandError(
                f"nothing {what}is stored by collection {name}: `novahunt results {name}`", Exit.NOT_FOUND
            )
        if any(one.storage is not None and one.storage.config_map is None for one in stored):
            return [await _through(session, gateway, name, only, form)], ""
        read = await _documents(cluster, session.namespace, stored)
        addresses = sum(len(one.items) for one in read)
        told = f"{showing.counted(addresses, 'address', 'es')} of {showing.counted(len(read), 'domain')}"
        return tabling.text_of(read, form), told

    pieces, told = session.run(work)
    _write(pieces, file)
    if told:
        printing.say(told)


async def _documents(cluster: Cluster, namespace: str, stored: Sequence[ResultObject]) -> list[Document]:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def read(result: ResultObject) -> Document:
        place = result.storage.config_map if result.storage is not None else None
        if place is None:
            raise CommandError(f"the document of {result.domain} is in no ConfigMap")
        async with gate:
            held = [await cluster.get(paths.config_maps(namespace, one), wire.ConfigMapObject) for one in place.names]
        try:
            return document.decode(parts.join(place.key, held))
        except (parts.DamagedDocumentError, document.InvalidDocumentError) as error:
            raise CommandError(f"the document of {result.domain} is damaged ({error}): collect it again") from None

    return list(await asyncio.gather(*map(read, stored)))


async def _through(session: Session, gateway: str | None, name: str, domain: str | None, form: str) -> str:
    """Have the gateway export: only what is in the cluster reaches a volume."""
    if gateway is None:
        raise CommandError(
            "documents lie on a volume, which only the gateway reads: give --gateway URL or set NOVAHUNT_GATEWAY"
        )
    if form != "csv":
        raise CommandError(f"the gateway exports csv alone, not {form}: leave -o {form} out", Exit.USAGE)
    query = {"domain": domain} if domain is not None else {"collection": name, "namespace": session.namespace}
    token = os.environ.get("NOVAHUNT_TOKEN") or await _token(session)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = gateway.rstrip("/") + "/api/export-csv"
    limit = aiohttp.ClientTimeout(total=_GATEWAY_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit) as http,
            http.get(url, params=query, headers=headers, allow_redirects=False) as answer,
        ):
            text = await answer.text()
            status = answer.status
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise CommandError(
            f"the gateway at {gateway} can't be reached ({type(error).__name__}): see --gateway"
        ) from None
    if status != 200:  # noqa: PLR2004 - OK
        told, code = _REFUSALS.get(status, ("refuses it", Exit.ERROR))
        raise CommandError(f"the gateway at {gateway} {told} ({status})", code)
    return text


_REFUSALS = {
    202: ("has not got all of it yet: `novahunt watch` tells when", Exit.ERROR),
    401: ("does not accept the token: set NOVAHUNT_TOKEN", Exit.NOT_ALLOWED),
    403: ("does not let you: you need get on domaincollections/content", Exit.NOT_ALLOWED),
    404: ("has nothing of it stored", Exit.NOT_FOUND),
}


async def _token(session: Session) -> str:
    """Return the kubeconfig's token; empty where it logs in by other means."""
    configuration = client.Configuration()
    try:
        await session.kubeconfig.load(configuration)
    except config.ConfigException:
        return ""
    return str(configuration.api_key.get("BearerToken", "")).removeprefix("Bearer ")


def _write(pieces: Iterable[str], file: str | None) -> None:
    """Write to standard output, or to a file, which is there whole or not at all."""
    if file is None or file == "-":
        for piece in pieces:
            sys.stdout.buffer.write(piece.encode())
        sys.stdout.flush()
        return
    target = Path(file)
    unfinished: Path | None = None
    try:
        # mkstemp makes it readable by its owner alone.
        handle, path = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        unfinished = Path(path)
        with os.fdopen(handle, "wb") as out:
            out.writelines(piece.encode() for piece in pieces)
        unfinished.replace(target)
    except OSError as error:
        if unfinished is not None:
            unfinished.unlink(missing_ok=True)
        raise CommandError(f"{file} can't be written: {error.strerror}") from None
