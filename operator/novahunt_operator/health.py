"""Answers the kubelet's probes: alive while the loop turns and the watches show signs of life."""

import time
from collections.abc import Callable

from aiohttp import web

DEAF_SECONDS = 300.0
"""A watch without any sign for so long is deaf: bookmarks come about once a minute."""


class Health:
    """What the probes ask."""

    def __init__(self) -> None:
        self._signs: list[Callable[[], float]] = []

    def watch(self, last_sign: Callable[[], float]) -> None:
        """Take a source of signs of life: it tells when it last saw one, on the monotonic clock."""
        self._signs.append(last_sign)

    def application(self) -> web.Application:
        """Return the web application."""
        application = web.Application()
        application.add_routes([web.get("/healthz", self._alive), web.get("/readyz", self._ready)])
        return application

    async def _alive(self, _: web.Request) -> web.Response:
        silent = max((time.monotonic() - sign() for sign in self._signs), default=0.0)
        if silent > DEAF_SECONDS:
            return web.Response(status=503, text=f"a watch has been silent for {silent:.0f} s")
        return web.Response(text="ok")

    async def _ready(self, _: web.Request) -> web.Response:
        # A replica that stands by is ready too: it can take over.
        return web.Response(text="ok")
