"""Bounds what one request and one caller may take: bytes, requests a second, and time. For any ASGI app."""

import asyncio
import hashlib
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CALLERS = 10_000
"""Callers that are remembered; the one that was silent for longest is forgotten first."""


def refusal(status: int, error: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return the answer that says why a request is not served."""
    return JSONResponse({"ok": False, "error": error}, status, headers)


class TooSlowError(HTTPException):
    """The rest of a request's body did not come in time."""

    def __init__(self) -> None:
        super().__init__(408, "the request took too long to come", {"Connection": "close"})


class TooLargeError(HTTPException):
    """A request's body is larger than is allowed."""

    def __init__(self, most: int) -> None:
        # The connection is closed, because the rest of it is not read.
        super().__init__(413, f"the body has more than {most:,} bytes", {"Connection": "close"})


def _answer(error: HTTPException) -> JSONResponse:
    return refusal(error.status_code, error.detail, dict(error.headers or {}))


class Rate:
    """Requests of each caller: so many at once, and so many a second afterwards."""

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Take both, and the time in seconds."""
        self._per_second, self._burst, self._clock = per_second, burst, clock
        self._left: OrderedDict[bytes, tuple[float, float]] = OrderedDict()
        """What each caller had left, and when."""

    def wait(self, caller: bytes) -> float:
        """Count a request; return in how many seconds it would be taken, 0 for now."""
        now = self._clock()
        left, at = self._left.pop(caller, (float(self._burst), now))
        left = min(self._burst, left + (now - at) * self._per_second)
        taken = left >= 1
        self._left[caller] = (left - 1 if taken else left, now)
        while len(self._left) > _CALLERS:
            self._left.popitem(last=False)
        return 0.0 if taken else (1 - left) / self._per_second


class Limits:
    """The middleware. Who calls is told by the token that is shown, else by the address; neither is kept."""

    def __init__(self, app: ASGIApp, *, max_body: int, rate: Rate, seconds: float) -> None:
        """Take the app, the bytes of a body, the rate, and the seconds in which a request must have come."""
        self._app = app
        self._max_body = max_body
        self._rate = rate
        self._seconds = seconds
        self._salt = secrets.token_bytes(16)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or say why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wait = self._rate.wait(self._caller(scope))
        if wait > 0:
            headers = {"Retry-After": str(math.ceil(wait))}
            await refusal(429, "too many requests: slow down", headers)(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdecimal() or int(length) > self._max_body:
            await _answer(TooLargeError(self._max_body))(scope, receive, send)
            return
        try:
            await self._app(scope, self._bounded(receive), send)
        except (TooLargeError, TooSlowError) as error:
            # An app of FastAPI answers these itself, and before anything is sent.
            await _answer(error)(scope, receive, send)

    def _bounded(self, receive: Receive) -> Receive:
        deadline = asyncio.get_running_loop().time() + self._seconds
        read = 0
        whole = False

        async def bounded() -> Message:
            nonlocal read, whole
            if whole:
                # Only whether the caller has gone is waited for now, and that may take as long as an answer does.
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise TooSlowError from None
            read += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if read > self._max_body:
                raise TooLargeError(self._max_body)
            return message

        return bounded

    def _caller(self, scope: Scope) -> bytes:
        headers = Headers(scope=scope)
        shown = headers.get("authorization") or headers.get("cookie")
        peer = scope.get("client")
        text = shown or (peer[0] if peer else "")
        return hashlib.blake2b(self._salt + text.encode(errors="surrogateescape"), digest_size=16).digest()
