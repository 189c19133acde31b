"""The examples for Argo CD and Flux, as files: they fit together, and what they apply is kept as it is written."""

from pathlib import Path
from typing import Any

import pytest
import yaml

import recorded_states
from novahunt_contract.domains import normalise, read_list
from unit.chart import CHART, ROOT, TEMPLATE, Helm, Json, names, of_kind

ARGO_CD = ROOT / "examples/argocd"
FLUX = ROOT / "examples/flux"
COLLECTIONS = [ARGO_CD / "collections/leads.yaml", FLUX / "collections/leads.yaml"]
WAVE = "argocd.argoproj.io/sync-wave"


def read(path: Path) -> list[Json]:
    return list(yaml.safe_load_all(path.read_text("utf-8")))


def one(path: Path, kind: str, name: str | None = None) -> Json:
    (found,) = (obj for obj in of_kind(read(path), kind) if name in (None, obj["metadata"]["name"]))
    return found


def rendered(helm: Helm, values: Json, folder: Path) -> list[Json]:
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(values), "utf-8")
    code, out, err = helm.run(*TEMPLATE, "novahunt", str(CHART), "--namespace", "novahunt", "--values", str(file))
    assert code == 0, err
    return [value for value in yaml.safe_load_all(out) if value]


def wave(obj: Json) -> int:
    return int(obj["metadata"].get("annotations", {}).get(WAVE, "0"))


# What is applied stays as it is written


def added(before: Any, after: Any) -> bool:
    """Tell whether nothing was changed or removed, only fields added."""
    if isinstance(before, dict) and isinstance(after, dict):
        return all(name in after and added(inner, after[name]) for name, inner in before.items())
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(added, before, after))
    return bool(before == after)


@pytest.mark.parametrize("path", COLLECTIONS, ids=lambda path: path.parts[-3])
def test_the_schema_drops_nothing_of_a_collection_and_its_defaults_only_add(path: Path) -> None:
    made = one(path, "DomainCollection")
    schema = recorded_states.schema()
    assert list(recorded_states.unknown(schema["properties"]["spec"], made["spec"])) == []
    assert added(made, recorded_states.with_defaults(schema, made))


@pytest.mark.parametrize("path", COLLECTIONS, ids=lambda path: path.parts[-3])
def test_a_collection_leaves_its_wishes_to_actions_and_has_no_end_of_its_own(path: Path) -> None:
    wishes = one(path, "DomainCollection")["spec"]
    assert not wishes.keys() & {"suspend", "retryFailed", "recollect"}
    assert "ttlSecondsAfterFinished" not in wishes, "what is gone would be made again"


def test_the_operator_may_write_nothing_that_stands_in_a_repository(helm: Helm) -> None:
    rules = [rule for role in of_kind(helm.template(), "Role") for rule in role.get("rules", ())]
    verbs = {verb for rule in rules if "domaincollections" in rule["resources"] for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch", "delete"}, "delete is for ttlSecondsAfterFinished"


@pytest.mark.parametrize("path", COLLECTIONS, ids=lambda path: path.parts[-3])
def test_a_list_holds_reserved_names_and_is_the_one_that_the_collection_names(path: Path) -> None:
    (reference,) = one(path, "DomainCollection")["spec"]["domainsFrom"]
    listed = one(path, "ConfigMap", reference["configMapKeyRef"]["name"])["data"][reference["configMapKeyRef"]["key"]]
    domains = [normalise(entry) for _, entry in read_list(listed)]
    assert domains
    assert all(domain.endswith(".example") for domain in domains)


# Argo CD


def application() -> Json:
    return one(ARGO_CD / "application.yaml", "Application")


def test_the_application_applies_on_the_server_and_compares_there() -> None:
    assert "ServerSideApply=true" in application()["spec"]["syncPolicy"]["syncOptions"]
    options = application()["metadata"]["annotations"]["argocd.argoproj.io/compare-options"]
    assert options == "ServerSideDiff=true"


def test_the_kinds_come_first_then_the_operator_then_collections(helm: Helm, tmp_path: Path) -> None:
    chart, leads = application()["spec"]["sources"]
    assert (ROOT / chart["path"]).resolve() == CHART
    assert (ARGO_CD / leads["path"]).is_dir()
    objects = rendered(helm, chart["helm"]["valuesObject"], tmp_path)
    kinds = of_kind(objects, "CustomResourceDefinition")
    assert {wave(kind) for kind in kinds} == {-1}
    assert {wave(obj) for obj in objects if obj not in kinds} == {0}
    assert {wave(obj) for obj in read(ARGO_CD / "collections/leads.yaml")} == {1}


# Flux


def test_each_step_waits_for_the_one_before() -> None:
    steps = of_kind(read(FLUX / "cluster.yaml"), "Kustomization")
    before = [[step["name"] for step in one["spec"].get("dependsOn", ())] for one in steps]
    assert before == [[], ["novahunt-kinds"], ["novahunt"]]
    assert [one["metadata"]["name"] for one in steps] == ["novahunt-kinds", "novahunt", "leads"]
    assert all(one["spec"]["wait"] for one in steps)
    assert [one["spec"]["prune"] for one in steps] == [False, True, True]


def test_every_step_finds_its_files() -> None:
    roots = {"novahunt": ROOT, "leads": FLUX}
    assert set(names(read(FLUX / "cluster.yaml"), "GitRepository")) == set(roots)
    for step in of_kind(read(FLUX / "cluster.yaml"), "Kustomization"):
        folder = roots[step["spec"]["sourceRef"]["name"]] / step["spec"]["path"]
        assert list(folder.glob("*.yaml")), folder


def test_the_release_goes_without_the_kinds_because_flux_drops_links(helm: Helm, tmp_path: Path) -> None:
    assert (CHART / "files/crds").is_symlink(), "else the chart may bring them under Flux, too"
    release = one(FLUX / "operator/release.yaml", "HelmRelease")["spec"]
    assert (ROOT / release["chart"]["spec"]["chart"]).resolve() == CHART
    objects = rendered(helm, release["values"], tmp_path)
    assert of_kind(objects, "CustomResourceDefinition") == []
    assert of_kind(objects, "Deployment")
