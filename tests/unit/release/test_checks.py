"""A release is made of a clean main with a new version that the change log has, in a new folder elsewhere."""

import dataclasses
from pathlib import Path

import pytest

from tools.release import checks
from tools.release.checks import Checkout, problems
from tools.release.folder import UnusableFolderError, usable
from unit.chart import ROOT

FIT = Checkout(
    branch="main",
    revision="0" * 40,
    seconds=1_700_000_000,
    changed=(),
    tags=frozenset({"v1.2.2"}),
    changelog="# Changelog\n\n## 1.2.3\n",
    chart="version: 1.2.3\nappVersion: 1.2.3\n",
)


def test_nothing_hinders_a_fit_checkout() -> None:
    assert problems(FIT, "1.2.3") == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"branch": "fix"}, "the branch is fix: a release is made from main"),
        ({"branch": ""}, "the branch is none: a release is made from main"),
        ({"changed": (" M README.md", "?? new")}, "2 files differ from the commit, README.md for one"),
        (
            {"tags": frozenset({"v1.2.3"})},
            "the tag v1.2.3 is there already: raise the version in common/novahunt_contract/__init__.py",
        ),
        (
            {"changelog": "# Changelog\n\n## Unreleased\n\nThis will be 1.2.3."},
            "CHANGELOG.md has no heading `## 1.2.3`",
        ),
    ],
)
def test_each_hindrance_is_named(change: dict[str, object], told: str) -> None:
    assert problems(dataclasses.replace(FIT, **change), "1.2.3") == [told]  # type: ignore[arg-type]


def test_a_chart_of_another_version_hinders() -> None:
    (told,) = problems(dataclasses.replace(FIT, chart="version: 1.2.3\nappVersion: 1.2.2\n"), "1.2.3")
    assert told.startswith("appVersion in charts/novahunt/Chart.yaml is 1.2.2")


def test_this_checkout_can_be_looked_at() -> None:
    found = checks.look()
    assert len(found.revision) == 40
    assert found.seconds > 1_700_000_000
    assert found.changelog.startswith("# Changelog")


@pytest.mark.parametrize("place", [ROOT / "out", ROOT / ".git" / "out"])
def test_a_folder_in_the_checkout_is_refused(place: Path) -> None:
    with pytest.raises(UnusableFolderError, match="is in the checkout: name a folder outside of it"):
        usable(place)
    assert not place.exists()


def test_a_folder_that_holds_something_is_refused_and_a_new_one_is_made(tmp_path: Path) -> None:
    (tmp_path / "older").write_text("")
    with pytest.raises(UnusableFolderError, match="is not empty: name a new folder"):
        usable(tmp_path)
    assert usable(tmp_path / "new" / "one").is_dir()
