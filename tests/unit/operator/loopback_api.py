"""An HTTP server of a test's own in the API server's place, and the operator's connection to it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from kubernetes.aio import client

from novahunt_api.cluster import Cluster

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def connected(handler: Handler) -> AsyncIterator[Cluster]:
    """Serve with this handler on loopback; connections that it holds open are cut at the end."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    configuration = client.Configuration(host=site.name)
    configuration.connection_pool_maxsize = 0
    cluster = Cluster(client.ApiClient(configuration))
    try:
        yield cluster
    finally:
        await cluster.close()
        await runner.cleanup()


async def stream(request: web.BaseRequest, *lines: bytes, hold: bool = False) -> web.StreamResponse:
    """Answer a watch with these lines; then end, or say nothing more until the caller has gone."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for line in lines:
        await response.write(line + b"\n")
    if hold:
        await asyncio.get_running_loop().create_future()
    return response
