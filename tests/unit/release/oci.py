"""Writes OCI archives for tests: the form of the real thing, with a few small files."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from devcluster import archives
from tools.release.packages import Pin

Layer = Mapping[str, bytes]

LABELS = {
    "org.opencontainers.image.title": "novahunt-example",
    "org.opencontainers.image.version": "1.2.3",
}


def metadata(pin: Pin, *lines: str) -> bytes:
    """Return a METADATA file."""
    head = ("Metadata-Version: 2.4", f"Name: {pin.name}", f"Version: {pin.version}", *lines)
    return ("\n".join(head) + "\n\nA description.\n").encode()


def place(pin: Pin, folder: str = "venv/lib/python3.13/site-packages") -> str:
    """Return where pip lays a package's METADATA."""
    return f"{folder}/{pin.name.replace('-', '_')}-{pin.version}.dist-info/METADATA"


def write(folder: Path, layers: Sequence[Layer], labels: Mapping[str, str] = LABELS) -> Path:
    """Write an archive of one image into a folder, and return it."""
    layout = folder / "layout"
    (layout / "blobs" / "sha256").mkdir(parents=True)
    packed = [_blob(layout, _tar(layer)) for layer in layers]
    configuration = _blob(
        layout,
        json.dumps(
            {"created": "2026-11-26T12:00:00Z", "config": {"Labels": dict(labels), "User": "65532:65532"}}
        ).encode(),
    )
    manifest = _blob(layout, json.dumps({"config": configuration, "layers": packed}).encode())
    (layout / "index.json").write_text(json.dumps({"manifests": [manifest]}))
    archives.pack(layout, folder / "image.tar")
    return folder / "image.tar"


def _blob(layout: Path, content: bytes) -> dict[str, str | int]:
    digest = hashlib.sha256(content).hexdigest()
    (layout / "blobs" / "sha256" / digest).write_bytes(content)
    return {"digest": f"sha256:{digest}", "size": len(content)}


def _tar(files: Layer) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()
