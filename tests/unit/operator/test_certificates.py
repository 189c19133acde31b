"""The Secret with the intake's certificate: filled, renewed, shared by replicas, and never lost sight of."""

import asyncio
import base64
import errno
import ssl
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from novahunt_api import paths, tls
from novahunt_api.cluster import Cluster, ConflictError, NotFoundError, UnavailableError
from novahunt_operator import certificates as module
from novahunt_operator import rotation
from novahunt_operator.certificates import Certificates
from novahunt_operator.settings import CertificateSettings, Trust
from virtual_time import run

HOST = "127.0.0.1"


class OneSecret:
    """The API server's side of one Secret: writes against its version, and outages when told."""

    def __init__(self, data: dict[str, bytes] | None = None) -> None:
        self.data = data or {}
        self.version = 1
        self.writes = 0
        self.gone = self.away = False

    async def get(self, path: str, kind: type[Any]) -> Any:
        assert path == paths.secrets("tools", "novahunt-certificate")
        if self.away:
            raise UnavailableError(0, "ServerDisconnectedError", "no answer")
        if self.gone:
            raise NotFoundError(404, "NotFound", "no secret")
        data = {name: base64.b64encode(value).decode() for name, value in self.data.items()}
        found = {"metadata": {"name": "x", "resourceVersion": str(self.version)}, "data": data}
        await asyncio.sleep(0.01)
        return msgspec.convert(found, kind)

    async def patch(self, path: str, body: Any, _content_type: str, kind: type[Any]) -> Any:
        assert path == paths.secrets("tools", "novahunt-certificate")
        if body["metadata"]["resourceVersion"] != str(self.version):
            raise ConflictError(409, "Conflict", "changed")
        self.version += 1
        self.writes += 1
        given = body["data"]
        self.data = {name: value for name, value in self.data.items() if given.get(name, value) is not None}
        self.data |= {name: base64.b64decode(value) for name, value in given.items() if value is not None}
        return kind()


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


def replica(
    secret: OneSecret, *, clock: Clock | None = None, external: bool = False, gateway_hosts: tuple[str, ...] = ()
) -> tuple[Certificates, Trust]:
    trust = Trust()
    settings = CertificateSettings("novahunt-certificate", HOST, gateway_hosts, external)
    return Certificates(cast("Cluster", secret), "tools", settings, trust, clock or Clock()), trust


