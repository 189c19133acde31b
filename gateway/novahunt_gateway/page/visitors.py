"""Who visits the page: the session of a request, what its person may do, and whether a post is really theirs."""

import time
from collections.abc import Callable

import msgspec
from fastapi import Request, Response
from starlette.datastructures import FormData, UploadFile

from novahunt_gateway.page import rendering, sessions
from novahunt_gateway.page.entries import MAX_BYTES
from novahunt_gateway.page.port import Gateway, Right
from novahunt_gateway.page.sessions import Seal, Session

_MAX_BODY = MAX_BYTES + 64 * 1024


class AnswerError(Exception):
    """Ends a request with an answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class Visitor(msgspec.Struct, frozen=True):
    """A person who is logged in."""

    session: Session
    token: str
    rights: frozenset[Right]

    @property
    def csrf(self) -> str:
        """What every form holds."""
        return self.session.csrf

    def may(self, right: str) -> bool:
        """Say whether they have a right; for templates."""
        return Right(right) in self.rights


class Visitors:
    """Reads and writes sessions, and asks the gateway what their persons may do, at each request."""

    def __init__(self, gateway: Gateway, seal: Seal, now: Callable[[], float] = time.time) -> None:
        self._gateway = gateway
        self._seal = seal
        self._now = now

    async def known(self, request: Request) -> Visitor:
        """Return who sends a request. AnswerError: nobody who may see anything; it leads to the login."""
        session = self.session(request)
        if session is None or session.token is None:
            raise AnswerError(rendering.redirect("/login"))
        rights = await self._gateway.may(session.token, *Right)
        if not rights & {Right.LIST, Right.GET}:
            raise AnswerError(self.forget(request, rendering.redirect("/login")))
        return Visitor(session, session.token, rights)

    def session(self, request: Request) -> Session | None:
        """Return a request's session, logged in or not."""
        return self._seal.open(request.cookies.get(_cookie(request)), int(self._now()))

    def begin(self, token: str | None = None) -> Session:
        """Return a new session."""
        return sessions.begin(int(self._now()), token)

    def keep(self, request: Request, session: Session, response: Response) -> Response:
        """Set a session's cookie, from now on."""
        response.set_cookie(
            _cookie(request),
            self._seal.close(session, int(self._now())),
            max_age=sessions.IDLE_SECONDS,
            path="/",
            secure=_is_tls(request),
            httponly=True,
            samesite="strict",
        )
        return response

    def forget(self, request: Request, response: Response) -> Response:
        """Take the cookie away."""
        response.delete_cookie(_cookie(request), path="/", secure=_is_tls(request), httponly=True, samesite="strict")
        return response

    async def form(self, request: Request, session: Session | None) -> FormData:
        """Return the fields of a post from one of our own forms in this session. AnswerError: it is none."""
        head = request.headers
        if not sessions.from_here(head.get("sec-fetch-site"), head.get("origin"), head.get("host")):
            raise AnswerError(refusal(403, "This form was sent from another site", "Open the page here, and try again."))
        length = head.get("content-length", "")
        if not length.isdecimal() or int(length) > _MAX_BODY:
            raise AnswerError(refusal(413, "That is too much", f"A list may have up to {MAX_BYTES:,} bytes."))
        given = await request.form(max_files=1, max_fields=20, max_part_size=_MAX_BODY)
        if session is None or not sessions.is_of(session, text(given, "csrf")):
            raise AnswerError(refusal(403, "This form is too old", "Your session has changed: reload the page, and try again."))
        return given


def text(form: FormData, field: str) -> str:
    """Return a field's text; empty for none, and for a file."""
    value = form.get(field, "")
    return "" if isinstance(value, UploadFile) else value


def refusal(status: int, title: str, message: str) -> Response:
    """Return a page that says why nothing was done."""
    return rendering.html("error.html", status, title=title, message=message, visitor=None)


def _is_tls(request: Request) -> bool:
    return request.url.scheme == "https"


def _cookie(request: Request) -> str:
    # With the prefix, browsers let nobody but this very host set it; they ask for TLS.
    return "__Host-novahunt" if _is_tls(request) else "novahunt"
