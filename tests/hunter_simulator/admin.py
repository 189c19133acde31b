"""The admin API below /_simulator: JSON in and out, each body a typed Struct."""

from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec
from aiohttp import web

from hunter_simulator.domains import Domain
from hunter_simulator.faults import Fault
from hunter_simulator.plans import Plan
from hunter_simulator.settings import Settings
from hunter_simulator.simulator import Simulator

SIMULATOR = web.AppKey("SIMULATOR", Simulator)

routes = web.RouteTableDef()

_T = TypeVar("_T")


class Ok(msgspec.Struct, frozen=True):
    """The answer of calls that have nothing else to tell."""

    ok: bool = True


class Wrong(msgspec.Struct, frozen=True):
    """Why an admin call was refused."""

    error: str


class FaultNumber(msgspec.Struct, frozen=True):
    """The number by which a fault can be taken back."""

    fault: int


class ClockChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the wall clock goes: to a moment first, then on by some seconds."""

    now: datetime | None = None
    advance_seconds: float = 0


class ClockShown(msgspec.Struct, frozen=True):
    """What the wall clock shows."""

    now: datetime


class WithoutPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key alone, in a body and not in the path, so that no log tells it."""

    key: str


class KeySetting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key that becomes valid; without a plan a known one keeps its own."""

    key: str
    plan: Plan | None = None


@routes.get("/_simulator/health")
async def health(_request: web.Request) -> web.Response:
    """Say that the server answers."""
    return _json(Ok())


@routes.get("/_simulator/settings")
async def show_settings(request: web.Request) -> web.Response:
    """Show the rules in force."""
    return _json(request.app[SIMULATOR].settings)


@routes.patch("/_simulator/settings")
async def change_settings(request: web.Request) -> web.Response:
    """Change the rules that the body names; the others stay."""
    simulator = request.app[SIMULATOR]
    changes = await _body(request, dict[str, msgspec.Raw])
    current = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in _fields(simulator.settings)}
    simulator.set_settings(_decoded(msgspec.json.encode(current | changes), Settings))
    return _json(simulator.settings)


@routes.get("/_simulator/domains")
async def show_domains(request: web.Request) -> web.Response:
    """Show what was set for domains."""
    return _json(request.app[SIMULATOR].domains())


@routes.put("/_simulator/domains/{name}")
async def set_domain(request: web.Request) -> web.Response:
    """Set what is held for a domain."""
    domain = await _body(request, Domain)
    try:
        request.app[SIMULATOR].set_domain(request.match_info["name"], domain)
    except ValueError as error:
        raise _refused(str(error)) from None
    return _json(Ok())


@routes.delete("/_simulator/domains/{name}")
async def remove_domain(request: web.Request) -> web.Response:
    """Let a domain's name speak for itself again."""
    return _removed(there=request.app[SIMULATOR].remove_domain(request.match_info["name"]))


@routes.get("/_simulator/faults")
async def show_faults(request: web.Request) -> web.Response:
    """Show the faults that are set, by number."""
    return _json(request.app[SIMULATOR].faults())


@routes.post("/_simulator/faults")
async def add_fault(request: web.Request) -> web.Response:
    """Set a fault."""
    fault = await _body(request, Fault)
    try:
        return _json(FaultNumber(request.app[SIMULATOR].add_fault(fault)))
    except ValueError as error:
        raise _refused(str(error)) from None


@routes.delete("/_simulator/faults")
async def clear_faults(request: web.Request) -> web.Response:
    """Take all faults back."""
    request.app[SIMULATOR].clear_faults()
    return _json(Ok())


@routes.delete(r"/_simulator/faults/{number:\d+}")
async def remove_fault(request: web.Request) -> web.Response:
    """Take one fault back."""
    return _removed(there=request.app[SIMULATOR].remove_fault(int(request.match_info["number"])))


@routes.get("/_simulator/keys")
async def show_keys(request: web.Request) -> web.Response:
    """Show the valid keys with their plans."""
    return _json(request.app[SIMULATOR].keys())


@routes.post("/_simulator/keys")
async def set_key(request: web.Request) -> web.Response:
    """Make a key valid; a plan begins its account anew."""
    setting = await _body(request, KeySetting)
    request.app[SIMULATOR].set_key(setting.key, setting.plan)
    return _json(Ok())


@routes.delete("/_simulator/keys")
async def remove_key(request: web.Request) -> web.Response:
    """Make a key invalid."""
    return _removed(there=request.app[SIMULATOR].remove_key((await _body(request, WithoutPlan)).key))


@routes.get("/_simulator/clock")
async def show_clock(request: web.Request) -> web.Response:
    """Show the wall clock."""
    return _json(ClockShown(request.app[SIMULATOR].clock.now()))


@routes.post("/_simulator/clock")
async def move_clock(request: web.Request) -> web.Response:
    """Move the wall clock; a moment without a zone is UTC."""
    simulator = request.app[SIMULATOR]
    change = await _body(request, ClockChange)
    if change.now is not None:
        simulator.move_clock_to(change.now if change.now.tzinfo else change.now.replace(tzinfo=UTC))
    simulator.advance_clock(timedelta(seconds=change.advance_seconds))
    return _json(ClockShown(simulator.clock.now()))


@routes.get("/_simulator/report")
async def show_report(request: web.Request) -> web.Response:
    """Show everything that was recorded; `?log=false` leaves the log out."""
    with_log = request.query.get("log", "true") != "false"
    return _json(request.app[SIMULATOR].report(with_log=with_log))


@routes.delete("/_simulator/report")
async def clear_report(request: web.Request) -> web.Response:
    """Forget what was recorded, and nothing else."""
    request.app[SIMULATOR].clear_report()
    return _json(Ok())


@routes.post("/_simulator/reset")
async def reset(request: web.Request) -> web.Response:
    """Go back to the configuration of the start."""
    request.app[SIMULATOR].reset()
    return _json(Ok())


@routes.route("*", "/_simulator/{rest:.*}")
async def no_such_call(_request: web.Request) -> web.Response:
    """Refuse what the admin API does not know, so that a misspelt call never counts as one to Hunter."""
    return _json(Wrong("there is no such admin call"), status=404)


def _json(content: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(content), content_type="application/json")


def _removed(*, there: bool) -> web.Response:
    return _json(Ok()) if there else _json(Wrong("it is not there"), status=404)


def _refused(reason: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=msgspec.json.encode(Wrong(reason)).decode(), content_type="application/json")


async def _body(request: web.Request, kind: type[_T]) -> _T:
    return _decoded(await request.read(), kind)


def _decoded(content: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise _refused(str(error)) from None


def _fields(settings: Settings) -> list[tuple[str, object]]:
    return list(msgspec.structs.asdict(settings).items())
