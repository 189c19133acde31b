"""The gateway behind its own certificate: checked by callers, and renewed while it serves."""

import asyncio
import os
import signal
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from novahunt_gateway import serving
from novahunt_gateway.serving import Certificate
from novahunt_operator.authority import Pair, issue, new_authority


class Files:
    """A folder with a certificate, as the kubelet mounts a Secret."""

    def __init__(self, folder: Path) -> None:
        self.certificate = Certificate(folder / "tls.crt", folder / "tls.key")

    def hold(self, pair: Pair) -> None:
        """Put a certificate into it."""
        self.certificate.file.write_bytes(pair.certificate_pem)
        self.certificate.key_file.write_bytes(pair.key_pem)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def serving_it(certificate: Certificate) -> AsyncIterator[int]:
    """Serve how a request came, until the block ends; then as the kubelet stops a pod."""

    async def app(scope: dict[str, object], receive: object, send: object) -> None:
        await PlainTextResponse(Request(scope).url.scheme)(scope, receive, send)  # type: ignore[arg-type]

    port = free_port()
    config = serving.config(app, port, head_seconds=5, certificate=certificate)  # type: ignore[arg-type]
    task = asyncio.create_task(serving.serve(config))
    try:
        yield port
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        await task


async def asked(port: int, authority: Pair) -> tuple[str, int]:
    """Ask once it serves; return the answer, and the serial number of the certificate that was shown."""
    trusting = ssl.create_default_context(cadata=authority.certificate_pem.decode())
    async with asyncio.timeout(20):
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
                break
            except ConnectionRefusedError:
                await asyncio.sleep(0.01)
    serial = int(writer.get_extra_info("peercert")["serialNumber"], 16)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answer = (await reader.read()).rpartition(b"\r\n\r\n")[2].decode()
    writer.close()
    return answer, serial


async def test_a_renewed_certificate_is_shown_without_a_restart_and_a_damaged_one_never(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(serving, "_LOOK_SECONDS", 0.02)
    now = datetime.now(UTC)
    authority, files = new_authority(now), Files(tmp_path)
    first, second = (issue(authority, ["127.0.0.1"], now) for _ in range(2))
    files.hold(first)
    async with serving_it(files.certificate) as port:
        assert await asked(port, authority) == ("https", first.certificate.serial_number)
        # Half of what a renewal writes.
        files.certificate.file.write_bytes(second.certificate_pem)
        async with asyncio.timeout(20):
            while "can't be used" not in caplog.text:  # noqa: ASYNC110 - a log rings no bell
                await asyncio.sleep(0.01)
        assert await asked(port, authority) == ("https", first.certificate.serial_number)
        files.hold(second)
        async with asyncio.timeout(20):
            while (await asked(port, authority))[1] != second.certificate.serial_number:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
    assert "PRIVATE" not in caplog.text


async def test_who_does_not_trust_the_authority_is_not_served(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    files = Files(tmp_path)
    files.hold(issue(new_authority(now), ["127.0.0.1"], now))
    async with serving_it(files.certificate) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await asked(port, new_authority(now))
