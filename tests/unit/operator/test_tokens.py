"""Collectors' tokens: only those that this cluster signed, for the intake, for a pod, and that have not run out."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from kubernetes.aio import client

from novahunt_api import paths
from novahunt_api.cluster import Cluster
from novahunt_contract.intake import AUDIENCE
from novahunt_operator import tokens
from novahunt_operator.tokens import InvalidTokenError, PodIdentity, Tokens

ISSUER = "https://kubernetes.default.svc.cluster.local"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class SigningServer:
    """The API server's two public documents, and how often they were read."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = [
            {**RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True), "kid": "rsa", "use": "sig", "alg": "RS256"},
            {**ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True), "kid": "ec", "use": "sig", "alg": "ES256"},
        ]
        self.reads = 0

    async def discovery(self, _: web.Request) -> web.Response:
        return web.json_response({"issuer": ISSUER, "jwks_uri": f"{ISSUER}/openid/v1/jwks"})

    async def jwks(self, _: web.Request) -> web.Response:
        self.reads += 1
        return web.json_response({"keys": self.keys}, content_type="application/jwk-set+json")


@pytest.fixture
def server() -> SigningServer:
    return SigningServer()


@pytest.fixture
async def cluster(server: SigningServer) -> AsyncIterator[Cluster]:
    application = web.Application()
    application.add_routes([web.get(paths.ISSUER, server.discovery), web.get(paths.SIGNING_KEYS, server.jwks)])
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    configuration = client.Configuration()
    configuration.host = f"http://127.0.0.1:{runner.addresses[0][1]}"
    found = Cluster(client.ApiClient(configuration))
    yield found
    await found.close()
    await runner.cleanup()


