"""kopf's connection to the API server: made as kopf makes it, with its calls counted and its watches listened to.

kopf tells its handlers nothing of bookmarks, so a quiet watch could not be told from a deaf one.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import aiohttp
import kopf

from novahunt_api import paths
from novahunt_api.signs import Signs, Watched
from novahunt_operator.metrics import Metrics


class KopfSessions:
    """Makes the session for each of kopf's logins."""

    def __init__(self, signs: Signs, metrics: Metrics) -> None:
        self._signs = signs
        self._metrics = metrics
        self._last: tuple[kopf.ConnectionInfo, kopf.AiohttpSession] | None = None

    def open(self, login: kopf.ConnectionInfo) -> kopf.AiohttpSession:
        """Return a session for these credentials; the same ones get the same session.

        kopf remembers by it which credentials the API server has refused, and gives up rather than try them again.
        """
        if self._last is not None and self._last[0] == login:
            return self._last[1]
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=login.as_ssl_context()),
            headers={**login.as_http_headers(), "User-Agent": "novahunt-operator"},
            proxy=login.proxy_url,
            trust_env=login.trust_env,
            middlewares=(self._noted,),
        )
        made = kopf.AiohttpSession(
            server=login.server,
            default_namespace=login.default_namespace,
            priority=login.priority,
            expiration=login.expiration,
            aiohttp_session=session,
        )
        self._last = (login, made)
        return made

    async def _noted(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        path, watching = request.url.path, "watch" in request.url.query
        about = paths.target(path)
        watched = Watched(about.resource, about.namespace)
        if watching:
            self._signs.begin(watched)
        with self._metrics.api_call(request.method, path, watching=watching) as call:
            response = await handler(request)
            call.code = response.status
        if watching:
            heard = _Heard(response.content, lambda: self._signs.heard(watched))
            response.content = cast("aiohttp.StreamReader", heard)
        else:
            self._signs.heard(watched)
        return response


class _Heard:
    """A stream that tells whenever kopf has read something from it."""

    def __init__(self, stream: aiohttp.StreamReader, heard: Callable[[], None]) -> None:
        self._stream = stream
        self._heard = heard

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """Yield chunks as they come."""
        async for chunk in self._stream.iter_chunked(size):
            self._heard()
            yield chunk
