"""A replica that takes over: what has become of the namespaces while it stood by."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
from kubernetes.aio import client

from novahunt_api import names
from novahunt_api.cluster import Cluster
from novahunt_contract import intake
from novahunt_operator import lease, territory
from novahunt_operator.app import Operator
from novahunt_operator.metrics import Metrics
from unit.operator.small_api_server import SmallApiServer, serving, until
from unit.operator.test_settings import settings


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Replica:
    """One whole operator, as its Service and its kubelet know it."""

    def __init__(self, server: SmallApiServer, *namespaces: str) -> None:
        self.intake, self.health = free_port(), free_port()
        configuration = client.Configuration(host=server.url)
        self.cluster = Cluster(client.ApiClient(configuration))
        variables = {
            "NOVAHUNT_NAMESPACES": ",".join(namespaces),
            "NOVAHUNT_INTAKE_PORT": str(self.intake),
            "NOVAHUNT_HEALTH_PORT": str(self.health),
        }
        self._operator = Operator(settings(**variables), self.cluster, Metrics())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._operator.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            await self.cluster.close()

    async def says(self, method: str, url: str, code: int) -> str:
        """Wait for an answer with this code and return its text."""
        async with asyncio.timeout(60), aiohttp.ClientSession() as session:
            while True:
                with suppress(aiohttp.ClientConnectionError):
                    async with session.request(method, url) as answer:
                        if answer.status == code:
                            return await answer.text()
                await asyncio.sleep(0.02)

    async def stands_by(self) -> None:
        await self.says("GET", f"http://127.0.0.1:{self.health}/readyz", 200)
        await self.says("POST", f"http://127.0.0.1:{self.intake}{intake.PERMITS}", 503)

    async def works(self) -> None:
        """Wait until collectors are answered: this call lacks a token, and nothing else."""
        await self.says("POST", f"http://127.0.0.1:{self.intake}{intake.PERMITS}", 401)


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SmallApiServer]:
    monkeypatch.setattr(territory, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(territory, "_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(lease, "_RENEW_SECONDS", 0.1)
    async with serving() as found:
        yield found


async def test_a_namespace_that_vanished_while_it_stood_by_does_not_stop_the_others(server: SmallApiServer) -> None:
    server.holder = "another"
    replica = Replica(server, "sales", "research")
    async with replica.running():
        await replica.stands_by()
        server.no_right_in.add("research")
        server.holder = ""
        await replica.works()
        assert len(server.watchers[names.COLLECTIONS]) == 1


async def test_a_namespace_that_came_back_while_it_stood_by_is_worked_in_at_once(server: SmallApiServer) -> None:
    server.holder = "another"
    server.no_right_in.add("research")
    replica = Replica(server, "sales", "research")
    async with replica.running():
        await replica.stands_by()
        server.no_right_in.clear()
        server.holder = ""
        await replica.works()
        await until(lambda: len(server.watchers[names.COLLECTIONS]) == 2, "watching both")
