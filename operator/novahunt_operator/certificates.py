"""Keeps the certificates of intake and gateway: renews them in their Secret in time, and serves the intake's."""

import asyncio
import base64
import logging
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from cryptography import x509

from novahunt_api import paths, tls, wire
from novahunt_api.cluster import MERGE_PATCH, ApiError, Cluster, NotFoundError
from novahunt_operator import rotation
from novahunt_operator.settings import CertificateSettings, Trust

LOOK_SECONDS = 600.0
"""Between two looks at the Secret: another replica, or whoever keeps it, may have renewed it."""
_RETRY_SECONDS = 5.0
_WARN = timedelta(days=7)
"""A certificate that others keep and that is good for less should have been renewed long ago."""

_log = logging.getLogger(__name__)


class Certificates:
    """What the intake shows, and what collectors check it by."""

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        settings: CertificateSettings,
        trust: Trust,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take the connection, the operator's namespace, which Secret it is, and where trust is told to Jobs."""
        self._cluster = cluster
        self._path = paths.secrets(namespace, settings.secret)
        self._place = f"Secret {settings.secret} of namespace {namespace}"
        self._hosts: rotation.Hosts = {rotation.INTAKE: (settings.host,)} | (
            {rotation.GATEWAY: settings.gateway_hosts} if settings.gateway_hosts else {}
        )
        self._external = settings.external
        self._trust = trust
        self._now = now
        self._kept: rotation.Kept | None = None
        self._served: tuple[bytes, bytes] | None = None
        self.trouble = ""
        """Why there is nothing to serve; empty when there is, or nobody has looked yet."""
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        """What the intake is served with; it shows what was taken last."""
        # Both ends are ours.
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3

    async def load(self) -> None:
        """Wait until there is something to serve."""
        while not await self._look():  # noqa: ASYNC110 - nothing here tells when it comes
            await asyncio.sleep(_RETRY_SECONDS)

    async def keep(self) -> None:
        """Look from time to time, for ever. What can't be read or written leaves what is served as it is."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._look()

    async def _look(self) -> bool:
        try:
            secret = await self._cluster.get(self._path, wire.SecretObject)
            if self._external:
                self._serve(secret.data)
            else:
                self._kept = await self._renewed(secret)
                self._serve(self._kept.data())
        except NotFoundError:
            self._complain(
                f"there is no {self._place}: apply the chart's, which is empty and is filled by the operator"
            )
        except (ApiError, ValueError) as error:
            self._complain(f"the {self._place} can't be used: {error}")
        except OSError as error:
            self._complain(f"the certificate in the {self._place} can't be shown, for want of a file for it: {error}")
        else:
            self.trouble = ""
            return True
        return False

    async def _renewed(self, secret: wire.SecretObject) -> rotation.Kept:
        """Return what the Secret holds once all that is due is done.

        Raises:
            ConflictError: another replica was faster.
        """
        try:
            kept = rotation.read(secret.data)
        except ValueError as error:
            _log.warning("what the %s holds can't be used and is replaced: %s", self._place, error)
            kept = None
        # Where it was emptied meanwhile: collectors at work know the authority that it held.
        wanted = rotation.renewed(kept or self._kept, self._hosts, self._now())
        if wanted is not kept:
            await self._write(secret, wanted)
            for server, pair in wanted.served.items():
                until = pair.certificate.not_valid_after_utc.isoformat()
                _log.info("%s in the %s is good until %s", rotation.certificate_key(server), self._place, until)
        return wanted

    async def _write(self, secret: wire.SecretObject, kept: rotation.Kept) -> None:
        # What nobody asks for any more, such as the gateway's when it is gone, goes.
        data: dict[str, str | None] = dict.fromkeys(secret.data)
        data |= {name: base64.b64encode(value).decode() for name, value in kept.data().items()}
        # With the version, of two replicas that write at once one is refused.
        body = {"metadata": {"resourceVersion": secret.metadata.resource_version}, "data": data}
        await self._cluster.patch(self._path, body, MERGE_PATCH, wire.Kind)

    def _serve(self, data: Mapping[str, bytes]) -> None:
        """Show another certificate from the next connection on.

        Raises:
            ValueError: there is none, or it can't be used.
        """
        names = rotation.certificate_key(rotation.INTAKE), rotation.private_key(rotation.INTAKE)
        certificate, key = (data.get(name, b"") for name in names)
        if not certificate or not key:
            raise ValueError(f"its keys {' and '.join(names)} are not both there")
        until = x509.load_pem_x509_certificate(certificate).not_valid_after_utc
        if until - self._now() < _WARN:
            _log.warning("the intake's certificate in the %s ends at %s", self._place, until.isoformat())
        if (certificate, key) != self._served:
            tls.show(self.context, certificate, key)
            self._served = (certificate, key)
        self._trust.authorities = data.get(rotation.TRUSTED, b"").decode("ascii")

    def _complain(self, trouble: str) -> None:
        if trouble != self.trouble:
            _log.warning("%s", trouble)
        self.trouble = trouble
