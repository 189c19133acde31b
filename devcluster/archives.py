"""Archives whose bytes tell of their files alone: no time, no owner, and one order."""

import gzip
import tarfile
from pathlib import Path
from typing import IO, cast


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = 0
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry


def pack(folder: Path, target: Path, *, compress: bool = False) -> None:
    """Write everything below a folder into a tar archive, through gzip if asked for; names are those below the folder.

    Raises:
        OSError: a file can't be read, or the archive not written.
    """
    with target.open("wb") as file:
        if compress:
            # Without a name and a time, which gzip writes into its head.
            with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
                _write(folder, cast("IO[bytes]", packed))
        else:
            _write(folder, file)


def _write(folder: Path, out: IO[bytes]) -> None:
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.add(path, path.relative_to(folder).as_posix(), recursive=False, filter=_plain)
