"""The page at /docs: every REST call with what it takes and answers, out of the OpenAPI description."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from fastapi import FastAPI, Response

from novahunt_gateway.page import rendering

OPENAPI = "/openapi.json"


class Field(msgspec.Struct, frozen=True):
    """A parameter, or a field of a body."""

    name: str
    place: str
    """`query`, `path` or `body`."""
    kind: str
    is_needed: bool
    description: str


class Answer(msgspec.Struct, frozen=True):
    """What a call answers with one status."""

    status: str
    description: str
    media: tuple[str, ...]
    fields: tuple[Field, ...]


class Call(msgspec.Struct, frozen=True):
    """One call."""

    method: str
    path: str
    description: str
    fields: tuple[Field, ...]
    answers: tuple[Answer, ...]


def install(app: FastAPI) -> None:
    """Add the page to an app."""

    async def shown() -> Response:
        described = app.openapi()
        return rendering.html("reference.html", visitor=None, calls=tuple(calls(described)), version=app.version)

    app.add_api_route("/docs", shown, include_in_schema=False, response_class=Response)


def calls(described: Mapping[str, Any]) -> Iterator[Call]:
    """Yield the calls of an OpenAPI description, in its order."""
    for path, methods in described["paths"].items():
        for method, call in methods.items():
            asked = [_parameter(one) for one in call.get("parameters", [])]
            body = call.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            yield Call(
                method=method.upper(),
                path=path,
                description=call.get("description") or call.get("summary", ""),
                fields=(*asked, *_fields(described, body)),
                answers=tuple(_answer(described, status, one) for status, one in sorted(call["responses"].items())),
            )


def _parameter(raw: Mapping[str, Any]) -> Field:
    described = raw.get("description", "")
    return Field(raw["name"], raw["in"], _kind(raw["schema"]), raw.get("required", False), described)


def _answer(described: Mapping[str, Any], status: str, raw: Mapping[str, Any]) -> Answer:
    content = raw.get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    return Answer(status, raw.get("description", ""), tuple(content), tuple(_fields(described, schema)))


def _fields(described: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Field]:
    named = _resolved(described, schema)
    needed = named.get("required", ())
    for name, one in named.get("properties", {}).items():
        inner = _resolved(described, one)
        yield Field(name, "body", _kind(one), name in needed, inner.get("description", ""))


def _resolved(described: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Mapping[str, Any] = described["components"]["schemas"][reference.rpartition("/")[2]]
    return found


def _kind(schema: Mapping[str, Any]) -> str:
    """Return a schema in a few words: `string`, `list of string`, `one of a, b`, the name of an object."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    if "const" in schema:
        return msgspec.json.encode(schema["const"]).decode()
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("type", "anything"))
