"""Lets nobody to the REST calls who shows no token that is known, before anything of a request is looked at."""

from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import parse_qs

from fastapi import HTTPException, Query, Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from novahunt_gateway.access import Access
from novahunt_gateway.limits import LET_IN, refusal
from novahunt_gateway.rights import AwayError, Right

PREFIX: Final = "/api"
AGAIN: Final[Mapping[str, str]] = {"Retry-After": "2"}


class Caller:
    """Who calls, about which namespace."""

    def __init__(self, namespace: str, rights: frozenset[Right]) -> None:
        """Take the namespace that is meant, and what the caller may do there."""
        self.namespace = namespace
        self._rights = rights

    def needs(self, *rights: Right) -> None:
        """Refuse whoever lacks one of the rights.

        Raises:
            HTTPException: 403, which names what is lacking, and nothing of what is there.
        """
        lacking = [one for one in rights if one not in self._rights]
        if lacking:
            named = ", ".join(f"{one.verb} {_resource(one)}" for one in lacking)
            raise HTTPException(403, f"your token does not allow this; it takes {named}")


class Gate:
    """The middleware of the REST calls; other paths have their own ways."""

    def __init__(self, app: ASGIApp, *, access: Access, namespace: str, namespaces: frozenset[str]) -> None:
        """Take who may do what, the gateway's own namespace, and those that callers may name."""
        self._app = app
        self._access = access
        self._namespace, self._namespaces = namespace, namespaces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or say that its token opens nothing."""
        if not _is_call(scope):
            await self._app(scope, receive, send)
            return
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("namespace", [self._namespace])[-1]
        try:
            rights = await self._rights(token_of(scope), asked)
        except AwayError:
            again = "Kubernetes does not tell your rights now: try again"
            await refusal(503, again, dict(AGAIN))(scope, receive, send)
            return
        if not rights:
            # The same for a token that nobody knows, that may do nothing, and for a namespace that is not served.
            told = refusal(401, "show a token that opens this namespace", {"WWW-Authenticate": "Bearer"})
            await told(scope, receive, send)
            return
        scope[LET_IN] = Caller(asked, rights)
        await self._app(scope, receive, send)

    async def _rights(self, token: str, namespace: str) -> frozenset[Right]:
        if not token or namespace not in self._namespaces:
            return frozenset()
        return await self._access.may(token, namespace, *Right)


def caller_of(
    request: Request,
    namespace: Annotated[str | None, Query(max_length=63, description="Default: the gateway's own.")] = None,
) -> Caller:
    """Return who the gate has let in."""
    del namespace
    found = request.scope[LET_IN]
    assert isinstance(found, Caller)  # noqa: S101 - the gate stands before every route
    return found


def token_of(scope: Scope) -> str:
    """Return the token that a REST call shows; empty: it shows none, or what is asked for is no REST call.

    On the page a token is in a sealed cookie, and this header says nothing there.
    """
    if not _is_call(scope):
        return ""
    scheme, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _is_call(scope: Scope) -> bool:
    return bool(scope["type"] == "http" and (scope["path"] == PREFIX or scope["path"].startswith(f"{PREFIX}/")))


def _resource(right: Right) -> str:
    return f"domaincollections/{right.subresource}" if right.subresource else "domaincollections"
