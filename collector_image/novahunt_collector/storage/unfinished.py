"""What runs that did not finish left in a folder, as errands see it: saved pages, and temporary files."""

import os
import re
import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from novahunt_collector import checkpoint as checkpoints
from novahunt_collector.checkpoint import Checkpoint, InvalidCheckpointError
from novahunt_collector.storage import files, threads
from novahunt_collector.storage.checkpoints import MAX_BYTES, checkpoint_path
from novahunt_collector.storage.folder_holding import names_in
from novahunt_collector.sweep_rules import Remove, Rules, left_of_checkpoint

LEFTOVER_SECONDS = 900.0
"""A temporary file that is older belongs to no run that is at work: none writes for so long."""

_CHECKPOINT = re.compile(r"\.novahunt-[0-9a-f]{16}\.checkpoint")
_TEMPORARY = re.compile(r"\.novahunt-[0-9a-f]{16}-[0-9a-f]{16}\.tmp")

_T = TypeVar("_T")


class _State(NamedTuple):
    """A file as it was read; whatever differs was written since."""

    inode: int
    size: int
    changed: int


class Unfinished:
    """The hidden files of one folder.

    A run that is at work notices at its next page that its saved pages were replaced. It ends, and its next attempt
    goes on from what is left, under the lists of now.
    """

    def __init__(self, folder: Path, patience: float) -> None:
        """Take the folder, and the seconds that one of its files may take."""
        self._folder = folder
        self._patience = patience

    async def checkpoints(self) -> Sequence[str]:
        """Return the names of all saved pages."""
        return [name for name in await self._names() if _CHECKPOINT.fullmatch(name)]

    async def sweep(self, name: str, rules: Rules) -> bool:
        """Leave of saved pages what may stay; tell whether anything went."""
        return await self._in_time(lambda: self._sweep(self._folder / name, rules))

    async def clear(self) -> int:
        """Remove the temporary files that no run at work can own; return how many."""
        names = [name for name in await self._names() if _TEMPORARY.fullmatch(name)]
        return await self._in_time(lambda: sum(self._clear(self._folder / name) for name in names))

    async def erase(self) -> int:
        """Remove all of it; whoever asks knows that no run is at work. Return how many files went."""
        names = [name for name in await self._names() if _CHECKPOINT.fullmatch(name) or _TEMPORARY.fullmatch(name)]
        return await self._in_time(lambda: sum(self._erase(self._folder / name) for name in names))

    async def _names(self) -> Sequence[str]:
        return await self._in_time(lambda: names_in(self._folder))

    async def _in_time(self, work: Callable[[], _T]) -> _T:
        return await threads.within(self._patience, self._folder, work)

    def _sweep(self, path: Path, rules: Rules) -> bool:
        with files.explained(path):
            try:
                before = _state(path)
                left = _left(path, rules)
            except FileNotFoundError:
                return False
            if left is None:
                return False
            if isinstance(left, Remove):
                return self._removed(path, before)
            data = checkpoints.encode(_renewed(left))
            temporary = files.temporary(self._folder, left.header.domain)
            return files.replace(path, temporary, data, wanted=lambda: _is_still(path, before))

    def _removed(self, path: Path, before: _State) -> bool:
        if not _is_still(path, before):
            return False
        path.unlink(missing_ok=True)
        files.sync_folder(self._folder)
        return True

    def _erase(self, path: Path) -> bool:
        with files.explained(path):
            try:
                path.unlink()
            except FileNotFoundError:
                return False
            files.sync_folder(self._folder)
        return True

    def _clear(self, path: Path) -> bool:
        with files.explained(path):
            try:
                if time.time() - path.lstat().st_mtime < LEFTOVER_SECONDS:
                    return False
                path.unlink()
            except FileNotFoundError:
                return False
            files.sync_folder(self._folder)
        return True


def _left(path: Path, rules: Rules) -> Checkpoint | Remove | None:
    """Return what may stay of a file; None: all of it."""
    try:
        data = files.read_plain(path, MAX_BYTES)
        checkpoint = checkpoints.decode(data)
    except (files.NotPlainError, InvalidCheckpointError):
        # No run would go on with it, and whom it names can't be told.
        return Remove(expired=False)
    if checkpoint_path(path.parent, checkpoint.header.domain) != path:
        return Remove(expired=False)
    left = left_of_checkpoint(checkpoint, rules)
    # What follows the last line feed is a line that a crash cut off: nobody reads it, but it may name somebody.
    return None if left is checkpoint and data.endswith(b"\n") else left


def _renewed(checkpoint: Checkpoint) -> Checkpoint:
    """Return it as another file: no line of the one before fits into it."""
    header = msgspec.structs.replace(checkpoint.header, nonce=secrets.token_hex(8))
    return msgspec.structs.replace(checkpoint, header=header)


def _state(path: Path) -> _State:
    state: os.stat_result = path.lstat()
    return _State(state.st_ino, state.st_size, state.st_mtime_ns)


def _is_still(path: Path, before: _State) -> bool:
    try:
        return _state(path) == before
    except FileNotFoundError:
        return False
