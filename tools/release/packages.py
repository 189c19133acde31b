"""Python packages: those that a lock file pins for an image, and those that were found in one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from packaging.metadata import parse_email
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

IMAGE_ENVIRONMENT: Final = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.13.0",
    "python_version": "3.13",
    "sys_platform": "linux",
}
"""What the markers of a lock file are asked in, whatever Python this is: the images' Python on Linux."""


@dataclass(frozen=True, order=True)
class Pin:
    """One version of one package; the name in its canonical form."""

    name: str
    version: str


@dataclass(frozen=True)
class Statement:
    """What a package says of itself, as far as it is needed here."""

    pin: Pin
    expression: str = ""
    """Its licence as SPDX has it, of metadata 2.4 and later."""
    licence: str = ""
    """Its licence in the words of older metadata: a name, or a whole text."""


def pinned(lock: str) -> frozenset[Pin]:
    """Return what a lock file pins for the images.

    Raises:
        ValueError: a line is no pin of one version.
    """
    found = set()
    for line in lock.splitlines():
        if not line or line[0] in " #":
            continue
        requirement = Requirement(line.removesuffix("\\"))
        versions = [one.version for one in requirement.specifier if one.operator == "=="]
        if len(versions) != 1:
            raise ValueError(f"{line!r} pins no version; make the lock anew with `make lock`")
        if requirement.marker is None or requirement.marker.evaluate(IMAGE_ENVIRONMENT):
            found.add(Pin(canonicalize_name(requirement.name), versions[0]))
    return frozenset(found)


def stated(metadata: bytes | str) -> Statement:
    """Read a METADATA file, as Python's core metadata has it."""
    raw, _ = parse_email(metadata)
    return Statement(
        Pin(canonicalize_name(raw["name"]), raw["version"]),
        raw.get("license_expression", ""),
        raw.get("license", ""),
    )


def differences(locked: Iterable[Pin], found: Iterable[Pin]) -> list[str]:
    """Tell in sentences where an image and its locks disagree; an empty list where they don't."""
    wanted, there = set(locked), set(found)
    return [
        *(f"{pin.name} {pin.version} is pinned and not in the image" for pin in sorted(wanted - there)),
        *(f"{pin.name} {pin.version} is in the image and not pinned" for pin in sorted(there - wanted)),
    ]
