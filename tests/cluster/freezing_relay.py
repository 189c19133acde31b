"""A relay before the API server that can fall silent: its open connections carry nothing more, and do not end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

_CHUNK = 2**16


class FreezingRelay:
    """Hands bytes on, TLS and all, between who connects and one server."""

    def __init__(self, server: str) -> None:
        """Take the server's URL."""
        parts = urlsplit(server)
        self._address = (parts.hostname or "", parts.port or 443)
        self._thawed: list[asyncio.Event] = []
        """One for each open connection: while it is not set, the connection carries nothing."""
        self._serving: set[asyncio.Task[None]] = set()
        self.url = ""

    @property
    def carrying(self) -> int:
        """Connections that are open and not frozen."""
        return sum(event.is_set() for event in self._thawed)

    def freeze(self) -> None:
        """Let the open connections fall silent for good; new ones are carried as ever."""
        for event in self._thawed:
            event.clear()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a new connection."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def end(self) -> None:
        """Close all connections."""
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        thawed = asyncio.Event()
        thawed.set()
        self._thawed.append(thawed)
        try:
            there_reader, there_writer = await asyncio.open_connection(*self._address)
            both = (_carry(reader, there_writer, thawed), _carry(there_reader, writer, thawed))
            tasks = [asyncio.create_task(way) for way in both]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                there_writer.close()
        except OSError:
            pass
        finally:
            self._thawed.remove(thawed)
            writer.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, thawed: asyncio.Event) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            await thawed.wait()
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def freezing_relay(server: str) -> AsyncIterator[FreezingRelay]:
    """Listen on a free port of loopback, before a server, until the block ends."""
    relay = FreezingRelay(server)
    listening = await asyncio.start_server(relay.accept, "127.0.0.1", 0)
    relay.url = f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield relay
    finally:
        listening.close()
        await relay.end()