async def serial_shown(certificates: Certificates, trusted: str) -> int:
    """Connect to who serves with these as one who trusts those, and return the certificate's serial number."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), HOST, 0, ssl=certificates.context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        client = ssl.create_default_context(cadata=trusted)
        _, writer = await asyncio.open_connection(HOST, port, ssl=client)
        serial = int(writer.get_extra_info("peercert")["serialNumber"], 16)
        writer.close()
        return serial


def serial_in(secret: OneSecret) -> int:
    kept = rotation.read(secret.data)
    assert kept is not None
    return kept.served["tls"].certificate.serial_number


async def test_an_empty_secret_is_filled_and_served() -> None:
    secret = OneSecret()
    certificates, trust = replica(secret)
    await certificates.load()
    assert set(secret.data) == {"ca.crt", "ca.key", "tls.crt", "tls.key"}
    assert trust.authorities.encode() == secret.data["ca.crt"]
    assert await serial_shown(certificates, trust.authorities) == serial_in(secret)


def test_two_replicas_that_start_at_once_serve_the_same() -> None:
    secret = OneSecret()
    one, other = replica(secret), replica(secret)

    async def scene(_clock: object) -> None:
        await asyncio.gather(one[0].load(), other[0].load())

    run(scene)
    assert secret.writes == 1
    assert one[1].authorities == other[1].authorities != ""


def test_it_is_renewed_in_time_and_shown_from_the_next_connection_on() -> None:
    secret, clock = OneSecret(), Clock()
    certificates, trust = replica(secret, clock=clock)

    async def scene(_clock: object) -> None:
        await certificates.load()
        keeping = asyncio.create_task(certificates.keep())
        clock.now += timedelta(days=61)
        await asyncio.sleep(2 * module.LOOK_SECONDS)
        keeping.cancel()

    run(scene)
    assert secret.writes == 2
    # Of the same authority: what Jobs were told still holds.
    assert trust.authorities.encode() == secret.data["ca.crt"]


async def test_what_another_replica_has_renewed_is_taken_over_without_a_restart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret = OneSecret()
    certificates, trust = replica(secret)
    await certificates.load()
    before = await serial_shown(certificates, trust.authorities)
    kept = rotation.read(secret.data)
    hosts = {"tls": (HOST, "intake.tools.svc")}
    secret.data = rotation.renewed(kept, hosts, datetime.now(UTC)).data()
    # Both names are wanted here as well, so that this replica has nothing to renew.
    monkeypatch.setattr(certificates, "_hosts", hosts)
    await certificates.load()
    after = await serial_shown(certificates, trust.authorities)
    assert before != after == serial_in(secret)


async def test_an_emptied_secret_gets_again_what_it_held(caplog: pytest.LogCaptureFixture) -> None:
    secret = OneSecret()
    certificates, trust = replica(secret)
    await certificates.load()
    held, told = dict(secret.data), trust.authorities
    secret.data = {}
    await certificates.load()
    assert secret.data == held
    secret.data = held | {"ca.key": b"damaged"}
    await certificates.load()
    assert secret.data == held
    assert trust.authorities == told
    assert "damaged" not in caplog.text
    assert "PRIVATE" not in caplog.text


@pytest.mark.parametrize("lost", ["tls.key", "gateway.key", "gateway.crt"])
async def test_an_operator_that_begins_and_finds_one_certificate_spoilt_keeps_the_authority(lost: str) -> None:
    secret = OneSecret()
    first, told = replica(secret, gateway_hosts=("novahunt-gateway.tools.svc",))
    await first.load()
    del secret.data[lost]
    restarted, trust = replica(secret, gateway_hosts=("novahunt-gateway.tools.svc",))
    await restarted.load()
    assert trust.authorities == told.authorities
    assert await serial_shown(restarted, told.authorities) == serial_in(secret)
    assert lost in secret.data


def test_without_room_for_a_file_it_says_so_and_tries_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret = OneSecret()
    certificates, trust = replica(secret)

    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async def scene(_clock: object) -> None:
        with monkeypatch.context() as full:
            full.setattr(tls, "show", no_room)
            loading = asyncio.create_task(certificates.load())
            await asyncio.sleep(60)
            assert "can't be shown" in certificates.trouble
            assert not loading.done()
        await loading

    run(scene)
    assert certificates.trouble == ""
    assert trust.authorities
    assert caplog.text.count("No space left on device") == 1


def test_a_key_that_somebody_else_has_encrypted_is_told_and_waited_for() -> None:
    good = rotation.renewed(None, {"tls": (HOST,)}, datetime.now(UTC))
    key = good.served["tls"].key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password"))
    secret = OneSecret(good.data() | {"tls.key": key})
    certificates, _ = replica(secret, external=True)

    async def scene(_clock: object) -> None:
        loading = asyncio.create_task(certificates.load())
        await asyncio.sleep(30)
        assert "can't be used together" in certificates.trouble
        secret.data = good.data()
        await loading

    run(scene)


def test_a_missing_secret_is_named_until_it_comes(caplog: pytest.LogCaptureFixture) -> None:
    secret = OneSecret()
    certificates, trust = replica(secret)

    async def scene(_clock: object) -> None:
        secret.gone = True
        loading = asyncio.create_task(certificates.load())
        await asyncio.sleep(60)
        assert "there is no Secret novahunt-certificate of namespace tools" in certificates.trouble
        secret.gone, secret.away = False, True
        await asyncio.sleep(60)
        assert "can't be used" in certificates.trouble
        secret.away = False
        await loading

    run(scene)
    assert certificates.trouble == ""
    assert trust.authorities
    assert caplog.text.count("there is no Secret") == 1


async def test_one_that_somebody_else_keeps_is_only_read() -> None:
    theirs = rotation.renewed(None, {"tls": (HOST,)}, datetime.now(UTC)).data()
    del theirs["ca.key"]
    secret = OneSecret(theirs)
    certificates, trust = replica(secret, external=True)
    await certificates.load()
    assert secret.writes == 0
    await serial_shown(certificates, trust.authorities)


def test_one_that_somebody_else_has_not_made_yet_is_waited_for() -> None:
    secret = OneSecret()
    certificates, _ = replica(secret, external=True)

    async def scene(_clock: object) -> None:
        loading = asyncio.create_task(certificates.load())
        await asyncio.sleep(30)
        assert "tls.crt and tls.key are not both there" in certificates.trouble
        secret.data = rotation.renewed(None, {"tls": (HOST,)}, datetime.now(UTC)).data()
        await loading

    run(scene)
    assert secret.writes == 0


async def test_one_that_somebody_else_forgot_to_renew_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    secret = OneSecret(rotation.renewed(None, {"tls": (HOST,)}, clock.now).data())
    clock.now += timedelta(days=85)
    certificates, _ = replica(secret, clock=clock, external=True)
    await certificates.load()
    assert "the intake's certificate in the Secret novahunt-certificate of namespace tools ends at" in caplog.text


async def test_a_gateway_gets_one_of_its_own_for_as_long_as_there_is_one() -> None:
    secret = OneSecret()
    with_gateway, trust = replica(secret, gateway_hosts=("novahunt-gateway.tools.svc", "localhost"))
    await with_gateway.load()
    kept = rotation.read(secret.data)
    assert kept is not None
    assert kept.served["gateway"].hosts == ("novahunt-gateway.tools.svc", "localhost")
    assert kept.served["gateway"].key_pem != kept.served["tls"].key_pem
    without, same_trust = replica(secret)
    await without.load()
    assert set(secret.data) == {"ca.crt", "ca.key", "tls.crt", "tls.key"}
    assert same_trust.authorities == trust.authorities
    assert await serial_shown(without, trust.authorities) == kept.served["tls"].certificate.serial_number
