"""The client of Hunter's API: one request, one answer or one error of ours."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import NamedTuple, TypeVar

import httpx

from novahunt_collector import answers, tracing
from novahunt_collector.classifier import classify
from novahunt_collector.errors import AnswerLostError, UnavailableError, UsageError
from novahunt_collector.paging import Ask
from novahunt_collector.refusals import read_refusal
from novahunt_collector.settings import Hunter
from novahunt_collector.unpacking import ACCEPTED, Body, UnpackingError
from novahunt_contract import __version__
from novahunt_contract.searchhash import Search

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""Of an answer, unpacked. A page of 100 addresses with 20 sources each has about 0.5 MiB."""

MAX_REFUSAL_BYTES = 64 * 1024
"""Of a refusal; what follows is not read."""

USER_AGENT = f"novahunt-collector/{__version__}"
"""Python's default one is refused in front of Hunter (recorded answers, read 2026-11)."""

_NEVER_SENT = (
    httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)  # fmt: skip
"""What happens before a request has left: it can't have been charged."""


_Read = TypeVar("_Read")


class _Answer(NamedTuple):
    status: int
    headers: httpx.Headers
    body: bytes


def open_http(hunter: Hunter) -> httpx.AsyncClient:
    """Return the process's one client for Hunter; the proxies of the environment are used, netrc is not.

    Raises:
        UsageError: the environment names a proxy, or certificates, that can't be used.
    """
    try:
        return httpx.AsyncClient(
            headers={
                "User-Agent": USER_AGENT,
                "Accept": "application/json",
                "Accept-Encoding": ACCEPTED,
                "X-API-KEY": hunter.api_key,
            },
            timeout=httpx.Timeout(hunter.timeout, connect=min(10.0, hunter.timeout)),
            limits=httpx.Limits(max_connections=1),
            follow_redirects=False,
        )
    except (ValueError, ImportError, httpx.InvalidURL):
        # The proxy's own text would repeat its password.
        raise UsageError(
            "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY is no http:// or https:// URL: correct or unset it"
        ) from None
    except OSError:
        # Of a file that is missing, and of one that holds no certificate.
        raise UsageError(
            "SSL_CERT_FILE or SSL_CERT_DIR names no certificates that can be read: correct or unset it"
        ) from None


class HunterClient:
    """Asks Hunter. Counts nothing, waits for nothing and tries once; that is the callers' part."""

    def __init__(self, http: httpx.AsyncClient, hunter: Hunter, search: Search, now: Callable[[], datetime]) -> None:
        self._http = http
        self._hunter = hunter
        self._filters = _filters(search)
        self._now = now

    async def search(self, domain: str, ask: Ask) -> answers.Page:
        """Return one page of a domain's addresses.

        Raises:
            CollectorError: one of the classifier's, or UnavailableError when there is no usable answer.
        """
        query = {"domain": domain, "limit": str(ask.limit), "offset": str(ask.offset), **self._filters}
        return await self._answer("/domain-search", query, answers.read_page, AnswerLostError)

    async def email_count(self, domain: str) -> answers.EmailCount:
        """Return how many addresses Hunter has for a domain; filters don't apply. Free of charge.

        Raises:
            CollectorError: as `search`.
        """
        return await self._answer("/email-count", {"domain": domain}, answers.read_email_count, UnavailableError)

    async def searches_left(self) -> float | None:
        """Return what the key's plan has left in this billing period, None if Hunter doesn't say. Free of charge.

        Raises:
            CollectorError: as `search`.
        """
        return await self._answer("/account", {}, answers.read_searches_left, UnavailableError)

    async def reset_date(self) -> date | None:
        """Return the day on which the key's billing period ends, None if Hunter doesn't say. Free of charge.

        Raises:
            CollectorError: as `search`.
        """
        return await self._answer("/account", {}, answers.read_reset_date, UnavailableError)

    async def _answer(
        self,
        path: str,
        query: Mapping[str, str],
        read: Callable[[bytes], _Read],
        unreadable: type[UnavailableError],
    ) -> _Read:
        body = await self._get(path, query)
        try:
            return read(body)
        except answers.UnreadableAnswerError as error:
            raise unreadable(f"{error} (HTTP 200)") from None

    async def _get(self, path: str, query: Mapping[str, str]) -> bytes:
        try:
            # httpx bounds the silence between two bytes; this bounds the whole.
            async with asyncio.timeout(self._hunter.timeout):
                answer = await self._stream(path, query)
        except TimeoutError:
            raise AnswerLostError(f"Hunter did not answer within {self._hunter.timeout:g} s") from None
        except _NEVER_SENT as error:
            # Its own text may hold the URL.
            raise UnavailableError(f"Hunter can't be reached ({type(error).__name__})") from None
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise AnswerLostError(f"Hunter can't be reached or broke off ({type(error).__name__})") from None
        if answer.status == httpx.codes.OK:
            return answer.body
        raise classify(read_refusal(answer.status, answer.body, answer.headers.get("Retry-After"), self._now()))

    async def _stream(self, path: str, query: Mapping[str, str]) -> _Answer:
        async with self._http.stream("GET", f"{self._hunter.base_url}{path}", params=query) as response:
            tracing.note(status=response.status_code)
            read = _read if response.status_code == httpx.codes.OK else _read_what_comes
            return _Answer(response.status_code, response.headers, await read(response))


async def _read(response: httpx.Response) -> bytes:
    """Read an answer's body to its end.

    Raises:
        AnswerLostError: it is too large, or can't be unpacked.
    """
    body = Body(response.headers.get("Content-Encoding", ""), MAX_ANSWER_BYTES)
    try:
        async for piece in response.aiter_raw():
            if not body.add(piece):
                raise AnswerLostError(f"the answer is larger than {MAX_ANSWER_BYTES // 2**20} MiB")
        return body.whole()
    except UnpackingError as error:
        raise AnswerLostError(f"{error} (HTTP {response.status_code})") from None


async def _read_what_comes(response: httpx.Response) -> bytes:
    """Read a refusal's body; one that breaks off still counts, for the status says the most."""
    body = Body(response.headers.get("Content-Encoding", ""), MAX_REFUSAL_BYTES)
    with contextlib.suppress(httpx.HTTPError, UnpackingError):
        async for piece in response.aiter_raw():
            if not body.add(piece):
                break
    return body.kept()


def _filters(search: Search) -> dict[str, str]:
    """Return the search filters as Hunter's parameters; what is not set is not sent."""
    values = {
        "type": search.type or "",
        "seniority": ",".join(search.seniority),
        "department": ",".join(search.department),
        "required_field": ",".join(search.required_fields),
        "verification_status": ",".join(search.verification_status),
    }
    return {name: value for name, value in values.items() if value}
