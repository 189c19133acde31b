"""Starts the gateway: `novahunt-gateway`, or `python -m novahunt_gateway`."""

import logging
import sys

import uvloop

from novahunt_api import logs
from novahunt_api.cluster import Cluster
from novahunt_api.variables import SettingsError
from novahunt_contract import __version__
from novahunt_gateway import serving
from novahunt_gateway.app import Gateway
from novahunt_gateway.metrics import GatewayMetrics
from novahunt_gateway.settings import Settings, read


def run() -> None:
    """Run the gateway until it is stopped; exits with 2 on settings that can't be used."""
    try:
        settings = read()
    except SettingsError as error:
        sys.stderr.write(f"novahunt-gateway: {error}\n")
        sys.exit(2)
    # uvicorn says each start and stop of its own at INFO, and aiohttp each request.
    logs.configure(settings.log, "uvicorn", "aiohttp", "kubernetes")
    logging.getLogger(__name__).info("novahunt-gateway %s", __version__)
    uvloop.run(_main(settings))


async def _main(settings: Settings) -> None:
    metrics = GatewayMetrics()
    cluster = await Cluster.connect(metrics, program="novahunt-gateway", patience=settings.seconds)
    try:
        gateway = Gateway(settings, cluster, metrics)
        await serving.serve(
            serving.config(
                gateway.app,
                settings.port,
                head_seconds=settings.seconds,
                connections=settings.connections,
                proxies=settings.proxies,
                lifespan=True,
                certificate=settings.certificate,
            ),
            serving.config(gateway.health(), settings.health_port, head_seconds=settings.seconds),
        )
    finally:
        await cluster.close()


if __name__ == "__main__":
    run()
