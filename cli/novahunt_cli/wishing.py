"""The commands that change what is wanted of collections: suspend, resume, retry."""

from datetime import UTC, datetime
from typing import Any

import click

from novahunt_api import paths
from novahunt_api.cluster import MERGE_PATCH, Cluster
from novahunt_cli import options, printing
from novahunt_cli.session import Session
from novahunt_contract import times


@click.command()
@options.name_argument(many=True)
@options.connected()
def suspend(session: Session, names: tuple[str, ...]) -> None:
    """Start no further domain of collections NAMES; those that run finish."""
    _change(session, names, {"suspend": True}, "suspended")


@click.command()
@options.name_argument(many=True)
@options.connected()
def resume(session: Session, names: tuple[str, ...]) -> None:
    """Let suspended collections NAMES go on."""
    _change(session, names, {"suspend": False}, "resumed")


@click.command()
@options.name_argument(many=True)
@click.option("--all-domains", is_flag=True, help="All domains, not only failed ones; may pay again (spec.recollect).")
@options.connected()
def retry(session: Session, names: tuple[str, ...], all_domains: bool) -> None:
    """Run the failed domains of collections NAMES again, and try at once what waits for a key or a plan."""
    now = datetime.now(UTC)
    # The gateway names a domain's job by the wish, and knows it by its form: milliseconds.
    wish = {"recollect": str(times.to_milliseconds(now))} if all_domains else {"retryFailed": times.to_text(now)}
    _change(session, names, wish, "asked to run again")


def _change(session: Session, names: tuple[str, ...], spec: dict[str, Any], done: str) -> None:
    async def patch(cluster: Cluster) -> list[dict[str, Any]]:
        return [
            await cluster.patch(paths.collections(session.namespace, name), {"spec": spec}, MERGE_PATCH, dict)
            for name in names
        ]

    changed = session.run(patch)
    if session.output != "table":
        printing.objects(changed, session.output, single=len(names) == 1)
        return
    for name in names:
        click.echo(f"domaincollection.novahunt.io/{name} {done}")
