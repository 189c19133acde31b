"""Calls to the Kubernetes API: one place for authentication, retries, errors and watches."""

import asyncio
import os
import random
import re
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import aiohttp
import backoff
import msgspec
from kubernetes.aio import client, config

from novahunt_api import wire

T = TypeVar("T")

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"

_ANY_JSON = "application/json, */*;q=0.1"
"""The signing keys come as application/jwk-set+json and as nothing else."""

CALLS_AT_ONCE = 40
"""Calls under way, beside watches and the lease's: what one client may ask of a small API server without harm."""

_CALL_SECONDS = 30.0
_RETRY_SECONDS = 60.0
_FIRST_PAUSE_SECONDS = 0.2
_MAX_PAUSE_SECONDS = 10.0
_WATCH_SECONDS = 290
_SILENCE_SECONDS = 100.0
"""Bookmarks come about once a minute; a watch that is silent for longer is dead."""


class ApiError(Exception):
    """The API server refused a call; `code` is the HTTP status, 0 where there was no answer."""

    def __init__(self, code: int, reason: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(f"{code} {reason}: {message}")
        self.code = code
        self.reason = reason
        self.message = message
        self.retry_after = retry_after


class NotFoundError(ApiError):
    """404."""


class ConflictError(ApiError):
    """409: it exists already, or has changed since it was read."""


class GoneError(ApiError):
    """410: the version that a watch or list wants to go on from is forgotten."""


class UnavailableError(ApiError):
    """429, 5xx, or no answer at all: the same call may succeed later."""


def _pauses() -> Generator[float, Exception, None]:
    """Pauses between tries, in seconds: exponential with full jitter, never below the server's Retry-After."""
    ceiling = _FIRST_PAUSE_SECONDS
    error = yield 0.0
    while True:
        asked = error.retry_after if isinstance(error, ApiError) and error.retry_after is not None else 0.0
        error = yield max(asked, random.uniform(0, ceiling))  # noqa: S311 - jitter
        ceiling = min(_MAX_PAUSE_SECONDS, ceiling * 2)


class NoRightError(ApiError):
    """403 of the authorizer: the operator's account may not. Admission, quotas among it, refuses with a plain 403.

    An API server that has just started says so, too, until it has read its roles.
    """


class NotActiveError(ApiError):
    """This replica is not the active one."""


@dataclass
class ApiCall:
    """A call of the Kubernetes API under way."""

    code: int | None = None
    """Set to the answer's HTTP status."""


class Counting(Protocol):
    """Counts and times calls."""

    def api_call(self, method: str, path: str, *, watching: bool = False) -> AbstractContextManager[ApiCall]:
        """Return what is entered before a call is made, and left when it has ended."""


class _NotCounted:
    def api_call(self, method: str, path: str, *, watching: bool = False) -> AbstractContextManager[ApiCall]:
        del method, path, watching
        return nullcontext(ApiCall())


@dataclass(frozen=True)
class Kubeconfig:
    """Which kubeconfig, and which of its contexts, a person means; None: what kubectl would take."""

    file: str | None = None
    context: str | None = None

    def is_there(self) -> bool:
        """Tell whether any of its files is there."""
        return any(Path(file).expanduser().is_file() for file in self._files)

    @property
    def _files(self) -> list[str]:
        named = self.file or os.environ.get("KUBECONFIG") or "~/.kube/config"
        return [file for file in named.split(os.pathsep) if file]

    async def load(self, configuration: client.Configuration) -> None:
        """Read it; where nothing is named and there is none, a pod's service account will do, as with kubectl.

        Raises:
            ConfigException: there is no such file or context, or it can't be used.
        """
        if self.is_there():
            await config.load_kube_config(self.file, self.context, client_configuration=configuration)
            return
        try:
            if self.file is None and self.context is None:
                config.load_incluster_config(client_configuration=configuration)
                return
        except config.ConfigException:
            pass
        raise config.ConfigException(f"there is no kubeconfig {' or '.join(self._files)}")


class Cluster:
    """A connection to one API server. None of its calls logs or returns a token."""

    def __init__(
        self,
        api: client.ApiClient,
        counting: Counting | None = None,
        *,
        program: str = "novahunt",
        patience: float = _RETRY_SECONDS,
    ) -> None:
        """Take a client and how its calls are made.

        Args:
            api: The client.
            counting: What counts the calls; None: nothing does.
            program: Who makes them, for the server's audit log.
            patience: Seconds for which a call is tried again while the server is too busy or away.
        """
        self._api = api
        self._with_retries = backoff.on_exception(
            _pauses, UnavailableError, max_time=patience, jitter=None, logger=None
        )(self._call_in_turn)
        self._counting = counting or _NotCounted()
        self._program = program
        self._gate = asyncio.Semaphore(CALLS_AT_ONCE)
        self.may_write: Callable[[], bool] = lambda: True
        """Asked before each write; a replica that has lost its lease must not write."""

    @classmethod
    async def connect(
        cls,
        counting: Counting | None = None,
        *,
        program: str,
        kubeconfig: Kubeconfig | None = None,
        patience: float = _RETRY_SECONDS,
    ) -> Self:
        """Connect as the kubeconfig says; None: as the pod's service account, or else as the current context."""
        configuration = client.Configuration()
        if kubeconfig is not None:
            await kubeconfig.load(configuration)
        else:
            try:
                config.load_incluster_config(client_configuration=configuration)
            except config.ConfigException:
                await config.load_kube_config(client_configuration=configuration)
        # Watches hold theirs for minutes, two for each namespace: the number of calls is what is limited.
        configuration.connection_pool_maxsize = 0
        # aiohttp would look for a netrc file before each call, in a thread of its own.
        configuration.client_session_kwargs = {"trust_env": False}
        return cls(client.ApiClient(configuration), counting, program=program, patience=patience)

    @property
    def host(self) -> str:
        """Where the API server is."""
        return str(self._api.configuration.host)

    async def close(self) -> None:
        """Close all connections."""
        await self._api.close()

    async def get(self, path: str, kind: type[T], query: Mapping[str, str] | None = None) -> T:
        """Read an object or a list."""
        return msgspec.json.decode(await self.call("GET", path, query=query), type=kind)

    async def create(self, path: str, body: Mapping[str, Any], kind: type[T]) -> T:
        """Create an object. ConflictError: one of that name is there."""
        return msgspec.json.decode(await self.call("POST", path, body=body), type=kind)

    async def replace(self, path: str, body: Mapping[str, Any], kind: type[T]) -> T:
        """Replace an object. ConflictError: it has changed since it was read."""
        return msgspec.json.decode(await self.call("PUT", path, body=body), type=kind)

    async def patch(self, path: str, body: object, content_type: str, kind: type[T]) -> T:
        """Patch an object."""
        return msgspec.json.decode(await self.call("PATCH", path, body=body, content_type=content_type), type=kind)

    async def delete(self, path: str, *, uid: str | None = None, resource_version: int | None = None) -> bool:
        """Delete an object and, in the background, what it owns; with a UID only if it is still that one.

        With a resource version only if nobody has changed it since.

        Returns whether it is gone already; else its finalizers are waited for. One that was gone
        before, or is another by now, is no error.
        """
        body: dict[str, Any] = {"propagationPolicy": "Background"}
        if uid is not None:
            body["preconditions"] = {"uid": uid}
            if resource_version is not None:
                body["preconditions"]["resourceVersion"] = str(resource_version)
        try:
            data = await self.call("DELETE", path, body=body)
        except (NotFoundError, ConflictError):
            return True
        # The answer is a Status when nothing is left, and the object while it lingers.
        return msgspec.json.decode(data, type=wire.Kind).kind == "Status"

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
        accept: str = _ANY_JSON,
    ) -> bytes:
        """Make one call, and again while the server is too busy or away, for as long as the client's patience lasts.

        A repeated create may find its own first try: the caller must take ConflictError for that.

        Raises:
            ApiError: one of its kinds; UnavailableError only after all retries.
        """
        return await self._with_retries(method, path, query, body, content_type, accept=accept)

    async def write_or_drop(self, method: str, path: str, *, body: object, seconds: float) -> bytes:
        """Make one write without retries, its waiting for others within the time limit: for what nobody would miss.

        Raises:
            ApiError: one of its kinds; it was not made, or has had no answer in time.
        """
        try:
            async with asyncio.timeout(seconds):
                return await self._call_in_turn(method, path, None, body, "application/json", accept=_ANY_JSON)
        except TimeoutError:
            raise UnavailableError(0, "TimeoutError", f"no answer to {method} {path}") from None

    async def _call_in_turn(
        self, method: str, path: str, query: Mapping[str, str] | None, body: object, content_type: str, *, accept: str
    ) -> bytes:
        if method != "GET" and not self.may_write():
            raise NotActiveError(0, "NotActive", f"{method} {path} is not made: this replica does not hold the lease")
        async with self._gate:
            return await self.call_once(method, path, query=query, body=body, content_type=content_type, accept=accept)

    async def call_once(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
        accept: str = _ANY_JSON,
        seconds: float = _CALL_SECONDS,
    ) -> bytes:
        """Make one call without retries or waiting for others, with a time limit; leases need to know at once."""
        limit = aiohttp.ClientTimeout(total=seconds)
        try:
            with self._counting.api_call(method, path) as call:
                response = await self._request(method, path, query, body, content_type, accept=accept, limit=limit)
                async with response:
                    data = await response.read()
                call.code = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnavailableError(0, type(error).__name__, f"no answer to {method} {path}") from None
        _raise_for(response.status, response.headers, data)
        return data

    async def watch(self, path: str, query: Mapping[str, str]) -> AsyncIterator[wire.WatchEvent]:
        """Yield the events of one watch until the server ends it, bookmarks included.

        Raises:
            GoneError: the resource version is forgotten; list anew.
            UnavailableError: the connection broke or went silent.
        """
        full = {**query, "watch": "1", "allowWatchBookmarks": "true", "timeoutSeconds": str(_WATCH_SECONDS)}
        limit = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=_SILENCE_SECONDS)
        decoder = msgspec.json.Decoder(wire.WatchEvent)
        try:
            with self._counting.api_call("GET", path, watching=True) as call:
                response = await self._request("GET", path, full, None, "application/json", limit=limit)
                call.code = response.status
            async with response:
                if response.status != 200:  # noqa: PLR2004 - OK
                    _raise_for(response.status, response.headers, await response.read())
                async for line in response.content:
                    if line.strip():
                        yield decoder.decode(line)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnavailableError(0, type(error).__name__, f"the watch of {path} broke") from None

    async def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: object,
        content_type: str,
        *,
        accept: str = _ANY_JSON,
        limit: aiohttp.ClientTimeout,
    ) -> aiohttp.ClientResponse:
        headers = {"Accept": accept, "Content-Type": content_type, "User-Agent": self._program}
        parameters = list((query or {}).items())
        await self._api.update_params_for_auth(headers, parameters, ["BearerToken"], path, method, body)
        url = self._api.configuration.host + path
        if parameters:
            url += "?" + self._api.parameters_to_url_query(parameters, {})
        response = await self._api.rest_client.request(method, url, headers=headers, body=body, _request_timeout=limit)
        found: aiohttp.ClientResponse = response.response
        return found


_NO_RIGHT = re.compile(r'User ".*" cannot \w+ ')
"""The authorizer's words (`forbiddenMessage` in the API server's `responsewriters`); its code is not its alone."""

_KINDS: dict[int, type[ApiError]] = {404: NotFoundError, 409: ConflictError, 410: GoneError, 429: UnavailableError}


def error_of(code: int, data: bytes, retry_after: str | None = None) -> ApiError:
    """Return the typed error for an answer of the API server."""
    try:
        status = msgspec.json.decode(data, type=wire.StatusObject)
    except msgspec.DecodeError:
        status = wire.StatusObject(code=code, message=data[:200].decode(errors="replace"))
    kind = UnavailableError if code >= 500 else _KINDS.get(code, ApiError)  # noqa: PLR2004 - server errors
    if code == 403 and _NO_RIGHT.search(status.message):  # noqa: PLR2004 - Forbidden
        kind = NoRightError
    seconds = float(retry_after) if retry_after is not None and retry_after.isdecimal() else None
    return kind(code, status.reason, status.message, seconds)


def _raise_for(code: int, headers: Mapping[str, str], data: bytes) -> None:
    if not 200 <= code < 300:  # noqa: PLR2004 - success
        raise error_of(code, data, headers.get("Retry-After"))
