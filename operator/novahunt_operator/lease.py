"""Keeps one replica active: a Lease that is timed by this process's own monotonic clock.

The clients' own leader election times itself by the wall clock, which may jump.
"""

import asyncio
import logging
import time
from datetime import UTC, datetime

import msgspec

from novahunt_api import paths, wire
from novahunt_api.cluster import ApiError, Cluster, ConflictError, NotFoundError

DURATION_SECONDS = 10
"""A holder that has not renewed for so long is dead; another may take over."""

_RENEW_SECONDS = 2.0
_DEADLINE_SECONDS = 7.0
"""A holder whose last renewal is older than this stops acting, well before another takes over."""

_log = logging.getLogger(__name__)


class LostLeaseError(Exception):
    """Another replica is active, or the API server could not be reached for too long."""


class Lease:
    """This replica's hold on the Lease."""

    def __init__(self, cluster: Cluster, namespace: str, name: str, identity: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._valid_until = float("-inf")
        self._seen: tuple[str, float] = ("", float("-inf"))
        """The Lease's last seen version, and when it was first seen."""
        self._transition: int | None = None
        """Of the Lease's holds, the number of this replica's; None: it has none yet."""
        self.stands_by = False
        """Whether, as last read, another one holds the Lease: this replica can take over."""

    @property
    def held(self) -> bool:
        """Whether this replica is active now."""
        return time.monotonic() < self._valid_until

    async def acquire(self) -> None:
        """Wait until this replica is the active one."""
        self._transition = None
        while not await self._try():  # noqa: ASYNC110 - nothing here tells when the other's hold ends
            await asyncio.sleep(_RENEW_SECONDS / 2)
        _log.info("%s holds the lease %s", self._identity, self._name)

    async def keep(self) -> None:
        """Renew for ever.

        Raises:
            LostLeaseError: the hold has ended; the process should end too.
        """
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            if not await self._try() and not self.held:
                raise LostLeaseError(f"{self._identity} does not hold the lease {self._name} any more")

    async def release(self) -> None:
        """Let another replica take over at once."""
        if not self.held:
            return
        self._valid_until = float("-inf")
        try:
            lease = await self._read()
            if lease is not None and lease.spec.holder_identity == self._identity:
                await self._write(lease, holder="")
        except ApiError as error:
            _log.warning("the lease could not be released: %s", error)

    async def _try(self) -> bool:
        asked = time.monotonic()
        try:
            lease = await self._read()
            if lease is not None and (self._was_another_ones(lease) or not self._free(lease)):
                # The monotonic clock of a suspended machine stands still: what is read counts.
                self._valid_until = float("-inf")
                self.stands_by = True
                return False
            self.stands_by = False
            transition = await self._write(lease, holder=self._identity)
        except ConflictError:
            return False
        except ApiError as error:
            _log.warning("the lease can't be renewed: %s", error)
            return False
        # Counted from before the call: its answer may have been slow.
        self._valid_until = asked + _DEADLINE_SECONDS
        self._transition = transition
        return True

    def _was_another_ones(self, lease: wire.LeaseObject) -> bool:
        """Whether another one has held it since, though it may be free again: what that one did is not known here."""
        # One in its own name is its own, whose answer was lost: it writes none without having read another one's.
        if self._transition is None or lease.spec.holder_identity == self._identity:
            return False
        return _transitions(lease.spec) != self._transition

    def _free(self, lease: wire.LeaseObject) -> bool:
        holder = lease.spec.holder_identity
        if not holder or holder == self._identity:
            return True
        now = time.monotonic()
        if lease.metadata.resource_version != self._seen[0]:
            self._seen = (lease.metadata.resource_version, now)
        return now - self._seen[1] > (lease.spec.lease_duration_seconds or DURATION_SECONDS)

    async def _read(self) -> wire.LeaseObject | None:
        try:
            data = await self._cluster.call_once("GET", paths.leases(self._namespace, self._name), seconds=3.0)
        except NotFoundError:
            return None
        return msgspec.json.decode(data, type=wire.LeaseObject)

    async def _write(self, lease: wire.LeaseObject | None, *, holder: str) -> int:
        """Write who holds it, and return the number of that hold."""
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        old = lease.spec if lease is not None else wire.LeaseSpec()
        changed = old.holder_identity != holder
        transitions = _transitions(old) + (1 if changed and holder else 0)
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": self._name,
                "namespace": self._namespace,
                **({"resourceVersion": lease.metadata.resource_version} if lease is not None else {}),
            },
            "spec": {
                "holderIdentity": holder,
                "leaseDurationSeconds": DURATION_SECONDS,
                "acquireTime": now if changed else old.acquire_time,
                "renewTime": now,
                "leaseTransitions": transitions,
            },
        }
        method, path = (
            ("POST", paths.leases(self._namespace))
            if lease is None
            else ("PUT", paths.leases(self._namespace, self._name))
        )
        await self._cluster.call_once(method, path, body=body, seconds=3.0)
        return transitions


def _transitions(spec: wire.LeaseSpec) -> int:
    return spec.lease_transitions or 0
