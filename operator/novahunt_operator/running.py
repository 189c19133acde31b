"""What a long-running process stands on: an end on signals, and ports that are served meanwhile."""

import asyncio
import contextlib
import signal
import ssl
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from aiohttp import web


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set the event on SIGTERM and SIGINT."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Await the work, unless told to stop before; tell whether it was done."""
    task = asyncio.ensure_future(work)
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not task.done():
        task.cancel()
        return False
    await task
    return True


@contextlib.asynccontextmanager
async def served(application: web.Application, port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
    """Serve an application on all addresses as long as the block runs.

    Args:
        application: What is served.
        port: Where.
        tls: With what certificate; None: plain HTTP.
    """
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        # All addresses: the kubelet's probes and the collectors come from outside the pod.
        await web.TCPSite(runner, None, port, ssl_context=tls).start()
        yield
    finally:
        await runner.cleanup()
