"""The version: said once, in novahunt_contract, and all who must say the same."""

import re
from dataclasses import dataclass
from typing import Final

import yaml

from novahunt_contract import __version__

HOME: Final = "common/novahunt_contract/__init__.py"


@dataclass(frozen=True)
class Saying:
    """One place that says a version in a file of its own."""

    place: str
    version: str


def chart_sayings(chart: str) -> list[Saying]:
    """Read both versions of a Chart.yaml."""
    found = yaml.safe_load(chart)
    return [Saying(f"{name} in charts/novahunt/Chart.yaml", str(found.get(name))) for name in ("version", "appVersion")]


def disagreements(sayings: list[Saying], version: str = __version__) -> list[str]:
    """Tell in sentences who says another version than its home; an empty list where nobody does."""
    return [
        f"{saying.place} is {saying.version}, and the version in {HOME} is {version}: make them the same"
        for saying in sayings
        if saying.version != version
    ]


def has_heading(changelog: str, version: str = __version__) -> bool:
    """Tell whether a version has a section of its own in the change log, so that it may be released."""
    return re.search(rf"^## {re.escape(version)}\b(?![.-]\w)", changelog, re.MULTILINE) is not None


def is_told_of(changelog: str, version: str = __version__) -> bool:
    """Tell whether the change log has the version: with a section of its own, or named in what is not released yet."""
    _, _, unreleased = changelog.partition("\n## Unreleased\n")
    unreleased, _, _ = unreleased.partition("\n## ")
    return has_heading(changelog, version) or re.search(rf"\b{re.escape(version)}\b", unreleased) is not None
