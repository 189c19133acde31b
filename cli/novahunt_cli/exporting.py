"""The command `export`: writes the addresses of a collection, from its ConfigMaps or through the gateway."""

import os
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import click
import msgspec
from kubernetes.aio import client, config

from novahunt_api.cluster import Cluster
from novahunt_cli import options, printing, reading, showing
from novahunt_cli.exits import CommandError, Exit
from novahunt_cli.session import Session
from novahunt_client import exports
from novahunt_client.documents import ConfigMapDocuments, UnreadableError
from novahunt_client.exports import Form, Found
from novahunt_contract import domains

_GATEWAY_SECONDS = 60.0
"""To reach the gateway, and between two pieces of its answer."""

_PIECE_BYTES = 64 * 1024


@click.command()
@options.name_argument()
@click.option("--domain", help="Only this one.")
@click.option(
    "-o", "--format", "form", type=click.Choice([form.value for form in Form]), default="csv", show_default=True
)
@click.option("--output", "file", metavar="FILE", help="Default: standard output. A file is for its owner alone.")
@click.option("--gateway", envvar="NOVAHUNT_GATEWAY", metavar="URL", help="For documents on a volume.")
@options.connected(output=False)
def export(session: Session, name: str, domain: str | None, form: str, file: str | None, gateway: str | None) -> None:
    """Write the addresses that collection NAME has stored."""
    try:
        only = domains.normalise(domain) if domain is not None else None
    except domains.NotADomainError as error:
        raise CommandError(f"--domain: {error}", Exit.USAGE) from None

    async def work(cluster: Cluster) -> str:
        found = [reading.typed(raw) for raw in await reading.results(cluster, session.namespace, name)]
        if not found:
            await reading.collection(cluster, session.namespace, name)
        stored = [one for one in found if one.storage is not None and only in (None, one.domain)]
        if not stored:
            what = f"of {only} " if only else ""
            raise CommandError(
                f"nothing {what}is stored by collection {name}: `novahunt results {name}`", Exit.NOT_FOUND
            )
        if any(one.config_map_place is None for one in stored):
            await _write(_through(session, gateway, name, only, form), file)
            return ""
        tally = _Tally()
        documents = ConfigMapDocuments(cluster, session.namespace, stored)
        try:
            await _write(exports.export(tally.counted(exports.merged(documents)), Form(form)), file)
        except UnreadableError as error:
            raise CommandError(str(error)) from None
        return f"{showing.counted(tally.addresses, 'address', 'es')} of {showing.counted(len(stored), 'domain')}"

    told = session.run(work)
    if told:
        printing.say(told)


class _Tally:
    """Counts what goes by."""

    def __init__(self) -> None:
        self.addresses = 0

    async def counted(self, addresses: AsyncIterator[Found]) -> AsyncIterator[Found]:
        """Yield the same."""
        async for found in addresses:
            self.addresses += 1
            yield found


async def _through(
    session: Session, gateway: str | None, name: str, domain: str | None, form: str
) -> AsyncIterator[bytes]:
    """Have the gateway export: only what is in the cluster reaches a volume."""
    if gateway is None:
        raise CommandError(
            "documents lie on a volume, which only the gateway reads: give --gateway URL or set NOVAHUNT_GATEWAY"
        )
    query = {"collection": name, "namespace": session.namespace, "format": form}
    if domain is not None:
        query["domain"] = domain
    token = os.environ.get("NOVAHUNT_TOKEN") or await _token(session)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = gateway.rstrip("/") + "/api/export-csv"
    limit = aiohttp.ClientTimeout(sock_connect=_GATEWAY_SECONDS, sock_read=_GATEWAY_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit) as http,
            http.get(url, params=query, headers=headers, allow_redirects=False) as answer,
        ):
            if answer.status != 200:  # noqa: PLR2004 - OK
                told, code = _REFUSALS.get(answer.status, (f"refuses it: {await _reason(answer)}", Exit.ERROR))
                raise CommandError(f"the gateway at {gateway} {told} ({answer.status})", code)
            async for piece in answer.content.iter_chunked(_PIECE_BYTES):
                yield piece
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise CommandError(
            f"the gateway at {gateway} can't be reached ({type(error).__name__}): see --gateway"
        ) from None


async def _reason(answer: aiohttp.ClientResponse) -> str:
    """Return the gateway's own words on why it refuses."""
    try:
        return msgspec.json.decode(await answer.read(), type=_Refusal).error
    except msgspec.DecodeError:
        return "it does not say why"


class _Refusal(msgspec.Struct, frozen=True):
    error: str


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


async def _write(pieces: AsyncIterator[bytes], file: str | None) -> None:
    """Write to standard output, or to a file, which is there whole or not at all."""
    if file is None or file == "-":
        async for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.flush()
        return
    target = Path(file)
    unfinished: Path | None = None
    try:
        # mkstemp makes it readable by its owner alone.
        handle, path = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        unfinished = Path(path)
        with os.fdopen(handle, "wb") as out:
            async for piece in pieces:
                out.write(piece)
        unfinished.replace(target)
        unfinished = None
    except OSError as error:
        raise CommandError(f"{file} can't be written: {error.strerror}") from None
    finally:
        if unfinished is not None:
            unfinished.unlink(missing_ok=True)
