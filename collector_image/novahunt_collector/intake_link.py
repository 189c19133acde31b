"""Calls to the operator's intake: a headless Service, of whose addresses one answers."""

import asyncio
import contextlib
import ipaddress
import logging
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import backoff
import httpx
import msgspec

from novahunt_collector.errors import IntakeRefusedError, UsageError
from novahunt_collector.hunter import USER_AGENT
from novahunt_collector.settings import Intake
from novahunt_contract import environment as names
from novahunt_contract import intake as contract

CONNECT_SECONDS = 3.0
TOKEN_TRIES = 6
"""A token that was just renewed may be read a moment too early; one that stays refused stays so."""

NO_ROOM = 507
"""Insufficient Storage."""

_LONGEST_PAUSE = 60.0
"""Seconds; no Retry-After of ours is longer."""

_log = logging.getLogger(__name__)


class Unreachable(NamedTuple):
    """No address answered, or the name has none."""


class Busy(NamedTuple):
    """An address answered, and none of them can now: 5xx."""

    retry_after: float | None


class Reply(NamedTuple):
    """An answer, with any status but 401, 403 and those of 5xx that say to try again."""

    status: int
    body: bytes

    def sentence(self) -> str:
        """Return the intake's own words for why it refused."""
        try:
            return msgspec.json.decode(self.body, type=contract.Error).error[:600]
        except (msgspec.DecodeError, UnicodeDecodeError):
            return f"HTTP {self.status}"


class _TokenRefused(NamedTuple):
    """401: the token may have been renewed meanwhile."""


class IntakeLink:
    """One process's way to the intake. The token is read anew for each try: it is renewed while we run."""

    def __init__(self, http: httpx.AsyncClient, intake: Intake, token_wait: Callable[[], float]) -> None:
        parts = urlsplit(intake.url)
        self._http = http
        self._host = parts.hostname or ""
        self._scheme = parts.scheme
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._netloc = parts.netloc
        self._path = parts.path
        self._token_file = intake.token_file
        self._last_good: str | None = None
        self._told = False
        self._persistently = backoff.on_predicate(
            backoff.runtime,
            lambda reply: isinstance(reply, _TokenRefused),
            value=lambda _: token_wait(),
            max_tries=TOKEN_TRIES,
            jitter=None,
            logger=None,
        )(self._once)

    async def call(
        self,
        method: str,
        path: str,
        *,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        read_seconds: float,
    ) -> Reply | Busy | Unreachable:
        """Ask each address until one answers.

        Args:
            method: HTTP method.
            path: One of the contract's paths.
            content: The body.
            headers: Headers beside the token.
            read_seconds: How long one address may take to answer.

        Raises:
            IntakeRefusedError: this pod is not, or no longer, a collector of the operator's.
        """
        reply = await self._persistently(method, path, content, dict(headers or {}), read_seconds)
        if isinstance(reply, _TokenRefused):
            raise IntakeRefusedError("the operator's intake does not accept the pod's token (HTTP 401)")
        return reply

    async def _once(
        self, method: str, path: str, content: bytes, headers: dict[str, str], read_seconds: float
    ) -> Reply | Busy | Unreachable | _TokenRefused:
        headers = {**headers, "Authorization": f"Bearer {_read_token(self._token_file)}", "Host": self._netloc}
        outcome: Busy | Unreachable = Unreachable()
        for address in await self._addresses():
            url = f"{self._scheme}://{address}:{self._port}{self._path}{path}"
            try:
                async with asyncio.timeout(CONNECT_SECONDS + read_seconds):
                    response = await self._http.request(
                        method,
                        url,
                        content=content or None,
                        headers=headers,
                        timeout=httpx.Timeout(read_seconds, connect=CONNECT_SECONDS),
                        # The certificate is for the Service's name, whichever of its addresses is asked.
                        extensions={"sni_hostname": self._host},
                    )
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
                self._tell_of_certificate(error)
                continue
            # Of these codes one is an answer: there is no room, however often it is asked.
            if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR and response.status_code != NO_ROOM:
                outcome = Busy(_retry_after(response))
                continue
            self._last_good = address
            return _judge(response)
        self._last_good = None
        return outcome

    def _tell_of_certificate(self, error: Exception) -> None:
        """Say once that the connection is there and can't be trusted: elsewhere it counts as not reached."""
        if "CERTIFICATE_VERIFY_FAILED" in str(error) and not self._told:
            self._told = True
            _log.warning("the certificate of the operator's intake is refused, so it counts as away: %s", error)

    async def _addresses(self) -> list[str]:
        """Return the Service's addresses, the one that answered last first."""
        found: list[str] = [self._last_good] if self._last_good else []
        with contextlib.suppress(OSError):
            for _, _, _, _, place in await asyncio.get_running_loop().getaddrinfo(self._host, self._port, type=1):
                address = _for_url(str(place[0]))
                if address not in found:
                    found.append(address)
        return found


def open_http(intake: Intake) -> httpx.AsyncClient:
    """Return the client for the intake: inside the cluster, never through a proxy.

    Raises:
        UsageError: the certificates to check it by are none.
    """
    try:
        tls = ssl.create_default_context(cadata=intake.authorities or None)
    except ssl.SSLError as error:
        raise UsageError(f"{names.INTAKE_AUTHORITIES} must hold certificates as PEM: {error.reason}") from None
    return httpx.AsyncClient(
        verify=tls,
        headers={"User-Agent": USER_AGENT},
        trust_env=False,
        follow_redirects=False,
        limits=httpx.Limits(max_connections=4),
    )


def _judge(response: httpx.Response) -> Reply | _TokenRefused:
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return _TokenRefused()
    reply = Reply(response.status_code, response.content)
    if response.status_code == httpx.codes.FORBIDDEN:
        raise IntakeRefusedError(f"the operator's intake does not accept this pod (HTTP 403): {reply.sentence()}")
    return reply


def _retry_after(response: httpx.Response) -> float | None:
    """Return the header's seconds; the intake gives no dates."""
    header = response.headers.get("Retry-After", "")
    return min(float(header), _LONGEST_PAUSE) if header.isdigit() else None


def _read_token(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise IntakeRefusedError(
            f"the pod's token for the intake can't be read from {file} ({type(error).__name__})"
        ) from None


def _for_url(address: str) -> str:
    return f"[{address}]" if ipaddress.ip_address(address).version == 6 else address  # noqa: PLR2004 - IPv6
