"""Writes what is made of `crds/`: docs/reference.md, and the record of fields; run as `make reference`.

The record only grows here: a field that was removed or has changed its type is a break for whoever uses it, so its line
has to be taken out by hand.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tools.shell import ROOT

CRDS = ROOT / "crds"
PAGE = ROOT / "docs/reference.md"
RECORD = ROOT / "tests/unit/crd_fields.txt"

_HEAD = """# Reference

This page lists every field of both kinds. It is made of `crds/` by `make reference`. What the fields do together is
told in [collections.md](collections.md).
"""


class Field(NamedTuple):
    """One field of a kind."""

    kind: str
    version: str
    path: str
    """From the object's root; `[]` stands for an item of a list, `{}` for a value of a map."""
    type: str
    is_required: bool
    description: str
    limits: str

    @property
    def line(self) -> str:
        """The field in the record."""
        return f"{self.kind} {self.version} {self.path} {self.type}"


def fields() -> Iterator[Field]:
    """Yield all fields of all served versions of both kinds, parents first."""
    for file in sorted(CRDS.glob("*.yaml")):
        spec = yaml.safe_load(file.read_text("utf-8"))["spec"]
        for version in spec["versions"]:
            schema = version["schema"]["openAPIV3Schema"]
            yield from _below(spec["names"]["kind"], version["name"], "", schema)


def _below(kind: str, version: str, path: str, schema: Mapping[str, Any]) -> Iterator[Field]:
    required = schema.get("required", ())
    for name, one in schema.get("properties", {}).items():
        if not path and name in ("apiVersion", "kind", "metadata"):
            continue
        where = f"{path}.{name}" if path else name
        yield _field(kind, version, where, one, is_required=name in required)
        yield from _inside(kind, version, where, one)


def _inside(kind: str, version: str, path: str, schema: Mapping[str, Any]) -> Iterator[Field]:
    if "items" in schema:
        yield from _inside(kind, version, f"{path}[]", schema["items"])
    elif isinstance(schema.get("additionalProperties"), dict):
        yield from _inside(kind, version, f"{path}{{}}", schema["additionalProperties"])
    else:
        yield from _below(kind, version, path, schema)


def _field(kind: str, version: str, path: str, schema: Mapping[str, Any], *, is_required: bool) -> Field:
    description = " ".join(schema.get("description", "").split())
    return Field(kind, version, path, _type(schema), is_required, description, "; ".join(_limits(schema)))


def _type(schema: Mapping[str, Any]) -> str:
    if schema.get("x-kubernetes-int-or-string"):
        return "int-or-string"
    if "items" in schema:
        return f"[]{_type(schema['items'])}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"map[string]{_type(schema['additionalProperties'])}"
    form = f"({schema['format']})" if "format" in schema else ""
    return f"{schema.get('type', 'any')}{form}"


def _limits(schema: Mapping[str, Any]) -> Iterator[str]:
    if "default" in schema:
        yield f"default `{yaml.safe_dump(schema['default'], default_flow_style=True).splitlines()[0]}`"
    values = schema.get("enum") or schema.get("items", {}).get("enum")
    if values:
        yield "one of " + ", ".join(f"`{value}`" for value in values)
    for word, text in (
        ("minimum", "at least {:,}"),
        ("maximum", "at most {:,}"),
        ("maxItems", "at most {:,} items"),
        ("maxLength", "at most {:,} characters"),
        ("maxProperties", "at most {:,} entries"),
    ):
        if word in schema:
            yield text.format(schema[word])
    for rule in schema.get("x-kubernetes-validations", ()):
        yield f"refused: “{' '.join(rule.get('message', rule['rule']).split())}”"


def page() -> str:
    """Return the page."""
    lines, kind = [_HEAD], ""
    for field in fields():
        if field.kind != kind:
            kind = field.kind
            lines += [
                f"## {kind} ({field.version})",
                "",
                "| field | type | meaning |",
                "| --- | --- | --- |",
            ]
        required = ", required" if field.is_required else ""
        limits = f" ({field.limits})" if field.limits else ""
        meaning = f"{field.description}{limits}".replace("|", "\\|")
        lines.append(f"| `{field.path}` | {field.type}{required} | {meaning} |")
    return "\n".join(lines) + "\n"


def recorded() -> list[str]:
    """Return the lines of the record."""
    return RECORD.read_text("utf-8").splitlines() if RECORD.is_file() else []


def write(file: Path, text: str) -> None:
    """Write a file if it says something else."""
    if not file.is_file() or file.read_text("utf-8") != text:
        file.write_text(text, "utf-8")


def main() -> None:
    """Write both."""
    write(PAGE, page())
    write(RECORD, "".join(f"{line}\n" for line in sorted({*recorded(), *(field.line for field in fields())})))


if __name__ == "__main__":
    main()
