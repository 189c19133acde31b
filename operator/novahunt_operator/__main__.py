"""Starts the operator: `novahunt-operator`, or `python -m novahunt_operator`."""

import logging
import sys

import uvloop

from novahunt_api import logs
from novahunt_api.cluster import Cluster
from novahunt_api.variables import SettingsError
from novahunt_contract import __version__
from novahunt_operator.app import Operator
from novahunt_operator.metrics import Metrics
from novahunt_operator.settings import Settings, read


def run() -> None:
    """Run the operator until it is stopped; exits with 2 on settings that can't be used."""
    try:
        settings = read()
    except SettingsError as error:
        sys.stderr.write(f"novahunt-operator: {error}\n")
        sys.exit(2)
    # aiohttp says each request at INFO.
    logs.configure(settings.log, "aiohttp", "kubernetes")
    logging.getLogger(__name__).info("novahunt-operator %s", __version__)
    uvloop.run(_main(settings))


async def _main(settings: Settings) -> None:
    metrics = Metrics()
    cluster = await Cluster.connect(metrics, program="novahunt-operator")
    try:
        await Operator(settings, cluster, metrics).run()
    finally:
        await cluster.close()


if __name__ == "__main__":
    run()
