"""Finds out what the owner of a bearer token may do: by one fixed token, or by asking Kubernetes."""

import asyncio
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from novahunt_api import names
from novahunt_api.cluster import ApiError, Cluster
from novahunt_gateway.rights import AwayError, Right

T = TypeVar("T")

TOKEN_REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"  # noqa: S105 - a path
ACCESS_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"

MAX_TOKEN = 16 * 1024
"""Characters; no token that Kubernetes makes is longer than a header may be."""

_KEPT_SECONDS = 10.0
"""For so long an answer of Kubernetes is taken for the same question: who loses a right loses it that late."""

_KEPT_ANSWERS = 4096


class Access(Protocol):
    """What callers may do."""

    async def may(self, token: str, namespace: str, *rights: Right) -> frozenset[Right]:
        """Return which of the rights the token's owner has there; none for a token that nobody knows.

        Raises:
            AwayError: that can't be known now.
        """


class FixedToken:
    """One token for all, which may do everything in the given namespaces. Its file may change meanwhile."""

    def __init__(self, file: Path, namespaces: frozenset[str]) -> None:
        """Take where the token lies; blanks around it don't count. A file that is missing or empty lets nobody in."""
        self._file = file
        self._namespaces = namespaces

    async def may(self, token: str, namespace: str, *rights: Right) -> frozenset[Right]:
        """Return all of them for the token; none for another."""
        # A mounted Secret is a link to a small file in memory: read each time, it is never an old one.
        try:
            held = (await asyncio.to_thread(self._file.read_bytes)).strip()
        except OSError:
            held = b""
        given = token.encode(errors="surrogateescape")
        known = hmac.compare_digest(_digest(given), _digest(held)) and bool(held)
        return frozenset(rights) if known and namespace in self._namespaces else frozenset()


class User(msgspec.Struct, frozen=True):
    """Whose token it is, as a TokenReview tells and a SubjectAccessReview is asked."""

    username: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: dict[str, tuple[str, ...]] = {}


class _TokenStatus(msgspec.Struct, frozen=True):
    authenticated: bool = False
    user: User = User()
    audiences: tuple[str, ...] = ()


class _TokenReview(msgspec.Struct, frozen=True):
    status: _TokenStatus = _TokenStatus()


class _AccessStatus(msgspec.Struct, frozen=True):
    allowed: bool = False
    denied: bool = False


class _AccessReview(msgspec.Struct, frozen=True):
    status: _AccessStatus = _AccessStatus()


class KubernetesAccess:
    """Asks the API server who holds a token, and what that one may do."""

    def __init__(self, cluster: Cluster, audience: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the audience that tokens must be for (empty: the API server's own), and the time in seconds."""
        self._cluster = cluster
        self._audience = audience
        self._salt = secrets.token_bytes(16)
        self._users: _Kept[User | None] = _Kept(clock)
        self._allowed: _Kept[bool] = _Kept(clock)

    async def may(self, token: str, namespace: str, *rights: Right) -> frozenset[Right]:
        """Return which of the rights the token's owner has there."""
        if not token.isascii() or not 0 < len(token) <= MAX_TOKEN:
            return frozenset()
        # No token is kept, and no digest that means anything elsewhere.
        key = _digest(self._salt + token.encode())
        try:
            user = await self._user(key, token)
            if user is None:
                return frozenset()
            answers = await asyncio.gather(*(self._has(key, user, namespace, right) for right in rights))
        except ApiError as error:
            raise AwayError(f"{error.code} {error.reason}") from None
        return frozenset(right for right, allowed in zip(rights, answers, strict=True) if allowed)

    async def _user(self, key: bytes, token: str) -> User | None:
        kept = self._users.get(key)
        if kept is not None:
            return kept.value
        asked: dict[str, Any] = {"token": token, **({"audiences": [self._audience]} if self._audience else {})}
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": asked}
        told = (await self._cluster.create(TOKEN_REVIEWS, body, _TokenReview)).status
        # An API server that does not know audiences names none: then the token is for it alone.
        for_us = not self._audience or self._audience in told.audiences
        return self._users.put(key, told.user if told.authenticated and for_us and told.user.username else None)

    async def _has(self, key: bytes, user: User, namespace: str, right: Right) -> bool:
        question = key + f"/{namespace}/{right}".encode()
        kept = self._allowed.get(question)
        if kept is not None:
            return kept.value
        spec = {"resourceAttributes": _attributes(namespace, right), "user": user.username, "uid": user.uid}
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {**spec, "groups": user.groups, "extra": user.extra},
        }
        told = (await self._cluster.create(ACCESS_REVIEWS, body, _AccessReview)).status
        return self._allowed.put(question, told.allowed and not told.denied)


def _attributes(namespace: str, right: Right) -> Mapping[str, str]:
    return {
        "namespace": namespace,
        "verb": right.verb,
        "group": names.GROUP,
        "version": names.VERSION,
        "resource": names.COLLECTIONS,
        "subresource": right.subresource,
    }


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


class _Answer(msgspec.Struct, Generic[T], frozen=True):
    value: T
    until: float


class _Kept(Generic[T]):
    """The newest answers, each for a short time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._answers: OrderedDict[bytes, _Answer[T]] = OrderedDict()

    def get(self, key: bytes) -> _Answer[T] | None:
        found = self._answers.get(key)
        return found if found is not None and found.until > self._clock() else None

    def put(self, key: bytes, value: T) -> T:
        self._answers.pop(key, None)
        self._answers[key] = _Answer(value, self._clock() + _KEPT_SECONDS)
        while len(self._answers) > _KEPT_ANSWERS:
            self._answers.popitem(last=False)
        return value