@pytest.fixture
def checked(cluster: Cluster) -> Tokens:
    return Tokens(cluster)


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a projected token as an API server makes them; None removes one."""
    now = int(time.time())
    given = {
        "aud": [AUDIENCE],
        "exp": now + 3600,
        "iat": now,
        "nbf": now,
        "iss": ISSUER,
        "jti": "6f1b4a6c-0c7e-4b8e-9a51-2a3f7f6f0d11",
        "kubernetes.io": {
            "namespace": "sales",
            "node": {"name": "node-1", "uid": "node-uid"},
            "pod": {"name": "q4-0123456789ab-x7k2p", "uid": "pod-1"},
            "serviceaccount": {"name": "default", "uid": "account-uid"},
        },
        "sub": "system:serviceaccount:sales:default",
    }
    return {name: value for name, value in {**given, **changes}.items() if value is not None}


def signed(content: dict[str, Any], key: Any = RSA_KEY, algorithm: str = "RS256", kid: str | None = "rsa") -> str:
    return jwt.encode(content, key, algorithm, headers={"kid": kid} if kid is not None else {})


def unsigned(header: dict[str, Any], content: dict[str, Any], secret: bytes | None = None) -> str:
    """Return a token by hand, as an attacker would make it: without a signature, or with an HMAC."""

    def packed(data: bytes) -> bytes:
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    text = packed(json.dumps(header).encode()) + b"." + packed(json.dumps(content).encode())
    signature = hmac.digest(secret, text, hashlib.sha256) if secret is not None else b""
    return (text + b"." + packed(signature)).decode()


@pytest.mark.parametrize(("key", "algorithm", "kid"), [(RSA_KEY, "RS256", "rsa"), (EC_KEY, "ES256", "ec")])
async def test_a_projected_token_names_its_pod(checked: Tokens, key: Any, algorithm: str, kid: str) -> None:
    assert await checked.check(signed(claims(), key, algorithm, kid)) == PodIdentity("sales", "pod-1")


async def test_one_audience_among_several_is_enough(checked: Tokens) -> None:
    assert await checked.check(signed(claims(aud=["other", AUDIENCE])))


NOW = int(time.time())
PUBLIC_PEM = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
UNBOUND = {"namespace": "sales", "serviceaccount": {"name": "default", "uid": "account-uid"}}
REFUSED = {
    "wrong audience": signed(claims(aud=["https://kubernetes.default.svc"])),
    "no audience": signed(claims(aud=None)),
    "wrong issuer": signed(claims(iss="https://elsewhere")),
    "no issuer": signed(claims(iss=None)),
    "expired": signed(claims(exp=NOW - 60)),
    "no expiry": signed(claims(exp=None)),
    "not yet valid": signed(claims(nbf=NOW + 3600)),
    "unbound": signed(claims(**{"kubernetes.io": UNBOUND})),
    "no kubernetes claim": signed(claims(**{"kubernetes.io": None})),
    "pod without uid": signed(claims(**{"kubernetes.io": UNBOUND | {"pod": {"name": "x"}}})),
    "foreign signature": signed(claims(), STRANGER),
    "key of another algorithm": signed(claims(), EC_KEY, "ES256", "rsa"),
    "unknown key": signed(claims(), kid="other"),
    "no key named": signed(claims(), kid=None),
    "alg none": unsigned({"alg": "none", "kid": "rsa", "typ": "JWT"}, claims()),
    "HS256 with the public key": unsigned({"alg": "HS256", "kid": "rsa", "typ": "JWT"}, claims(), PUBLIC_PEM),
    "key named by a number": unsigned({"alg": "RS256", "kid": 1}, claims()),
    "changed claims": signed(claims()).replace(".", ".e30.", 1).rsplit(".", 2)[0]
    + "."
    + signed(claims()).split(".")[2],
    "cut": signed(claims())[:-20],
    "rubbish": "rubbish",
    "three parts of rubbish": "a.b.c",
    "empty": "",
    "not ASCII": "ä.ö.ü",
}


@pytest.mark.parametrize("token", REFUSED.values(), ids=REFUSED.keys())
async def test_any_other_token_is_refused_and_not_repeated(checked: Tokens, token: str) -> None:
    with pytest.raises(InvalidTokenError, match="the token is refused") as refusal:
        await checked.check(token)
    parts = [part for part in token.split(".") if len(part) > 3]
    assert not any(part in str(refusal.value) for part in parts)


async def test_the_keys_are_read_once_for_many_tokens(checked: Tokens, server: SigningServer) -> None:
    for _ in range(5):
        await checked.check(signed(claims()))
    assert server.reads == 1


async def test_a_token_that_was_good_is_refused_once_it_has_expired(cluster: Cluster) -> None:
    now = float(NOW)
    checked = Tokens(cluster, lambda: now)
    token = signed(claims(exp=NOW + 600))
    for _ in range(2):
        assert await checked.check(token) == PodIdentity("sales", "pod-1")
    now += 606
    with pytest.raises(InvalidTokenError, match="expired"):
        await checked.check(token)
    with pytest.raises(InvalidTokenError, match="expired"):
        await checked.check(token)


async def test_however_many_tokens_are_shown_few_are_kept_and_each_is_checked(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_KEPT", 2)
    checked = Tokens(cluster)
    shown = [signed(claims(jti=str(number))) for number in range(5)]
    for token in (*shown, *shown):
        assert await checked.check(token) == PodIdentity("sales", "pod-1")
    with pytest.raises(InvalidTokenError):
        await checked.check(f"{shown[0][:-8]}AAAAAAAA")


async def test_a_new_key_is_found_and_unknown_ones_do_not_flood_the_api_server(
    checked: Tokens, server: SigningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(tokens, "time", SimpleNamespace(monotonic=lambda: now))
    await checked.check(signed(claims()))
    server.keys.append({**RSAAlgorithm.to_jwk(STRANGER.public_key(), as_dict=True), "kid": "new", "alg": "RS256"})
    for _ in range(20):
        with pytest.raises(InvalidTokenError):
            await checked.check(signed(claims(), STRANGER, kid="new"))
    assert server.reads == 1
    now += 11
    assert await checked.check(signed(claims(), STRANGER, kid="new"))
    assert server.reads == 2
    for _ in range(20):
        with pytest.raises(InvalidTokenError):
            await checked.check(signed(claims(), kid="other"))
    assert server.reads == 2


async def test_a_key_that_is_published_no_more_is_refused_once_the_keys_are_read_again(
    checked: Tokens, server: SigningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(tokens, "time", SimpleNamespace(monotonic=lambda: now))
    await checked.check(signed(claims()))
    del server.keys[0]
    now += 11
    with pytest.raises(InvalidTokenError):
        await checked.check(signed(claims(), kid="other"))
    with pytest.raises(InvalidTokenError):
        await checked.check(signed(claims()))
