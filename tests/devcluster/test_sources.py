"""The Go sources say the same versions as Python, name no machine, and each change of them is built anew."""

import dataclasses
import re
from pathlib import Path

import pytest

from devcluster import programs, versions
from devcluster.paths import CONFIG, GO_SOURCES, SOURCES


@pytest.mark.parametrize(
    ("program", "requirement"),
    [
        ("kubernetes", f"k8s.io/kubernetes v{versions.KUBERNETES}"),
        ("coredns", f"github.com/coredns/coredns v{versions.COREDNS}"),
        ("kwok", f"sigs.k8s.io/kwok v{versions.KWOK}"),
        ("helm", f"helm.sh/helm/v4 v{versions.HELM}"),
        ("kube-router", f"github.com/cloudnativelabs/kube-router/v2 v{versions.KUBE_ROUTER}"),
        ("prometheus", f"github.com/prometheus/prometheus v{versions.PROMETHEUS}"),
        ("promtool", f"github.com/prometheus/prometheus v{versions.PROMETHEUS}"),
    ],
)
def test_each_go_module_pins_the_version_that_the_cache_is_keyed_by(program: str, requirement: str) -> None:
    assert requirement in (GO_SOURCES / program / "go.mod").read_text()


def test_kubernetes_staging_modules_are_of_its_own_version() -> None:
    staging = versions.KUBERNETES.replace("1.", "v0.", 1)
    module = (GO_SOURCES / "kubernetes" / "go.mod").read_text()
    replaced = re.findall(r"^\tk8s\.io/\S+ => k8s\.io/\S+ (\S+)$", module, re.MULTILINE)
    assert len(replaced) > 20
    assert set(replaced) == {staging}


def test_every_program_has_its_own_place_and_every_component_a_link() -> None:
    places = [programs.entry(program, Path("/cache")).path for program in programs.ALL]
    assert len(set(places)) == len(places)
    main = (GO_SOURCES / "kubernetes" / "main.go").read_text()
    assert set(re.findall(r'^\t"([a-z-]+)":', main, re.MULTILINE)) == set(programs.KUBERNETES.links)


def test_build_tags_are_told_to_go_and_are_part_of_the_place() -> None:
    flags = programs.PROMTOOL.flags
    assert flags[flags.index("-tags") + 1] == "remove_all_sd"
    assert "-tags" not in programs.HELM.flags
    whole = dataclasses.replace(programs.PROMTOOL, tags=())
    assert programs.entry(whole, Path("/cache")) != programs.entry(programs.PROMTOOL, Path("/cache"))


def test_another_source_is_another_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "GO_SOURCES", tmp_path)
    (tmp_path / "pause").mkdir()
    source = tmp_path / "pause" / "main.go"
    source.write_text("package main")
    before = programs.entry(programs.PAUSE, Path("/cache")).path
    source.write_text("package main // changed")
    assert programs.entry(programs.PAUSE, Path("/cache")).path != before


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    files = [*SOURCES.glob("*.py"), *CONFIG.iterdir(), *GO_SOURCES.glob("*/main.go"), *GO_SOURCES.glob("*/go.mod")]
    for file in files:
        assert not re.search(r"/root/|/home/|/work/", file.read_text()), file
