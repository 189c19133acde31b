"""The routes that make a collection: a form, a preview that says what it comes to, then an estimate or a start."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar

from fastapi import APIRouter, Request, Response

from novahunt_api.spec import CollectionSpec, Mode
from novahunt_client import lists
from novahunt_client.lists import ReadList, UnreadableListError
from novahunt_contract.wanted import Entry
from novahunt_gateway.errors import NotDoneError, TakenError
from novahunt_gateway.page import entries, rendering
from novahunt_gateway.page.port import Gateway, Wish
from novahunt_gateway.page.visitors import LIST_FORM_BYTES, AnswerError, Visitor, Visitors, refusal
from novahunt_gateway.rights import Right

_DEFAULTS = CollectionSpec()
_NO_BUDGET = "Give a whole number of credits, at least 1: nothing starts without a budget."

P = ParamSpec("P")
T = TypeVar("T")


class Making:
    """Forms that lead to a new collection."""

    def __init__(self, gateway: Gateway, visitors: Visitors) -> None:
        self._gateway = gateway
        self._visitors = visitors
        self._looking = asyncio.Lock()

    def install(self, router: APIRouter) -> None:
        """Add the routes."""
        router.add_api_route("/new", self._empty, methods=["GET"])
        router.add_api_route("/new", self._preview, methods=["POST"])
        router.add_api_route("/new/start", self._start, methods=["POST"])
        router.add_api_route("/collections/{name}/collect", self._collect, methods=["POST"])

    async def _known(self, request: Request) -> Visitor:
        visitor = await self._visitors.known(request)
        if not visitor.may(Right.CREATE):
            raise AnswerError(refusal(403, "You may not make collections", "It takes create on domaincollections."))
        return visitor

    async def _empty(self, request: Request) -> Response:
        visitor = await self._known(request)
        return self._visitors.keep(request, visitor.session, _form(visitor))

    async def _preview(self, request: Request) -> Response:
        visitor = await self._known(request)
        form = await self._visitors.form(request, visitor.session, LIST_FORM_BYTES)
        pasted = form.text("domains")
        given: list[ReadList] = []
        if pasted.strip():
            try:
                given.append(await self._aside(lists.read, pasted, "list"))
            except UnreadableListError as error:
                return _unreadable(visitor, pasted, error)
        if form.file is not None:
            try:
                given.append(await self._aside(entries.from_file, form.file_name, form.file))
            except UnreadableListError as error:
                return _form(visitor, 400, pasted=pasted, file_error=f"The file can't be read: {error}.")
        every = [entry for one in given for entry in one.entries]
        if not every:
            return _form(visitor, 400, error="Give at least one domain, or a file of them.")
        found = await self._previewed(every)
        name = entries.suggested_name(found.domains, datetime.now(UTC).strftime("%Y%m%d-%H%M%S"))
        return _shown(visitor, found, name, how=[one.how for one in given])

    async def _previewed(self, given: Sequence[Entry]) -> entries.Preview:
        return await self._aside(entries.preview, given, _DEFAULTS.max_results, _DEFAULTS.page_size)

    async def _aside(self, look: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Look at a list in a thread, because a long one takes seconds, which nobody else is to wait for.

        One at a time: the other threads are wanted, for example to see whether a token is right.
        """
        async with self._looking:
            return await asyncio.to_thread(look, *args, **kwargs)

    async def _start(self, request: Request) -> Response:
        visitor = await self._known(request)
        form = await self._visitors.form(request, visitor.session, LIST_FORM_BYTES)
        text = form.text("domains")
        try:
            given = await self._aside(lists.read, text, "list")
        except UnreadableListError as error:
            return _unreadable(visitor, text, error)
        found = await self._previewed(given.entries)
        name, budget = form.text("name").strip(), form.text("budget").strip()
        estimate = form.text("do") == "estimate"
        credits_ = entries.read_budget(budget)
        errors = {}
        if (why := entries.refused_name(name)) is not None:
            errors["name"] = why
        if credits_ is None and not estimate:
            errors["budget"] = _NO_BUDGET
        if not errors and found.domains:
            try:
                await self._gateway.create(Wish(name, found.domains, None if estimate else credits_, estimate))
            except TakenError:
                errors["name"] = "There is a collection of that name already."
            except NotDoneError as error:
                errors["all"] = str(error)
            else:
                return rendering.redirect(f"/collections/{name}")
        return _shown(visitor, found, name, 400, budget=budget, errors=errors)

    async def _collect(self, request: Request, name: str) -> Response:
        """Let a collection that has only estimated collect, within a budget."""
        visitor = await self._visitors.known(request)
        form = await self._visitors.form(request, visitor.session)
        found = self._gateway.collection(name) if visitor.may(Right.GET) else None
        if found is None or not visitor.may(Right.PATCH):
            return refusal(403, "You may not change this collection", "It takes get and patch on domaincollections.")
        credits_ = entries.read_budget(form.text("budget"))
        if credits_ is None:
            return refusal(400, "A budget is missing", _NO_BUDGET)
        budget: dict[str, object] = {"maxCredits": credits_}
        try:
            await self._gateway.patch(name, {"mode": Mode.COLLECT.value, "budget": budget})
        except NotDoneError as error:
            return refusal(error.code, "It was not done", str(error))
        return rendering.redirect(f"/collections/{name}")


def _form(visitor: Visitor, status: int = 200, *, pasted: str = "", error: str = "", file_error: str = "") -> Response:
    return rendering.html("new.html", status, visitor=visitor, pasted=pasted, error=error, file_error=file_error)


def _unreadable(visitor: Visitor, pasted: str, error: UnreadableListError) -> Response:
    return _form(visitor, 400, pasted=pasted, error=f"The list can't be read: {error}.")


def _shown(
    visitor: Visitor,
    found: entries.Preview,
    name: str,
    status: int = 200,
    *,
    how: Sequence[str] = (),
    budget: str = "",
    errors: dict[str, str] | None = None,
) -> Response:
    shown: dict[str, Any] = {
        "found": found,
        "how": how,
        "name": name,
        "budget": budget,
        "errors": {"all": "", "name": "", "budget": "", **(errors or {})},
    }
    return rendering.html("preview.html", status, visitor=visitor, max_results=_DEFAULTS.max_results, **shown)
