"""A server in Hunter's place that sends exactly the bytes it is told: answers that no HTTP library would write."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Sending = Sequence[bytes] | Iterator[bytes]

ANSWER = json.dumps(
    {
        "data": {"domain": "example.com", "emails": [{"value": "ada@example.com", "confidence": 90}]},
        "meta": {"results": 1},
    }
).encode()
"""One page with all that there is."""


@dataclass
class RawHunter:
    """What is sent, and what was asked for."""

    script: list[Sending] = field(default_factory=list)
    """One entry a request, each in the pieces it is written in; the last one stays."""
    asked: list[str] = field(default_factory=list)
    """Request lines and headers."""
    base_url: str = ""

    def paths(self) -> list[str]:
        """Return the paths that were asked for, without their queries."""
        return [head.split(" ")[1].split("?")[0] for head in self.asked]


def http(body: bytes, status: str = "200 OK", headers: Mapping[str, str] | None = None, *, length: int = -1) -> bytes:
    """Return an answer whose connection ends with it; `length` is what Content-Length claims, if that is not true."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length < 0 else length}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def packed(body: bytes, times: int = 1) -> bytes:
    """Return a body in gzip, so often."""
    for _ in range(times):
        body = gzip.compress(body, compresslevel=9)
    return body


@asynccontextmanager
async def raw_hunter(*script: bytes | Sending) -> AsyncIterator[RawHunter]:
    """Serve a script."""
    hunter = RawHunter([[entry] if isinstance(entry, bytes) else entry for entry in script])

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            hunter.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
            for piece in hunter.script.pop(0) if len(hunter.script) > 1 else hunter.script[0]:
                writer.write(piece)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    hunter.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v2"
    try:
        yield hunter
    finally:
        server.close()
        await server.wait_closed()
