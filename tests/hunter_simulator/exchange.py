"""One request as it came in, and one answer as it goes out, apart from any HTTP library."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from hunter_simulator.report import KeyPlace

Delivery = Literal["whole", "chunked", "cut", "cut_chunked", "reset"]


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """A request to one of Hunter's paths."""

    method: str = "GET"
    path: str
    """Without the query, and so without any key."""
    parameters: Mapping[str, str] = {}
    """Of the query; of a parameter given twice the last one."""
    key: str | None = None
    key_place: KeyPlace = "none"
    user_agent: str = ""


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, and how it is sent."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0
    """Seconds to wait before the first byte."""
    delivery: Delivery = "whole"
    kept: int = 0
    """Bytes of the body that a cut delivery sends."""


def key_of(headers: Mapping[str, str], parameters: Mapping[str, str]) -> tuple[str | None, KeyPlace]:
    """Return the key of a request and where it stood: X-API-KEY goes before a bearer token, and both before the URL.

    A key in the URL is always told, even where a header decides: it has leaked all the same.
    """
    in_url = parameters.get("api_key")
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else None
    key = headers.get("X-API-KEY") or bearer or in_url
    if not key:
        return None, "none"
    if in_url is not None:
        return key, "query"
    return key, "header" if headers.get("X-API-KEY") else "bearer"


def client_is_refused(user_agent: str) -> bool:
    """Tell whether Cloudflare in front of Hunter refuses a User-Agent: none at all, or a Python library's own."""
    agent = user_agent.strip().lower()
    return not agent or agent.startswith(("python-requests/", "python-httpx/", "python-urllib", "python/", "aiohttp"))
