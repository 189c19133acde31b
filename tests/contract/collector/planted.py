"""Suppression lists on the disk, and the search for what they name in all that a collector leaves."""

import json
from pathlib import Path

import msgspec

from novahunt_contract import environment as names

LIST_NAME = "Secret do-not-contact, key list.txt"


class Lists:
    """One list in a folder of its own, as it is mounted into a pod: nothing else of a test lies there."""

    def __init__(self, folder: Path, *entries: str) -> None:
        folder.mkdir()
        self.path = folder / "list"
        self.write(*entries)

    def write(self, *entries: str) -> None:
        """Put another list in its place, in one step as the kubelet does."""
        new = self.path.with_name("new")
        new.write_text("".join(f"{entry}\n" for entry in entries), encoding="utf-8")
        new.replace(self.path)

    @property
    def environ(self) -> dict[str, str]:
        """Return what a Job's pod would be told of it."""
        return {names.SUPPRESSION: json.dumps([{"name": LIST_NAME, "path": str(self.path)}])}


def traces(address: str, *places: Path | bytes | str | msgspec.Struct | None) -> list[str]:
    """Return where an address is found, in any case: the files of a folder with all below it, and what was said."""
    found = []
    wanted = address.lower().encode()
    for number, place in enumerate(places):
        if isinstance(place, Path):
            files = [path for path in place.rglob("*") if path.is_file()]
            found += [str(path) for path in files if wanted in path.read_bytes().lower()]
            found += [str(path) for path in place.rglob("*") if address.lower() in path.name.lower()]
        elif place is not None:
            text = place.encode() if isinstance(place, str) else place
            data = text if isinstance(text, bytes) else msgspec.json.encode(text)
            found += [f"text {number}"] if wanted in data.lower() else []
    return found
