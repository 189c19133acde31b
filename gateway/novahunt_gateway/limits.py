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

LOGIN = "/login"
LET_IN = "novahunt.caller"
"""Of a request's scope: set by the gate for a caller whose token opens what was asked for."""

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

    def take(self, caller: bytes) -> float:
        """Count a request; return in how many seconds it would be taken, 0 for now."""
        left, now = self._left_of(caller)
        taken = left >= 1
        self._left.pop(caller, None)
        self._left[caller] = (left - 1 if taken else left, now)
        while len(self._left) > _CALLERS:
            self._left.popitem(last=False)
        return 0.0 if taken else (1 - left) / self._per_second

    def wait(self, caller: bytes) -> float:
        """Return in how many seconds a request would be taken, and count none."""
        left, _ = self._left_of(caller)
        return max(0.0, (1 - left) / self._per_second)

    def _left_of(self, caller: bytes) -> tuple[float, float]:
        now = self._clock()
        left, at = self._left.get(caller, (float(self._burst), now))
        return min(self._burst, left + (now - at) * self._per_second), now


class Limits:
    """The middleware. Who calls is told by a token that was good lately, else by the address; neither is kept."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        token_of: Callable[[Scope], str],
        max_body: int,
        callers: Rate,
        strangers: Rate,
        seconds: float,
    ) -> None:
        """Take the app and what it is held to.

        Args:
            app: The app.
            token_of: Returns the token by which a request is let in, as the app itself reads it, so that it is the
                same in all its spellings; empty: none lets it in.
            max_body: Bytes of a request's body.
            callers: Requests of each caller. Tokens that have opened nothing yet share one rate of their address:
                else whoever makes one up for each request would have no limit. Requests without a token share
                another: else those of one would shut out each new token of the many behind one proxy.
            strangers: Refused tokens (401) of each address. An address that has used them up may show no further one
                before the next is due, but for those that were good lately: many may share an address.
            seconds: In which a request must have come, and a piece of the answer be taken.
        """
        self._app = app
        self._token_of = token_of
        self._max_body = max_body
        self._callers, self._strangers = callers, strangers
        self._seconds = seconds
        self._salt = secrets.token_bytes(16)
        self._known: OrderedDict[bytes, None] = OrderedDict()
        """Tokens that were let in, the one that was silent for longest first."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or say why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        shown, host = self._token_of(scope), _host(scope)
        address = self._digest(host)
        token = self._digest(shown) if shown else None
        is_known = token in self._known
        caller = address if token is None else token if is_known else self._digest(f"new at {host}")
        is_stranger = not is_known and (token is not None or _is_login(scope))
        # A guess that is not heard uses nothing of what others have at the same address.
        wait = self._strangers.wait(address) if is_stranger else 0.0
        wait = wait or self._callers.take(caller)
        if wait > 0:
            headers = {"Retry-After": str(math.ceil(wait))}
            await refusal(429, "too many requests: slow down", headers)(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdecimal() or int(length) > self._max_body:
            await _answer(TooLargeError(self._max_body))(scope, receive, send)
            return
        steady = _Steady(send, self._seconds)
        try:
            await self._app(scope, self._bounded(receive), steady)
        except (TooLargeError, TooSlowError) as error:
            # An app of FastAPI answers these itself, and before anything is sent.
            await _answer(error)(scope, receive, send)
        except TimeoutError:
            # Nobody takes the answer: the server closes a connection whose answer is not whole.
            if not steady.is_stalled:
                raise
        if steady.status == 401 and is_stranger:  # noqa: PLR2004 - Unauthorized
            # A token that was good lately is no guess, though it does not open this namespace.
            self._strangers.take(address)
        elif token is not None and LET_IN in scope:
            self._known[token] = None
            self._known.move_to_end(token)
            if len(self._known) > _CALLERS:
                self._known.popitem(last=False)

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

    def _digest(self, text: str) -> bytes:
        return hashlib.blake2b(self._salt + text.encode(errors="surrogateescape"), digest_size=16).digest()


def _host(scope: Scope) -> str:
    peer = scope.get("client")
    return peer[0] if peer else ""


def _is_login(scope: Scope) -> bool:
    """Tell whether a token may be in a form: elsewhere a page's token is in a sealed cookie, which nobody can guess."""
    return bool(scope["method"] == "POST" and scope["path"] == LOGIN)


class _Steady:
    """Sends an answer, as long as each piece is taken in time; a whole export may take longer."""

    def __init__(self, send: Send, seconds: float) -> None:
        self._send = send
        self._seconds = seconds
        self.status = 0
        """That was sent; 0: none."""
        self.is_stalled = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        try:
            async with asyncio.timeout(self._seconds):
                await self._send(message)
        except TimeoutError:
            self.is_stalled = True
            raise
