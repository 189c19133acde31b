"""What is in an image: read from its OCI archive, without an engine and without root."""

import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path
from typing import Any, Final

from tools.release.packages import Statement, stated

_METADATA: Final = re.compile(r".*\.dist-info/METADATA")
_DEBIANS_OWN: Final = "usr/lib/python3/dist-packages/"
"""Python packages there belong to packages of Debian, and are told of as such."""
_DPKG: Final = "var/lib/dpkg/status"
_WHITEOUT: Final = ".wh."


@dataclass(frozen=True, order=True)
class DebianPackage:
    """A package of Debian that is installed in an image."""

    name: str
    version: str
    architecture: str


@dataclass(frozen=True)
class Contents:
    """An image: what names it, and what is installed in it."""

    digest: str
    """Of its manifest, with the algorithm: what a registry calls it by."""
    configuration: str
    """Digest of its configuration: what an engine calls it by (image ID)."""
    packed: int
    """Bytes of its layers as they are sent."""
    labels: dict[str, str]
    user: str
    created: str
    python: tuple[Statement, ...]
    debian: tuple[DebianPackage, ...]


def read(archive: Path) -> Contents:
    """Read an OCI archive of one image.

    Raises:
        ValueError: it is no archive of one image.
    """
    with tarfile.open(archive) as outer:
        try:
            index = _json(outer, "index.json")
            (image,) = index["manifests"]
            manifest = _blob_json(outer, image["digest"])
            configuration = _blob_json(outer, manifest["config"]["digest"])
        except (KeyError, ValueError) as error:
            raise ValueError(f"{archive} is no OCI archive of one image: {error}") from None
        files: dict[str, bytes] = {}
        for layer in manifest["layers"]:
            _apply(outer, layer["digest"], files)
    settings = configuration["config"]
    return Contents(
        digest=image["digest"],
        configuration=manifest["config"]["digest"],
        packed=sum(layer["size"] for layer in manifest["layers"]),
        labels=settings.get("Labels") or {},
        user=settings.get("User", ""),
        created=configuration.get("created", ""),
        python=tuple(sorted(map(stated, _python(files)), key=lambda statement: statement.pin)),
        debian=tuple(sorted(debian(files.get(_DPKG, b"").decode()))),
    )


def debian(status: str) -> Iterator[DebianPackage]:
    """Read dpkg's list of what is installed."""
    for paragraph in status.strip().split("\n\n") if status.strip() else ():
        fields = Parser().parsestr(paragraph, headersonly=True)
        if fields["Status"] == "install ok installed":
            yield DebianPackage(fields["Package"], fields["Version"], fields["Architecture"])


def _python(files: dict[str, bytes]) -> Iterator[bytes]:
    return (content for name, content in files.items() if _METADATA.fullmatch(name))


def _apply(outer: tarfile.TarFile, digest: str, files: dict[str, bytes]) -> None:
    """Lay one layer over what the ones below have left: files that matter, and files that are removed."""
    with tarfile.open(fileobj=outer.extractfile(_blob(digest))) as layer:
        for entry in layer:
            name = entry.name.removeprefix("./")
            folder, _, base = name.rpartition("/")
            if base.startswith(_WHITEOUT):
                removed = f"{folder}/{base.removeprefix(_WHITEOUT)}".removeprefix("/")
                for gone in [known for known in files if known == removed or known.startswith(f"{removed}/")]:
                    del files[gone]
            elif _matters(name) and (content := layer.extractfile(entry)) is not None:
                files[name] = content.read()


def _matters(name: str) -> bool:
    return name == _DPKG or (_METADATA.fullmatch(name) is not None and not name.startswith(_DEBIANS_OWN))


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _blob_json(outer: tarfile.TarFile, digest: str) -> Any:
    return _json(outer, _blob(digest))


def _json(outer: tarfile.TarFile, name: str) -> Any:
    file = outer.extractfile(name)
    if file is None:
        raise ValueError(f"{name} is no file")
    return json.load(file)
