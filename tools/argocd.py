"""Writes what is made for Argo CD below `argocd/`: recorded objects for its tests, and its settings; `make argocd`.

The Lua files and what is expected of them are written by hand, in the form of Argo CD's own repository; see
docs/gitops.md.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

import recorded_states
from novahunt_api import names
from tools.shell import ROOT

FOLDER = ROOT / "argocd"
KIND = FOLDER / "novahunt.io/DomainCollection"
SETTINGS = FOLDER / "argocd-cm.yaml"

_HEAD = """# Settings of Argo CD for DomainCollections, to be merged into its ConfigMap argocd-cm:
#
#   kubectl -n argocd patch configmap argocd-cm --type merge --patch-file argocd/argocd-cm.yaml
#
# Made by `make argocd` of the Lua files beside it, and of crds/domainresults.yaml.
"""
_COLLECTION = f"{names.GROUP}_DomainCollection"
_RESULT = f"{names.GROUP}_DomainResult"
_CUSTOMIZATIONS = "resource.customizations"

Json = dict[str, Any]


class _Dumper(yaml.SafeDumper):
    """Indents lists, and writes texts of several lines as they are, as yamllint and people want it."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def dump(value: Mapping[str, Any]) -> str:
    """Return YAML."""
    return yaml.dump(dict(value), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def recorded() -> dict[Path, str]:
    """Return the recorded objects, and what actions must make of some, by file."""
    files = {KIND / f"testdata/{name}.yaml": dump(value) for name, value in recorded_states.states().items()}
    for name, (_, _, expected) in recorded_states.after_actions().items():
        files[KIND / f"actions/testdata/{name}.yaml"] = dump(expected)
    return files


def settings() -> str:
    """Return the settings as a ConfigMap."""
    data = {
        f"{_CUSTOMIZATIONS}.health.{_COLLECTION}": (KIND / "health.lua").read_text("utf-8"),
        f"{_CUSTOMIZATIONS}.actions.{_COLLECTION}": dump(_actions()),
        **{
            f"{_CUSTOMIZATIONS}.ignoreResourceUpdates.{kind}": dump(ignored) for kind, ignored in quiet_fields().items()
        },
    }
    labels = {"app.kubernetes.io/name": "argocd-cm", "app.kubernetes.io/part-of": "argocd"}
    metadata = {"name": "argocd-cm", "namespace": "argocd", "labels": labels}
    return _HEAD + dump({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})


def _actions() -> Json:
    found = sorted((KIND / "actions").glob("*/action.lua"))
    return {
        "discovery.lua": (KIND / "actions/discovery.lua").read_text("utf-8"),
        "definitions": [{"name": file.parent.name, "action.lua": file.read_text("utf-8")} for file in found],
    }


def quiet_fields() -> dict[str, Json]:
    """Return, by kind, the fields whose change is no news for an Application."""
    ledger = (names.CREDITS_ANNOTATION, names.COUNTS_ANNOTATION)
    return {
        _COLLECTION: {"jsonPointers": ["/status"]},
        _RESULT: {"jsonPointers": [f"/{field}" for field in _result_fields()]},
        "batch_Job": {
            "jsonPointers": ["/status"],
            "jqPathExpressions": [f'.metadata.annotations."{annotation}"' for annotation in ledger],
        },
        # A pod of a Job is bound to a node, and the Job controller takes its finalizer away.
        "Pod": {"jsonPointers": ["/status", "/spec/nodeName", "/metadata/finalizers"]},
    }


def _result_fields() -> list[str]:
    (version,) = yaml.safe_load((ROOT / "crds/domainresults.yaml").read_text("utf-8"))["spec"]["versions"]
    fields = version["schema"]["openAPIV3Schema"]["properties"]
    return [field for field in fields if field not in {"apiVersion", "kind", "metadata", "domain", "collection"}]


def main() -> None:
    """Write all files, and remove recorded objects of states that are gone."""
    files = recorded()
    for old in {*KIND.glob("testdata/*.yaml"), *KIND.glob("actions/testdata/*.yaml")} - files.keys():
        old.unlink()
    for file, text in {**files, SETTINGS: settings()}.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
