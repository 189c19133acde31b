"""Sees the steps of domains in what collectors do with files, told by `hook/sitecustomize.py`."""

import asyncio
import contextlib
import tempfile
from pathlib import Path

from chaos.director import Director
from chaos.moments import Moment, Side, Step

HOOK = Path(__file__).resolve().parent / "hook"
"""The folder that collectors' Python must look into first."""

SOCKET = "NOVAHUNT_CHAOS_SOCKET"
"""Environment variable of collectors: where to tell."""


class FileMoments:
    """Listens at a unix socket; whoever tells waits for the answer."""

    def __init__(self, director: Director) -> None:
        self._director = director
        # The path of a socket may have 107 characters, and a test's own folder has more.
        self._folder = tempfile.TemporaryDirectory(prefix="novahunt-chaos-")
        self.socket = Path(self._folder.name) / "moments"
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_unix_server(self._hear, self.socket)

    async def stop(self) -> None:
        """End; whoever still waits goes on."""
        if self._server is not None:
            self._server.close()
        self._folder.cleanup()

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            event, domain, path = (await reader.readline()).decode().rstrip("\n").split("\t")
            moment = _moment(event, domain, path)
            if moment is not None:
                await self._director.at(moment)
            writer.write(b".")
            # Who was killed while it waited does not read it.
            with contextlib.suppress(OSError):
                await writer.drain()
        finally:
            writer.close()


def _moment(event: str, domain: str, path: str) -> Moment | None:
    match event, Path(path).suffix:
        case "os.rename", ".json":
            return Moment(Step.FILE_STORED, Side.BEFORE, domain=domain)
        case "os.remove", ".checkpoint":
            # The pages go when the document is durable.
            return Moment(Step.FILE_STORED, Side.AFTER, domain=domain)
        case "os.rename", ".checkpoint":
            return Moment(Step.PAGE_SAVED, Side.BEFORE, domain=domain)
        case "open", _:
            return Moment(Step.RECEIPT_WRITTEN, Side.BEFORE, domain=domain)
    return None
