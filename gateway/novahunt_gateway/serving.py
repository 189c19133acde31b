"""Serves apps over HTTP/1.1 until the process is told to stop: bounded in connections, and in the time of a head."""

import asyncio
import logging
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from novahunt_api import tls

_STOP_SECONDS = 20
"""That answers under way are given when the process is told to stop; the kubelet waits for 30."""

_LOOK_SECONDS = 10.0
"""Between two looks at the certificate's files; the kubelet takes up to a minute to renew them."""

_HEAD_BYTES = 16 * 1024
"""Of a request's line and fields; a token may take 4 KiB, and a cookie as much."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Certificate:
    """Files of a certificate, with the chain that leads to it, and of its private key; both as PEM."""

    file: Path
    key_file: Path


def config(
    app: ASGIApp,
    port: int,
    *,
    head_seconds: float,
    connections: int | None = None,
    proxies: Sequence[str] = (),
    lifespan: bool = False,
    certificate: Certificate | None = None,
) -> uvicorn.Config:
    """Return how an app is served.

    Args:
        app: The app.
        port: On all of the pod's addresses; 0: any that is free.
        head_seconds: In which a request's line and fields must have come, from the connection's beginning on.
        connections: That are served at once; the next ones get 503. None: any number.
        proxies: Addresses and networks whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
        lifespan: Whether the app has something that runs beside its answers.
        certificate: That is shown; None: plain HTTP.
    """
    return uvicorn.Config(
        app,
        host="",
        ssl_certfile=certificate.file if certificate is not None else None,
        ssl_keyfile=certificate.key_file if certificate is not None else None,
        port=port,
        http=_protocol(head_seconds),
        ws="none",
        lifespan="on" if lifespan else "off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        limit_concurrency=connections,
        h11_max_incomplete_event_size=_HEAD_BYTES,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )


async def serve(*configs: uvicorn.Config) -> None:
    """Serve until SIGTERM or SIGINT; answers under way are finished."""
    servers = [_Server(one) for one in configs]

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    renewing = [asyncio.create_task(_renew(one)) for one in configs if one.is_ssl]
    await asyncio.gather(*(server.serve() for server in servers))
    for task in renewing:
        task.cancel()


async def _renew(served: uvicorn.Config) -> None:
    """Show what the files hold, from the next connection on, soon after somebody has renewed them."""
    shown = _content(served)
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        try:
            found = _content(served)
            if found != shown and served.ssl is not None:
                tls.show(served.ssl, *found)
                shown = found
                _log.info("the certificate in %s is renewed", served.ssl_certfile)
        except (OSError, ValueError) as error:
            # What was shown before goes on.
            _log.warning("the certificate in %s can't be used: %s", served.ssl_certfile, error)


def _content(served: uvicorn.Config) -> list[bytes]:
    return [Path(file).read_bytes() for file in (served.ssl_certfile, served.ssl_keyfile) if file]


class _Server(uvicorn.Server):
    """One of several in a process: each would take the signals for itself."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process."""
        yield


def _protocol(head_seconds: float) -> type[asyncio.Protocol]:
    class Bounded(H11Protocol):
        """Closes a connection on which a request's head does not come in time; uvicorn itself waits for ever."""

        _late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._late = self.loop.call_later(head_seconds, transport.close)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.conn.their_state is not h11.IDLE:
                self._head_is_there()
            elif self._late is None and not self.transport.is_closing():
                # Of the next request on the same connection.
                self._late = self.loop.call_later(head_seconds, self.transport.close)

        def connection_lost(self, exc: Exception | None) -> None:
            self._head_is_there()
            super().connection_lost(exc)

        def _head_is_there(self) -> None:
            if self._late is not None:
                self._late.cancel()
                self._late = None

    return Bounded
