"""The version is said in one place, and all who say it again say the same."""

import re
import subprocess
import sys
import tomllib

import pytest

from novahunt_contract import __version__
from tools.images import labels
from tools.release import version
from unit.chart import CHART, ROOT


def test_the_chart_has_the_version_of_the_programs() -> None:
    assert version.disagreements(version.chart_sayings((CHART / "Chart.yaml").read_text())) == []


def test_a_chart_of_another_version_is_named_with_what_to_do() -> None:
    sayings = version.chart_sayings("version: 1.2.3\nappVersion: '1.2.4'\n")
    (told,) = version.disagreements(sayings, "1.2.3")
    assert told.startswith("appVersion in charts/novahunt/Chart.yaml is 1.2.4, and the version in ")
    assert told.endswith("is 1.2.3: make them the same")


@pytest.mark.parametrize(
    ("changelog", "heading", "told"),
    [
        ("# Changelog\n\n## Unreleased\n\n* Nothing.\n", False, False),
        ("# Changelog\n\n## Unreleased\n\nThis will be 1.2.3.\n", False, True),
        ("# Changelog\n\n## 1.2.3 (2026-12-01)\n\n* All.\n", True, True),
        ("# Changelog\n\n## 1.2.3-rc.1\n\n* All.\n", False, False),
        ("# Changelog\n\n## 11.2.3\n\n## 1.2.30\n", False, False),
        ("# Changelog\n\n## Unreleased\n\n* New.\n\n## 1.2.2\n\nThe next will be 1.2.3.\n", False, False),
    ],
)
def test_the_change_log_has_a_version_when_it_has_its_heading(changelog: str, heading: bool, told: bool) -> None:  # noqa: FBT001
    assert version.has_heading(changelog, "1.2.3") is heading
    assert version.is_told_of(changelog, "1.2.3") is told


def test_the_change_log_tells_of_this_version() -> None:
    assert version.is_told_of((ROOT / "CHANGELOG.md").read_text())


def test_the_wheel_takes_its_version_from_the_one_home() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"]["path"] == version.HOME


def test_no_other_module_has_a_version_of_its_own() -> None:
    tracked = subprocess.run(
        ["git", "grep", "-lE", r"^(__version__|VERSION) *(: *\w+ *)?= *[\"'][0-9]", "--", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert tracked.stdout.split() == [version.HOME]


@pytest.mark.parametrize("program", ["novahunt_cli", "novahunt_collector"])
def test_a_command_line_says_the_version(program: str) -> None:
    done = subprocess.run([sys.executable, "-m", program, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == __version__


def test_each_image_is_labelled_with_it() -> None:
    assert ("org.opencontainers.image.version", __version__) in labels()


@pytest.mark.parametrize("example", ["examples/flux/operator/release.yaml", "examples/argocd/application.yaml"])
def test_the_examples_take_images_of_this_version(example: str) -> None:
    tags = re.findall(r'^\s*tag: "(.*)"$', (ROOT / example).read_text(), re.MULTILINE)
    assert tags == [__version__, __version__]
