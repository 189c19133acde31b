"""The web application: Hunter's paths, the admin API, and the access log."""

import logging
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler

from hunter_simulator import admin
from hunter_simulator.exchange import Incoming, key_of
from hunter_simulator.report import Entry
from hunter_simulator.sending import send
from hunter_simulator.simulator import Simulator

access_log = logging.getLogger("hunter_simulator.access")


def application(simulator: Simulator) -> web.Application:
    """Return the application that serves a simulator."""
    app = web.Application()
    app[admin.SIMULATOR] = simulator
    app.add_routes(admin.routes)
    app.router.add_route("*", r"/{path:[\s\S]*}", _answering(simulator))
    return app


def _answering(simulator: Simulator) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        # Rails, behind Hunter, takes the last of several; aiohttp's dictionary would give the first.
        parameters = {name: value for name, value in request.query.items()}  # noqa: C416 - dict() takes the first
        key, key_place = key_of(request.headers, parameters)
        outgoing, entry = simulator.answer(
            Incoming(
                method=request.method,
                path=request.path,
                parameters=parameters,
                key=key,
                key_place=key_place,
                user_agent=request.headers.get("User-Agent", ""),
            )
        )
        if access_log.isEnabledFor(logging.INFO):
            access_log.info("%s", line(entry))
        return await send(request, outgoing)

    return answer


def line(entry: Entry) -> str:
    """Return one request as a line of plain text, without its key."""
    asked = "".join(
        f" {name}={value}"
        for name, value in (("domain", entry.domain), ("offset", entry.offset), ("limit", entry.limit))
        if value is not None
    )
    fault = "" if entry.fault is None else f" fault={entry.fault}"
    return (
        f"{entry.at} {entry.method} {quote(entry.path)}{asked} {entry.status} {entry.outcome}"
        f" addresses={entry.addresses} credits={entry.credits} key={entry.key or '-'}{fault}"
    )
