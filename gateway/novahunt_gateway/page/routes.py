"""The page's routes: login, collections, one collection with its actions and downloads, and live updates."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from novahunt_api.domaincollections import Collection
from novahunt_client.explain import explain
from novahunt_client.exports import Form
from novahunt_contract import times
from novahunt_gateway.errors import NotDoneError
from novahunt_gateway.page import chart, making, rendering, views
from novahunt_gateway.page.port import Gateway
from novahunt_gateway.page.samples import Samples
from novahunt_gateway.page.sessions import Seal
from novahunt_gateway.page.visitors import AnswerError, Visitor, Visitors, may_visit, refusal
from novahunt_gateway.rights import Right

_SAMPLE_SECONDS = 5.0


class Page:
    """The page over one gateway."""

    def __init__(self, gateway: Gateway, seal: Seal) -> None:
        self._gateway = gateway
        self._visitors = Visitors(gateway, seal)
        self._samples = Samples()

    def install(self, app: FastAPI) -> None:
        """Add the routes to an app, after all others: the last one answers for every other path."""
        router = APIRouter(include_in_schema=False, default_response_class=Response)
        get, post = ["GET"], ["POST"]
        router.add_api_route("/login", self._login_form, methods=get)
        router.add_api_route("/login", self._login, methods=post)
        router.add_api_route("/logout", self._logout, methods=post)
        router.add_api_route("/static/{name}", self._file, methods=get)
        router.add_api_route("/", self._list, methods=get)
        router.add_api_route("/partials/collections", self._list_part, methods=get)
        router.add_api_route("/partials/collections/{name}", self._one_part, methods=get)
        making.Making(self._gateway, self._visitors).install(router)
        router.add_api_route("/collections/{name}", self._one, methods=get)
        router.add_api_route("/collections/{name}/download", self._download, methods=get)
        router.add_api_route("/collections/{name}/{action}", self._act, methods=post)
        router.add_api_route("/{path:path}", self._nothing, methods=get)
        app.include_router(router)
        app.add_exception_handler(AnswerError, _answer)

    @contextlib.asynccontextmanager
    async def sampling(self) -> AsyncIterator[None]:
        """Sample all collections for their charts while the app runs."""
        task = asyncio.create_task(self._keep_sampling())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def sample(self, now: datetime) -> None:
        """Take one sample of all collections."""
        self._samples.take(self._gateway.collections(), now)

    async def _keep_sampling(self) -> None:
        while True:
            self.sample(datetime.now(UTC))
            await asyncio.sleep(_SAMPLE_SECONDS)

    async def _login_form(self, request: Request) -> Response:
        return self._ask(request)

    async def _login(self, request: Request) -> Response:
        form = await self._visitors.form(request, self._visitors.before_login(request))
        token = form.text("token").strip()
        rights = await self._visitors.rights(token)
        if not rights:
            return self._ask(request, 401, "This token opens nothing here. See that it is whole, and not too old.")
        if not may_visit(rights):
            told = "This token may not read collections, which takes list or get on domaincollections."
            return self._ask(request, 403, told)
        return self._visitors.keep(request, self._visitors.begin(token), rendering.redirect("/"))

    def _ask(self, request: Request, status: int = 200, error: str = "") -> Response:
        session = self._visitors.begin()
        response = rendering.html("login.html", status, csrf=session.csrf, error=error, visitor=None)
        return self._visitors.keep(request, session, response)

    async def _logout(self, request: Request) -> Response:
        await self._visitors.form(request, self._visitors.session(request))
        return self._visitors.forget(request, rendering.redirect("/login"))

    async def _file(self, name: str) -> Response:
        if name not in rendering.FILES:
            return rendering.redirect("/login")
        return rendering.file(name)

    async def _list(self, request: Request) -> Response:
        visitor = await self._visitors.known(request)
        response = rendering.html("collections.html", **self._list_shown(request, visitor))
        return self._visitors.keep(request, visitor.session, response)

    async def _list_part(self, request: Request) -> Response:
        visitor = await self._visitors.known(request)
        shown = self._list_shown(request, visitor)
        return rendering.fragment("_collections.html", request.headers.get("if-none-match"), **shown)

    def _list_shown(self, request: Request, visitor: Visitor) -> dict[str, Any]:
        search = request.query_params.get("q", "")[:200]
        found = views.listed(self._gateway.collections(), search) if visitor.may(Right.LIST) else ()
        return {
            "visitor": visitor,
            "namespace": self._gateway.namespace,
            "collections": found,
            "search": search,
            "query": request.url.query,
        }

    async def _one(self, request: Request, name: str) -> Response:
        visitor = await self._visitors.known(request)
        response = rendering.html("collection.html", **self._one_shown(request, visitor, self._find(visitor, name)))
        return self._visitors.keep(request, visitor.session, response)

    async def _one_part(self, request: Request, name: str) -> Response:
        visitor = await self._visitors.known(request)
        shown = self._one_shown(request, visitor, self._find(visitor, name))
        return rendering.fragment("_collection.html", request.headers.get("if-none-match"), **shown)

    def _find(self, visitor: Visitor, name: str) -> Collection:
        found = self._gateway.collection(name) if visitor.may(Right.GET) else None
        if found is None:
            raise AnswerError(
                refusal(404, "There is no such collection", "It may have been deleted, or you may not read it.")
            )
        return found

    def _one_shown(self, request: Request, visitor: Visitor, collection: Collection) -> dict[str, Any]:
        asked = request.query_params
        results = self._gateway.results(collection.key.name)
        page = asked.get("page", "1")
        number = int(page) if page.isascii() and page.isdecimal() and len(page) < 7 else 1  # noqa: PLR2004
        return {
            "visitor": visitor,
            "namespace": self._gateway.namespace,
            "one": views.summary(collection),
            "rows": views.rows(collection, results, asked.get("state", ""), asked.get("q", "")[:253], number),
            "states": views.STATES,
            "paragraphs": explain(collection, views.failed_by_reason(results)),
            "chart": chart.draw(self._samples.of(collection.uid)),
            "query": request.url.query,
        }

    async def _download(self, request: Request, name: str) -> Response:
        visitor = await self._visitors.known(request)
        self._find(visitor, name)
        if not visitor.may(Right.CONTENT):
            raise AnswerError(refusal(403, "You may not read addresses", "It takes get on domaincollections/content."))
        form = Form.JSON if request.query_params.get("form") == Form.JSON else Form.CSV
        headers = {**rendering.HEADERS, "Content-Disposition": f'attachment; filename="{name}.{form}"'}
        try:
            pieces = await self._gateway.export(name, form)
        except NotDoneError as error:
            raise AnswerError(refusal(error.code, "The addresses can't be read", str(error))) from None
        return StreamingResponse(pieces, 200, headers, form.media)

    async def _act(self, request: Request, name: str, action: str) -> Response:
        visitor = await self._visitors.known(request)
        await self._visitors.form(request, visitor.session)
        self._find(visitor, name)
        now = datetime.now(UTC)
        wishes: dict[str, dict[str, object]] = {
            "suspend": {"suspend": True},
            "resume": {"suspend": False},
            "retry": {"retryFailed": times.to_text(now)},
            # As the REST calls write it: so a domain's own collection stays theirs, and its job gets a name of its own.
            "recollect": {"recollect": str(times.to_milliseconds(now))},
        }
        if action not in wishes:
            raise AnswerError(refusal(404, "There is no such action", "Go back, and try another."))
        if not visitor.may(Right.PATCH):
            raise AnswerError(refusal(403, "You may not change collections", "It takes patch on domaincollections."))
        try:
            await self._gateway.patch(name, wishes[action])
        except NotDoneError as error:
            raise AnswerError(refusal(error.code, "It was not done", str(error))) from None
        return rendering.redirect(f"/collections/{name}")

    async def _nothing(self, request: Request) -> Response:
        await self._visitors.known(request)
        return refusal(404, "There is no such page", "Go back to the collections.")


async def _answer(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, AnswerError)  # noqa: S101 - that is what it is registered for
    return error.response
