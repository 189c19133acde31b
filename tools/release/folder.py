"""The folder that a release is made in: where it may be, and the checksums of what is in it."""

import hashlib
from pathlib import Path
from typing import Final

from tools.shell import ROOT

SUMS: Final = "SHA256SUMS"


class UnusableFolderError(Exception):
    """A release can't be made there; the text tells why and what to do."""


def usable(folder: Path) -> Path:
    """Return the whole path of a folder for a release, made.

    Raises:
        UnusableFolderError: it is in the checkout, or holds something.
        OSError: it can't be made.
    """
    whole = folder.absolute()
    if whole.resolve().is_relative_to(ROOT):
        raise UnusableFolderError(f"{whole} is in the checkout: name a folder outside of it with OUTPUT=…")
    if whole.exists() and (not whole.is_dir() or any(whole.iterdir())):
        raise UnusableFolderError(f"{whole} is not empty: name a new folder with OUTPUT=…")
    whole.mkdir(parents=True, exist_ok=True)
    return whole


def sums(folder: Path) -> str:
    """Return the SHA-256 of every file in a folder but their own list, in the form that `sha256sum --check` reads."""
    files = sorted(path for path in folder.iterdir() if path.name != SUMS)
    return "".join(f"{_sha256(path)}  {path.name}\n" for path in files)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
