"""An image is read from its archive alone, and its list names every package that its lock files pin."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from devcluster import archives
from tools.images import COLLECTOR, OPERATOR, Image
from tools.release.image_contents import DebianPackage, read
from tools.release.licences import locked
from tools.release.packages import Pin, differences
from unit.chart import ROOT
from unit.release import oci

DPKG = b"""\
Package: bash
Status: install ok installed
Architecture: amd64
Version: 5.2.37-2+b10
Description: GNU Bourne Again SHell
 It is a shell.

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0

Package: tzdata
Status: install ok installed
Architecture: all
Version: 2026b-0+deb13u1
"""
OLD, NEW, PIP = Pin("thing", "1.0"), Pin("thing", "2.0"), Pin("pip", "25.1.1")


def layer(*pins: Pin, licence: str = "MIT") -> dict[str, bytes]:
    return {oci.place(pin): oci.metadata(pin, f"License-Expression: {licence}") for pin in pins}


def test_both_kinds_of_packages_are_found(tmp_path: Path) -> None:
    image = read(oci.write(tmp_path, [{"var/lib/dpkg/status": DPKG}, layer(NEW)]))
    assert [one.pin for one in image.python] == [NEW]
    assert image.debian == (
        DebianPackage("bash", "5.2.37-2+b10", "amd64"),
        DebianPackage("tzdata", "2026b-0+deb13u1", "all"),
    )
    assert (image.user, image.labels, image.created) == ("65532:65532", oci.LABELS, "2026-11-26T12:00:00Z")


def test_python_packages_of_debian_are_told_of_once(tmp_path: Path) -> None:
    own = {oci.place(PIP, "usr/lib/python3/dist-packages"): oci.metadata(PIP)}
    assert read(oci.write(tmp_path, [own])).python == ()


def test_what_a_later_layer_removes_is_not_in_the_image(tmp_path: Path) -> None:
    folder, _, _ = oci.place(OLD).rpartition("/")
    parent, _, name = folder.rpartition("/")
    image = read(oci.write(tmp_path, [layer(OLD), {f"{parent}/.wh.{name}": b""} | layer(NEW)]))
    assert [one.pin for one in image.python] == [NEW]


def test_an_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    oci.write(tmp_path, [])
    (tmp_path / "layout" / "index.json").write_text('{"manifests": []}')
    archives.pack(tmp_path / "layout", tmp_path / "other.tar")
    with pytest.raises(ValueError, match=r"other\.tar is no OCI archive of one image"):
        read(tmp_path / "other.tar")


@pytest.fixture(scope="module")
def release_python() -> str:
    """The environment of `make release`, which has the library that writes the list."""
    done = subprocess.run(
        ["scripts/venv", "--lock", "release"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=280
    )
    assert done.returncode == 0, done.stderr
    return f"{done.stdout.strip()}/bin/python"


def listed(python: str, archive: Path) -> tuple[int, str, str]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'common'}"}
    words = [python, "-m", "tools.release.sbom", str(archive)]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("image", [OPERATOR, COLLECTOR], ids=lambda image: image.name)
def test_the_list_has_every_package_that_is_pinned(image: Image, release_python: str, tmp_path: Path) -> None:
    pins = locked(image)
    archive = oci.write(tmp_path, [{"var/lib/dpkg/status": DPKG}, layer(*pins)])
    assert differences(pins, (one.pin for one in read(archive).python)) == []
    code, out, err = listed(release_python, archive)
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    names = {component["purl"] for component in found["components"]}
    assert {f"pkg:pypi/{pin.name}@{pin.version}" for pin in pins} <= names
    assert "pkg:deb/debian/bash@5.2.37-2%2Bb10?arch=amd64" in names
    assert len(names) == len(pins) + 2
    assert found["metadata"]["component"]["name"] == "novahunt-example"
    assert found["metadata"]["component"]["version"] == "1.2.3"
    # The same image has the same list: no time and no number of the day.
    assert listed(release_python, archive)[1] == out


def test_an_image_that_does_not_say_what_it_is_gets_no_list(release_python: str, tmp_path: Path) -> None:
    code, _, err = listed(release_python, oci.write(tmp_path, [], labels={}))
    assert code == 1
    assert "has no label org.opencontainers.image.title and no label org.opencontainers.image.version" in err
