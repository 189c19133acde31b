"""Puts the gateway together: REST calls and page behind its gate and its limits, its watches, and its health."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.applications import Starlette
from starlette.exceptions import HTTPException as StarletteHTTPException

from novahunt_api import paths
from novahunt_api.cluster import Cluster
from novahunt_api.clustermetrics import WatchAges
from novahunt_api.domainresults import ResultObject
from novahunt_api.signs import Signs
from novahunt_api.watches import Watch
from novahunt_contract import __version__
from novahunt_gateway import health, reference, unknown
from novahunt_gateway.access import Access, FixedToken, KubernetesAccess
from novahunt_gateway.gate import Gate, token_of
from novahunt_gateway.limits import Limits, Rate, refusal
from novahunt_gateway.metrics import Counted, GatewayMetrics
from novahunt_gateway.objects import CollectionFeed, Objects, ResultFeed
from novahunt_gateway.page.routes import Page
from novahunt_gateway.page.sessions import Seal
from novahunt_gateway.pagegateway import PageGateway
from novahunt_gateway.places import Places
from novahunt_gateway.rest import Rest
from novahunt_gateway.settings import TOKEN, Settings
from novahunt_gateway.writing import Writing

STRANGERS_PER_SECOND, STRANGERS_AT_ONCE = 1.0, 20
"""Tokens that open nothing, of one address: who mistypes is let try again, who guesses is not."""


class Gateway:
    """One gateway over one connection to an API server."""

    def __init__(self, settings: Settings, cluster: Cluster, metrics: GatewayMetrics) -> None:
        """Take what it is told, the connection, and what counts."""
        self._cluster = cluster
        self._metrics = metrics
        self._signs = Signs(metrics.watch_restarted)
        metrics.registry.register(WatchAges(self._signs))
        self.objects = Objects()
        self._watches: list[Watch[Any]] = [
            watch
            for namespace in sorted(settings.namespaces)
            for watch in (self._collections(namespace), self._results(namespace))
        ]
        writing = Writing(cluster, self.objects, settings.defaults, lambda: datetime.now(UTC))
        places = Places(cluster, settings.namespace, settings.volumes)
        access = _access(settings, cluster)
        self._page = Page(
            PageGateway(settings.namespace, access, self.objects, writing, places), Seal(settings.seal_keys)
        )
        self.app = FastAPI(
            title="NovaHunt",
            version=__version__,
            description="Collects the business e-mail addresses that Hunter has published for your domains.",
            lifespan=self._lifespan,
            docs_url=None,
            redoc_url=None,
        )
        calls = Rest(objects=self.objects, writing=writing, places=places).router()
        self.app.include_router(calls)
        unknown.install(self.app, calls)
        reference.install(self.app)
        # Its last route answers for every path that is left.
        self._page.install(self.app)
        self.app.add_exception_handler(StarletteHTTPException, _refused)
        self.app.add_exception_handler(RequestValidationError, _invalid)
        self.app.openapi = self._openapi  # type: ignore[method-assign]
        # The last one that is added is the first one that a request meets.
        self.app.add_middleware(
            Gate,
            access=access,
            namespace=settings.namespace,
            namespaces=settings.namespaces,
        )
        self.app.add_middleware(
            Limits,
            token_of=token_of,
            max_body=settings.max_body,
            callers=Rate(settings.requests_per_second, settings.burst),
            strangers=Rate(STRANGERS_PER_SECOND, STRANGERS_AT_ONCE),
            seconds=settings.seconds,
        )
        self.app.add_middleware(Counted, metrics=metrics)

    def health(self) -> Starlette:
        """Return the application for the kubelet and Prometheus."""
        return health.application(self._signs, self._lacking, self._metrics.registry)

    def _lacking(self) -> list[str]:
        return [str(watch.watched) for watch in self._watches if not watch.listed.is_set()]

    def _collections(self, namespace: str) -> Watch[Any]:
        path = paths.collections(namespace)
        feed = CollectionFeed(self.objects)
        return Watch(self._cluster, path, namespace=namespace, item=dict, feed=feed, signs=self._signs)

    def _results(self, namespace: str) -> Watch[Any]:
        path = paths.results(namespace)
        feed = ResultFeed(self.objects)
        return Watch(self._cluster, path, namespace=namespace, item=ResultObject, feed=feed, signs=self._signs)

    @asynccontextmanager
    async def _lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(watch.run()) for watch in self._watches]
        try:
            async with self._page.sampling():
                yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _openapi(self) -> dict[str, Any]:
        """Return the description of the calls; what is no good comes back with 400, never with FastAPI's 422."""
        if self.app.openapi_schema is None:
            found = get_openapi(
                title=self.app.title,
                version=self.app.version,
                description=self.app.description,
                routes=self.app.routes,
            )
            for path in found["paths"].values():
                for call in path.values():
                    call["responses"].pop("422", None)
            self.app.openapi_schema = found
        return self.app.openapi_schema


def _access(settings: Settings, cluster: Cluster) -> Access:
    if settings.authentication == TOKEN:
        return FixedToken(settings.token_file, settings.namespaces)
    return KubernetesAccess(cluster, settings.audience)


async def _refused(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, (HTTPException, StarletteHTTPException))  # noqa: S101 - it is registered for that
    return refusal(error.status_code, str(error.detail), dict(error.headers or {}))


async def _invalid(request: Request, error: Exception) -> Response:
    """Say what of a request is no good and where; never what was given, which may be somebody's address."""
    del request
    assert isinstance(error, RequestValidationError)  # noqa: S101 - it is registered for that
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return refusal(400, f"{where}: {first['msg']}")
