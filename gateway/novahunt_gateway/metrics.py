"""What the gateway counts and times, for Prometheus; no label holds a domain, an address, a token or a caller."""

import logging
import time

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from novahunt_api.clustermetrics import ClusterMetrics
from novahunt_api.subject import about

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

REFUSED = "refused"
"""The route of a request that was answered before anybody looked where it goes."""

_log = logging.getLogger(__name__)


class GatewayMetrics(ClusterMetrics):
    """All counters and histograms, in a registry of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = Counter(
            "novahunt_gateway_requests", "Requests answered.", ["method", "route", "code"], registry=self.registry
        )
        self.seconds = Histogram(
            "novahunt_gateway_request_duration_seconds",
            "How long requests took, to the last byte of the answer.",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )


class Counted:
    """The middleware that counts requests, and logs what changed something or failed: by route and subject."""

    def __init__(self, app: ASGIApp, *, metrics: GatewayMetrics) -> None:
        """Take the app and what counts."""
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, and count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with about():
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        code = 500
        began = time.monotonic()

        async def noted(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            seconds = time.monotonic() - began
            method = scope["method"] if scope["method"] in _METHODS else "other"
            # The template of the route, never the path: it may name a domain.
            route = getattr(scope.get("route"), "path", REFUSED)
            self._metrics.requests.labels(method, route, str(code)).inc()
            self._metrics.seconds.labels(route).observe(seconds)
            serious = code >= 500  # noqa: PLR2004 - server errors
            level = logging.WARNING if serious else logging.DEBUG if method == "GET" else logging.INFO
            _log.log(level, "%s %s: %d in %.0f ms", method, route, code, seconds * 1000)
