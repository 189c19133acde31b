"""The commands that change what is wanted of collections: suspend, resume, retry."""

from datetime import UTC, datetime
from typing import Any

import click

from novahunt_api import paths
from novahunt_api.cluster import MERGE_PATCH, ApiError, Cluster, UnavailableError
from novahunt_cli import exits, options, printing
from novahunt_cli.exits import CommandError
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
    """Change each collection that can be changed, and tell of each: a wish that nobody sees may cost credits."""
    changed: list[dict[str, Any]] = []
    failed: list[CommandError] = []

    async def patch(cluster: Cluster) -> None:
        for name in names:
            path = paths.collections(session.namespace, name)
            try:
                changed.append(await cluster.patch(path, {"spec": spec}, MERGE_PATCH, dict))
            except ApiError as error:
                failed.append(exits.of_api(error, cluster.host))
                if isinstance(error, UnavailableError):
                    break

    session.run(patch)
    if session.output != "table":
        if changed:
            printing.objects(changed, session.output, single=len(names) == 1)
    else:
        for one in changed:
            click.echo(f"domaincollection.novahunt.io/{one['metadata']['name']} {done}")
    if failed:
        raise CommandError("; ".join(map(str, failed)), failed[0].code)
