"""Licences of the packages in the images: which are allowed, and the list docs/licences.md.

Run as `python -m tools.release.licences`, which writes the list anew.
"""

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from tools.images import COLLECTOR, OPERATOR, Image
from tools.release.packages import Pin, Statement, pinned, stated
from tools.shell import ROOT

ALLOWED: Final = frozenset({"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0"})
"""By their SPDX names: an image under Apache-2.0 may hold what is under these. Each part of a choice counts."""

READ: Final[Mapping[str, str]] = {
    "aiosignal": "Apache-2.0",
    "jinja2": "BSD-3-Clause",
    "protobuf": "BSD-3-Clause",
    "uvloop": "Apache-2.0 OR MIT",
}
"""Packages that don't name their licence as SPDX does; read in the licence files of their wheels, 2026-11-26."""

LIST: Final = ROOT / "docs" / "licences.md"

_OPERATORS: Final = frozenset({"AND", "OR", "WITH", "(", ")"})


@dataclass(frozen=True)
class Licensed:
    """A package and its licence; an empty one where it could not be told."""

    pin: Pin
    licence: str


def licensed(statement: Statement) -> Licensed:
    """Tell a package's licence: read by us, or what it says itself where that is an SPDX expression."""
    for said in (READ.get(statement.pin.name, ""), statement.expression, statement.licence):
        try:
            return Licensed(statement.pin, canonicalize_license_expression(said))
        except InvalidLicenseExpression:
            continue
    return Licensed(statement.pin, "")


def refusals(packages: Iterable[Licensed]) -> list[str]:
    """Tell in sentences which packages may not be in an image, and what to do; an empty list if all may."""
    found = []
    for package in packages:
        named = set(re.findall(r"[()]|[^\s()]+", package.licence)) - _OPERATORS
        if not named:
            found.append(
                f"{package.pin.name} names no licence that SPDX knows: read its licence file, and add it to READ "
                "in tools/release/licences.py"
            )
        elif unknown := sorted(named - ALLOWED):
            found.append(
                f"{package.pin.name} is under {package.licence}: {', '.join(unknown)} is not allowed. Do without the "
                "package, or have the licence looked at and add it to ALLOWED in tools/release/licences.py"
            )
    return found


def locked(image: Image) -> frozenset[Pin]:
    """Return what an image's lock files pin."""
    return frozenset().union(*(pinned((ROOT / lock).read_text()) for lock in image.locks))


def installed(image: Image) -> list[Statement]:
    """Return what the packages of an image say of themselves, where this runs: they must be installed there.

    Raises:
        PackageNotFoundError: one is not.
    """
    return [stated(_metadata(pin.name)) for pin in sorted(locked(image))]


def _metadata(name: str) -> str:
    # As the file has it: the library's own form of it can't always be written again.
    return metadata.distribution(name).read_text("METADATA") or ""


def table(holdings: Mapping[str, Iterable[Statement]]) -> str:
    """Write the list: each package with its licence and the images that hold it."""
    users: dict[tuple[str, str], list[str]] = {}
    for name, statements in holdings.items():
        for package in map(licensed, statements):
            users.setdefault((package.pin.name, package.licence), []).append(name)
    rows = (f"| {name} | {licence} | {', '.join(users[name, licence])} |" for name, licence in sorted(users))
    return "\n".join(("| package | licence | in |", "| --- | --- | --- |", *rows, ""))


_HEAD: Final = """# Licences

This page lists the Python packages in the images and their licences, by their SPDX names. `make licences` writes it
from the lock files, which hold the versions; [supply-chain.md](supply-chain.md#licences) tells which licences are
allowed, and of the rest of an image.

"""


def current() -> str:
    """Write the page: the list of the images as they would be built from this checkout."""
    return _HEAD + table({image.name: installed(image) for image in (OPERATOR, COLLECTOR)})


def main(target: Path = LIST) -> None:
    """Write the list, and refuse a package whose licence is not allowed."""
    if wrong := refusals(licensed(one) for image in (OPERATOR, COLLECTOR) for one in installed(image)):
        sys.exit("\n".join(dict.fromkeys(wrong)))
    target.write_text(current())


if __name__ == "__main__":
    main()
