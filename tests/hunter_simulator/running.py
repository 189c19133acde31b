"""Starts the simulator's server and stops it: for tests within their own process, and for the command line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from hunter_simulator.app import application
from hunter_simulator.clock import Clock
from hunter_simulator.settings import Config
from hunter_simulator.simulator import Simulator

SHUTDOWN_SECONDS = 0.2
"""How long answers in hand may still take when the server stops; delayed ones are dropped after it."""


@asynccontextmanager
async def running_simulator(
    config: Config | None = None, *, host: str = "127.0.0.1", port: int = 0, clock: Clock | None = None
) -> AsyncIterator[Simulator]:
    """Serve a simulator as long as the block runs; port 0 takes a free one.

    Raises:
        OSError: the port is taken.
    """
    simulator = Simulator(config, clock)
    # A client that hangs up during a delay changes nothing: the search was carried out when it arrived.
    runner = web.AppRunner(application(simulator), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, reuse_address=True, backlog=1024)
        await site.start()
        bound_host, bound_port = runner.addresses[0][:2]
        simulator.served_at(f"http://{f'[{bound_host}]' if ':' in bound_host else bound_host}:{bound_port}")
        yield simulator
    finally:
        simulator.served_at(None)
        await runner.cleanup()
        # One turn of the loop lets the closed connections go before a test's loop is closed.
        await asyncio.sleep(0)
