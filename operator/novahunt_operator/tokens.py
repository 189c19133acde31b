"""Checks collectors' projected service-account tokens offline, against the cluster's published signing keys."""

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable

import jwt
import msgspec

from novahunt_api import paths
from novahunt_api.cluster import Cluster
from novahunt_contract.intake import AUDIENCE

_REFETCH_SECONDS = 10.0
"""Unknown keys make the key set be read again, at most this often."""

_KEPT = 4096
"""Tokens whose signature was found good lately; the one that was shown least lately is forgotten first."""

_LEEWAY_SECONDS = 5.0
_ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]
"""What Kubernetes signs with; never `none` or a shared secret."""

_log = logging.getLogger(__name__)


class InvalidTokenError(Exception):
    """The token is not one of this cluster for this audience; the text never repeats it."""


class PodIdentity(msgspec.Struct, frozen=True):
    """Whose token it is."""

    namespace: str
    pod_uid: str


class _PodClaim(msgspec.Struct, frozen=True):
    name: str
    uid: str


class _KubernetesClaim(msgspec.Struct, frozen=True):
    namespace: str
    pod: _PodClaim


class _Claims(msgspec.Struct, frozen=True):
    exp: float
    kubernetes: _KubernetesClaim = msgspec.field(name="kubernetes.io")


class _Good(msgspec.Struct, frozen=True):
    identity: PodIdentity
    expires: float
    """Seconds since 1970."""


class _Discovery(msgspec.Struct, frozen=True):
    issuer: str


class Tokens:
    """The cluster's issuer and signing keys, read when first needed and when a key is unknown."""

    def __init__(self, cluster: Cluster, now: Callable[[], float] = time.time) -> None:
        """Take the connection, and the time in seconds since 1970."""
        self._cluster = cluster
        self._now = now
        self._issuer = ""
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched = float("-inf")
        self._fetching = asyncio.Lock()
        # A collector shows the same one with each call, and a signature takes a millisecond. Only digests are kept.
        self._good: OrderedDict[bytes, _Good] = OrderedDict()

    async def check(self, token: str) -> PodIdentity:
        """Return whose token it is: signature, issuer, audience and expiry hold.

        Raises:
            InvalidTokenError: any of them does not, or the token is bound to no pod.
            ApiError: the signing keys can't be read now.
        """
        digest = hashlib.sha256(token.encode(errors="surrogateescape")).digest()
        good = self._good.get(digest)
        if good is None:
            good = await self._verified(token)
            self._good[digest] = good
            if len(self._good) > _KEPT:
                self._good.popitem(last=False)
        if self._now() > good.expires + _LEEWAY_SECONDS:
            del self._good[digest]
            raise InvalidTokenError("the token is refused: it has expired")
        self._good.move_to_end(digest)
        return good.identity

    async def _verified(self, token: str) -> _Good:
        """Check everything but whether it has expired."""
        try:
            key_id = jwt.get_unverified_header(token).get("kid", "")
            key = await self._key(str(key_id))
            claims = jwt.decode(
                token,
                key,
                algorithms=_ALGORITHMS,
                audience=AUDIENCE,
                issuer=self._issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud"], "verify_exp": False},
            )
            claim = msgspec.convert(claims, _Claims)
        except jwt.PyJWTError as error:
            raise InvalidTokenError(f"the token is refused: {type(error).__name__}") from None
        except msgspec.ValidationError:
            raise InvalidTokenError("the token is refused: it is not bound to a pod") from None
        return _Good(PodIdentity(claim.kubernetes.namespace, claim.kubernetes.pod.uid), claim.exp)

    async def _key(self, key_id: str) -> jwt.PyJWK:
        async with self._fetching:
            if key_id not in self._keys and time.monotonic() - self._fetched > _REFETCH_SECONDS:
                await self._fetch()
        if key_id not in self._keys:
            raise InvalidTokenError("the token is refused: it is signed with an unknown key")
        return self._keys[key_id]

    async def _fetch(self) -> None:
        discovery = await self._cluster.get(paths.ISSUER, _Discovery)
        keys = jwt.PyJWKSet.from_json((await self._cluster.call("GET", paths.SIGNING_KEYS)).decode())
        self._issuer = discovery.issuer
        self._keys = {key.key_id: key for key in keys.keys if key.key_id is not None}
        # What was signed with a key that is published no more must not be good any longer.
        self._good.clear()
        self._fetched = time.monotonic()
        _log.info("%d signing keys of issuer %s are known", len(self._keys), self._issuer)
