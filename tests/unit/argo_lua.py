"""Runs health checks and actions as Argo CD does: Lua 5.1, the few libraries that it opens, its way of reading tables.

What Argo CD does was read in its repository in August 2026: util/lua/lua.go and the tests beside it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lupa.lua51 import LuaRuntime, lua_type

Json = dict[str, Any]

_VALID = frozenset({"Unknown", "Progressing", "Suspended", "Healthy", "Degraded", "Missing"})

# Argo CD opens the base, table and package libraries, and of os only what tells the time.
_SANDBOX = """
os = {time = os.time, date = os.date}
getmetatable("").__index = nil
for name in pairs(package.loaded) do
  package.loaded[name] = nil
end
string, math, io, debug, coroutine, python = nil
"""


class Health(NamedTuple):
    """What a health check says."""

    status: str = ""
    message: str = ""


class Action(NamedTuple):
    """An action as it is offered."""

    name: str
    disabled: bool = False
    icon_class: str = ""
    display_name: str = ""


class AnswerError(Exception):
    """A script returned what Argo CD does not take."""


def health(script: str, obj: Json) -> Health:
    """Return the health of an object."""
    found = run(script, obj)
    if found is None or found == []:
        return Health()
    if not isinstance(found, dict):
        raise AnswerError(f"a table is expected, not {found!r}")
    if found.get("status") not in _VALID:
        return Health("Unknown", "Lua returned an invalid health status")
    return Health(found["status"], found.get("message", ""))


def discover(script: str, obj: Json) -> list[Action]:
    """Return the actions that are offered for an object."""
    found = run(script, obj)
    if found == []:
        return []
    if not isinstance(found, dict):
        raise AnswerError(f"a table is expected, not {found!r}")
    return [Action(name) if told == [] else offered(name, told) for name, told in sorted(found.items())]


def offered(name: str, told: Mapping[str, Any]) -> Action:
    """Return an action from the names that Lua and Argo CD's tests use."""
    return Action(name, told.get("disabled", False), told.get("iconClass", ""), told.get("displayName", ""))


def act(script: str, obj: Json) -> Json:
    """Return what an action makes of an object; a list of objects, the newer form, is not used here."""
    made = run(script, obj)
    if not isinstance(made, dict):
        raise AnswerError(f"an object is expected, not {made!r}")
    cleaned = _cleaned(made, obj)
    assert isinstance(cleaned, dict)
    return cleaned


def run(script: str, obj: Json) -> Any:
    """Run a script over an object; return its value as Argo CD's JSON encoder would write it."""
    lua = LuaRuntime(register_eval=False, register_builtins=False)
    lua.execute(_SANDBOX)
    lua.globals()["obj"] = _to_lua(lua, obj)
    lua.globals()["actionParams"] = lua.table()
    return _from_lua(lua.execute(script))


def script(path: Path) -> str:
    """Return the text of a script."""
    return path.read_text("utf-8")


def _to_lua(lua: LuaRuntime, value: Any) -> Any:
    if isinstance(value, dict):
        return lua.table_from({name: _to_lua(lua, inner) for name, inner in value.items() if inner is not None})
    if isinstance(value, list):
        return lua.table_from([_to_lua(lua, inner) for inner in value])
    return value


def _from_lua(value: Any) -> Any:
    if lua_type(value) != "table":
        if lua_type(value) is not None:
            raise AnswerError(f"a {lua_type(value)} can't be written")
        return value
    entries = {key: _from_lua(inner) for key, inner in value.items()}
    if all(isinstance(key, str) for key in entries) and entries:
        return entries
    if set(entries) != set(range(1, len(entries) + 1)):
        raise AnswerError(f"a list with gaps, or with names: {sorted(map(str, entries))}")
    # An empty table as well: Lua can't tell an empty object from an empty list.
    return [entries[place] for place in range(1, len(entries) + 1)]


def _cleaned(made: Any, before: Any) -> Any:
    """Give empty objects back their form, where the object had them before."""
    if made == [] and isinstance(before, dict):
        return {}
    if isinstance(made, dict) and isinstance(before, dict):
        return {name: _cleaned(inner, before.get(name)) for name, inner in made.items()}
    if isinstance(made, list) and isinstance(before, list):
        old = [*before, *([None] * (len(made) - len(before)))]
        return [_cleaned(inner, place) for inner, place in zip(made, old, strict=False)]
    return made
