"""Starts the operator: `novahunt-operator`, or `python -m novahunt_operator`."""

import asyncio
import logging
import sys

from pythonjsonlogger.json import JsonFormatter

from novahunt_api.cluster import Cluster
from novahunt_contract import __version__
from novahunt_operator.app import Operator
from novahunt_operator.metrics import Metrics
from novahunt_operator.settings import Settings, SettingsError, read


def run() -> None:
    """Run the operator until it is stopped; exits with 2 on settings that can't be used."""
    try:
        settings = read()
    except SettingsError as error:
        sys.exit(f"novahunt-operator: {error}")
    _configure_logging(settings)
    logging.getLogger(__name__).info("novahunt-operator %s", __version__)
    asyncio.run(_main(settings))


async def _main(settings: Settings) -> None:
    metrics = Metrics()
    cluster = await Cluster.connect(metrics, program="novahunt-operator")
    try:
        await Operator(settings, cluster, metrics).run()
    finally:
        await cluster.close()


def _configure_logging(settings: Settings) -> None:
    handler = logging.StreamHandler()
    if settings.collector.log_format == "json":
        handler.setFormatter(
            JsonFormatter(
                "{asctime}{levelname}{name}{message}",
                style="{",
                rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
                datefmt="%Y-%m-%dT%H:%M:%S%z",
            )
        )
    else:
        handler.setFormatter(logging.Formatter("{asctime} {levelname} {name}: {message}", style="{"))
    logging.basicConfig(level=settings.log_level, handlers=[handler])
    # kopf says at INFO what its handlers did with each event, and aiohttp each request.
    for noisy in ("kopf", "aiohttp", "kubernetes"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


if __name__ == "__main__":
    run()
