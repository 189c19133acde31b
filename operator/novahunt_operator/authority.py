"""Signs certificates: an authority of the operator's own, and what it issues for the intake. Pure but for new keys."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS: Final = 730
CERTIFICATE_DAYS: Final = 90
_SKEW: Final = timedelta(minutes=10)
"""A clock of another node may be behind."""


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def read(cls, certificate: bytes, key: bytes) -> Self:
        """Read both as PEM.

        Raises:
            ValueError: one is no such thing, or they don't belong together.
        """
        try:
            found, private = x509.load_pem_x509_certificate(certificate), serialization.load_pem_private_key(key, None)
            public = found.public_key()
        except TypeError:
            raise ValueError("the key is encrypted") from None
        except UnsupportedAlgorithm as error:
            raise ValueError(f"the certificate or its key is of an unknown kind: {error}") from None
        if not isinstance(private, ec.EllipticCurvePrivateKey) or private.public_key() != public:
            raise ValueError("the key is not the certificate's")
        return cls(found, private)

    @property
    def certificate_pem(self) -> bytes:
        """The certificate as PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The private key as PEM, PKCS #8, not encrypted."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names and addresses that the certificate is for, as `as_told` gives them."""
        try:
            names = self.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return ()
        return tuple(str(one.value) for one in names)

    def age(self, now: datetime) -> timedelta:
        """Return how long ago it was made."""
        return now - self.certificate.not_valid_before_utc - _SKEW

    def left(self, now: datetime) -> timedelta:
        """Return how long it is good for; negative: it is not any more."""
        return self.certificate.not_valid_after_utc - now

    def issued(self, other: "Pair") -> bool:
        """Tell whether this authority signed another certificate."""
        try:
            other.certificate.verify_directly_issued_by(self.certificate)
        except Exception:  # noqa: BLE001 - each way of not fitting has its own exception
            return False
        return True


def new_authority(now: datetime) -> Pair:
    """Make an authority for two years; it can sign servers' certificates alone, and no further authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    # A name of its own for each: a verifier finds an issuer by its name.
    name = _name(f"novahunt-{x509.random_serial_number() % 16**12:012x}")
    builder = _builder(name, name, key, now, AUTHORITY_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs=True), critical=True)
    return Pair(builder.sign(key, hashes.SHA256()), key)


def issue(authority: Pair, hosts: Sequence[str], now: datetime) -> Pair:
    """Issue a server's certificate for ninety days.

    Args:
        authority: Who signs.
        hosts: The server's names or addresses, one or more.
        now: From when it is good.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(authority.certificate.subject, _name("novahunt-intake"), key, now, CERTIFICATE_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName([_alternative(host) for host in hosts]), critical=False)
    signer = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(signer), critical=False
    )
    return Pair(builder.sign(authority.key, hashes.SHA256()), key)


def as_told(host: str) -> str:
    """Return a name or address as a certificate that is issued for it tells it: an address in its one short form."""
    return str(_alternative(host).value)


def _builder(
    issuer: x509.Name, subject: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    start = now.astimezone(UTC).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - _SKEW)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
