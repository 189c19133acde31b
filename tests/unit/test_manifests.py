"""The kinds' schemas and the examples, as files: what can be said of them without a cluster."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from novahunt_contract.domains import MAX_ENTRY_LENGTH, NotADomainError, normalise, read_list
from novahunt_contract.outcomes import Outcome

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))

Json = dict[str, Any]


def crd(plural: str) -> Json:
    value = yaml.safe_load((ROOT / "crds" / f"{plural}.yaml").read_text("utf-8"))
    assert isinstance(value, dict)
    return value


def schema(plural: str) -> Json:
    (version,) = crd(plural)["spec"]["versions"]
    value = version["schema"]["openAPIV3Schema"]
    assert isinstance(value, dict)
    return value


def fields(value: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Yield (path, schema) of each field, item and map value; not of what Kubernetes itself defines."""
    for name, inner in value.get("properties", {}).items():
        if path or name not in ("apiVersion", "kind", "metadata"):
            yield f"{path}.{name}", inner
            yield from fields(inner, f"{path}.{name}")
    for word in ("items", "additionalProperties"):
        if word in value:
            yield f"{path}[]", value[word]
            yield from fields(value[word], f"{path}[]")


def complaint(inner: Json) -> str | None:
    """Say what a field's schema lacks."""
    bounds = {
        "string": "maxLength" in inner or "enum" in inner or inner.get("format") == "date-time",
        "array": "maxItems" in inner and "x-kubernetes-list-type" in inner,
        "object": "properties" in inner or "maxProperties" in inner,
        "integer": "format" in inner,
        "boolean": True,
        "": "maxLength" in inner and inner.get("x-kubernetes-int-or-string") is True,
    }
    if not bounds.get(inner.get("type", ""), False):
        return "a known type and its bounds"
    # A sentence: a `#` or `: ` in a plain YAML text would have cut it.
    return None if inner.get("description", "").endswith(".") else "a description that is a sentence"


@pytest.mark.parametrize("plural", ["domaincollections", "domainresults"])
def test_every_field_is_described_and_bounded(plural: str) -> None:
    assert {path: lack for path, inner in fields(schema(plural)) if (lack := complaint(inner))} == {}


def test_a_default_is_told_in_its_description() -> None:
    silent = [
        path
        for path, inner in fields(schema("domaincollections")["properties"]["spec"])
        if "default" in inner and inner["type"] != "object" and "efault" not in inner["description"]
    ]
    assert silent == []


def test_storage_has_no_default() -> None:
    assert "default" not in schema("domaincollections")["properties"]["spec"]["properties"]["storage"]


def test_ten_thousand_domains_cost_neither_managed_fields_nor_rules() -> None:
    domains = schema("domaincollections")["properties"]["spec"]["properties"]["domains"]
    assert domains["maxItems"] == 10_000
    assert domains["x-kubernetes-list-type"] == "atomic"
    assert domains["items"]["maxLength"] == MAX_ENTRY_LENGTH
    assert "x-kubernetes-validations" not in domains["items"]


def test_the_outcomes_are_those_of_the_contract() -> None:
    assert schema("domainresults")["properties"]["outcome"]["enum"] == list(Outcome)


def test_no_field_makes_a_result_look_like_a_list() -> None:
    # Kubernetes' Go clients take every object with `items` at its top for a list.
    assert "items" not in schema("domainresults")["properties"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_hold_collections_of_reserved_names_and_no_secret(path: Path) -> None:
    objects = {value["kind"]: value for value in yaml.safe_load_all(path.read_text("utf-8"))}
    assert "Secret" not in objects
    assert "DomainCollection" in objects
    listed = list(objects["DomainCollection"]["spec"].get("domains", ()))
    for text in objects.get("ConfigMap", {}).get("data", {}).values():
        listed += [entry for _, entry in read_list(text)]
    assert listed
    for entry in listed:
        try:
            name = normalise(entry)
        except NotADomainError:
            continue
        assert name == "example.com" or name.endswith(".example"), entry


def test_the_demo_shows_every_case() -> None:
    (demo,) = yaml.safe_load_all((ROOT / "examples" / "demo.yaml").read_text("utf-8"))
    simulated = {normalise(name) for name in demo_world()["domains"]}
    names, invalid = [], 0
    for entry in demo["spec"]["domains"]:
        try:
            names.append(normalise(entry))
        except NotADomainError:
            invalid += 1
    assert (len(names) + invalid, len(set(names)), invalid) == (12, 10, 1)
    assert set(names) <= simulated
    faulty = {normalise(fault["domain"]) for fault in demo_world()["faults"]}
    assert faulty <= set(names)


def demo_world() -> Json:
    value = yaml.safe_load((ROOT / "tests" / "hunter_simulator" / "demo.json").read_text("utf-8"))
    assert isinstance(value, dict)
    return value
