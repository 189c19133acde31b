"""Decides what the certificates' Secret should hold: who signs, who is trusted, and when each is renewed. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from novahunt_operator.authority import Pair, as_told, issue, new_authority

TRUSTED: Final = "ca.crt"
"""Key of the Secret: certificates of all authorities that are trusted, the newest first."""
SIGNERS: Final = "ca.key"
"""Their private keys in the same order."""
INTAKE: Final = "tls"
"""Begins the keys of the intake's certificate, `tls.crt` and `tls.key`; they are named as in every TLS Secret."""
GATEWAY: Final = "gateway"
"""Begins those of the gateway's, `gateway.crt` and `gateway.key`; its pods mount these two alone."""

RENEW_CERTIFICATE: Final = timedelta(days=30)
"""A certificate that is good for less is replaced."""
RENEW_AUTHORITY: Final = timedelta(days=180)
"""An authority that is good for less gets a successor, ..."""
SETTLING: Final = timedelta(days=90)
"""... which signs when it is so old: Jobs that don't know it have ended by then."""

Hosts = Mapping[str, tuple[str, ...]]
"""Names or addresses of each server, by what its keys begin with."""

_CERTIFICATES = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL)
_KEYS = re.compile(rb"-----BEGIN PRIVATE KEY-----.+?-----END PRIVATE KEY-----\n?", re.DOTALL)


@dataclass(frozen=True)
class Kept:
    """What the Secret holds."""

    authorities: tuple[Pair, ...]
    """All that are trusted, the newest first; one or two."""
    served: Mapping[str, Pair]
    """What each server shows, by what its keys begin with."""

    def data(self) -> dict[str, bytes]:
        """Return the Secret's data."""
        data = {
            TRUSTED: b"".join(one.certificate_pem for one in self.authorities),
            SIGNERS: b"".join(one.key_pem for one in self.authorities),
        }
        for server, pair in self.served.items():
            data[certificate_key(server)] = pair.certificate_pem
            data[private_key(server)] = pair.key_pem
        return data


def certificate_key(server: str) -> str:
    """Return the Secret's key of a server's certificate."""
    return f"{server}.crt"


def private_key(server: str) -> str:
    """Return the Secret's key of its private key."""
    return f"{server}.key"


def read(data: Mapping[str, bytes]) -> Kept | None:
    """Read the Secret's data; None: it holds nothing yet.

    What a server should show and can't be read is left out: it is issued anew, by the authorities that Jobs were told.

    Raises:
        ValueError: the authorities that it holds can't be used.
    """
    if not any(data.values()):
        return None
    certificates = _CERTIFICATES.findall(data.get(TRUSTED, b""))
    keys = _KEYS.findall(data.get(SIGNERS, b""))
    if not certificates or len(certificates) != len(keys):
        raise ValueError(f"{len(certificates)} certificates of authorities and {len(keys)} keys")
    pairs = tuple(Pair.read(certificate, key) for certificate, key in zip(certificates, keys, strict=True))
    return Kept(pairs, {one: pair for one in (INTAKE, GATEWAY) if (pair := _shown(data, one)) is not None})


def _shown(data: Mapping[str, bytes], server: str) -> Pair | None:
    try:
        return Pair.read(data.get(certificate_key(server), b""), data.get(private_key(server), b""))
    except ValueError:
        return None


def renewed(kept: Kept | None, hosts: Hosts, now: datetime) -> Kept:
    """Return what should be kept; the same object where nothing is due.

    Args:
        kept: What is kept now; None: nothing yet.
        hosts: Whom certificates are for.
        now: The time.
    """
    old = kept.authorities if kept is not None else ()
    authorities = tuple(one for one in old if one.left(now) > timedelta())
    if not authorities or authorities[0].left(now) < RENEW_AUTHORITY:
        authorities = (new_authority(now), *authorities)
    signer = _signer(authorities, now)
    shown = kept.served if kept is not None else {}
    served = {
        server: shown[server]
        if server in shown and _is_good(shown[server], signer, names, now)
        else issue(signer, names, now)
        for server, names in hosts.items()
    }
    return kept if kept is not None and (authorities, served) == (old, shown) else Kept(authorities, served)


def _signer(authorities: tuple[Pair, ...], now: datetime) -> Pair:
    """The newest that everybody knows by now; while there is none, the oldest."""
    return next((one for one in authorities if one.age(now) >= SETTLING), authorities[-1])


def _is_good(served: Pair, signer: Pair, names: tuple[str, ...], now: datetime) -> bool:
    is_for_all = set(served.hosts) == {as_told(name) for name in names}
    return served.left(now) >= RENEW_CERTIFICATE and is_for_all and signer.issued(served)
