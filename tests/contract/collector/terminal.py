"""Runs the collector on a pseudo-terminal, and shows what a person would see on its screen."""

import asyncio
import contextlib
import fcntl
import os
import re
import struct
import sys
import termios
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from contract.collector.running import command, process_environment

COLUMNS = 100
ROWS = 30

_OWN_TERMINAL = (
    sys.executable,
    "-c",
    (
        "import fcntl, os, sys, termios;"
        "os.setsid();"
        "fcntl.ioctl(2, termios.TIOCSCTTY, 0);"
        "os.execvp(sys.argv[1], sys.argv[1:])"
    ),
)
"""Runs a program with the terminal of its standard error as its own, so that Ctrl-C on it is a signal."""

_PIECES = re.compile(rb"\x1b\[([0-9;?]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)|(\x1b)")


class Screen:
    """What the terminal shows: text, and the few movements that progress bars need."""

    def __init__(self) -> None:
        self.lines = [""]
        self.cursor_is_hidden = False
        self.raw = b""
        self._row = 0
        self._column = 0

    def feed(self, data: bytes) -> None:
        self.raw += data
        for found in _PIECES.finditer(data):
            numbers, kind, movement, text, stray = found.groups()
            assert stray is None, f"a cut or unknown sequence in {data!r}"
            if text is not None:
                self._write(text.decode(errors="replace"))
            elif movement == b"\r":
                self._column = 0
            elif movement == b"\n":
                self._down()
            elif kind == b"A":
                assert int(numbers or b"1") <= self._row, "the cursor leaves the screen: lines above are lost"
                self._row -= int(numbers or b"1")
            elif kind == b"K":
                self.lines[self._row] = self.lines[self._row][: self._column if numbers != b"2" else 0]
            elif numbers == b"?25":
                self.cursor_is_hidden = kind == b"l"
            else:
                assert kind == b"m", f"the screen knows no {found[0]!r}"

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines)

    def _write(self, text: str) -> None:
        for sign in text:
            if self._column == COLUMNS:
                self._column = 0
                self._down()
            line = self.lines[self._row].ljust(self._column)
            self.lines[self._row] = line[: self._column] + sign + line[self._column + 1 :]
            self._column += 1

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self.lines):
            self.lines.append("")


class Terminal:
    """A running collector and its screen."""

    def __init__(self, process: asyncio.subprocess.Process, master: int) -> None:
        self.screen = Screen()
        self._process = process
        self._master = master
        self._changed = asyncio.Event()
        self._left = b""
        asyncio.get_running_loop().add_reader(master, self._read)

    async def shows(self, *texts: str) -> None:
        """Wait until all of these are on the screen at once."""
        try:
            async with asyncio.timeout(20):
                while not all(text in self.screen.text for text in texts):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"{texts} did not appear together; there is:\n{self.screen.text}") from None

    def press_ctrl_c(self) -> None:
        os.write(self._master, b"\x03")

    async def end(self) -> tuple[int, bytes]:
        """Wait for the end; return the exit code and what went to a standard output that is no terminal."""
        output, _ = await self._process.communicate()
        self._read()
        return self._process.returncode or 0, output or b""

    def _read(self) -> None:
        # At the end of the process, Linux answers with an error.
        with contextlib.suppress(BlockingIOError, OSError):
            while data := os.read(self._master, 65536):
                # A sequence or a sign may be cut by the size of a read.
                whole = self._left + data
                cut = max(whole.rfind(b"\n"), whole.rfind(b"m"), whole.rfind(b"h"), whole.rfind(b"K")) + 1
                self.screen.feed(whole[:cut])
                self._left = whole[cut:]
                self._changed.set()


@asynccontextmanager
async def on_terminal(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path, *, output: bool = False
) -> AsyncIterator[Terminal]:
    """Start the collector with a terminal as standard error, and with `output` as standard output as well."""
    master, slave = os.openpty()
    os.set_blocking(master, False)
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    process = await asyncio.create_subprocess_exec(
        *_OWN_TERMINAL,
        *command(arguments),
        cwd=folder,
        env={"TERM": "xterm-256color", "LANG": "C.UTF-8", **process_environment(environment, folder)},
        stdin=slave,
        stdout=slave if output else asyncio.subprocess.PIPE,
        stderr=slave,
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        asyncio.get_running_loop().remove_reader(master)
        os.close(master)
        if process.returncode is None:
            process.kill()
            await process.communicate()
