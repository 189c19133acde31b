"""Reads suppression lists from their files, whole or not at all: nothing is stored under half a list."""

import contextlib
import hashlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from io import BufferedReader, TextIOWrapper
from pathlib import Path

from novahunt_collector import suppression
from novahunt_collector.errors import SuppressionListError
from novahunt_collector.settings import ListFile
from novahunt_collector.storage import threads
from novahunt_collector.suppression import Lists, NotAnEntryError
from novahunt_contract import domains

MAX_LINE = 8192
"""Characters of a line, its comment included."""


_SURROGATE = re.compile("[\ud800-\udfff]")


class SuppressionFiles:
    """The lists of one process. Their files may change at any time: the kubelet renews those of mounted Secrets."""

    def __init__(self, files: Sequence[ListFile], patience: float) -> None:
        """Take the parts.

        Args:
            files: Where they are.
            patience: Seconds in all for reading them.
        """
        self._files = files
        self._patience = patience
        self._known: tuple[str, ...] = ()
        """Digests of the files' bytes when they were read."""
        self._lists = Lists()

    async def read(self) -> Lists:
        """Return the lists as they are now; files that are the same as before are not read through again.

        Raises:
            SuppressionListError: a file can't be read, or holds a line that is no entry.
            StorageFailedError: it took too long.
        """
        if not self._files:
            return self._lists
        return await threads.within(self._patience, Path(self._files[0].path), self._read)

    def _read(self) -> Lists:
        # Before the reading: a file that is replaced in between differs the next time.
        digests = tuple(map(_digest, self._files))
        if digests != self._known:
            self._lists = suppression.lists_of(entry for file in self._files for entry in _entries(file))
            self._known = digests
        return self._lists


def _digest(file: ListFile) -> str:
    with _opened(file) as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _entries(file: ListFile) -> Iterator[str]:
    for number, line in _lines(file):
        for _, entry in domains.read_list(line):
            try:
                yield suppression.fold(entry)
            except NotAnEntryError as error:
                raise SuppressionListError(f"{file.name}: line {number} can't be understood: {error}") from None


def _lines(file: ListFile) -> Iterator[tuple[int, str]]:
    """Yield (number from 1, line), one in memory at a time: lists may be long."""
    # Bytes that are no UTF-8 come out as lone surrogates, so that their line can be named.
    with _opened(file) as content, TextIOWrapper(content, "utf-8-sig", "surrogateescape") as text:
        number = 0
        while line := text.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE:
                raise SuppressionListError(f"{file.name}: line {number} is longer than {MAX_LINE} characters")
            if _SURROGATE.search(line):
                raise SuppressionListError(f"{file.name}: line {number} is no UTF-8 text: save the list as UTF-8")
            yield number, line


@contextlib.contextmanager
def _opened(file: ListFile) -> Iterator[BufferedReader]:
    try:
        # A pipe gives its list once, and then an empty one; opening it must not wait for a writer either.
        descriptor = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(descriptor, "rb") as content:  # noqa: PTH123 - an open descriptor, not a path
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise SuppressionListError(f"{file.name} can't be read: {file.path} is no file")
            yield content
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise SuppressionListError(f"{file.name} can't be read: {reason}: nothing is stored without it") from None
