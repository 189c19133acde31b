"""The intake's certificate over the years: whoever was told whom to trust can check what is served then."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from novahunt_operator import rotation
from novahunt_operator.authority import Pair, issue, new_authority
from novahunt_operator.rotation import SETTLING, Kept, renewed

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
NAMES = ("novahunt-intake.tools.svc",)
HOST = {"tls": NAMES}
DAY = timedelta(days=1)


def is_trusted(told: tuple[Pair, ...], served: Pair, now: datetime) -> bool:
    """Tell whether somebody who was told of these authorities accepts what is served."""
    good = served.certificate.not_valid_before_utc <= now < served.certificate.not_valid_after_utc
    return good and any(one.issued(served) and one.left(now) > timedelta() for one in told)


def days(count: int) -> Iterator[tuple[datetime, Kept]]:
    """Yield what is kept on each day, looked at once a day."""
    kept: Kept | None = None
    for day in range(count):
        now = NOW + day * DAY
        kept = renewed(kept, HOST, now)
        yield now, kept


def test_the_first_certificate_is_for_the_intakes_name_and_signed_by_who_is_trusted() -> None:
    kept = renewed(None, HOST, NOW)
    assert kept.served["tls"].hosts == NAMES
    assert is_trusted(kept.authorities, kept.served["tls"], NOW)
    assert kept.served["tls"].left(NOW) == timedelta(days=90)


def test_an_address_will_do_as_well_as_a_name() -> None:
    assert renewed(None, {"tls": ("127.0.0.1", "::1")}, NOW).served["tls"].hosts == ("127.0.0.1", "::1")


def test_an_address_is_the_same_however_it_is_written() -> None:
    hosts = {"tls": ("novahunt-intake.tools.svc", "FD00:0:0::0001")}
    kept = renewed(None, hosts, NOW)
    assert renewed(kept, hosts, NOW + DAY) is kept
    assert renewed(kept, {"tls": ("novahunt-intake.tools.svc", "fd00::1")}, NOW + DAY) is kept
    assert renewed(kept, {"tls": ("novahunt-intake.tools.svc", "fd00::2")}, NOW + DAY) is not kept


def test_what_is_kept_can_be_read_again_and_is_left_alone_while_nothing_is_due() -> None:
    kept = renewed(None, HOST, NOW)
    again = rotation.read(kept.data())
    assert again is not None
    assert again.data() == kept.data()
    assert renewed(again, HOST, NOW + 59 * DAY) is again


def test_a_job_of_three_months_can_check_what_is_served_on_each_day_of_ten_years() -> None:
    told: dict[datetime, tuple[Pair, ...]] = {}
    signers, served = set(), set()
    for now, kept in days(3650):
        told[now] = kept.authorities
        oldest = max(NOW, now - SETTLING)
        assert is_trusted(told[oldest], kept.served["tls"], now)
        assert is_trusted(kept.authorities, kept.served["tls"], now)
        assert len(kept.authorities) <= 2
        signers.add(kept.served["tls"].certificate.issuer.rfc4514_string())
        served.add(kept.served["tls"].certificate.serial_number)
    assert len(signers) >= 5
    assert len(served) >= 40


def test_who_looks_too_late_gets_a_new_authority() -> None:
    kept = renewed(None, HOST, NOW)
    later = renewed(kept, HOST, NOW + 1000 * DAY)
    assert is_trusted(later.authorities, later.served["tls"], NOW + 1000 * DAY)
    assert later.authorities[-1].certificate != kept.authorities[0].certificate


def test_another_name_takes_another_certificate_of_the_same_authority() -> None:
    kept = renewed(None, HOST, NOW)
    moved = renewed(kept, {"tls": ("intake.elsewhere.svc",)}, NOW)
    assert moved.authorities == kept.authorities
    assert moved.served["tls"].hosts == ("intake.elsewhere.svc",)


def test_what_a_stranger_signed_is_replaced() -> None:
    kept = renewed(None, HOST, NOW)
    stranger = Kept(kept.authorities, {"tls": issue(new_authority(NOW), NAMES, NOW)})
    assert is_trusted(kept.authorities, renewed(stranger, HOST, NOW).served["tls"], NOW)


def test_an_authority_signs_no_further_authority() -> None:
    found = new_authority(NOW).certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (found.ca, found.path_length) == (True, 0)


@pytest.mark.parametrize("data", [{}, {"ca.crt": b"", "tls.crt": b""}])
def test_an_empty_secret_holds_nothing_yet(data: dict[str, bytes]) -> None:
    assert rotation.read(data) is None


def encrypted(pair: Pair) -> bytes:
    return pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password"))


def of_an_unknown_curve(pair: Pair) -> bytes:
    """Return its key as if it were of a curve that nobody has heard of."""
    der = pair.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    p_256 = bytes.fromhex("06082a8648ce3d030107")
    return pem(der.replace(p_256, p_256[:-1] + b"\x7f"))


def pem(der: bytes) -> bytes:
    return b"-----BEGIN PRIVATE KEY-----\n" + base64.encodebytes(der) + b"-----END PRIVATE KEY-----\n"


STRANGER = new_authority(NOW)


@pytest.mark.parametrize(
    "damage",
    [
        {"ca.key": b""},
        {"ca.crt": b"nothing of the kind"},
        {"ca.key": STRANGER.key_pem},
        {"ca.key": pem(b"nothing of the kind")},
        {"ca.key": encrypted(STRANGER)},
        {"ca.key": of_an_unknown_curve(STRANGER)},
    ],
)
def test_authorities_that_are_damaged_are_told_from_a_secret_that_is_empty(damage: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match=r"."):
        rotation.read(renewed(None, HOST, NOW).data() | damage)


@pytest.mark.parametrize(
    "damage",
    [
        {"tls.key": b""},
        {"tls.crt": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
        {"tls.key": STRANGER.key_pem},
        {"tls.key": encrypted(STRANGER)},
        {"tls.key": of_an_unknown_curve(STRANGER)},
    ],
)
def test_a_certificate_that_is_damaged_is_issued_anew_by_the_authority_that_jobs_were_told(
    damage: dict[str, bytes],
) -> None:
    kept = renewed(None, HOST | {"gateway": ("novahunt-gateway.tools.svc",)}, NOW)
    read = rotation.read(kept.data() | damage)
    assert read is not None
    again = renewed(read, HOST | {"gateway": ("novahunt-gateway.tools.svc",)}, NOW)
    assert [again.data()[name] for name in ("ca.crt", "ca.key")] == [kept.data()[name] for name in ("ca.crt", "ca.key")]
    assert is_trusted(kept.authorities, again.served["tls"], NOW)
    assert again.served["tls"].certificate != kept.served["tls"].certificate
    assert again.served["gateway"].key_pem == kept.served["gateway"].key_pem


def test_each_server_has_its_own_and_one_that_is_not_wanted_any_more_goes() -> None:
    both = HOST | {"gateway": ("novahunt-gateway.tools.svc",)}
    first = renewed(None, HOST, NOW)
    second = renewed(first, both, NOW)
    assert second.served["tls"] == first.served["tls"]
    assert is_trusted(first.authorities, second.served["gateway"], NOW)
    assert renewed(second, both, NOW) is second
    again = rotation.read(second.data())
    assert again is not None
    assert again.served.keys() == {"tls", "gateway"}
    assert renewed(second, HOST, NOW).served == first.served
