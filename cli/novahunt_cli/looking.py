"""The commands that only look: status, results, why."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import click

from novahunt_api import domaincollections
from novahunt_api.cluster import Cluster, NoRightError
from novahunt_cli import options, printing, reading, showing
from novahunt_cli.session import Session
from novahunt_client.explain import explain
from novahunt_contract.outcomes import Outcome


@click.command()
@options.name_argument(required=False, many=True)
@options.connected()
def status(session: Session, names: tuple[str, ...]) -> None:
    """Show collections: all of the namespace, or those of these NAMES."""

    async def read(cluster: Cluster) -> list[dict[str, Any]]:
        if names:
            return [await reading.collection(cluster, session.namespace, name) for name in names]
        return await reading.collections(cluster, session.scope)

    found = session.run(read)
    if session.output != "table":
        printing.objects(found, session.output, single=len(names) == 1)
        return
    if not found:
        where = "any namespace" if session.all_namespaces else f"namespace {session.namespace}"
        printing.say(f"No collections in {where}.")
        return
    now, wide = datetime.now(UTC), session.all_namespaces and not names
    rows = [showing.collection_row(domaincollections.read(item), now, with_namespace=wide) for item in found]
    printing.table((("NAMESPACE",) if wide else ()) + showing.COLLECTION_COLUMNS, rows)
    if len(names) == 1:
        # The first sentence alone; `why` tells the rest.
        click.echo(explain(domaincollections.read(found[0]))[0].headline)


@click.command()
@options.name_argument()
@click.option("--outcome", type=click.Choice([str(outcome) for outcome in Outcome]), help="Only these.")
@options.connected()
def results(session: Session, name: str, outcome: str | None) -> None:
    """List the results of collection NAME, one for each domain."""

    async def read(cluster: Cluster) -> list[dict[str, Any]]:
        found = await reading.results(cluster, session.namespace, name)
        if not found:
            # An unknown name is an error, a collection without results is none.
            await reading.collection(cluster, session.namespace, name)
        return found

    found = [item for item in session.run(read) if outcome is None or item.get("outcome") == outcome]
    if session.output != "table":
        printing.objects(found, session.output)
        return
    data = [reading.typed(item) for item in found]
    now = datetime.now(UTC)
    printing.result_table([showing.result_row(item, now) for item in data])
    printing.say(showing.totals(data))


@click.command()
@options.name_argument()
@options.connected(output=False)
def why(session: Session, name: str) -> None:
    """Explain in plain words what collection NAME waits for, and what would help."""

    async def read(cluster: Cluster) -> tuple[dict[str, Any], dict[str, int] | None]:
        raw = await reading.collection(cluster, session.namespace, name)
        try:
            found = await reading.results(cluster, session.namespace, name)
        except NoRightError:
            return raw, None
        failed = [item for item in found if item.get("outcome") == Outcome.FAILED]
        return raw, dict(Counter(str(item.get("reason", "")) for item in failed))

    raw, failed = session.run(read)
    said = explain(domaincollections.read(raw), failed)
    click.echo("\n\n".join(paragraph.text() for paragraph in said))
