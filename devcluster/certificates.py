"""The cluster's authority and the certificates it signs: who each component is, and which names a server has."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME: Final = timedelta(days=365)
_SKEW: Final = timedelta(minutes=5)

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class KeyPair:
    """Files of a certificate and its key."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Identity:
    """Who a certificate says its holder is: Kubernetes reads the user from CN and the groups from O."""

    user: str
    groups: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    """Names and addresses under which the holder serves; none for a mere client."""


def _name(identity: Identity) -> x509.Name:
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in identity.groups]
    return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, identity.user)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def write_private(file: Path, content: bytes) -> None:
    """Write a file that only its owner may read, and that never was readable by others."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_bytes(content)


def _pem(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class Authority:
    """A certificate authority that lives as long as its cluster.

    Its certificate names the key usages that Python 3.13 and later insist on (RFC 5280, section 4.2.1.3).
    """

    def __init__(self, name: str, folder: Path) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._folder = folder
        subject = _name(Identity(name))
        self._certificate = (
            self._builder(subject, subject, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file = folder / f"{name}.crt"
        self.key_file = folder / f"{name}.key"
        write_private(self.key_file, _pem(self._key))
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def _builder(
        self, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _SKEW)
            .not_valid_after(now + LIFETIME)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )

    def issue(self, file: str, identity: Identity) -> KeyPair:
        """Make a key and its certificate, for clients and, if the identity has hosts, servers."""
        key = ec.generate_private_key(ec.SECP256R1())
        uses = [ExtendedKeyUsageOID.CLIENT_AUTH]
        if identity.hosts:
            uses.append(ExtendedKeyUsageOID.SERVER_AUTH)
        builder = (
            self._builder(_name(identity), self._certificate.subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        )
        if identity.hosts:
            names = x509.SubjectAlternativeName([_alternative(host) for host in identity.hosts])
            builder = builder.add_extension(names, critical=False)
        pair = KeyPair(self._folder / f"{file}.crt", self._folder / f"{file}.key")
        write_private(pair.key, _pem(key))
        signed = builder.sign(self._key, hashes.SHA256())
        pair.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        return pair


def service_account_key(folder: Path) -> KeyPair:
    """The key that signs service account tokens; RSA, as real clusters have it, so that tokens are RS256."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pair = KeyPair(folder / "service-account.pub", folder / "service-account.key")
    write_private(pair.key, _pem(key))
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    pair.certificate.write_bytes(public)
    return pair


@dataclass(frozen=True)
class ControlPlaneKeys:
    """All keys that the control plane starts with."""

    authority: Authority
    front_proxy: Authority
    apiserver: KeyPair
    kubelet_client: KeyPair
    proxy_client: KeyPair
    service_account: KeyPair


def control_plane_keys(folder: Path, hosts: Sequence[str]) -> ControlPlaneKeys:
    """Make the keys of a new cluster whose API server is reached under `hosts`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = Authority("ca", folder)
    front_proxy = Authority("front-proxy-ca", folder)
    return ControlPlaneKeys(
        authority=authority,
        front_proxy=front_proxy,
        apiserver=authority.issue("apiserver", Identity("kube-apiserver", hosts=tuple(hosts))),
        # Bound below to system:kubelet-api-admin, the role that Kubernetes has for this very purpose.
        kubelet_client=authority.issue("apiserver-kubelet-client", Identity("kube-apiserver-kubelet-client")),
        proxy_client=front_proxy.issue("front-proxy-client", Identity("front-proxy-client")),
        service_account=service_account_key(folder),
    )
