"""Answers below `/api` where there is no call: 404, or 405 with the methods that a call takes."""

from fastapi import APIRouter, FastAPI
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from novahunt_gateway.gate import PREFIX
from novahunt_gateway.limits import refusal


def install(app: FastAPI, calls: APIRouter) -> None:
    """Add the answers to an app, after its calls: else the page would answer, and lead programs to the login."""
    unknown = _Unknown(calls)
    for path in (PREFIX, f"{PREFIX}/{{path:path}}"):
        app.router.routes.append(Route(path, unknown, include_in_schema=False))


class _Unknown:
    """An ASGI app, because a route of one takes every method. The gate has looked at the caller before."""

    def __init__(self, calls: APIRouter) -> None:
        self._calls = [call for call in calls.routes if isinstance(call, Route)]
        self._none = Route(f"{PREFIX}/{{path}}", self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = [call for call in self._calls if call.path_regex.match(scope["path"])]
        allowed = ", ".join(sorted({method for call in found for method in call.methods or ()}))
        # Starlette tells no route of a bare app, and the request would count as one that was refused before.
        scope["route"] = found[0] if found else self._none
        answer = refusal(404, "there is no such call")
        if allowed:
            answer = refusal(405, f"this call takes another method: {allowed}", {"Allow": allowed})
        await answer(scope, receive, send)
