"""What the kubelet and Prometheus ask the gateway, on a port of its own."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, make_asgi_app
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from novahunt_api.signs import Signs


def application(signs: Signs, lacking: Callable[[], Iterable[str]], registry: CollectorRegistry) -> Starlette:
    """Return the application.

    Args:
        signs: Of the watches; a deaf one makes the gateway be started anew.
        lacking: Names what is not there yet before it can serve.
        registry: What Prometheus reads.
    """
    was_ready = False

    async def alive(_: Request) -> PlainTextResponse:
        return _answer(list(signs.deaf()))

    async def ready(_: Request) -> PlainTextResponse:
        """Ready once is ready for good: whether it goes on is asked by `/healthz`."""
        nonlocal was_ready
        lacks = [] if was_ready else [f"the first list is not complete: {one}" for one in lacking()]
        was_ready = not lacks
        return _answer(lacks)

    routes = [Route("/healthz", alive), Route("/readyz", ready), Mount("/metrics", make_asgi_app(registry))]
    return Starlette(routes=routes)


def _answer(faults: list[str]) -> PlainTextResponse:
    return PlainTextResponse("\n".join(faults) or "ok", 503 if faults else 200)
