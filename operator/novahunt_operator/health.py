"""Answers probes and scrapes: alive while watches show signs of life and work goes on, ready once it could serve."""

from collections.abc import Callable, Iterator

from aiohttp import web
from aiohttp.typedefs import Handler

from novahunt_api.objects import Key
from novahunt_api.signs import Signs
from novahunt_operator.workqueue import WorkQueue

STUCK_SECONDS = 300.0
"""Work that gets no step further for so long hangs: one call with all its retries gives up after some 90 seconds."""


class Health:
    """What the kubelet and Prometheus ask."""

    def __init__(self, *, signs: Signs, queue: WorkQueue[Key], not_ready: Callable[[], str], metrics: Handler) -> None:
        """Take what is looked at; `not_ready` says why this replica could not serve yet, or nothing."""
        self._signs = signs
        self._queue = queue
        self._not_ready = not_ready
        self._metrics = metrics
        self._was_ready = False

    def application(self) -> web.Application:
        """Return the web application."""
        application = web.Application()
        application.add_routes(
            [
                web.get("/healthz", self._alive),
                web.get("/readyz", self._ready),
                web.get("/metrics", self._metrics),
            ]
        )
        return application

    async def _alive(self, _: web.Request) -> web.Response:
        faults = [*self._signs.deaf(), *self._stuck()]
        return web.Response(status=503, text="\n".join(faults)) if faults else web.Response(text="ok")

    def _stuck(self) -> Iterator[str]:
        found = self._queue.standstill(STUCK_SECONDS)
        if found is not None and found.worked_on:
            yield f"the work on {found.key} has not got any further for {found.seconds:.0f} s"
        elif found is not None:
            yield f"{found.key} has been due for {found.seconds:.0f} s, and no worker has done anything meanwhile"

    async def _ready(self, _: web.Request) -> web.Response:
        """Ready once is ready for good: whether it goes on is asked by `/healthz`.

        A replica that stands by is ready, or an update would wait for ever for the new one while the old one holds
        the Lease; and one that takes over would be taken out of the intake's Service just when it is needed.
        """
        lack = "" if self._was_ready else self._not_ready()
        self._was_ready = not lack
        return web.Response(status=503, text=lack) if lack else web.Response(text="ok")
