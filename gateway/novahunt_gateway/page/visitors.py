"""Who visits the page: the session of a request, what its person may do, and whether a post is really theirs."""

import time
from collections.abc import Callable

import msgspec
from fastapi import Request, Response
from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile

from novahunt_gateway.page import rendering, sessions
from novahunt_gateway.page.entries import MAX_BYTES
from novahunt_gateway.page.port import Gateway
from novahunt_gateway.page.sessions import Seal, Session
from novahunt_gateway.rights import AwayError, Right

_FORM_BYTES = 64 * 1024
"""Of a form without a list: anybody may send the one that logs in."""
LIST_FORM_BYTES = MAX_BYTES + _FORM_BYTES
"""Of a form with a list, beside its other fields and what stands between them."""


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


class Given(msgspec.Struct, frozen=True):
    """What a form holds, and the file that came with it."""

    fields: dict[str, str]
    file_name: str = ""
    file: bytes | None = None

    def text(self, field: str) -> str:
        """Return a field's text; empty for none."""
        return self.fields.get(field, "")


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
        rights = await self.rights(session.token)
        if not may_visit(rights):
            raise AnswerError(self.forget(request, rendering.redirect("/login")))
        return Visitor(session, session.token, rights)

    async def rights(self, token: str) -> frozenset[Right]:
        """Return what a token's owner may do. AnswerError: that can't be known now."""
        if not (token.isascii() and 0 < len(token) <= sessions.MAX_TOKEN):
            return frozenset()
        try:
            return await self._gateway.may(token, *Right)
        except AwayError:
            answer = refusal(503, "Kubernetes does not answer", "Nobody's rights can be seen now: try again soon.")
            raise AnswerError(answer) from None

    def session(self, request: Request) -> Session | None:
        """Return a request's session."""
        return self._opened(request, _name(request))

    def before_login(self, request: Request) -> Session | None:
        """Return the session of the form that logs in."""
        return self._opened(request, _name(request, logged_in=False))

    def _opened(self, request: Request, cookie: str) -> Session | None:
        return self._seal.open(request.cookies.get(cookie), int(self._now()))

    def begin(self, token: str | None = None) -> Session:
        """Return a new session."""
        return sessions.begin(int(self._now()), token)

    def keep(self, request: Request, session: Session, response: Response) -> Response:
        """Set a session's cookie, from now on."""
        response.set_cookie(
            _name(request, logged_in=session.token is not None),
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
        response.delete_cookie(_name(request), path="/", secure=_is_tls(request), httponly=True, samesite="strict")
        return response

    async def form(self, request: Request, session: Session | None, most: int = _FORM_BYTES) -> Given:
        """Return the fields of a post from one of our own forms in this session.

        Args:
            request: The post.
            session: It must be of; None: there is none, and nothing is read.
            most: Bytes that the form may have.

        Raises:
            AnswerError: it is no such form, too large, or not in UTF-8.
        """
        head = request.headers
        if not sessions.from_here(head.get("sec-fetch-site"), head.get("origin"), head.get("host")):
            raise AnswerError(
                refusal(403, "This form was sent from another site", "Open the page here, and try again.")
            )
        if session is None:
            raise AnswerError(_too_old())
        length = head.get("content-length", "")
        if not length.isdecimal() or int(length) > most:
            told = f"This form may have up to {most:,} bytes."
            if most == LIST_FORM_BYTES:
                told = f"A list may have up to {MAX_BYTES:,} bytes."
            raise AnswerError(refusal(413, "That is too much", told))
        if not _is_utf_8(head.get("content-type")):
            raise AnswerError(refusal(415, "This form can't be read", "It is not in UTF-8, as this page's own are."))
        given = await _read(request, most)
        if not sessions.is_of(session, given.text("csrf")):
            raise AnswerError(_too_old())
        return given


def may_visit(rights: frozenset[Right]) -> bool:
    """Say whether there is anything on the page that those rights open."""
    return bool(rights & {Right.LIST, Right.GET})


def _is_utf_8(content_type: str | None) -> bool:
    """Say whether a form is in UTF-8, as it is where nothing else is said; no part of it can say something else.

    The parser would decode with whatever codec of Python's a sender names: `punycode` takes quadratic time,
    and `utf-7` makes text that can't be encoded again.
    """
    # The parser's own function, so that no spelling means one thing here and another there.
    _, parameters = parse_options_header(content_type)
    return parameters.get(b"charset", b"utf-8").lower() in (b"utf-8", b"utf8")


async def _read(request: Request, most: int) -> Given:
    async with request.form(max_files=1, max_fields=20, max_part_size=most) as form:
        fields = {name: value for name, value in form.multi_items() if isinstance(value, str)}
        file = form.get("file")
        if isinstance(file, UploadFile) and file.filename:
            return Given(fields, file.filename, await file.read())
    return Given(fields)


def _too_old() -> Response:
    return refusal(403, "This form is too old", "Your session has changed: reload the page, and try again.")


def refusal(status: int, title: str, message: str) -> Response:
    """Return a page that says why nothing was done."""
    return rendering.html("error.html", status, title=title, message=message, visitor=None)


def _is_tls(request: Request) -> bool:
    return request.url.scheme == "https"


def _name(request: Request, *, logged_in: bool = True) -> str:
    """Return the cookie's name.

    Who comes by a link on another site sends no cookie, and is asked to log in: that must not
    overwrite the session they have.
    """
    name = "novahunt" if logged_in else "novahunt-login"
    # With the prefix, browsers let nobody but this very host set it; they ask for TLS.
    return f"__Host-{name}" if _is_tls(request) else name
